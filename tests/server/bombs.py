"""Files that are small and claim, or become, something huge; and files that never end."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, *chunks: tuple[bytes, bytes], pixels: bytes = b"") -> bytes:
    """A grey PNG of that size, with the compressed pixels that are given."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*each) for each in chunks) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def squeezed(megabytes: int) -> bytes:
    """So many megabytes of zeros, compressed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def gif(width: int, height: int) -> bytes:
    """One frame of that size whose data ends at once."""
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0x80, 0, 0)
        + bytes(6)
        + b","
        + struct.pack("<HHHHB", 0, 0, width, height, 0)
        + b"\x02\x00;"
    )


def tiff(*tags: tuple[int, int, int], after: int = 0) -> bytes:
    """One directory with 4-byte values; `after` is where the next one begins."""
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + struct.pack("<I", after)


def endless_tiff() -> bytes:
    """A directory that is its own successor."""
    return tiff((256, 4, 10), (257, 4, 10), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 100), after=8)


def bmp(width: int, height: int) -> bytes:
    """A header of that size and nothing else."""
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def jpeg(width: int, height: int) -> bytes:
    """A header of that size and nothing else."""
    return b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00\xff\xd9"


def webp(width: int, height: int) -> bytes:
    """An extended header of that size and nothing else."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pdf(*objects: bytes, root: str = "1 0 R", trailer: str = "") -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = f"trailer<</Size {len(objects) + 1}/Root {root}{trailer}>>\nstartxref\n{len(out)}\n%%EOF".encode()
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def one_page(content: bytes, resources: bytes = b"<<>>", *more: bytes, box: bytes = b"0 0 200 200") -> bytes:
    """A PDF of one page; further objects are numbered from 5."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Resources %b/Contents 4 0 R>>" % (box, resources)
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream(content), *more)


def stream(content: bytes, head: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d%b>>stream\n%b\nendstream" % (len(content), head, content)


def endless_pdf() -> bytes:
    """Forms that draw the next one many times: more drawings than any computer finishes."""
    levels = 20
    forms = []
    for level in range(levels):
        head = b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources<</XObject<</F %d 0 R>>>>" % (6 + level)
        forms.append(stream(b"/F Do " * 30 if level < levels - 1 else b"0 0 1 1 re f ", head))
    return one_page(b"/F Do", b"<</XObject<</F 5 0 R>>>>", *forms)


def huge_image_pdf(side: int) -> bytes:
    """A page with an image of that side, compressed to nearly nothing."""
    image = stream(
        squeezed(64),
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/FlateDecode" % (side, side),
    )
    return one_page(b"200 0 0 200 0 0 cm /I Do", b"<</XObject<</I 5 0 R>>>>", image)
