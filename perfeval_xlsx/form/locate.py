"""Where the blocks of a form stand: header rows by how many fields they name, titles, the rows between."""

from __future__ import annotations

import re
from functools import lru_cache

from perfeval_xlsx.data import load
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.header_cells import Looks, header_cells, looked_at, reaching
from perfeval_xlsx.form.labels import (
    LONGEST,
    Match,
    field_names,
    find,
    find_damaged,
    is_figure,
    is_one_of,
    pattern,
    plain_row,
    split_points,
)
from perfeval_xlsx.form.model import AMOUNT_FIELDS
from perfeval_xlsx.form.title import is_title

_DEEPEST, _FEWEST = 3, 3
"""Header rows a block has at most; fields that the grid's names at least."""
_REMEMBERED = 256
"""So many headers are remembered."""
_FIGURE = re.compile(r"[\d,]+(?:\.\d+)?(?:%|[百千万亿]*元|万)?$")
_DIGITS, _LAST = frozenset("0123456789"), frozenset("0123456789%")
_NO_LINE: dict[int, str] = {}
_LEAST = 2
"""So many texts that name fields a header's first row holds at least."""
_NO_BLOCK: frozenset[str] = frozenset()
_LEVELS = ("level1", "level2", "level3")
_TELLING = frozenset({"target", "actual", "score", "weight", "level3", "level2"})
"""Fields of which a grid's header names two at least."""
_ANYWHERE = frozenset({"weight", "score", "sign", "unit"})
"""Fields whose column may stand left of the levels."""
_LOOKED_AT = 12
"""Rows below a header whose cells may say what its columns are."""
_SHORT = 8
"""Longest label under another one."""
_SCORED = frozenset({"rate", "weight", "score"})
"""Fields of the fund table that a list of tasks and their money lacks."""


def indicator_headers(grid: Grid) -> list[Header]:
    """Every header of an indicator grid on the sheet, from the top, process-type tables included."""
    headers: list[Header] = []
    for row, blocks in heads(grid).items():
        if "indicator" in blocks and not (headers and row <= headers[-1].bottom):
            header = _header(grid, row, "indicator")
            _settle_levels(grid, header)
            known = not header.columns.keys().isdisjoint(_LEVELS) or _name_by_rows(grid, header)
            if len(header.columns) >= _FEWEST and known:
                headers.append(header)
    return headers


def fund_header(grid: Grid, first: int, last: int) -> Header | None:
    """The last fund header between two rows, one with a rate or a score before a mere list; None without one."""
    found: Header | None = None
    met = first - 1
    for row, blocks in heads(grid).items():
        if met < row <= last and "fund" in blocks:
            header = _header(grid, row, "fund")
            met = header.bottom
            scored = header.columns.keys() & _SCORED
            if header.columns and (found is None or len(scored) >= len(found.columns.keys() & _SCORED)):
                found = header  # one whose labels are all hidden below merged cells has no columns
    return found


def is_fund_header(grid: Grid, row: int) -> bool:
    """Whether a row names at least two columns of a fund table, an amount among them, and holds no figures itself."""
    return "fund" in heads(grid).get(row, _NO_BLOCK)


def is_list(header: Header) -> bool:
    """Whether a fund header is that of a mere list of amounts, without a rate, points or a score."""
    return header.columns.keys().isdisjoint(_SCORED)


def is_process(header: Header) -> bool:
    """Whether a header is that of a table scored by text rules, not by target and actual."""
    return "target" not in header.columns and "actual" not in header.columns


def is_declaration(header: Header) -> bool:
    """Whether a header is that of a target declaration: targets, but neither actuals nor scores."""
    return "actual" not in header.columns and "score" not in header.columns


def heads(grid: Grid) -> dict[int, frozenset[str]]:
    """The blocks (``indicator``, ``fund``) whose header may begin in a row, by row; worked out once a sheet.

    Only rows in which one may. One that holds a figure begins none, but for its own number at one end of it (行次).
    """
    if grid.heads is None:
        grid.heads = {}
        for row, line in grid.lines.items():
            texts = [*line.values()]
            if len(texts) > _LEAST and (before := texts[-2])[0] in _DIGITS and before[-1] in _LAST:
                continue  # points before the score, or the score before a remark: so do most rows end
            if blocks := _blocks(texts):
                grid.heads[row] = blocks
    return grid.heads


