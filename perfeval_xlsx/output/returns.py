"""退回/: for every department one printable list of what to correct, ready to send."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output import parts
from perfeval_xlsx.output.desk_book import DeskBook, desk_columns
from perfeval_xlsx.output.desk_rows import line_count, row_xml, rows_xml
from perfeval_xlsx.output.problem_store import Problem, ProblemStore
from perfeval_xlsx.output.problems import department_name
from perfeval_xlsx.output.sheets import Column
from perfeval_xlsx.output.style import A4
from perfeval_xlsx.output.template import safe_name
from perfeval_xlsx.scoring.compare import file_name
from perfeval_xlsx.workbook.cells import a1
from perfeval_xlsx.workbook.strings import clean

_LINE_HEIGHT = 16.5
_SHEET, _NO_ROWS = "xl/worksheets/sheet1.xml", b"<sheetData/>"
_HEAD = 3
"""0-based row of the table's head, below title, greeting and what is asked."""


def write_returns(folder: Path, problems: ProblemStore, *, lang: Lang = "zh", due: str | None = None) -> list[Path]:
    """Write one workbook a department that has something to correct (errors and warnings that stand).

    Args:
        folder: Where they go; made when missing. Lists of an earlier run are overwritten where the name is the same.
        problems: The run's findings.
        lang: Language of the words we add.
        due: By when, as it is to be printed (``2024年5月31日``); None leaves it open.

    Returns:
        The workbooks, heaviest department first.

    Raises:
        PerfevalError: A workbook cannot be written.
    """
    taken: set[str] = set()
    written = []
    for department in problems.departments():
        found = list(problems.to_correct(department.key))
        if found:
            name = department_name(department.org, department.file, lang)
            path = Path(folder) / f"{file_stem(name, taken)}.xlsx"
            _Letter(name, found, due, lang).save(path)
            written.append(path)
    return written


def file_stem(text: str, taken: set[str]) -> str:
    """Make a name that Windows allows as a file's, unlike those ``taken``, and note it there.

    Args:
        text: Any text, a department's name.
        taken: Names in use in the folder, case folded.
    """
    plain = safe_name(clean(text))
    unique, count = plain, 1
    while unique.casefold() in taken:
        count += 1
        unique = f"{plain}({count})"
    taken.add(unique.casefold())
    return unique


@cache
def _columns(lang: Lang) -> tuple[Column, ...]:
    """The table's columns: all that stands in them is text."""
    return tuple(replace(column, text=True) for column in desk_columns("returns", "column", lang))


@cache
def _laid_out(lang: Lang) -> tuple[bytes, bytes, Mapping[str, int]]:
    """What all lists have in common: a workbook without rows, its sheet, and the numbers of its styles."""
    book = DeskBook(Path(), lang)
    sheet, _ = book.sheet(load("desk.toml")["returns"]["sheet"][lang])
    for position, column in enumerate(_columns(lang)):
        sheet.set_column(position, position, column.width)
    page = load("outputs.toml")["words"]["page"][lang].format(page="&P", pages="&N")
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
    sheet.set_footer(f"&R{page}")
    sheet.repeat_rows(_HEAD)
    layout = book.laid_out()
    with zipfile.ZipFile(BytesIO(layout)) as package:
        return layout, package.read(_SHEET), book.numbers


class _Letter:
    """One department's list: heading, what is asked, the table, who signs."""

    def __init__(self, name: str, problems: Sequence[Problem], due: str | None, lang: Lang) -> None:
        self.name, self.problems, self.due, self.lang = name, problems, due, lang
        self.words: dict[str, Any] = load("desk.toml")["returns"]
        self.columns = _columns(lang)
        self.layout, self.sheet, self.numbers = _laid_out(lang)
        self.width = sum(column.width for column in self.columns)
        self.rows: list[str] = []
        self.merged: list[str] = []

    def word(self, key: str) -> str:
        return str(self.words[key][self.lang])

    def save(self, path: Path) -> None:
        self.line(0, self.word("title"), "letter_title", 36)
        self.line(1, self.word("greeting").format(org=self.name), "letter")
        self.line(2, self.intro(), "letter")
        self.table()
        for row, text in enumerate(("", self.word("signature"), self.word("reviewer")), _HEAD + 1 + len(self.problems)):
            self.line(row, text, "signature", 30)
        before, _, after = self.sheet.partition(_NO_ROWS)
        merged = f'<mergeCells count="{len(self.merged)}">{"".join(self.merged)}</mergeCells>'
        rows = f"<sheetData>{''.join(self.rows)}</sheetData>{merged}"
        parts.save(self.layout, {_SHEET: [before + rows.encode() + after]}, path, durable=False)

    def line(self, row: int, text: str, style: str, height: float | None = None) -> None:
        """A line over the table's whole width, as high as its text asks for: Excel does not fit merged cells itself."""
        lines = line_count(text, self.width * 10 / load("desk.toml")["style"][style]["font_size"])
        texts = [text, *[""] * (len(self.columns) - 1)]
        self.rows.append(row_xml(texts, self.numbers[style], height or lines * _LINE_HEIGHT + 3, self.lang))
        self.merged.append(f'<mergeCell ref="A{row + 1}:{a1(row + 1, len(self.columns))}"/>')

    def intro(self) -> str:
        forms = {(problem.path, problem.form) for problem in self.problems}
        errors = sum(problem.severity == "error" for problem in self.problems)
        counts = {"forms": len(forms), "count": len(self.problems), "errors": errors}
        due = self.word("due").format(due=self.due) if self.due else self.word("no_due")
        return self.word("intro").format(**counts, warnings=len(self.problems) - errors) + due

    def table(self) -> None:
        self.rows.append(row_xml([column.header for column in self.columns], self.numbers["header"], 24, self.lang))
        texts = [self.texts(problem) | {"number": str(number)} for number, problem in enumerate(self.problems, start=1)]
        self.rows.append(rows_xml(self.columns, texts, [], self.numbers, self.lang))

    def texts(self, problem: Problem) -> dict[str, str | None]:
        words = load("desk.toml")["words"]
        place = "／".join(filter(None, (file_name({"path": problem.path}), problem.sheet)))
        whole = words["form" if problem.sheet is not None else "file"][self.lang]
        advice = words["separator"][self.lang].join(filter(None, (problem.suggestion, problem.basis)))
        return {
            "place": place, "cell": problem.cell, "indicator": problem.indicator or ("" if problem.cell else whole),
            "message": problem.message, "found": problem.found, "expected": problem.expected, "advice": advice,
        }  # fmt: skip
