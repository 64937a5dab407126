"""退回/: for every department one printable list of what to correct, ready to send."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.desk_book import DeskBook, desk_columns, fit_text, line_count, row_height
from perfeval_xlsx.output.problem_store import Problem, ProblemStore
from perfeval_xlsx.output.problems import department_name
from perfeval_xlsx.output.style import A4
from perfeval_xlsx.output.template import safe_name
from perfeval_xlsx.scoring.compare import file_name
from perfeval_xlsx.workbook.strings import clean

_LINE_HEIGHT = 16.5


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
            with DeskBook(path, lang) as book:
                _Letter(book, name, found, due).write()
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


class _Letter:
    """One department's list: heading, what is asked, the table, who signs."""

    def __init__(self, book: DeskBook, name: str, problems: Sequence[Problem], due: str | None) -> None:
        self.book, self.name, self.problems, self.due, self.lang = book, name, problems, due, book.lang
        self.words: dict[str, Any] = load("desk.toml")["returns"]
        self.columns = desk_columns("returns", "column", self.lang)
        self.sheet, _ = book.sheet(self.word("sheet"))
        self.width = sum(column.width for column in self.columns)
        self.row = 0

    def word(self, key: str) -> str:
        return str(self.words[key][self.lang])

    def write(self) -> None:
        for position, column in enumerate(self.columns):
            self.sheet.set_column(position, position, column.width)
        self.line(self.word("title"), "letter_title", 36)
        for text in (self.word("greeting").format(org=self.name), self.intro()):
            self.line(text, "letter")
        self.table()
        for text in ("", self.word("signature"), self.word("reviewer")):
            self.line(text, "signature", 30)
        self.set_up()

    def line(self, text: str, style: str, height: float | None = None) -> None:
        """A line over the table's whole width, as high as its text asks for: Excel does not fit merged cells itself."""
        lines = line_count(text, self.width * 10 / load("desk.toml")["style"][style]["font_size"])
        self.sheet.set_row(self.row, height or lines * _LINE_HEIGHT + 3)
        self.sheet.merge_range(self.row, 0, self.row, len(self.columns) - 1, "", self.book.formats[style])
        self.sheet.write_string(self.row, 0, clean(text), self.book.formats[style])
        self.row += 1

    def intro(self) -> str:
        forms = {(problem.path, problem.form) for problem in self.problems}
        errors = sum(problem.severity == "error" for problem in self.problems)
        counts = {"forms": len(forms), "count": len(self.problems), "errors": errors}
        due = self.word("due").format(due=self.due) if self.due else self.word("no_due")
        return self.word("intro").format(**counts, warnings=len(self.problems) - errors) + due

    def table(self) -> None:
        self.head = self.row
        self.sheet.set_row(self.row, 24)
        for position, column in enumerate(self.columns):
            self.sheet.write_string(self.row, position, column.header, self.book.formats["header"])
        self.row += 1
        for number, problem in enumerate(self.problems, start=1):
            texts = self.texts(problem) | {"number": str(number)}
            self.sheet.set_row(self.row, row_height(self.columns, texts))
            for position, column in enumerate(self.columns):
                text = fit_text(texts.get(column.key) or "", self.lang)
                self.sheet.write_string(self.row, position, text, self.book.formats[column.style])
            self.row += 1

    def texts(self, problem: Problem) -> dict[str, str | None]:
        words = load("desk.toml")["words"]
        place = "／".join(filter(None, (file_name({"path": problem.path}), problem.sheet)))
        whole = words["form" if problem.sheet is not None else "file"][self.lang]
        advice = words["separator"][self.lang].join(filter(None, (problem.suggestion, problem.basis)))
        return {
            "place": place, "cell": problem.cell, "indicator": problem.indicator or ("" if problem.cell else whole),
            "message": problem.message, "found": problem.found, "expected": problem.expected, "advice": advice,
        }  # fmt: skip

    def set_up(self) -> None:
        page = load("outputs.toml")["words"]["page"][self.lang].format(page="&P", pages="&N")
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        self.sheet.set_footer(f"&R{page}")
        self.sheet.repeat_rows(self.head)
