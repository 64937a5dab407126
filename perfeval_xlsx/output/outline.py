"""A form as it was understood, in lines for a terminal: whether it was read right is to be seen in ten seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.model import FUND_FIELDS, INDICATOR_FIELDS, Form, IndicatorRow
from perfeval_xlsx.output.style import text_width

_FUNDS = "funds."
_CARRIED = ("level1", "level2")
"""Fields that are carried down over the rows below."""
_MORE = "…"


def form_lines(form: Form, lang: Lang = "zh") -> Iterator[str]:
    """Yield a form block by block: where it stands, by which header, what its rows hold, what was left out and why."""
    yield from _head(form, lang)
    yield from _funds(form, lang)
    for name, text in form.goals.items():
        if text:
            yield _say("goal", lang, cell=form.goal_cells.get(name, ""), text=_cut(text, "text"))
    yield from _grid(form, lang)
    yield from _left_out(form, lang)
    yield _say("total", lang, **{name: _at(form, name, lang) for name in ("score", "grade", "weight")})
    cells = form.note_cells or [""] * len(form.notes)
    yield from (
        _say("note", lang, cell=cell, text=_cut(text, "text")) for cell, text in zip(cells, form.notes, strict=True)
    )
    if form.findings:
        yield _say("findings", lang)
    for finding in form.findings:
        yield _say("finding", lang, cell=finding.cell or "", message=finding.text("message", lang))
    yield ""


def _head(form: Form, lang: Lang) -> Iterator[str]:
    nothing = _say("nothing", lang)
    first, last = form.spans()[0][1:]
    yield _say("head", lang, path=form.path, sheet=form.sheet, form=form.number, first=first, last=last)
    for page in form.pages:
        yield _say("page", lang, sheet=page.sheet, first=page.first, last=page.last)
    facts = {name: _squeezed(str(getattr(form, name) or nothing)) for name in ("title", "org", "year", "unit")}
    yield _say("facts", lang, kind=load("console.toml")["kind"][form.kind][lang], **facts)
    if form.project:
        yield _say("project", lang, project=_squeezed(form.project))


def _funds(form: Form, lang: Lang) -> Iterator[str]:
    yield _say("funds", lang, rows=len(form.funds), header=_header(form, "funds", _FUNDS, lang))
    fields = [name for name in FUND_FIELDS if any(fund.values.get(name) for fund in form.funds)]
    rows = [[_row(form, f.row), f.label or "", *(f.values.get(name) or "" for name in fields)] for f in form.funds]
    titles = [_say("row", lang), _say("fund", lang), *(_field(name, lang) for name in fields)]
    yield from _table(titles, ["other", "label", *fields], rows)


def _grid(form: Form, lang: Lang) -> Iterator[str]:
    yield _say("indicators", lang, rows=len(form.indicators), header=_header(form, "grid", "", lang))
    if form.others:
        columns = (f"{letter} {_squeezed(label)}" for letter, label in form.others)
        yield _say("others", lang, columns=_say("joint", lang).join(columns))
    held = {name for row in form.indicators for name, text in row.values.items() if text}
    held |= {"level1"} if any(row.level1_points is not None for row in form.indicators) else set()
    fields = [name for name in INDICATOR_FIELDS if name in held or name == "level3"]
    titles = [_say("row", lang), *(_field(name, lang) for name in fields)]
    yield from _table(titles, ["other", *fields], list(_grid_rows(form, fields, lang)))


def _grid_rows(form: Form, fields: Sequence[str], lang: Lang) -> Iterator[list[str]]:
    """Yield the rows; a level is shown where it differs from the row above, as merged cells do."""
    above: list[str] = []
    for row in form.indicators:
        values = {name: text or "" for name, text in row.values.items()}
        if row.level1_points is not None:
            points = f"{row.level1_points:g}"
            values["level1"] = _say("points", lang, level1=values.get("level1", ""), points=points)
        levels = [values.get(name, "") for name in _CARRIED]
        blank = _CARRIED if levels == above else _CARRIED[: int(levels[:1] == above[:1])]
        above = levels
        yield [_row(form, row.row), *("" if name in blank else values.get(name, "") for name in fields)]


def _left_out(form: Form, lang: Lang) -> Iterator[str]:
    """Rows that do not count, neighbours of one kind together."""
    if form.left_out:
        yield _say("left_out", lang, rows=len(form.left_out))
    reasons = load("console.toml")["left_out"]
    for _, together in groupby(enumerate(form.left_out), lambda item: (item[1].reason, item[1].row - item[0])):
        rows = [row for _, row in together]
        reason = rows[0].reason or ""
        ends = dict.fromkeys((_row(form, rows[0].row), _row(form, rows[-1].row)))
        told = reasons[reason][lang] if reason in reasons else reason
        texts = dict.fromkeys(text for row in rows for text in _texts(row))
        yield _say("left_out_rows", lang, row="–".join(ends), reason=told, text=_cut(" ".join(texts), "text"))


def _texts(row: IndicatorRow) -> Iterator[str]:
    return (_squeezed(text) for name, text in row.values.items() if text and name not in _CARRIED)


def _header(form: Form, block: str, prefix: str, lang: Lang) -> str:
    """The header of a block: its rows, and each column with its field and, where it says it otherwise, its label."""
    if block not in form.headers:
        return _say("no_header", lang)
    columns = []
    for name, (letter, label) in form.columns.items():
        if name.startswith(_FUNDS) == bool(prefix):
            field, own = _field(name.removeprefix(prefix), lang), _squeezed(label)
            columns.append(_say("column" if field == own else "labelled", lang, column=letter, field=field, label=own))
    ends = dict.fromkeys(str(row) for row in form.headers[block])
    return _say("header", lang, rows="–".join(ends), columns=_say("joint", lang).join(columns))


def _row(form: Form, row: int) -> str:
    """A row's number, with its sheet where the form goes on over several."""
    index, number = form.row_place(row)
    return f"{number}" if index == form.sheet_index else form.address(index, f"{number}")


