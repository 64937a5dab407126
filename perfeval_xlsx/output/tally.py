"""Counts over a whole run, and the sheet that shows them: grades, execution, self against rule, dimensions, kinds."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from operator import add
from typing import Any, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.output.sheets import Layout
from perfeval_xlsx.output.style import print_setup
from perfeval_xlsx.output.summary_rows import dimension_of, figure, grades, word
from perfeval_xlsx.scoring.result import FormResult, LevelResult

_CHART_COLUMN = 3
_CHART_ROWS = 15
_COLUMNS = 8
_NARROW, _WIDE = 13, 20


@dataclass(slots=True)
class Points:
    """Scores that add up: how many, their sum, the points they could have had, the lowest and the highest."""

    count: int = 0
    score: float = 0.0
    points: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, scores: Sequence[float], points: Sequence[float] = ()) -> None:
        """Count some, one after the other, so that the sums do not depend on how they come together."""
        self.count += len(scores)
        self.score = reduce(add, scores, self.score)
        self.points = reduce(add, points, self.points)
        self.low, self.high = min(self.low, *scores), max(self.high, *scores)


@dataclass(slots=True)
class Tally:
    """What the statistics need of all forms; its size does not depend on their number.

    Attributes:
        status: Forms and files by status.
        grade: Forms by grade as the rules give it, None where they give none.
        self_grade: The same as typed.
        rate: Forms by class of execution rate (position in ``rate_names``).
        difference: Forms by class of total less total as typed.
        dimensions: Scores by dimension, of forms that have all scores of it.
        kinds: Totals by kind.
    """

    status: Counter[str] = field(default_factory=Counter)
    grade: Counter[str | None] = field(default_factory=Counter)
    self_grade: Counter[str | None] = field(default_factory=Counter)
    rate: Counter[int] = field(default_factory=Counter)
    difference: Counter[int] = field(default_factory=Counter)
    dimensions: dict[str, Points] = field(default_factory=dict)
    kinds: dict[str, Points] = field(default_factory=dict)

    def add(self, facts: Sequence[Facts]) -> None:
        """Count some forms and files."""
        self.status.update([each.status for each in facts])
        forms = [each for each in facts if each.kind is not None]
        self.grade.update([each.grade for each in forms])
        self.self_grade.update([each.self_grade for each in forms])
        self.rate.update([each.rate for each in forms if each.rate is not None])
        self.difference.update([each.difference for each in forms if each.difference is not None])
        totals: dict[str, list[float]] = {}
        for each in forms:
            if each.total is not None:
                totals.setdefault(str(each.kind), []).append(each.total)
        for kind, scores in totals.items():
            self.kinds.setdefault(kind, Points()).add(scores)
        self._add_levels(chain.from_iterable([each.dimensions for each in forms]))

    def _add_levels(self, levels: Iterable[tuple[str, float | None, float]]) -> None:
        by_key: dict[str, list[tuple[float, float]]] = {}
        for key, score, points in levels:
            of_key = by_key.get(key)
            if of_key is None:
                of_key = by_key[key] = []
                self.dimensions.setdefault(key, Points())
            if score is not None:
                of_key.append((score, points))
        for key, pairs in by_key.items():
            if pairs:
                self.dimensions[key].add(*zip(*pairs, strict=True))


class Facts(NamedTuple):
    """What is counted of one form or file.

    Attributes:
        status: Of the form or file.
        kind: Of the form, None for what is not in the statistics.
        grade, self_grade: As the rules give it, and as typed.
        rate: Class of the execution rate; ``difference`` of total less total as typed.
        total: Points.
        dimensions: Dimension, score (None without one) and points of each level.
    """

    status: str
    kind: str | None = None
    grade: str | None = None
    self_grade: str | None = None
    rate: int | None = None
    difference: int | None = None
    total: float | None = None
    dimensions: Sequence[tuple[str, float | None, float]] = ()


def facts_of(result: FormResult) -> Facts:
    """What is counted of a result."""
    if result["kind"] is None or result["status"] == "deleted":
        return Facts(result["status"])
    classes = load("outputs.toml")["statistics"]
    execution, rate, difference = result["execution"], None, None
    if execution and execution["rate"]:
        rate = bisect_right(classes["rate_below"], float(execution["rate"].rstrip("%")) / 100)
    total, typed = figure(result["total"]), figure(result["self_total"])
    if total is not None and typed is not None:
        difference = bisect_right(classes["difference_below"], float(total - typed))
    return Facts(
        result["status"], result["kind"], result["grade"], result["self_grade"], rate, difference,
        None if total is None else float(total), [_level(level) for level in result["levels"]],
    )  # fmt: skip


def _level(level: LevelResult) -> tuple[str, float | None, float]:
    score, points = level["score"], level["weight"]
    if score is None or figure(score) is None or not figure(points):
        return dimension_of(level["name"]), None, 0.0
    return dimension_of(level["name"]), float(score), float(points)


def add_statistics(layout: Layout, tally: Tally) -> None:
    """Add the sheet of statistics with a chart beside each table."""
    words = load("outputs.toml")["statistics"]
    sheet = layout.add_sheet(words["name"][layout.lang])
    sheet.set_column(0, 0, _WIDE)
    sheet.set_column(1, _COLUMNS, _NARROW)
    sheet.write_string(0, 0, layout.title(words), layout.formats["title"])
    sheet.set_row(0, 30)
    writer = _Tables(layout, sheet, words)
    writer.statuses(tally)
    writer.kinds(tally)
    writer.grades(tally)
    writer.classes("execution", "rate", tally.rate)
    writer.classes("difference", "points", tally.difference)
    writer.dimensions(tally)
    print_setup(sheet, layout.lang, words["name"][layout.lang])
    sheet.set_portrait()


class _Tables:
    """Writes tables one below the other, charts beside them."""

    def __init__(self, layout: Layout, sheet: Any, words: dict[str, Any]) -> None:
        self.layout, self.sheet, self.words = layout, sheet, words
        self.lang = layout.lang
        self.row = 2

    def statuses(self, tally: Tally) -> None:
        """How many forms and files of each status."""
        rows = [[word("form_status", key, self.lang), tally.status[key]] for key in load("outputs.toml")["form_status"]]
        if self.layout.left:
            rows.append([self._word("left"), self.layout.left])
        self._table("status", [self._word("state"), self._common("count")], rows, total=True)

    def kinds(self, tally: Tally) -> None:
        """Totals by kind of form."""
        rows = [
            [word("kind", key, self.lang), kind.count, kind.score / kind.count, kind.low, kind.high]
            for key, kind in sorted(tally.kinds.items())
        ]
        header = [self._word("kind_head"), self._common("count"), *map(self._word, ("average", "lowest", "highest"))]
        self._table("kind", header, rows)

    def grades(self, tally: Tally) -> None:
        """Grades as the rules give them and as typed."""
        known = grades()
        known += sorted({g for g in (*tally.grade, *tally.self_grade) if g is not None} - set(known))
        rows = [[grade, tally.grade[grade], tally.self_grade[grade]] for grade in known]
        rows.append([self._word("no_grade"), tally.grade[None], tally.self_grade[None]])
        header = [self._word("grade_head"), self._word("by_rule"), self._word("as_typed")]
        self._charted("grade", header, rows)

    def classes(self, title: str, what: str, counts: Counter[int]) -> None:
        """How many forms fall into each class of ``what``."""
        names = self.words[f"{title if title != 'execution' else 'rate'}_names"][self.lang]
        rows = [[name, counts[position]] for position, name in enumerate(names)]
        self._charted(title, [self._word(what), self._common("count")], rows)

    def dimensions(self, tally: Tally) -> None:
        """Mean share of the points reached, by dimension."""
        rows = [
            [entry["name"][self.lang], mine.score / mine.points, mine.count]
            for entry in load("outputs.toml")["dimension"]
            if (mine := tally.dimensions.get(entry["key"])) and mine.points
        ]
        header = [self._word("name_of"), self._word("mean"), self._common("count")]
        self._charted("dimension", header, rows, series=1, percent=True)

    def _table(
        self,
        title: str,
        header: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        total: bool = False,
        percent: bool = False,
    ) -> int:
        """Write a table; return the row of its header."""
        formats = self.layout.formats
        self.sheet.write_string(self.row, 0, self._word(title), formats["subtitle"])
        first = self.row + 1
        for column, text in enumerate(header):
            self.sheet.write_string(first, column, text, formats["header"])
        for row, values in enumerate(rows, start=first + 1):
            self.sheet.write_string(row, 0, str(values[0]), formats["word"])
            for column, value in enumerate(values[1:], start=1):
                style = "count" if isinstance(value, int) else "percent" if percent else "figure"
                self.sheet.write_number(row, column, value, formats[style])
        self.row = first + len(rows) + 2
        if total:
            self.sheet.write_string(self.row - 1, 0, self._common("total"), formats["word"])
            self.sheet.write_number(self.row - 1, 1, sum(values[1] for values in rows), formats["count"])
            self.row += 1
        return first

    def _charted(
        self,
        title: str,
        header: Sequence[str],
        rows: Sequence[Sequence[Any]],
        series: int | None = None,
        *,
        percent: bool = False,
    ) -> None:
        top = self.row
        first = self._table(title, header, rows, percent=percent)
        if rows:
            self._chart(title, top, first, len(rows), series or len(header) - 1)
            self.row = max(self.row, top + _CHART_ROWS + 1)

    def _chart(self, title: str, top: int, first: int, rows: int, series: int) -> None:
        """Put a column chart beside the table: dark and light bars with their figures, readable in grey."""
        name, colours = self.words["name"][self.lang], self.words["colours"]
        chart = self.layout.book.add_chart({"type": "column"})
        for column in range(1, series + 1):
            chart.add_series(
                {
                    "name": [name, first, column],
                    "categories": [name, first + 1, 0, first + rows, 0],
                    "values": [name, first + 1, column, first + rows, column],
                    "fill": {"color": colours[column - 1]},
                    "border": {"color": colours[0]},
                    "data_labels": {"value": True},
                    "gap": 60,
                }
            )
        chart.set_title({"name": self._word(title), "name_font": {"size": 12}})
        chart.set_y_axis({"visible": False, "min": 0, "major_gridlines": {"visible": False}})
        chart.set_legend({"position": "bottom"} if series > 1 else {"none": True})
        chart.set_size({"width": 520, "height": 20 * _CHART_ROWS})
        self.sheet.insert_chart(top, _CHART_COLUMN, chart, {"x_offset": 20})

    def _word(self, key: str) -> str:
        return str(self.words[key][self.lang])

    def _common(self, key: str) -> str:
        return str(load("outputs.toml")["words"][key][self.lang])
