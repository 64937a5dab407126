"""复核表.xlsx: every score a person must weigh, with its permitted band and two columns to decide in."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang, PerfevalError
from perfeval_xlsx.output.desk_book import HEAD_ROWS, DeskBook, Table, desk_columns, link_to
from perfeval_xlsx.output.desk_rows import figure_of, line_count
from perfeval_xlsx.output.style import print_setup
from perfeval_xlsx.scoring.compare import plain
from perfeval_xlsx.scoring.figures import show
from perfeval_xlsx.scoring.result import ExecutionResult, FormResult, RowResult
from perfeval_xlsx.scoring.reviews import Decision, Reviews, file_key, read_reviews
from perfeval_xlsx.scoring.rulebook import Rulebook, grade_of
from perfeval_xlsx.scoring.rulebook_file import load_rulebook

GradeOf = Callable[[str | None, float], str | None]
_NEAR = 1e-9
_GUIDE_WIDTH = 110


def write_review(
    path: Path,
    results: Iterable[FormResult],
    *,
    lang: Lang = "zh",
    links: bool = True,
    reviews: Reviews | None = None,
    rulebooks: Mapping[str, Rulebook] | None = None,
    disputed: bool = True,
) -> int:
    """Write the review table: scores judged, disputed or not to be given; those that can change a grade come first.

    Decisions made already (``reviews``, and those in a table at ``path``) stand in their rows again. A table at
    ``path`` with a decision that has no row any more is kept under another name, never lost.

    Args:
        path: The workbook; replaced at once, never half written.
        results: The run's results with their rows; read once.
        lang: Language of the words we add.
        links: Make each cell a link into the copy, or into the form itself where there is no copy.
        reviews: The decisions this run used.
        rulebooks: Rulebooks by id, beyond those built in, to tell which row changes a grade by itself.
        disputed: Also list scores that the rule settles and the form types otherwise.

    Returns:
        How many rows the table has.

    Raises:
        PerfevalError: The workbook cannot be written.
    """
    path = Path(path)
    filled, sound = _filled(path)
    made = _Made([*(reviews.decisions if reviews else ()), *filled.decisions])
    grade = _grades(rulebooks or {})
    with _Rows() as rows, DeskBook(path, lang) as book:
        for result in results:
            for facts in review_rows(result, made, grade, lang, disputed=disputed):
                rows.add(facts)
        if not sound or any(decision not in made.used for decision in filled.decisions):
            path.rename(_free(path, lang))
        _write(book, rows, path.parent, links=links)
        return rows.count


def _filled(path: Path) -> tuple[Reviews, bool]:
    """The decisions in a table that is there already; False where it holds what cannot be read as one."""
    if not path.exists():
        return Reviews(), True
    try:
        reviews = read_reviews(path)
    except PerfevalError:
        return Reviews(), False
    return reviews, not reviews.findings


def _free(path: Path, lang: Lang) -> Path:
    words, number = load("desk.toml")["review"]["kept"][lang], 1
    while (kept := path.with_stem(words.format(stem=path.stem, number=number))).exists():
        number += 1
    return kept


class _Made:
    """Decisions made already, found by file and address or by content; notes which of them have a row."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self.used: set[Decision] = set()
        self._by_cell: dict[tuple[str, ...], Decision] = {}
        self._by_content: dict[tuple[str, ...], list[Decision]] = {}
        for decision in decisions:
            file, name = file_key(decision.path), plain(decision.indicator)
            place = self._by_cell.setdefault((file, decision.sheet, decision.cell or "", name), decision)
            if _same(place, decision):
                self._by_content.setdefault((file, name, plain(decision.target)), []).append(decision)

    def find(self, path: str, sheet: str, row: Mapping[str, Any], name: str) -> Decision | None:
        """Return the decision on a row, None where it is open."""
        file, plain_name = file_key(path), plain(name)
        by_cell = self._by_cell.get((file, sheet, row["cell"] or "", plain_name))
        alike = self._by_content.get((file, plain_name, plain(row["target"])), [])
        if by_cell is None and alike and all(_same(alike[0], other) for other in alike):
            by_cell = alike[0]
        if by_cell is not None:
            self.used.update(other for other in (by_cell, *alike) if _same(other, by_cell))
        return by_cell


