"""Draw one blank form: labels protected, input cells open, sums, rates and the grade as formulas with their values."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range, xl_range_abs, xl_rowcol_to_cell

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError, cause_of
from perfeval_xlsx.output.template_blank import Blank, Indicator, Layout, grid_rows, in_columns, texts
from perfeval_xlsx.output.template_canvas import Canvas, FormSheet, Span, span
from perfeval_xlsx.scoring.rulebook import Rulebook

NOT_WRITTEN = "B26"
MONEY = ("initial_budget", "annual_budget", "executed")
GOAL_LINES = 5
COLON = "："

Cells = dict[str, str]
"""A1 address by field."""


def write_form(path: Path, blank: Blank, layout: Layout, rulebook: Rulebook, lang: Lang = "zh") -> None:
    """Draw ``blank`` into a new workbook.

    Args:
        path: The new file.
        blank: What the form holds.
        layout: How it looks.
        rulebook: Points, rounding, tiers and grades.
        lang: Language of the prompts.

    Raises:
        PerfevalError: The file exists or cannot be written.
    """
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"title": layout["title"][blank.kind], "company": blank.org})
    sheet = book.add_worksheet(load("templates.toml")["text"]["sheet"], FormSheet)
    _Drawing(Canvas(book, sheet, layout["widths"], lang), blank, layout, rulebook).draw()
    book.close()
    try:
        with path.open("xb") as file:
            file.write(content.getvalue())
    except OSError as error:
        raise PerfevalError(Finding(NOT_WRITTEN, found=str(path), args={"detail": cause_of(error)})) from error


class _Drawing:
    """One form being drawn."""

    def __init__(self, canvas: Canvas, blank: Blank, layout: Layout, rulebook: Rulebook) -> None:
        self.canvas, self.blank, self.layout, self.rulebook = canvas, blank, layout, rulebook
        self.facts = texts(blank, rulebook)
        self.fund_places = {column["field"]: span(column["at"]) for column in layout["funds"]["columns"]}
        self.places = {column["field"]: span(column["at"]) for column in layout["grid"]["columns"]}
        self.printed = {column["field"]: column["text"] for column in layout["grid"]["columns"] if "text" in column}
        self.fund_printed = {c["field"]: c["total"] for c in layout["funds"]["columns"] if "total" in c}
        self.words: dict[str, Any] = load("templates.toml")

    def draw(self) -> None:
        """Draw the form from its title to its notes."""
        canvas = self.canvas
        self._head()
        frozen = canvas.row
        execution = self._funds()
        self._goals()
        header = canvas.row
        rows = [in_columns(row, "sign" in self.places, "unit" in self.places) for row in self._rows()]
        first = self._grid(rows)
        if "total" in self.layout:
            self._total(rows, first, execution)
        for below in self.layout.get("below", []):
            canvas.heights[canvas.row] = below["lines"]
            self._line(below["cells"])
        self._notes()
        canvas.finish(frozen, header, landscape=self.layout.get("landscape", False))

    def _rows(self) -> list[Indicator]:
        return grid_rows(self.blank, self.layout, self.rulebook)

    def _line(self, cells: Sequence[Sequence[str]]) -> None:
        """Draw a row of ``[place, text]``: what holds a template's field, nothing, or ends in a colon is filled in."""
        for place, text in cells:
            style = "input" if "{" in text else "input_left" if not text or text.endswith(COLON) else "label"
            self.canvas.put(span(place), text.format(**self.facts), style)
        self.canvas.row += 1

    def _head(self) -> None:
        canvas, whole = self.canvas, (0, self.canvas.last)
        canvas.put(whole, self.layout["title"][self.blank.kind], "title")
        canvas.heights[0] = 2.0
        canvas.row = 1
        canvas.put(whole, self.facts["year"], "subtitle" if self.blank.year else "subtitle_input")
        canvas.row = 2
        for cells in self.layout["head"][self.blank.kind]:
            self._line(cells)

    def _funds(self) -> Cells:
        """Draw the fund table; return the cells of its total row."""
        canvas, funds, places = self.canvas, self.layout["funds"], self.fund_places
        top, corner = canvas.row, span(funds["corner"])
        bottom = top + len(funds["rows"])
        canvas.put(span(funds["side"][0]), funds["side"][1].format(**self.facts), "label", bottom=bottom)
        canvas.put(corner, None, "label")
        for column in funds["columns"]:
            canvas.put(places[column["field"]], column["label"].format(**self.facts), "label")
        for at, label in enumerate(funds["rows"]):
            canvas.row = top + 1 + at
            canvas.put(corner, label, "fund_label" if at else "label")
            for name, columns in places.items():
                self._fund_cell(name, columns, 0 if at else bottom)
        canvas.row = bottom + 1
        return {name: xl_rowcol_to_cell(top + 1, columns[0]) for name, columns in places.items()}

    def _fund_cell(self, name: str, columns: Span, last_part: int) -> None:
        """Draw a cell of the fund row at hand; ``last_part`` is the last part's row on the total, 0 on a part."""
        canvas, row = self.canvas, self.canvas.row
        if name in MONEY and last_part > row:
            parts = xl_range(row + 1, columns[0], last_part, columns[0])
            canvas.formula(columns, f'IF(COUNT({parts})=0,"",SUM({parts}))', "", "money_sum")
        elif name in MONEY:
            canvas.put(columns, None, "money")
            canvas.check(columns[0], "money", {"validate": "decimal", "criteria": ">=", "value": 0})
        elif name == "rate":
            base, executed = (xl_rowcol_to_cell(row, self.fund_places[f][0]) for f in (self._base(), "executed"))
            formula = f'IF(OR(N({base})=0,NOT(ISNUMBER({executed}))),"",{executed}/{base})'
            canvas.formula(columns, formula, "", "percent")
        elif name in {"weight", "score"} and not last_part:
            canvas.put(columns, self.layout["funds"]["mark"], "fixed")
        elif name == "weight":
            canvas.put(columns, self.rulebook.execution.points, "fixed")
        elif name == "score":
            self._execution_score(columns)
        else:
            canvas.put(columns, self.fund_printed.get(name) if last_part else None, "input_left")

    def _base(self) -> str:
        base = self.rulebook.execution.base
        return base if base in self.fund_places else "annual_budget"

    def _execution_score(self, columns: Span) -> None:
        """A formula where the score is in proportion to the rate; bands are left to the rules and to a person."""
        rule, canvas = self.rulebook.execution, self.canvas
        if rule.method == "proportional":
            rate = xl_rowcol_to_cell(canvas.row, self.fund_places["rate"][0])
            score = f"ROUND({rule.points:g}*MIN(1,{rate}),{self.rulebook.decimals})"
            canvas.formula(columns, f'IF(ISNUMBER({rate}),{score},"")', "", "fixed")
        else:
            canvas.put(columns, None, "input")
            limits = {"criteria": "between", "minimum": 0, "maximum": rule.points}
            canvas.check(columns[0], "score", {"validate": "decimal", **limits})

    def _goals(self) -> None:
        canvas, goals = self.canvas, self.layout["goals"]
        canvas.put(span(goals["side"][0]), goals["side"][1], "label", bottom=canvas.row + 1)
        for place, label in goals["columns"]:
            canvas.put(span(place), label, "label")
        canvas.row += 1
        canvas.heights[canvas.row] = GOAL_LINES
        for place, _ in goals["columns"]:
            canvas.put(span(place), None, "input_left")
        canvas.row += 1

    def _grid(self, rows: Sequence[Indicator]) -> int:
        """Draw the grid; return the row of its first indicator."""
        canvas, grid = self.canvas, self.layout["grid"]
        top, first = canvas.row, canvas.row + 1
        canvas.put(span(grid["side"][0]), grid["side"][1].format(**self.facts), "label", bottom=top + len(rows))
        for column in grid["columns"]:
            canvas.put(self.places[column["field"]], column["label"], "label")
        for canvas.row, row in enumerate(rows, first):
            for name, columns in self.places.items():
                if name not in {"level1", "level2"}:
                    self._grid_cell(name, columns, row, (first, top + len(rows)))
        self._levels(rows, first)
        canvas.row = top + 1 + len(rows)
        return first

    def _levels(self, rows: Sequence[Indicator], first: int) -> None:
        """Merge the levels down, level 2 within its level 1."""
        for depth, name in enumerate(("level1", "level2"), 1):
            start = first
            for labels, block in groupby((row.level1, row.level2)[:depth] for row in rows):
                size = len(list(block))
                self.canvas.put(self.places[name], labels[-1], "level", row=start, bottom=start + size - 1)
                start += size

    def _grid_cell(self, name: str, columns: Span, row: Indicator, extent: tuple[int, int]) -> None:
        canvas, column = self.canvas, columns[0]
        value = _plain_number(row.target) if name == "target" else getattr(row, name, self.printed.get(name))
        style = "input_left" if name in {"level3", "method", "deviation"} else "input"
        canvas.put(columns, value, style)
        if name == "weight":
            cell = xl_rowcol_to_cell(canvas.row, column)
            points = xl_range_abs(extent[0], column, extent[1], column)
            rule = f"=AND(ISNUMBER({cell}),{cell}>0,{self.rulebook.execution.points:g}+SUM({points})<=100.004)"
            canvas.check(column, "weight", {"validate": "custom", "value": rule})
        elif name in {"score", "deduction"}:
            canvas.check(column, name, self._score_rule(column))
        elif name == "sign":
            canvas.check(column, "sign", {"validate": "list", "source": self.words["signs"]["choices"]})
        elif name == "actual":
            self._check_actual(column, row)

    def _score_rule(self, column: int) -> dict[str, Any]:
        if "weight" not in self.places:
            return {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100}
        cell, weight = (xl_rowcol_to_cell(self.canvas.row, at) for at in (column, self.places["weight"][0]))
        return {"validate": "custom", "value": f"=AND(ISNUMBER({cell}),{cell}>=0,{cell}<={weight})"}

    def _check_actual(self, column: int, row: Indicator) -> None:
        """Offer the tiers where the target is in words or still open; any other text may be typed as well."""
        if any(character.isdigit() for character in row.target):
            self.canvas.check(column, "actual", {"validate": "any"})
            return
        tiers = [tier.name for tier in self.rulebook.qualitative.tiers]
        self.canvas.check(column, "actual", {"validate": "list", "source": tiers, "show_error": False})

    def _total(self, rows: Sequence[Indicator], first: int, execution: Cells) -> None:
        """Draw the total row: nothing is summed up until every row has its score."""
        canvas, total = self.canvas, self.layout["total"]
        place, label = total["label"]
        canvas.put(span(place), label, "label")
        last = first + len(rows) - 1
        ranges = {name: xl_range(first, columns[0], last, columns[0]) for name, columns in self.places.items()}
        if "weight" in total:
            self._total_weight(span(total["weight"]), rows, ranges["weight"], execution["weight"])
        scores, score = ranges["score"], execution["score"]
        missing = f"COUNT({scores})<COUNT({ranges['weight']})" if "weight" in ranges else f"COUNT({scores})=0"
        added = f"ROUND(SUM({score},{scores}),{self.rulebook.decimals})"
        formula = f'IF(OR(COUNT({scores})=0,{missing},NOT(ISNUMBER({score}))),"",{added})'
        canvas.formula(span(total["score"]), formula, "", "fixed")
        if "grade" in total:
            cell = xl_rowcol_to_cell(canvas.row, span(total["score"])[0])
            canvas.formula(span(total["grade"]), f'IF(ISNUMBER({cell}),{self._grade(cell)},"")', "", "fixed")
        if "gap" in total:
            canvas.put(span(total["gap"]), None, "fixed")
        used = [span(total[name]) for name in ("weight", "score", "grade") if name in total]
        if used[-1][1] < canvas.last:
            canvas.put((used[-1][1] + 1, canvas.last), None, "input_left")
        canvas.row += 1

    def _total_weight(self, columns: Span, rows: Sequence[Indicator], weights: str, execution: str) -> None:
        known = [row.weight for row in rows if row.weight is not None]
        value = round(sum(known) + self.rulebook.execution.points, 6) if known else ""
        formula = f'IF(COUNT({weights})=0,"",ROUND(SUM({execution},{weights}),4))'
        self.canvas.formula(columns, formula, value, "fixed")
        cell = xl_rowcol_to_cell(self.canvas.row, columns[0])
        self.canvas.alarm(columns[0], f"AND(ISNUMBER({cell}),ABS({cell}-100)>0.004)")

    def _grade(self, cell: str) -> str:
        """A formula for the grade of the total in ``cell``, from the best down."""
        *better, worst = self.rulebook.grades
        formula = f'"{worst.name}"'
        for grade in reversed(better):
            formula = f'IF({cell}>={grade.floor:g},"{grade.name}",{formula})'
        return formula

    def _notes(self) -> None:
        words = self.words["text"]
        notes = [words[name].format(**self.facts) for name in self.layout["notes"]]
        if len(notes) > 1:
            notes = [f"{number}.{note}" for number, note in enumerate(notes, 1)]
        self.canvas.put((0, self.canvas.last), words["note"].format(notes="".join(notes)), "note")
        self.canvas.row += 1


def _plain_number(text: str) -> str | float:
    """A target that is nothing but a number, as a number; every other text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if f"{number:g}" == text else text