def _blocks(texts: list[str]) -> frozenset[str]:
    """The blocks whose header the texts of a row may begin."""
    if len(texts) < _LEAST:
        return _NO_BLOCK
    figures = [text for text in texts if text[0] in _DIGITS and text[-1] in _LAST]
    if figures and (len(figures) > 1 or not figures[0].isdecimal() or figures[0] not in {texts[0], texts[-1]}):
        return _NO_BLOCK
    return _blocks_of(tuple(texts))


@lru_cache(maxsize=1024)
def _blocks_of(texts: tuple[str, ...]) -> frozenset[str]:
    found, left = [], len(texts)
    for text in (*texts[::2], *texts[1::2]):  # in a form's head labels and what they ask for take turns
        if names := field_names(text):
            found.append(names)
        left -= 1
        if len(found) + left < _LEAST:
            return _NO_BLOCK
    fields, funds = ({name for name in names if name} for names in zip(*found, strict=True))
    grid = len(fields) >= _FEWEST and len(fields & _TELLING) >= _LEAST
    fund = len(funds) >= _LEAST and not funds.isdisjoint(AMOUNT_FIELDS) and not _holds_figures(texts)
    return frozenset(block for block, begins in (("indicator", grid), ("fund", fund)) if begins)


def _holds_figures(texts: tuple[str, ...]) -> bool:
    """Whether texts, or what stands behind their colons, are figures, more than the row's number at one end (行次)."""
    figures = [at for at, text in enumerate(texts) if _FIGURE.match(plain_row(text).rpartition(":")[2])]
    numbered = len(figures) == 1 and figures[0] in {0, len(texts) - 1} and texts[figures[0]].isdecimal()
    return bool(figures) and not numbered


_built: dict[tuple[str, int, Looks], Header] = {}
"""Headers by their block, the sheet's last column and all that their cells are told by (see ``looked_at``)."""


def _header(grid: Grid, top: int, block: str) -> Header:
    """Build a header from its first row: sub-headers below count before the label above them."""
    bottom = _bottom(grid, top, block)
    while bottom - top + 1 < _DEEPEST:
        gap = 0 if bottom + 1 in grid.lines else 1
        if not _is_sub_header(grid, top, bottom, bottom + 1 + gap, block):
            break
        bottom += 1 + gap
    looks = looked_at(grid, top, bottom)
    built = None if looks is None else _built.get((block, grid.last_column, looks))
    if built is None:
        built = _of_columns(list(header_cells(grid, top, bottom)), block)
        if looks is not None:
            if len(_built) >= _REMEMBERED:
                _built.clear()
            _built[block, grid.last_column, looks] = built
    header = built.copy()
    header.top, header.bottom = top, bottom + 1 if is_numbering(grid, bottom + 1) else bottom
    return header


def _of_columns(columns: list[Column], block: str) -> Header:
    """Build a header from its cells, its rows still unknown."""
    header = Header(0, 0)
    matches = [_match(column, columns, block) for column in columns]
    found = zip(columns, matches, strict=True)
    first_level = min((column.left for column, match in found if match and match.field in _LEVELS), default=0)
    for column, match in zip(columns, matches, strict=True):
        # A value's label left of all levels is the side label of the whole block, but never that of points.
        beside = column.right < first_level and match is not None and match.field not in _ANYWHERE
        damaged = find_damaged(block, column.label) if match is None else None
        match = match if damaged is None else damaged[0]
        name = "extra" if match is None or beside else match.field
        if match is not None and name != "extra":
            column = column._replace(rank=match.rank)
            _take(header, name, column)
        elif not column.label.isdecimal():
            header.extra.append(column)
        if damaged is not None:
            header.damaged.append((column, damaged[1]))
    return header


def _take(header: Header, name: str, column: Column) -> None:
    """Give a field its column, the surest of several that claim it."""
    if name not in header.columns:
        header.columns[name] = column
        return
    if column.rank > header.columns[name].rank:
        header.columns[name], column = column, header.columns[name]
    header.double.setdefault(name, []).append(column)


