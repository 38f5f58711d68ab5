"""The stages, one file each, in the order a page passes them; none imports another."""
