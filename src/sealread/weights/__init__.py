"""The embedded networks and their cards."""