def _at(form: Form, name: str, lang: Lang) -> str:
    """A figure of the total row with its cell."""
    value = _squeezed(form.total.get(name) or _say("nothing", lang))
    cell = form.total_cells.get(name)
    return _say("at", lang, value=value, cell=cell) if cell else value


def _table(titles: Sequence[str], fields: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows under their titles, each column as wide as its texts need, up to its bound."""
    cut = [[_cut(text, name) for text, name in zip(row, fields, strict=True)] for row in rows]
    if not cut:
        return
    table = [list(titles), *cut]
    widths = [max(map(text_width, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "    " + "  ".join(map(_padded, row, widths)).rstrip()


def _padded(text: str, width: int) -> str:
    return text + " " * (width - text_width(text))


def _cut(text: str, name: str) -> str:
    """A text on one line, cut where it is wider than its kind may be."""
    widest = load("console.toml")["read"]["widest"]
    room, text = widest.get(name, widest["other"]), _squeezed(text)
    if text_width(text) <= room:
        return text
    while text_width(text) > room - text_width(_MORE):
        text = text[:-1]
    return text + _MORE


def _squeezed(text: str) -> str:
    """A text without line breaks; between Chinese characters nothing takes their place."""
    lines: Iterable[str] = (" ".join(line.split()) for line in text.split("\n"))
    return "".join(line if line[-1:] > "\u2e7f" else line + " " for line in lines).strip()


def _field(name: str, lang: Lang) -> str:
    """The word for a field; columns beyond ours keep their own name."""
    words = load("console.toml")["field"].get(name)
    return name if words is None else str(words[lang])


def _say(key: str, lang: Lang, **values: object) -> str:
    return str(load("console.toml")["read"][key][lang]).format(**values)
