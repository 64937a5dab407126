"""The total and the grade: in a row of the grid, below their labels, in the head of the form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Header
from perfeval_xlsx.form.heading import Fact, below_labels, names_of, right_of, split_label
from perfeval_xlsx.form.labels import bare, is_one_of, pattern, plain_row, squeeze, total_label
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.workbook import a1

_FIGURE = re.compile(r"(\d{1,3}(?:\.\d+)?)分?")
_GRADED = re.compile(r"(\d{1,3}(?:\.\d+)?)分?[,;、]?[(]?([^\d()]{1,3})[)]?")
_WHOLE = 100.0
_AFTER_TOTAL = 3
"""Rows below the total in which a grade may stand."""
_RANGE = re.compile(r"[(][^()]*\d[^()]*[)]$")
"""What a grade stands for, behind it (``优（90-100分）``)."""
_CHOICES = 3
"""Grades to be ticked that a cell names at least."""


def read_total(form: Form, grid: Grid, header: Header, row: int) -> None:
    """Fill in weight, score and grade of the total row."""
    label, figure, grade_beside = _label_of_total(grid, row)
    taken = {grid.anchor(row, label)}
    if _stacked_total(form, grid, row):
        return
    for name in ("score", "weight"):
        column = header.columns.get(name)
        at = None if column is None else grid.anchor(row, column.left)
        if at is not None and at not in taken and _may_be_points(text := grid.own(*at)):
            taken.add(at)
            form.total_cells[name], form.total[name] = a1(*at), text or None
    _graded_score(form)
    _points_above(form, grid, header, row)
    cell = grid.address(row, label)
    if figure is None and form.total.get("score") is None and form.total.get("weight") is None:
        cell, figure = _figure_beside(grid, row, label)
    _inline_total(form, cell, figure, grade_beside)
    if "grade" in form.total_cells:
        return
    column = header.columns.get("deviation")
    place = (row, column.left) if column is not None and grid.anchor(row, column.left) not in taken else None
    for place_of_grade, grade in _grades(grid, row, row + _AFTER_TOTAL, taken):
        place, form.total["grade"] = place_of_grade, grade
        break
    if place is not None:
        form.total_cells["grade"] = grid.address(*place)
        form.total.setdefault("grade", None)


def _label_of_total(grid: Grid, row: int) -> tuple[int, str | None, str | None]:
    """Column of the label in a total's row, by default that of its first text; figure and grade that stand in it."""
    texts = grid.texts(row)
    for column, text in texts:
        is_total, figure, grade = total_label(text)
        if is_total:
            return column, figure, grade
    return texts[0][0], *total_label(texts[0][1])[1:]


def _figure_beside(grid: Grid, row: int, label: int) -> tuple[str, str | None]:
    """Address and figure of the next filled cell right of a total's label, outside the columns of points."""
    cell, text = right_of(grid, row, label)
    match = _FIGURE.fullmatch(plain_row(text or ""))
    return cell, match[1] if match else None


def _graded_score(form: Form) -> None:
    """Part a figure from the grade that stands in its cell (``98.5（优）``)."""
    score = form.total.get("score") or ""
    match = None if score[-1:].isdecimal() else _GRADED.fullmatch(plain_row(score))
    grade = grade_in(match[2]) if match else None
    if match and grade is not None:
        form.total["score"], form.total["grade"] = match[1], grade
        form.total_cells["grade"] = form.total_cells["score"]


def _points_above(form: Form, grid: Grid, header: Header, row: int) -> None:
    """Take the points from a row of their own above that of the scores (``分值合计 | 100``)."""
    column = header.columns.get("weight")
    if column is None or form.total.get("weight") is not None or row - 1 not in grid.lines:
        return
    above = row - 1
    text = grid.text(above, column.left)
    if is_one_of(grid.texts(above)[0][1], "rows", "points") and _FIGURE.fullmatch(plain_row(text)):
        form.total["weight"], form.total_cells["weight"] = text, grid.address(above, column.left)