def _same(first: Decision, second: Decision) -> bool:
    """Whether two tables hold the same decision on the same row."""
    return (first.path, first.sheet, first.cell, first.score, first.opinion) == (
        second.path, second.sheet, second.cell, second.score, second.opinion,
    )  # fmt: skip


def _grades(own: Mapping[str, Rulebook]) -> GradeOf:
    @cache
    def rulebook(name: str) -> Rulebook | None:
        try:
            return own.get(name) or load_rulebook(name)
        except PerfevalError:
            return None

    def grade(name: str | None, total: float) -> str | None:
        book = rulebook(name) if name else None
        return None if book is None else grade_of(total, book)

    return grade


def review_rows(
    result: FormResult, made: _Made, grade: GradeOf, lang: Lang, *, disputed: bool = True
) -> Iterator[dict[str, Any]]:
    """Yield the facts of each score of a form that a person must weigh, by column key."""
    if result["sheet"] is None or result["status"] == "reported":
        return
    places = printed_places(result)
    for row in _scores(result, lang):
        kind = review_kind(row, places)
        if kind is None or (kind == "disputed" and not disputed):
            continue
        decision = made.find(result["path"], result["sheet"], row, row["indicator"])
        if decision is not None and kind == "reviewed":
            row |= {"low": _shown(decision.low), "high": _shown(decision.high)}
        words = load("desk.toml")["review"]
        effect = _effect(result, row, kind, grade)
        yield row | {
            "path": result["path"], "sheet": result["sheet"], "form": result["form"], "org": result["org"],
            "copy": result["copy"], "kind": words["kind"][kind][lang], "bounds": _bounds(result, lang),
            "rank": effect, "effect": words["effect"][effect][lang],
            "decision": decision.score if decision else figure_of(row["score"]) if kind == "reviewed" else None,
            "opinion": decision.opinion if decision else None,
        }  # fmt: skip


def _scores(result: FormResult, lang: Lang) -> Iterator[dict[str, Any]]:
    """The form's scores in one shape: its rows, then its execution."""
    for row in result["indicators"]:
        yield {**row, "indicator": row["level3"] or row["level2"] or row["level1"] or ""}
    execution = result["execution"]
    if execution is not None:
        name = load("desk.toml")["words"]["execution"][lang]
        facts = {"target": execution["budget"], "actual": execution["executed"], "deviation": None, "row": 0}
        yield {**execution, **facts, "indicator": name}


def printed_places(result: FormResult) -> int:
    """The decimals the form prints its scores with."""
    rows: list[RowResult | ExecutionResult] = [*result["indicators"]]
    if result["execution"] is not None:
        rows.append(result["execution"])
    return max((len((row["self_score"] or "").partition(".")[2]) for row in rows), default=0)


def review_kind(row: Mapping[str, Any], places: int) -> str | None:
    """Return judged, disputed, unscorable or reviewed; None for a score that needs nobody.

    Args:
        row: The score.
        places: Decimals the form prints: what it rounds to them is no dispute.
    """
    if row["status"] != "ruled":
        return str(row["status"]) if row["status"] != "unweighted" else None
    typed, score = figure_of(row["self_score"]), figure_of(row["score"])
    tolerances = load("desk.toml")["review"]["tolerance"]
    if typed is None or score is None or abs(typed - score) <= tolerances[str(min(places, 2))] + _NEAR:
        return None
    return "disputed"


def _effect(result: FormResult, row: Mapping[str, Any], kind: str, grade: GradeOf) -> int:
    """Position in the list of effects, the gravest first."""
    low, high, score, total = (figure_of(v) for v in (row["low"], row["high"], row["score"], result["total"]))
    if kind == "reviewed":
        return 4
    if kind == "disputed" or (low is not None and low == high):
        return 3
    if result["low_grade"] is None or result["low_grade"] == result["high_grade"]:
        return 2
    if low is None or high is None or score is None or total is None:
        return 1
    ends = {grade(result["rulebook"], round(total - score + end, 6)) for end in (low, high)}
    return 0 if len(ends) > 1 else 1


