"""How the workbooks we write look: fonts, formats and print set-up, all of them data (``data/outputs.toml``)."""

from __future__ import annotations

from functools import cache
from typing import Any
from unicodedata import east_asian_width

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang

_OURS = frozenset({"heading", "plain", "text"})
A4 = 9


def text_width(text: str) -> int:
    """Return the width of ``text`` in digits: a Chinese character counts two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


@cache
def style_numbers() -> dict[str, int]:
    """Number of every style in the workbook's list of formats; 0 is the workbook's default."""
    return {name: number for number, name in enumerate(load("outputs.toml")["style"], start=1)}


def add_formats(book: Any, lang: Lang) -> dict[str, Any]:
    """Register every style with an XlsxWriter workbook that has no formats of its own yet.

    Args:
        book: The ``xlsxwriter.Workbook``.
        lang: Decides on the fonts.

    Returns:
        The formats by name; each has the number that ``style_numbers`` says, so that rows can be written elsewhere.

    Raises:
        RuntimeError: A number came out differently (two styles are the same, or a format was in use before).
    """
    data = load("outputs.toml")
    formats = {}
    for name, style in data["style"].items():
        properties = {} if style.get("plain") else dict(data["base"])
        properties["font_name"] = data["font"][lang]["heading" if style.get("heading") else "body"]
        properties |= {key: value for key, value in style.items() if key not in _OURS}
        formats[name] = book.add_format(properties)
        if formats[name]._get_xf_index() != style_numbers()[name]:
            raise RuntimeError(f"style {name} has an unexpected number")
    return formats


def print_setup(sheet: Any, lang: Lang, heading: str, head_rows: int = 0) -> None:
    """Set a sheet up for A4 landscape, as wide as one page, with its head on every page and numbered pages."""
    words = load("outputs.toml")["words"]["page"][lang]
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.center_horizontally()
    sheet.set_footer(f"&L{heading}&R" + words.format(page="&P", pages="&N"))
    if head_rows:
        sheet.repeat_rows(0, head_rows - 1)
