"""Styles of an OpenDocument spreadsheet: looks, widths and heights; data styles as format codes (ODF 1.3, 16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from perfeval_xlsx.workbook.look import STACKED, Look

_LENGTH = re.compile(r"(-?[\d.]+)\s*(cm|mm|in|pt|pc|px)")
_INCHES = {"cm": 1 / 2.54, "mm": 1 / 25.4, "in": 1, "pt": 1 / 72, "pc": 1 / 6, "px": 1 / 96}
_ANGLE = re.compile(r"-?\d{1,6}(?:\.\d+)?", re.ASCII)
_LINES = {"solid": 1, "double": 6, "dotted": 4, "dashed": 3, "fine-dashed": 3, "double-thin": 6, "dash-dot": 9}
_PLAIN = frozenset("%/-: .()")
_SIDES = ("left", "right", "top", "bottom")
_MEDIUM, _THICK = 1.1, 2.2
_HORIZONTAL = {
    "start": "left",
    "left": "left",
    "center": "center",
    "end": "right",
    "right": "right",
}
_VERTICAL = {"top": "top", "middle": "vcenter", "bottom": "bottom"}
_DATES = {
    "year": ("yy", "yyyy"), "month": ("m", "mm"), "day": ("d", "dd"), "day-of-week": ("ddd", "dddd"),
    "hours": ("h", "hh"), "minutes": ("m", "mm"), "seconds": ("s", "ss"), "am-pm": ("AM/PM", "AM/PM"),
}  # fmt: skip


def inches(text: str) -> float | None:
    """Return a length in inches, or None where it is none."""
    found = _LENGTH.match(text)
    return float(found[1]) * _INCHES[found[2]] if found else None


@dataclass(slots=True)
class _Style:
    """One style: what it is based on and its own properties, by their prefixed names."""

    parent: str
    data: str
    own: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Data:
    """One data style: its pieces, and the styles for the sections before its own."""

    pieces: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


class Styles:
    """The styles of a document; feed it the start tags, then ask."""

    __slots__ = ("_data", "_here", "_looks", "_numbers", "_styles", "_there", "_writing", "chunks", "looks")

    def __init__(self) -> None:
        self._styles: dict[tuple[str, str], _Style] = {}
        self._data: dict[str, _Data] = {}
        self._here: _Style | None = None
        self._there: _Data | None = None
        self._writing = False
        self._numbers: dict[str, int] = {}
        self._looks: dict[Look, int] = {Look(): 0}
        self.chunks: list[str] = []
        self.looks = [Look()]

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag, prefixed (``style:style``)."""
        prefix, _, name = tag.partition(":")
        if tag in {"style:style", "style:default-style"}:
            family = attributes.get("style:family", "")
            made = _Style(attributes.get("style:parent-style-name", ""), attributes.get("style:data-style-name", ""))
            self._here = self._styles.setdefault((family, attributes.get("style:name", "")), made)
        elif name.endswith("-properties") and self._here is not None and self._there is None:
            self._here.own.update(attributes)
        elif prefix == "number" and name.endswith("-style"):
            self._here, self._there = None, self._data.setdefault(attributes.get("style:name", ""), _Data())
        elif self._there is not None:
            self._piece(tag, attributes)

    def _piece(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Add a piece of a data style."""
        there = self._there
        name = tag.partition(":")[2]
        if there is None:
            return
        if tag == "style:map":
            there.before.append(attributes.get("style:apply-style-name", ""))
        elif name in {"number", "scientific-number", "fraction"}:
            there.pieces.append(_digits(name, attributes))
        elif name in _DATES:
            long = attributes.get("number:style") == "long"
            textual = name == "month" and attributes.get("number:textual") == "true"
            there.pieces.append(("mmm", "mmmm")[long] if textual else _DATES[name][long])
        elif name == "text-content":
            there.pieces.append("@")
        elif name in {"text", "currency-symbol"}:
            self.chunks.clear()
            self._writing = True

    @property
    def writing(self) -> bool:
        """Whether character data belong to a literal of a data style."""
        return self._writing

    def end(self, tag: str) -> None:
        """Take an end tag."""
        name = tag.partition(":")[2]
        if self._writing and name in {"text", "currency-symbol"}:
            text = "".join(self.chunks)
            if self._there is not None and text:
                self._there.pieces.append(text if text in _PLAIN else '"' + text.replace('"', "") + '"')
            self._writing = False
        elif tag in {"style:style", "style:default-style"}:
            self._here = None
        elif tag.startswith("number:") and name.endswith("-style"):
            self._there = None

    def code(self, name: str) -> str:
        """Return the format code of a data style."""
        data = self._data.get(name)
        if data is None:
            return "General"
        first = [self._data[other] for other in data.before[:2] if other in self._data]
        return ";".join("".join(each.pieces) or "General" for each in [*first, data])

    def _resolved(self, family: str, name: str) -> tuple[dict[str, str], str]:
        """Return a style's properties with those it inherits, and its data style."""
        chain: list[_Style] = []
        while (family, name) in self._styles and len(chain) < 20:
            chain.append(self._styles[family, name])
            name = chain[-1].parent
        chain.extend(style for key, style in self._styles.items() if key == (family, ""))
        merged: dict[str, str] = {}
        for style in reversed(chain):
            merged.update(style.own)
        return merged, next((style.data for style in chain if style.data), "")

    def property(self, family: str, name: str, wanted: str) -> str:
        """Return one property of a style, an empty string where it has none."""
        return self._resolved(family, name)[0].get(wanted, "")

    def cell(self, name: str) -> int:
        """Return the number of a cell style's look."""
        if name not in self._numbers:
            look = self._look(*self._resolved("table-cell", name)) if name else Look()
            number = self._looks.setdefault(look, len(self.looks))
            if number == len(self.looks):
                self.looks.append(look)
            self._numbers[name] = number
        return self._numbers[name]

    def _look(self, own: Mapping[str, str], data: str) -> Look:
        left, right, top, bottom = (_line(own.get(f"fo:border-{side}") or own.get("fo:border", "")) for side in _SIDES)
        fill = own.get("fo:background-color", "")
        return Look(
            self.code(data),
            left,
            right,
            top,
            bottom,
            wrap=own.get("fo:wrap-option") == "wrap",
            horizontal=_HORIZONTAL.get(own.get("fo:text-align", ""), ""),
            vertical=_VERTICAL.get(own.get("style:vertical-align", ""), ""),
            bold=own.get("fo:font-weight") == "bold",
            size=round((inches(own.get("fo:font-size", "")) or 0) * 72, 2),
            font=own.get("style:font-name-asian") or own.get("style:font-name", ""),
            fill=fill.upper() if fill.startswith("#") else "",
            turned=_turned(own.get("style:direction", ""), own.get("style:rotation-angle", "0")),
        )


def _turned(direction: str, angle: str) -> int:
    """Return the degrees of a text's rotation; an angle at which a spreadsheet stands no text is none."""
    if direction == "ttb":
        return STACKED
    match = _ANGLE.match(angle)
    degrees = round(float(match[0])) % 360 if match else 0
    degrees -= 360 if degrees > 180 else 0
    return degrees if -90 <= degrees <= 90 else 0


def _line(text: str) -> int:
    """Return Excel's number for a border such as ``0.06pt solid #000000``."""
    line = next((number for word, number in _LINES.items() if word in text.split()), 0)
    width = (inches(text) or 0) * 72
    if line == 1 and width > _MEDIUM:
        return 5 if width > _THICK else 2
    return line


def _digits(name: str, attributes: Mapping[str, str]) -> str:
    """Return the placeholders of a number."""
    whole = "0" * _count(attributes, "number:min-integer-digits")
    if name == "fraction":
        return "# ?/" + "?" * max(1, _count(attributes, "number:min-denominator-digits"))
    places = _count(attributes, "number:decimal-places")
    kept = _count(attributes, "number:min-decimal-places") if "number:min-decimal-places" in attributes else places
    if "number:decimal-places" not in attributes and name == "number":
        return "General"
    grouped = "#,##" + (whole or "#") if attributes.get("number:grouping") == "true" else whole or "#"
    decimals = "." + "0" * kept + "#" * (places - kept) if places else ""
    exponent = (
        "E+" + "0" * max(1, _count(attributes, "number:min-exponent-digits")) if name == "scientific-number" else ""
    )
    return grouped + decimals + exponent


def _count(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "0")
    return min(int(text), 30) if text.isascii() and text.isdigit() else 0
