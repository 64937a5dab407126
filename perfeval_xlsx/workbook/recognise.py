"""What a file is when it is not a workbook we read, by its content; the extension is never believed."""

from __future__ import annotations

from collections.abc import Callable

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.refusals import refuse

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD = 4096
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh")
_BIFF = (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00")


def is_zip(data: bytes) -> bool:
    """Whether there is a zip in the bytes: at the start, or behind a preamble."""
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        return True
    known = data.startswith((_OLE, b"%PDF", *_ARCHIVES))
    return not known and b"PK\1\2" in data and data.rfind(b"PK\5\6", max(0, len(data) - 66_000)) >= 0


def not_a_zip(data: bytes) -> PerfevalError:
    """Return the error for bytes that hold no zip: what they are, and what to do about it."""
    if data.startswith(_OLE):
        return refuse(_ole_code(data))
    for code, test in _TESTS:
        if test(data[:_HEAD]):
            return refuse(code)
    return refuse(why.UNKNOWN)


def _ole_code(data: bytes) -> str:
    """Tell an encrypted workbook, an old workbook and other documents in an OLE2 container apart."""

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        return why.ENCRYPTED
    if holds("WordDocument") or holds("PowerPoint Document"):
        return why.OFFICE
    return why.LEGACY if holds("Workbook") or holds("Book") else why.UNKNOWN


def _html(head: bytes) -> bool:
    text = _ascii(head)
    return text.startswith(("<!doctype html", "<meta", "<head")) or "<html" in text or "<table" in text


def _xml_2003(head: bytes) -> bool:
    return "urn:schemas-microsoft-com:office:spreadsheet" in _ascii(head) and not _html(head)


def _ascii(head: bytes) -> str:
    """Return the ASCII letters of the head in lower case, without a byte order mark or the zeros of UTF-16."""
    return head.replace(b"\0", b"").decode("ascii", "ignore").lstrip().lower()


def _text(head: bytes) -> bool:
    """Whether the head decodes as text and holds no control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 32 and byte not in (9, 10, 11, 12, 13, 26) for byte in head) and _decodes(head)


def _decodes(head: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            try:
                head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return True
    return False


_TESTS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    (why.PDF, lambda head: b"%PDF-" in head[:1024]),
    (why.ARCHIVE, lambda head: head.startswith(_ARCHIVES)),
    (why.LEGACY, lambda head: head.startswith(_BIFF)),
    (why.XML_2003, _xml_2003),
    (why.HTML, _html),
    (why.TEXT, _text),
)


def not_a_workbook(names: set[str], mimetype: bytes) -> PerfevalError:
    """Return the error for a zip without a workbook part we read.

    Args:
        names: Lower-case member names.
        mimetype: Content of the member ``mimetype``, empty where there is none.
    """
    if mimetype.strip().startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return refuse(why.ODS)
    if any(name.startswith(("word/", "ppt/")) for name in names) or mimetype:
        return refuse(why.OFFICE)
    if "xl/workbook.bin" in names:
        return refuse(why.XLSB)
    return refuse(why.NO_WORKBOOK if "[content_types].xml" in names else why.ARCHIVE)
