"""Deflate, inflate and CRC-32 in one place: ISA-L where the machine has it, else zlib.

ISA-L packs six times as fast as zlib at the same size and adds up ten times as fast. Either reads what the other
packed; the packed bytes differ between them, not between two runs on one machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

library: Any = zlib
try:
    from isal import isal_zlib

    library = isal_zlib
except ImportError:  # no wheel for this processor (loongarch64, 32 bit)
    pass

_ISAL_LEVEL = 1
"""Levels 2 and 3 of ISA-L gain nothing on rows of cells, 0 is a quarter larger."""

_SMALL = 1 << 15
"""Up to so many bytes what is squeezed is packed at level 0: a quarter larger, but up to a hundredth of a millisecond
sooner, most of which ISA-L takes to prepare its level 1."""

_ROOM = 1 << 16
"""So many bytes may be made of any stream: ISA-L takes a fifth longer where its room is just enough."""

crc32 = library.crc32
"""CRC-32 of bytes, an optional start value behind them."""


combined_crc: Callable[[int, int, int], int] | None = getattr(library, "crc32_combine", None)
"""CRC-32 of two texts joined, from their own and the second's length in bytes, where the library can tell."""


class DeflateError(Exception):
    """A stream that is none, or ends early, or holds more than it should."""


def deflate(content: bytes, level: int, *, last: bool = True) -> bytes:
    """Return a raw deflate stream.

    Args:
        content: Bytes to pack.
        level: zlib's level, where it is zlib that packs.
        last: False leaves the stream open behind a flush, so that others can be joined to it.
    """
    stream = library.compressobj(level if library is zlib else _ISAL_LEVEL, library.DEFLATED, -15)
    packed: bytes = stream.compress(content) + stream.flush(library.Z_FINISH if last else library.Z_SYNC_FLUSH)
    return packed


def inflate(packed: bytes, size: int) -> bytes:
    """Return what a raw deflate stream holds; no more is ever made than ``_ROOM`` bytes, or one byte beyond ``size``.

    Args:
        packed: The stream; what stands behind its end is left alone.
        size: Bytes that it should hold; a stream that holds fewer is returned as it is.

    Raises:
        DeflateError: The stream is broken, ends early or holds more.
    """
    stream = library.decompressobj(-15)
    try:
        content: bytes = stream.decompress(packed, max(size + 1, _ROOM))
    except library.error as error:
        raise DeflateError(str(error)) from error
    if not stream.eof or len(content) > size:
        raise DeflateError("incomplete or too long")
    return content


def squeeze(content: bytes, usual: bytes = b"") -> bytes:
    """Pack bytes that only this program reads again, quickly, in zlib's format.

    Args:
        content: Any bytes.
        usual: What such contents usually hold; what occurs in it takes next to no room.
    """
    level = 0 if len(content) < _SMALL and library is not zlib else 1
    if usual:
        stream = library.compressobj(level, library.DEFLATED, 15, 8, 0, usual)
        packed: bytes = stream.compress(content) + stream.flush()
    else:
        packed = library.compress(content, level)
    return packed


def unsqueeze(packed: bytes, usual: bytes = b"") -> bytes:
    """Return what :func:`squeeze` packed with the same ``usual``, on this machine or another."""
    content: bytes = library.decompressobj(15, usual).decompress(packed) if usual else library.decompress(packed)
    return content
