"""问题清单.xlsx: what to look at first, every finding with its cell, and the findings check by check."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.desk_book import DeskBook, Table, desk_columns, fit_name, link_to
from perfeval_xlsx.output.desk_rows import Value
from perfeval_xlsx.output.problem_store import Problem, ProblemStore
from perfeval_xlsx.output.sheets import unfinished
from perfeval_xlsx.scoring.compare import file_name

_UNCOMPARED = frozenset({"compared"})


def write_problems(path: Path, problems: ProblemStore, *, lang: Lang = "zh", links: bool = True, left: int = 0) -> None:
    """Write the list of findings.

    Departments are ranked by the weight of their findings (``data/desk.toml`` says what each severity weighs); findings
    stand in that order, the gravest first. A sheet for each check follows, or for each family where many were met.

    Args:
        path: The workbook; replaced at once, never half written.
        problems: The run's findings.
        lang: Language of the words we add.
        links: Make each cell a link into the copy, or into the form itself where there is no copy.
        left: How many files are still to be read; the titles of its lists say so.

    Raises:
        PerfevalError: The workbook cannot be written.
    """
    with DeskBook(Path(path), lang) as book:
        writer = _Writer(book, problems, links=links, left=left)
        writer.departments()
        writer.findings()
        writer.checks()


class _Writer:
    """Writes one list; holds what all its sheets need."""

    def __init__(self, book: DeskBook, problems: ProblemStore, *, links: bool, left: int) -> None:
        self.book, self.problems, self.lang, self.links = book, problems, book.lang, links
        self.texts: dict[str, Any] = load("desk.toml")
        self.severities = {name: entry["word"][self.lang] for name, entry in self.texts["severity"].items()}
        self.marks = {name: {"severity": style} for name, style in self.texts["mark"].items()}
        self.rest = unfinished(left, self.lang)
        self.left_out = frozenset() if problems.since is not None else _UNCOMPARED

    def word(self, table: str, key: str) -> str:
        return str(self.texts[table][key][self.lang])

    def table(self, key: str, columns: str, note: str, frozen: int) -> Table:
        layout = desk_columns("problems", columns, self.lang, self.left_out)
        title = self.word("problems", f"{key}_title") + self.rest
        return self.book.table(self.word("problems", key), title, note, layout, frozen)

    def weights(self) -> str:
        words = self.texts["problems"]["weight_word"][self.lang]
        each = [words.format(word=s["word"][self.lang], weight=s["weight"]) for s in self.texts["severity"].values()]
        weights = self.word("words", "separator").join(each)
        return self.word("problems", "weights_note").format(weights=weights)

    def departments(self) -> None:
        table = self.table("departments", "department", self.weights(), 2)
        for rank, department in enumerate(self.problems.departments(), start=1):
            facts: dict[str, Value] = {
                "rank": rank, "org": department_name(department.org, department.file, self.lang),
                "forms": department.forms, "weight": department.weight, "absent": department.absent,
                **department.severities, **department.states,
            }  # fmt: skip
            table.write(facts)
        table.finish()

    def findings(self) -> None:
        note = self.word("problems", "findings_note").format(count=self.problems.count())
        table = self.table("findings", "finding", note, 2)
        number = 0
        for department in self.problems.troubled():
            for problem in self.problems.of_department(department):
                number += 1
                self.finding(table, number, problem)
        if not number:
            table.write({"message": self.word("problems", "none")})
        table.finish()

    def finding(self, table: Table, number: int, problem: Problem) -> None:
        target, file = self.target(problem), file_name({"path": problem.path})
        facts: dict[str, Value] = {
            **problem._asdict(),
            "number": number,
            "file": file,
            "org": department_name(problem.org, file, self.lang),
            "indicator": problem.indicator or ("" if problem.cell else self.whole(problem)),
            "severity": self.severities[problem.severity],
            "state": self.word("state", problem.state) if problem.state else None,
        }
        table.write(facts, self.marks[problem.severity], {"cell": target} if target else None)

    def whole(self, problem: Problem) -> str:
        return self.word("words", "form" if problem.sheet is not None else "file" if problem.path else "unit")

    def target(self, problem: Problem) -> str | None:
        """Where a finding's cell leads: into the copy, else into the form; what was put right has no place any more."""
        if not self.links or problem.cell is None or problem.state == "fixed":
            return None
        place = os.path.join(self.book.folder, problem.copy) if problem.copy else problem.path  # noqa: PTH118
        return link_to(self.book.folder, place, problem.sheet, problem.cell)

    def checks(self) -> None:
        """One line a check with a link to its sheet, then the sheets."""
        counts = self.problems.checks()
        table = self.table("checks", "check", "", 1)
        alone = len(counts) <= self.texts["problems"]["sheets_max"]
        sheets: dict[str, list[str]] = {}
        for count in counts:
            title, family = check_words(count.code, self.lang)
            name = fit_name(f"{count.code} {title}" if alone else family)
            sheets.setdefault(name, []).append(count.code)
            quoted = name.replace("'", "''")
            counted = {"count": count.findings, "orgs": count.orgs, "forms": count.forms}
            facts: dict[str, Value] = {"code": count.code, "title": title, "family": family, **counted}
            table.write(facts, links={"code": f"internal:'{quoted}'!A1"})
        if not counts:
            table.write({"title": self.word("problems", "none")})
        table.finish()
        for name, codes in sheets.items():
            self.check_sheet(name, codes)

    def check_sheet(self, name: str, codes: Iterable[str]) -> None:
        layout = desk_columns("problems", "finding", self.lang, self.left_out)
        table = self.book.table(name, name, "", layout, 2)
        number = 0
        for code in codes:
            for problem in self.problems.of_check(code):
                number += 1
                self.finding(table, number, problem)
        table.finish()


def department_name(org: str | None, file: str, lang: Lang) -> str:
    """A department's name, or words that say the form does not name it and which file that is."""
    return org or str(load("desk.toml")["words"]["unknown"][lang].format(file=file.rpartition(".")[0] or file))


def check_words(code: str, lang: Lang) -> tuple[str, str]:
    """Title and family of a check, or of a code that is no audit check (reading, scoring)."""
    checks = load("checks.toml")
    check: Mapping[str, Any] | None = checks["check"].get(code)
    if check is not None:
        return check["title"][lang], checks["family"][check["family"]]["title"][lang]
    words = load("desk.toml")
    return words["title"][code][lang], words["family"][code[:1]][lang]
