"""Shared strings: rich text joined, phonetic guides left out, ``_x000D_`` escapes decoded."""

from __future__ import annotations

import re
from functools import lru_cache
from xml.parsers import expat

from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook.refusals import over
from perfeval_xlsx.workbook.xml import local, new_parser, run, utf8

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_OPEN, _BETWEEN, _CLOSE = b"<si><t>", b"</t></si><si><t>", b"</t></si>"
_PRESERVED = b'<si><t xml:space="preserve">'
_TAGS = bytes({*range(9), *range(0x0B, 0x20), 0x7F, *b"&<"})
"""Bytes that plainly spelled texts do not hold: control characters, and what begins a reference or a tag.

Of the last each string has four around it, so more than four a string are too many, whichever they are.
"""
_KEPT = 65_536
"""Most bytes around the strings that are remembered."""
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def unescape(text: str) -> str:
    """Decode ``_xHHHH_`` escapes; a carriage return before a line feed goes, a lone one becomes a line feed."""
    if "_x" in text:
        text = _ESCAPE.sub(_character, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF or code == 0 else chr(code)


def escape(text: str) -> str:
    """Return ``text`` as the content of an XML element; what XML cannot hold is left out."""
    text = _LOOKS_ESCAPED.sub("_x005F_", clean(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    """Return what a reader gets back for ``text`` once it was written with :func:`escape`."""
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def read_strings(part: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Return the shared strings in order.

    Args:
        part: Bytes of the shared strings part.
        name: Its name, for messages.
        limits: Bounds on their number and on nesting.

    Raises:
        PerfevalError: Not well-formed or over a limit.
    """
    part = utf8(part, name)
    plain = _read_plain(part, name, limits)
    if plain is not None:
        return plain
    parser = new_parser()
    reader = _Strings(parser, limits)
    run(parser, part, name)
    return reader.strings


def _read_plain(part: bytes, name: str, limits: Limits) -> list[str] | None:
    """Return the strings of a part that holds nothing but plainly spelled ones, None for any other.

    The part is cut between its strings: every ``<`` must belong to a tag of theirs. What stands around them goes
    through expat, which also says whether the elements are ours.
    """
    start, stop = part.find(b"<si>"), part.rfind(b"</si>") + len(b"</si>")
    inside = part[start:stop] if 0 <= start < stop else b""
    # One byte is looked for several times as fast as three, and forms hold few of these.
    if b'"' in inside:
        inside = inside.replace(_PRESERVED, _OPEN)
    if not (inside.startswith(_OPEN) and inside.endswith(_CLOSE)) or (b"]" in inside and b"]]>" in inside):
        return None
    try:
        strings = inside[len(_OPEN) : -len(_CLOSE)].decode().split(_BETWEEN.decode())
    except UnicodeDecodeError:
        return None
    if len(inside) - len(inside.translate(None, _TAGS)) != 4 * len(strings) or len(strings) > limits.strings:
        return None
    outside = part[:start] + part[stop:]
    if not (_around if len(outside) <= _KEPT else _around.__wrapped__)(outside, name, limits):
        return None
    return [unescape(text) for text in strings] if b"_" in inside and b"_x" in inside else strings


@lru_cache(maxsize=64)
def _around(part: bytes, name: str, limits: Limits) -> bool:
    """Whether what stands around the strings is well-formed and is a table of strings; remembered, as forms agree."""
    parser = new_parser()
    around = _Strings(parser, limits)
    run(parser, part, name)
    return "sst" in around.names.values()


class _Strings:
    """Collects ``t`` under ``si`` and ``r``, not under ``rPh``."""

    __slots__ = ("chunks", "depth", "limits", "names", "parser", "phonetic", "strings")

    def __init__(self, parser: expat.XMLParserType, limits: Limits) -> None:
        self.parser, self.limits = parser, limits
        self.strings: list[str] = []
        self.chunks: list[str] = []
        self.names: dict[str, str] = {}
        self.phonetic = 0
        self.depth = 0
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        tag = self.names.get(name)
        if tag is None:
            tag = self.names[name] = local(name)
        self.depth += 1
        if self.depth > self.limits.xml_depth:
            raise over("xml_depth", self.depth, self.limits.xml_depth)
        if tag == "t":
            if not self.phonetic:
                self.parser.CharacterDataHandler = self.chunks.append
        elif tag == "rPh":
            self.phonetic += 1

    def end(self, name: str) -> None:
        tag = self.names[name]
        self.depth -= 1
        if tag == "t":
            self.parser.CharacterDataHandler = None
        elif tag == "si":
            self.strings.append(unescape("".join(self.chunks)))
            self.chunks.clear()
            if len(self.strings) > self.limits.strings:
                raise over("strings", len(self.strings), self.limits.strings)
        elif tag == "rPh":
            self.phonetic -= 1