def is_numbering(grid: Grid, row: int) -> bool:
    """Whether a row only numbers the columns above it (``栏次 | 1 | 2``, ``甲 | 乙``), or says their units or use."""
    told = [*grid.lines.get(row, _NO_LINE).values()]
    if any(map(_says_more, told)):
        return False
    marks = load("labels.toml")["numbering"]
    if len(told) >= marks["least"] and all(pattern("numbering", "aside").match(plain_row(text)) for text in told):
        return True
    if told and _column_mark(told[0]) in marks["labels"]:
        del told[0]
    if len(told) < marks["least"] or any(len(_column_mark(text)) > 2 for text in told):
        return False
    texts = list(map(_column_mark, told))
    places = [[series.index(text) for text in texts if text in series] for series in marks["series"]]
    in_order = all(run == list(range(run[0], run[0] + len(run))) for run in places if run)
    return in_order and sum(map(len, places)) == len(texts)


@lru_cache(maxsize=1024)
def _says_more(text: str) -> bool:
    """Whether no row that holds a text only numbers its columns, whatever else stands in it."""
    mark, aside = _column_mark(text), pattern("numbering", "aside")
    return len(mark) > 2 and mark not in load("labels.toml")["numbering"]["labels"] and not aside.match(plain_row(text))


def _column_mark(text: str) -> str:
    """What a cell says that may number a column: ``(3)``, ``5=4/3`` without its reckoning."""
    return plain_row(text).partition("=")[0].strip("()")


def _match(column: Column, columns: list[Column], block: str) -> Match | None:
    """What a header cell names, by its own label or by the one over it.

    Of amounts split by source (``预算数`` over ``合计 | 中央 | 省级``) the total stands for the field; the one unknown
    label among known ones (``年度指标值`` over ``符号 | 数值 | 单位``) is what the label over them says.
    """
    match = find(block, column.label)
    whole = find(block, column.group + column.label) if column.group else None
    if whole is not None and whole.exact:
        return whole
    over = find(block, column.group) if column.group else None
    if over is None or over.field == "extra":
        return match
    whole_amount = is_one_of(column.label, "fund_rows", "total") or is_one_of(column.label, "rows", "subtotal")
    if block == "fund" and whole_amount:
        return over
    if match is None and pattern("year", "alone").match(plain_row(column.label)):
        return over
    if match is None:
        beside = [find(block, other.label) for other in columns if other.group == column.group]
        if beside.count(None) == 1 < len(beside) and over.field not in {other.field for other in beside if other}:
            return over
    return match


def _bottom(grid: Grid, top: int, block: str) -> int:
    """The last row that most labels of a header's first row reach down to."""
    if grid.small:
        tall = [column for column in grid.merged_columns(top) if grid.merged[top, column].bottom > top]
        if not any(find(block, grid.own(top, column)) for column in tall):
            return top
    reached = [grid.bottom(top, column) for column, text in grid.texts(top) if find(block, text)]
    return min(max(reached, key=reached.count), top + _DEEPEST - 1)


def _is_sub_header(grid: Grid, top: int, bottom: int, row: int, block: str) -> bool:
    """Whether a row below holds nothing but labels that stand under a wider, a blank or a taller header cell."""
    if any(map(_is_no_label, reversed((grid.lines.get(row) or _NO_LINE).values()))):  # figures stand on the right
        return False
    texts = grid.texts(row)
    known = [find(block, text) for _, text in texts]
    if len(texts) > 1 and all(match is not None and match.exact for match in known):
        return True
    split = [_is_split(grid, bottom, column, text, block) for column, text in texts]
    if not any(known) and not any(split) and not (block == "fund" and _under_amounts(grid, top, texts)):
        return False
    blank = {column: reaching(grid, top, column) for column, _ in texts if not grid.text(bottom, column)}
    groups = set(blank.values()) - {0} if row == top + 1 else set()
    for (column, text), match, goes_on in zip(texts, known, split, strict=True):
        if goes_on:
            continue
        above = grid.merge(top, column)
        under_group = above is not None and above.right > above.left and above.bottom < row
        under_group = under_group or column in groups or blank.get(column) in groups
        if match is None and not (
            under_group and (not _has_digit(text) or pattern("year", "alone").match(plain_row(text)))
        ):
            return False
        if not under_group and column not in blank:
            return False
    return True


@lru_cache(maxsize=4096)
def _is_no_label(text: str) -> bool:
    return len(text) > LONGEST or is_figure(text)


