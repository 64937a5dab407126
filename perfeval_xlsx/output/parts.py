"""Workbooks of any size: rows are deflated where they are made and joined as bytes, never parsed or held again.

XlsxWriter lays out a small workbook (formats, headers, charts, print set-up); rows made elsewhere are then put into its
sheet parts. A deflate stream may be cut at a flush and joined with others, and the CRC of the whole follows from those
of its pieces, so a block of rows costs its compression once, in whatever process made it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import IO

from perfeval_xlsx.deflate import combined_crc, crc32, deflate, library
from perfeval_xlsx.findings import Finding, PerfevalError, cause_of

LEVEL = 3
"""zlib's compression: on rows of cells 3 takes as long as 1 and packs better; 6 gains 7 % for four times the time."""

_HEAD = struct.Struct("<3I")
_END_OF_STREAM = b"\x03\x00"
_IN_MEMORY = 1 << 16
_POLYNOMIAL = 0xEDB88320
_STAMP = (1980, 1, 1, 0, 0, 0)


def pack(content: bytes, rows: int = 0) -> bytes:
    """Deflate ``content`` so that it can be joined with other blocks.

    Args:
        content: Bytes of a part.
        rows: Sheet rows in them.

    Returns:
        A block: rows, size and CRC-32 of the content, then its deflate stream, open at the end.
    """
    return _HEAD.pack(rows, len(content), crc32(content)) + deflate(content, LEVEL, last=False)


def unpack(block: bytes) -> bytes:
    """The content of a block."""
    content: bytes = library.decompressobj(-15).decompress(block[_HEAD.size :])
    return content


def rows_in(block: bytes) -> int:
    """Sheet rows in a block."""
    return int(_HEAD.unpack_from(block)[0])


def _figures(block: bytes) -> tuple[int, int, int]:
    """Size and CRC of a block's content, and the length of its deflate stream."""
    _, size, crc = _HEAD.unpack_from(block)
    return size, crc, len(block) - _HEAD.size


class Spool:
    """Blocks joined in a temporary file, to be closed.

    Attributes:
        rows: Sheet rows so far.
    """

    __slots__ = ("_crc", "_file", "_packed", "_size", "_waiting", "_written", "rows")

    def __init__(self, content: bytes = b"") -> None:
        self._file: IO[bytes] | None = None
        self._waiting: list[memoryview] = []  # to write many blocks at once takes half the time
        self._written = 0
        self.rows = self._size = self._packed = self._crc = 0
        self.add(pack(content))

    def add(self, block: bytes) -> None:
        """Append a block made by ``pack``."""
        rows, size, crc = _HEAD.unpack_from(block)
        self._crc = joined_crc(self._crc, crc, size)
        self.rows += rows
        self._size += size
        self._packed += len(block) - _HEAD.size
        self._waiting.append(memoryview(block)[_HEAD.size :])
        if self._packed - self._written > _IN_MEMORY:
            self._write()

    def _write(self) -> None:
        """Write what waits to the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        self._file.write(b"".join(self._waiting))
        self._waiting.clear()
        self._written = self._packed

    def figures(self) -> tuple[int, int, int]:
        """Bytes when inflated, their CRC-32, bytes of the deflate stream."""
        return self._size, self._crc, self._packed

    def copy_to(self, target: IO[bytes]) -> None:
        """Write the deflate stream, open at the end, to ``target``."""
        if self._file is not None:
            self._file.seek(0)
            shutil.copyfileobj(self._file, target)
        target.write(b"".join(self._waiting))

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()


def _joined_crc(first: int, second: int, size: int) -> int:
    """CRC-32 of two texts joined, from their own CRCs and the ``size`` of the second in bytes."""
    power = 0
    while size:
        if size & 1:
            low, next_low, next_high, high = _zeros(power)
            first = low[first & 255] ^ next_low[first >> 8 & 255] ^ next_high[first >> 16 & 255] ^ high[first >> 24]
        size >>= 1
        power += 1
    return first ^ second


@cache
def _zeros(power: int) -> list[list[int]]:
    """What ``2**power`` zero bytes do to a CRC: the image of every value of each of its four bytes."""
    tables = []
    for byte in range(4):
        table = [0]
        for column in _zeros_matrix(power)[8 * byte : 8 * byte + 8]:
            table += [value ^ column for value in table]
        tables.append(table)
    return tables


@cache
def _zeros_matrix(power: int) -> tuple[int, ...]:
    """The same as a matrix over GF(2): the image of each of the 32 bits."""
    if power == 0:
        matrix = (_POLYNOMIAL, *(1 << bit for bit in range(31)))
        for _ in range(3):
            matrix = tuple(_times(matrix, column) for column in matrix)
        return matrix
    half = _zeros_matrix(power - 1)
    return tuple(_times(half, column) for column in half)


def _times(matrix: Sequence[int], vector: int) -> int:
    total = bit = 0
    while vector:
        if vector & 1:
            total ^= matrix[bit]
        vector >>= 1
        bit += 1
    return total


joined_crc = combined_crc or _joined_crc

Pieces = Sequence[bytes | Spool]
"""The content of a part, in order: bytes as they stand, or what was spooled."""


def save(layout: bytes, changed: Mapping[str, Pieces], target: Path, *, durable: bool = True) -> None:
    """Write a workbook: the members of ``layout``, some with other content, then the members it lacks.

    Args:
        layout: A package as XlsxWriter wrote it.
        changed: Content by member name.
        target: Path of the workbook; replaced at once, never half written.
        durable: Flush to disk before replacing.

    Raises:
        PerfevalError: The target cannot be written.
    """
    temporary = target.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            _write(layout, changed, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise PerfevalError(Finding("B26", found=target.name, args={"detail": cause_of(error)})) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write(layout: bytes, changed: Mapping[str, Pieces], file: IO[bytes]) -> None:
    with zipfile.ZipFile(BytesIO(layout)) as source, zipfile.ZipFile(file, "w") as package:
        names = source.namelist()
        for name in [*names, *(name for name in changed if name not in names)]:
            _member(package, file, name, changed[name] if name in changed else [source.read(name)])


def _member(package: zipfile.ZipFile, file: IO[bytes], name: str, pieces: Pieces) -> None:
    """Append a member whose deflate stream is joined from ready pieces.

    zipfile has no call for that; its directory and zip64 fields follow from the ZipInfo.
    """
    info = zipfile.ZipInfo(name, _STAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.CRC = info.file_size = 0
    info.compress_size = len(_END_OF_STREAM)
    streams = [piece if isinstance(piece, Spool) else pack(piece) for piece in pieces]
    for stream in streams:
        size, crc, packed = stream.figures() if isinstance(stream, Spool) else _figures(stream)
        info.CRC = joined_crc(info.CRC, crc, size)
        info.file_size += size
        info.compress_size += packed
    info.header_offset = file.tell()
    file.write(info.FileHeader())
    for stream in streams:
        if isinstance(stream, Spool):
            stream.copy_to(file)
        else:
            file.write(memoryview(stream)[_HEAD.size :])
    file.write(_END_OF_STREAM)
    package.filelist.append(info)
    package.NameToInfo[name] = info
    package.start_dir = file.tell()