def _may_be_points(text: str) -> bool:
    """Whether a cell of the total row holds a figure, or a blank or placeholder in the place of one; no words."""
    return text[:1].isdigit() or any(map(str.isdigit, text)) or not any(map(str.isalnum, text))


def _stacked_total(form: Form, grid: Grid, row: int) -> bool:
    """Fill in total and grade that stand below their labels (``自评总分 | 自评等级`` over ``98.5 | 优``)."""
    labels: dict[str, int] = {}
    for column, text in grid.texts(row):
        if not text[-1].isdecimal() and (name := _labelled(text)) is not None:  # no label ends with a digit
            labels[name] = column
    if len(labels) < 2:
        return False
    below = {name: grid.anchor(grid.bottom(row, column) + 1, column) for name, column in labels.items()}
    texts = {name: grid.own(*place) for name, place in below.items()}
    figure = _FIGURE.fullmatch(plain_row(texts["score"]))
    if figure is None and (texts["score"] or grade_in(texts["grade"]) is None):
        return False
    form.total_cells |= {name: a1(*place) for name, place in below.items()}
    form.total |= {"score": figure[1] if figure else None, "grade": grade_in(texts["grade"])}
    return True


@lru_cache(maxsize=1024)
def _labelled(text: str) -> str | None:
    """What a text is the label of: the score, the grade, None of these."""
    label = bare(text)
    return "grade" if label in names_of("grade") else "score" if label in names_of("total") else None


def _inline_total(form: Form, cell: str, figure: str | None, grade: str | None) -> None:
    """A figure in the label's own cell: the points where the score has a cell of its own, else the score.

    Where both have cells and nothing stands in them it is the score, unless it is the form's 100 points.
    """
    blank = form.total.get("score") is None and form.total.get("weight") is None
    said = figure is not None and (grade is not None or float(figure) != _WHOLE)
    if figure is not None and ("score" not in form.total_cells or (blank and said)):
        form.total["score"], form.total_cells["score"] = figure, cell
    elif figure is not None and form.total.get("weight") is None:
        form.total["weight"] = figure
    if grade is not None:
        form.total["grade"], form.total_cells["grade"] = grade, cell


def _grades(
    grid: Grid, first: int, last: int, taken: set[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], str | None]]:
    """Cells that hold a grade, with or without its label, or stand right of a grade's label."""
    for row in grid.rows_between(first, last):
        for column, text in grid.texts(row):
            if (row, column) in taken:
                continue
            grade = grade_in(text)
            if grade is not None and (row == first or grade != plain_row(text)):
                yield (row, column), grade
                continue
            after = grid.right(row, column) + 1
            if not grid.text(row, after):
                after = next((c for c, _ in grid.texts(row) if c > after), after)
            beside = grade_in(grid.text(row, after))
            if is_one_of(text, "head", "grade") or (beside and is_one_of(text, "head", "conclusion")):
                yield (row, after if after <= grid.last_column else column), beside


@lru_cache(maxsize=4096)
def grade_in(text: str) -> str | None:
    """The grade a cell holds (``等级：优``, ``优☑ 良□ 中□ 差□`` → 优), None where it holds none."""
    rest = pattern("grade", "prefix").sub("", text)
    folded = _RANGE.sub("", plain_row(rest).strip("“”\"'")).strip("()")
    return folded if folded in load("labels.toml")["grade"]["words"] else ticked_grade(text)