def _shown(points: float | None) -> str | None:
    return None if points is None else show(points)


def _bounds(result: FormResult, lang: Lang) -> str | None:
    """What the form's total and grade can still be."""
    words, low, high = load("desk.toml")["review"], result["low_grade"], result["high_grade"]
    if result["low"] is None or result["high"] is None:
        return None
    grades = ""
    if low is not None and low == high:
        grades = words["settled"][lang].format(grade=low)
    elif low is not None and high is not None:
        grades = words["grades"][lang].format(low=low, high=high)
    return str(words["bounds"][lang].format(low=result["low"], high=result["high"], grades=grades)).strip()


class _Rows:
    """The table's rows on disk, to be read in their order."""

    def __enter__(self) -> _Rows:
        self._base = sqlite3.connect("")
        self._base.execute("create table fact (rank integer, facts text)")
        self.effects: Counter[int] = Counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    @property
    def count(self) -> int:
        return self.effects.total()

    def add(self, facts: dict[str, Any]) -> None:
        self._base.execute("insert into fact values (?, ?)", (facts["rank"], json.dumps(facts)))
        self.effects[facts["rank"]] += 1

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The gravest first; within one effect in the order of the forms."""
        for (facts,) in self._base.execute("select facts from fact order by rank, rowid"):
            yield json.loads(facts)


def _write(book: DeskBook, rows: _Rows, folder: Path, *, links: bool) -> None:
    words, lang = load("desk.toml")["review"], book.lang
    note = words["note"][lang].format(rows=rows.count, first=rows.effects[0] + rows.effects[1])
    columns = desk_columns("review", "column", lang)
    table = _Protected(book, words["sheet"][lang], (words["title"][lang], note), columns, 6)
    for facts in rows.in_order():
        place = str(folder / facts["copy"]) if facts["copy"] else facts["path"]
        target = link_to(folder, place, facts["sheet"], facts["cell"]) if links and facts["cell"] else None
        table.write(facts, links={"cell": target} if target else None)
    if not rows.count:
        table.write({"path": words["none"][lang]})
    table.finish()
    _guide(book)


class _Protected(Table):
    """A table in which only the reviewer's columns can be changed, and only within the band."""

    def finish(self) -> None:
        """Filter, checks on what is typed, protection."""
        super().finish()
        words, lang = load("desk.toml")["review"], self._book.lang
        keys = [column.key for column in self.columns]
        low, high, decision = (keys.index(key) for key in ("low", "high", "decision"))
        check = {
            "validate": "decimal", "criteria": "between", "minimum": f"=${_letter(low)}{HEAD_ROWS + 1}",
            "maximum": f"=${_letter(high)}{HEAD_ROWS + 1}", "input_title": words["input_title"][lang],
            "input_message": words["input_message"][lang], "error_title": words["error_title"][lang],
            "error_message": words["error_message"][lang],
        }  # fmt: skip
        self.sheet.data_validation(HEAD_ROWS, decision, max(HEAD_ROWS, self.row - 1), decision, check)
        self.sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _letter(position: int) -> str:
    return chr(ord("A") + position)


def _guide(book: DeskBook) -> None:
    """The sheet that explains the table."""
    words = load("desk.toml")["review"]
    sheet, name = book.sheet(words["guide"][book.lang])
    sheet.set_column(0, 0, _GUIDE_WIDTH)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, words["title"][book.lang], book.formats["title"])
    for row, line in enumerate(words["explained"], start=1):
        text = f"{row}. {line[book.lang]}"
        sheet.set_row(row, 17 * line_count(text, _GUIDE_WIDTH * 10 / 12) + 6)
        sheet.write_string(row, 0, text, book.formats["letter"])
    print_setup(sheet, book.lang, name)