def _is_split(grid: Grid, row: int, column: int, text: str, block: str) -> bool:
    """Whether a text goes on with the label in the cell above it: ``年度`` over ``指标值``."""
    above = grid.own(row, column)
    match = find(block, above + text) if above and grid.right(row, column) == grid.right(row + 1, column) else None
    return match is not None and match.exact


def _under_amounts(grid: Grid, top: int, texts: list[tuple[int, str]]) -> bool:
    """Whether every text is a short label under an amount's that spans several columns."""
    for column, text in texts:
        over = find("fund", grid.text(top, column))
        wide = grid.right(top, column) > grid.anchor(top, column)[1]
        if not (wide and over and over.field in AMOUNT_FIELDS and len(text) <= _SHORT and not _has_digit(text)):
            return False
    return len(texts) > 1


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _settle_levels(grid: Grid, header: Header) -> None:
    """Give every header a level 3: from one label over several level columns, or from the deepest level named."""
    columns = header.columns
    if "level3" in columns and not columns.keys().isdisjoint(_LEVELS[:2]):
        return
    right = max((columns[level].right for level in _LEVELS if level in columns), default=0)
    named = (c for c in header.extra if c.left > right and is_one_of(c.label, "level_group", "exact"))
    if "level3" not in columns and right and (name := next(named, None)) is not None:
        header.extra.remove(name)
        columns["level3"] = name
        return
    for column in [*header.extra, *([columns["level3"]] if "level3" in columns else [])]:
        beside = column in header.extra and "level3" in columns and column.right == column.left
        if is_one_of(column.label, "level_group", "exact") and not columns.keys() & {"level1", "level2"} and not beside:
            _spread(grid, header, column)
            return
    if "level3" not in columns:
        deepest = next((level for level in ("level2", "level1") if level in columns), None)
        if deepest is not None:
            same = sorted([columns.pop(deepest), *header.double.pop(deepest, ())], key=lambda column: column.left)
            columns["level3"] = same.pop()  # of several under one label the rightmost holds the names
            for column in same:
                _take(header, deepest, column)
            if same:
                header.damaged.append((columns["level3"], load("labels.toml")["indicator"]["level3"]["words"][0]))


def _name_by_rows(grid: Grid, header: Header) -> bool:
    """Name columns under labels nobody knows by what stands in them: names of levels, and right of these indicators."""
    if header.columns.keys().isdisjoint({"target", "actual"}):
        return False
    first = min(column.left for column in header.columns.values())
    before = [column for column in header.extra if column.right < first]
    rows = grid.rows_between(header.bottom + 1, header.bottom + _LOOKED_AT)
    for level in ("level1", "level2"):
        for column in before:
            texts = {split_points(text)[0] for row in rows if (text := grid.own(row, column.left))}
            named = [text for text in texts if is_one_of(text, "levels", level)]
            if named and column not in header.columns.values() and 2 * len(named) > len(texts):
                header.columns[level] = column
                break
    left = [column for column in before if column not in header.columns.values()]
    if header.columns.keys().isdisjoint({"level1", "level2"}) or not left:
        return False
    header.columns["level3"] = left[-1]
    header.extra = [column for column in header.extra if column not in header.columns.values()]
    return True


def _spread(grid: Grid, header: Header, column: Column) -> None:
    """Deal the columns under one label out to the levels, deepest last; merged ones below stay one."""
    places = _places_below(grid, header, column)[-len(_LEVELS) :]
    if column in header.extra:
        header.extra.remove(column)
    header.columns.pop("level3", None)
    for level, (left, right) in zip(_LEVELS[-len(places) :], places, strict=True):
        header.columns[level] = Column(column.label, left, right)


def _places_below(grid: Grid, header: Header, column: Column) -> list[tuple[int, int]]:
    """How the rows below divide a header cell's columns: the finest division met in the first rows."""
    finest = [(column.left, column.right)]
    for row in grid.rows_between(header.bottom + 1, header.bottom + _LOOKED_AT):
        if is_title(grid, row) or is_fund_header(grid, row):
            break
        places, at = [], column.left
        while at <= column.right:
            right = min(grid.right(row, at), column.right)
            if grid.text(row, at):
                places.append((at, right))
            at = right + 1
        if len(places) > len(finest):
            finest = places
    return finest