@lru_cache(maxsize=4096)
def ticked_grade(text: str) -> str | None:
    """The one grade of several in a cell that is ticked (before or behind its word), None where none or several are."""
    marked, data = _boxed(text), load("labels.toml")["grade"]
    pieces = pattern("grade", "pieces").findall(marked)
    ticks = [at for at, piece in enumerate(pieces) if piece in data["ticks"]]
    if len(ticks) != 1 or (not offers_grades(text) and "".join(pieces) != "".join(marked.split())):
        return None
    beside = [pieces[at] for at in (ticks[0] - 1, ticks[0] + 1) if 0 <= at < len(pieces)]
    words: list[str] = [piece for piece in beside if piece in data["words"]]
    if len(words) < 2:
        return words[0] if words else None
    before, behind = pieces[0] not in data["words"], pieces[-1] not in data["words"]
    if before != behind:
        return words[1] if before else words[0]
    apart = next(pattern("grade", "pieces").findall(word) for word in marked.split() if pieces[ticks[0]] in word)
    named = [piece for piece in apart if piece in data["words"]]
    return named[0] if len(named) == 1 else None


def offers_grades(text: str) -> bool:
    """Whether a cell names several grades of which one is to be ticked."""
    words = load("labels.toml")["grade"]["words"]
    return sum(piece in words for piece in pattern("grade", "pieces").findall(_boxed(text))) >= _CHOICES


def _boxed(text: str) -> str:
    """A text with brackets made the boxes they stand for: ``优（√）良（ ）`` → ``优√良□``."""
    return pattern("grade", "box").sub(lambda match: match[1] or "□", unicodedata.normalize("NFKC", text))


def read_head_total(form: Form, grid: Grid, rows: list[int], facts: list[Fact]) -> None:
    """Fill in a total and grade that stand in the head of the form (``自评总分：97.6``)."""
    names = (("total", "score", names_of("total")), ("grade", "grade", names_of("grade")))
    for row, column, _, label, inline in facts:
        for key, name, words in names:
            if label in words:
                _take_head(form, name, _beside_label(grid, rows, row, column, key, inline))


def _take_head(form: Form, name: str, found: tuple[str, str | None] | None) -> None:
    """Take a total or grade of the head where there is none below the grid; else say where the two differ."""
    if form.total.get(name) is not None:
        form.findings += _contradiction(form, name, found)
    elif found is not None and (found[1] or name not in form.total_cells):
        form.total_cells[name], form.total[name] = found
        if name == "score":
            _graded_score(form)


def _contradiction(form: Form, name: str, head: tuple[str, str | None] | None) -> Iterator[Finding]:
    """A total or grade in the head that is not the one below the grid."""
    own, cell = form.total[name] or "", form.total_cells.get(name)
    if head is None or head[1] is None or cell == head[0]:
        return
    figures = [_FIGURE.fullmatch(plain_row(text)) for text in (head[1], own)]
    if name == "score" and all(figures):
        differ = len({float(figure[1]) for figure in figures if figure}) > 1
    else:
        grades = {grade_in(head[1]), grade_in(own)}
        differ = name == "grade" and None not in grades and len(grades) > 1
    if differ:
        field = "self_total" if name == "score" else "self_grade"
        yield Finding("R23", head[0], field, head[1], own, {"other": cell or ""})


def _beside_label(
    grid: Grid, rows: list[int], row: int, column: int, key: str, inline: str
) -> tuple[str, str | None] | None:
    """Address and text of what stands behind a label's colon, right of it, or below it in a row of labels.

    None where another label stands there.
    """
    after = grid.right(row, column) + 1
    if squeeze(inline):
        figure = plain_row(inline).removesuffix("分") or None
        return grid.address(row, column), _shown_grade(inline) if key == "grade" else figure
    below = below_labels(grid, row, column, rows)
    if below is None and (after > grid.last_column or split_label(grid.text(row, after))[0] in {"得分", "分值"}):
        return None
    cell, text = below or right_of(grid, row, column)
    if text and key == "grade":
        return cell, _shown_grade(text)
    return cell, text if text and any(char.isdigit() for char in text) else None


def _shown_grade(text: str) -> str | None:
    """The grade a cell beside its label shows, or its text where that is none known; None for grades not ticked."""
    return grade_in(text) or (None if offers_grades(text) else text)
