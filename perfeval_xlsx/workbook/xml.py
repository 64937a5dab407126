"""XML parts: brought to UTF-8, parsed by expat with DOCTYPE and depth refused; names are ``namespace name``."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from xml.parsers import expat

from perfeval_xlsx.workbook.refusals import DOCTYPE, MALFORMED, over, refuse

_DECLARATION = re.compile(r"^<\?xml\b[^>]*?\?>")
_ENCODING = re.compile(rb"^<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_NATIVE = {b"utf-8", b"us-ascii", b"ascii"}
_KNOWN = re.compile(rb"(?i)(utf-?(8|16|32)|iso|latin|windows|cp|gb|hz|big5|euc|shift)")
_UTF8_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

MAIN = frozenset(
    {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    }
)
RELATION_ID = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships id",
    "http://purl.oclc.org/ooxml/officeDocument/relationships id",
)


def utf8(part: bytes, name: str) -> bytes:
    """Return the part in UTF-8, the very same bytes where it already is.

    Args:
        part: The part's bytes.
        name: Its name, for the message.

    Raises:
        PerfevalError: The encoding is unknown or the bytes do not decode.
    """
    encoding = _encoding(part)
    if encoding is None:
        return part
    try:
        text = part.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise refuse(MALFORMED, name, detail=str(error)) from error
    return _DECLARATION.sub(_UTF8_DECLARATION, text.removeprefix("\ufeff")).encode("utf-8")


def _encoding(part: bytes) -> str | None:
    """Return the name of an encoding other than UTF-8, or None."""
    head = part[:4]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head[:2] == b"<\0" or head[:2] == b"\0<":
        return "utf-16-le" if head[0] else "utf-16-be"
    declared = _ENCODING.match(part[:200])
    if declared is None or declared[1].lower() in _NATIVE:
        return None
    if not _KNOWN.match(declared[1]):  # Python knows codecs that are no encodings, and some that are slow
        return "unknown"
    return declared[1].decode("ascii")


def _no_doctype(*_: object) -> None:
    raise refuse(DOCTYPE)


def new_parser() -> expat.XMLParserType:
    """Return an expat parser that is namespace-aware, interns names, joins text and refuses any DOCTYPE."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def run(parser: expat.XMLParserType, part: bytes, name: str) -> None:
    """Parse a whole part.

    Raises:
        PerfevalError: Not well-formed, or with a DOCTYPE; the message names the part.
    """
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise refuse(MALFORMED, name, detail=str(error)) from error
    finally:
        # parser and handlers hold each other: a whole sheet would stay until the next look for cycles
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None


def parse(
    part: bytes,
    name: str,
    depth: int,
    take: Callable[[str, dict[str, str]], None],
    leave: Callable[[str], None] | None = None,
) -> None:
    """Parse a part that holds no text (workbook, relations, styles).

    Args:
        part: The part's bytes, any encoding.
        name: Its name, for messages.
        depth: Deepest nesting allowed.
        take: Gets name and attributes of each start tag.
        leave: Gets the name of each end tag.

    Raises:
        PerfevalError: Not well-formed, with a DOCTYPE, or nested too deep.
    """
    parser = new_parser()
    level = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal level
        level += 1
        if level > depth:
            raise over("xml_depth", level, depth)
        take(tag, attributes)

    def end(tag: str) -> None:
        nonlocal level
        level -= 1
        if leave is not None:
            leave(tag)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    run(parser, utf8(part, name), name)


def local(name: str) -> str:
    """Return a spreadsheet element's local name, an empty string for one of another namespace."""
    namespace, _, tag = name.rpartition(" ")
    return tag if namespace in MAIN or not namespace else ""


def is_true(text: str | None) -> bool:
    """Whether an XML boolean attribute says yes."""
    return text is not None and text.strip().lower() in {"1", "true", "on"}
