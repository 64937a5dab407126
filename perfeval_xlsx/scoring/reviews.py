"""A reviewer's decisions: read from the filled review table, and put in the place of open scores.

A decision counts only inside the permitted band, for the row it was made on (found by file, sheet and cell and checked
by the indicator's name; by content where rows moved), and while target and actual are what the reviewer saw.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError
from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.scoring.compare import plain
from perfeval_xlsx.scoring.figures import round_half_up, show
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.workbook import Cell, Sheet, a1

if TYPE_CHECKING:
    from perfeval_xlsx.scoring.score import ScoredTables

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_NEAR = 1e-9
_NEEDED = ("path", "sheet", "cell", "indicator", "low", "high", "decision", "opinion")
_HEADING_ROWS = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """One filled row of a review table.

    Attributes:
        place: Address of the decision in the review table, for messages.
        path, sheet, form, cell: Where the score stands; ``form`` and ``cell`` may be None.
        indicator, target, actual: What the row said when the table was written.
        low, high: The permitted band in the table.
        score: The decision in points, rounded to two places; None where only an opinion was given.
        opinion: The reviewer's words, or None.
    """

    place: str
    path: str
    sheet: str
    form: int | None
    cell: str | None
    indicator: str
    target: str
    actual: str
    low: float | None
    high: float | None
    score: float | None
    opinion: str | None


@dataclass(frozen=True, slots=True)
class Reviews:
    """The decisions of one review table.

    Attributes:
        decisions: Those that can be used, in the order of the table.
        findings: What was refused, with the table's cell named.
        digest: SHA-256 of the table, so that a changed table makes a changed run.
    """

    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()
    digest: str = ""

    def of(self, paths: Iterable[str]) -> Reviews:
        """Return the part that concerns some files: what one chunk of a run needs."""
        wanted = {file_key(path) for path in paths}
        return replace(self, decisions=tuple(d for d in self.decisions if file_key(d.path) in wanted))

    def record(self) -> list[dict[str, object]]:
        """Return every decision for the run's record: where, what, how many points (two places), in which words."""
        return [
            {
                "path": d.path, "sheet": d.sheet, "form": d.form, "cell": d.cell, "indicator": d.indicator,
                "score": None if d.score is None else show(d.score), "opinion": d.opinion,
            }
            for d in self.decisions
        ]  # fmt: skip

    def astray(self, paths: Iterable[str]) -> list[Finding]:
        """Return a finding for every decision whose file is none of a whole run's ``paths``."""
        known = {file_key(path) for path in paths}
        return [_lost(d) for d in self.decisions if file_key(d.path) not in known]


def file_key(path: str) -> str:
    """Return a path in one hand, whichever system wrote it."""
    return posixpath.normpath(unicodedata.normalize("NFC", path).replace("\\", "/"))


def _lost(decision: Decision) -> Finding:
    facts = {"name": decision.indicator, "file": decision.path}
    return Finding("V04", decision.place, "score", None, None, facts)


def read_reviews(path: Path | str, limits: Limits = DEFAULT_LIMITS) -> Reviews:
    """Read the decisions of a filled review table, whoever saved it.

    Args:
        path: The table, as :func:`perfeval_xlsx.output.review.write_review` wrote it and a person filled it in.
        limits: Bounds on opening it.

    Raises:
        PerfevalError: It cannot be opened, or holds no review table.
    """
    from perfeval_xlsx.workbook import open_workbook  # a driver writes the table, and reads none

    book = open_workbook(path, limits)
    headed = [(sheet, heading) for sheet in book.sheets() if (heading := _heading(sheet)) is not None]
    if not headed:
        headings = {column["key"]: column["zh"] for column in load("desk.toml")["review"]["column"]}
        raise PerfevalError(Finding("V01", args={"file": Path(path).name, "header": headings["decision"]}))
    read = [_decisions(sheet, *heading) for sheet, heading in headed]
    decisions = tuple(decision for found, _ in read for decision in found)
    return Reviews(decisions, tuple(finding for _, found in read for finding in found), book.digest)


def _heading(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    """Return the heading row and the column of each field, in whatever language the table is; None for other sheets."""
    columns = load("desk.toml")["review"]["column"]
    keys = {plain(column[lang]): column["key"] for column in columns for lang in ("zh", "en")}
    rows: dict[int, dict[str, int]] = defaultdict(dict)
    for (row, column), cell in sheet.cells.items():
        key = keys.get(plain(cell.text))
        if key is not None and row <= _HEADING_ROWS:
            rows[row].setdefault(key, column)
    return next(((row, found) for row, found in sorted(rows.items()) if all(key in found for key in _NEEDED)), None)


def _decisions(sheet: Sheet, heading: int, columns: Mapping[str, int]) -> tuple[list[Decision], list[Finding]]:
    decisions, findings = [], []
    last = max((row for row, _ in sheet.cells), default=0)
    for row in range(heading + 1, last + 1):
        cells = {key: sheet.cells.get((row, column)) for key, column in columns.items()}
        if _text(cells["decision"]) or _text(cells["opinion"]):
            decision, finding = _decision(cells, a1(row, columns["decision"]))
            if finding is not None:
                findings.append(finding)
            if decision is not None:
                decisions.append(decision)
    return decisions, findings


def _text(cell: Cell | None) -> str:
    return "" if cell is None else cell.text.strip()


def _decision(cells: Mapping[str, Cell | None], place: str) -> tuple[Decision | None, Finding | None]:
    """One filled row: a decision, or why its score cannot be used; an opinion is kept even then."""
    text = {key: _text(cell) for key, cell in cells.items()}
    score = _points(cells["decision"])
    low, high = _points(cells["low"]), _points(cells["high"])
    finding = None
    if text["decision"] and score is None:
        finding = Finding("V02", place, "score", text["decision"], text["low"] or "0")
    elif score is not None and (low is None or high is None or not _inside(score, low, high)):
        band = f"{text['low']}–{text['high']}"
        finding = Finding("V03", place, "score", text["decision"], band, {"name": text["indicator"]})
    if finding is not None:
        score = None
    if score is None and not text["opinion"]:
        return None, finding
    number = _points(cells.get("form"))
    decision = Decision(
        place, text["path"], text["sheet"], None if number is None else int(number), text["cell"] or None,
        text["indicator"], text.get("target", ""), text.get("actual", ""), low, high, score, text["opinion"] or None,
    )  # fmt: skip
    return decision, finding


def _points(cell: Cell | None) -> float | None:
    """The number in a cell, typed as a number or as text (``１．５``, ``1.5分``), rounded to two places."""
    if cell is None:
        return None
    if cell.value is not None:
        return _rounded(cell.value)
    text = unicodedata.normalize("NFKC", cell.text).strip().removesuffix("分").strip()
    return _rounded(float(text)) if _NUMBER.fullmatch(text) else None


def _rounded(value: float) -> float:
    return round_half_up(value, 100) / 100


def _inside(score: float, low: float, high: float) -> bool:
    return low - _NEAR <= score <= high + _NEAR


@dataclass(slots=True)
class Applied:
    """A chunk after review.

    Attributes:
        scored: The frames with decisions in place, totals and grades anew; those given where nothing was decided.
        findings: By form_id, decisions that could not be used (under the file's first form where the row is lost).
        used: By form_id, the decisions that count.
    """

    scored: ScoredTables
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, list[Decision]] = field(default_factory=lambda: defaultdict(list))


class _Row(NamedTuple):
    """A score that may be decided: its place in a frame and what identifies it."""

    form_id: str
    table: str
    position: int
    sheet: str
    number: int
    cell: str | None
    name: str
    target: str
    actual: str
    low: float
    high: float


def apply_reviews(
    scored: ScoredTables, reviews: Reviews, rulebooks: Mapping[str, Rulebook], lang: Lang = "zh"
) -> Applied:
    """Put decisions in the place of scores: status ``reviewed``, low = high = score; totals and grades follow.

    Args:
        scored: What ``score`` made of the chunk; left as it is.
        reviews: The decisions; those of other files are passed over.
        rulebooks: The rulebook of every form, by form_id.
        lang: Language of the basis sentences.
    """
    applied = Applied(scored)
    by_file: dict[str, list[Decision]] = defaultdict(list)
    for decision in reviews.decisions:
        by_file[file_key(decision.path)].append(decision)
    forms: list[dict[str, Any]] = [
        {str(name): value for name, value in form.items()}
        for form in scored.forms.to_dict("records")
        if file_key(form["path"]) in by_file
    ]
    if not forms:
        return applied
    rows = _rows(scored, {form["form_id"]: form for form in forms}, lang)
    first = {file_key(form["path"]): form["form_id"] for form in reversed(forms)}
    taken: dict[tuple[str, int], Decision] = {}
    for path, form_id in first.items():
        for decision in by_file[path]:
            finding = _settle(decision, rows[path], taken, applied, lang)
            if finding is not None:
                applied.findings[finding[0] or form_id].append(finding[1])
    if taken:
        from perfeval_xlsx.scoring.score import retotal  # a run's driver reads decisions and needs no pandas

        applied.scored = retotal(_decided(scored, taken, lang), rulebooks)
    return applied


def _rows(scored: ScoredTables, forms: Mapping[str, Mapping[str, Any]], lang: Lang) -> dict[str, list[_Row]]:
    """Every score with points of its own in the files wanted, by file."""
    execution = load("desk.toml")["words"]["execution"][lang]
    found: dict[str, list[_Row]] = defaultdict(list)
    for table, frame in (("indicators", scored.indicators), ("funds", scored.funds)):
        for index, row in enumerate(frame.to_dict("records")):
            form = forms.get(row["form_id"])
            if form is None or form["status"] == "reported" or row["low"] != row["low"]:
                continue
            if table == "funds":
                facts = (execution, row["budget_text"], row["executed"])
            else:
                facts = (row["level3"] or row["level2"] or row["level1"], row["target"], row["actual"])
            name, target, actual = (str(fact or "") for fact in facts)
            found[file_key(form["path"])].append(
                _Row(
                    row["form_id"], table, index, form["sheet"], int(form["number"]), row["cells"].get("score"),
                    name, target, actual, row["low"], row["high"],
                )
            )  # fmt: skip
    return found


def _settle(
    decision: Decision, rows: Sequence[_Row], taken: dict[tuple[str, int], Decision], applied: Applied, lang: Lang
) -> tuple[str | None, Finding] | None:
    """Find the decision's row and note it as taken; return why not, with the form it concerns."""
    row = _match(decision, rows)
    if row is None:
        return None, _lost(decision)
    told = {"name": row.name}
    if _facts(decision, lang) != _facts(row, lang):
        return row.form_id, Finding("V05", decision.place, "score", _facts(decision, lang), _facts(row, lang), told)
    key = row.table, row.position
    score = decision.score
    if key in taken:
        written, known = ("–" if value is None else show(value) for value in (score, taken[key].score))
        return row.form_id, Finding("V06", decision.place, "score", written, known, told)
    if score is not None and not _inside(score, row.low, row.high):
        band = f"{show(row.low)}–{show(row.high)}"
        return row.form_id, Finding("V07", row.cell, "score", show(score), band, told)
    taken[key] = decision
    applied.used[row.form_id].append(decision)
    return None


def _facts(row: Decision | _Row, lang: Lang) -> str:
    """Target and actual in one hand, to tell whether the form changed since the decision."""
    template = load("desk.toml")["review"]["facts"][lang]
    return str(template.format(target=plain(row.target), actual=plain(row.actual)))


def _match(decision: Decision, rows: Sequence[_Row]) -> _Row | None:
    """The row at the same address with the same name, else the only one of the same content."""
    name, target = plain(decision.indicator), plain(decision.target)
    sheet = [row for row in rows if row.sheet == decision.sheet] or rows
    named = [row for row in sheet if plain(row.name) == name]
    for same in (
        [row for row in named if row.cell == decision.cell and row.cell is not None],
        [row for row in named if plain(row.target) == target and row.number == decision.form],
        [row for row in named if plain(row.target) == target],
        named,
    ):
        if len(same) == 1:
            return same[0]
    return None


def _decided(scored: ScoredTables, taken: Mapping[tuple[str, int], Decision], lang: Lang) -> ScoredTables:
    """The frames with score, bounds, status, method and basis of decided rows replaced."""
    frames = {}
    for table, frame in (("indicators", scored.indicators), ("funds", scored.funds)):
        columns = {name: frame[name].to_numpy(copy=True) for name in ("score", "low", "high")}
        words = {name: list(frame[name]) for name in ("status", "method", "basis")}
        for index, decision in _of(table, taken):
            if decision.score is not None:
                for values in columns.values():
                    values[index] = decision.score
                words["status"][index] = words["method"][index] = "reviewed"
            words["basis"][index] = f"{_sentence(decision, lang)}{words['basis'][index]}"
        frames[table] = frame.assign(**columns, **words)
    return replace(scored, indicators=frames["indicators"], funds=frames["funds"])


def _of(table: str, taken: Mapping[tuple[str, int], Decision]) -> Iterator[tuple[int, Decision]]:
    return ((index, decision) for (name, index), decision in taken.items() if name == table)


def _sentence(decision: Decision, lang: Lang) -> str:
    """The decision and its opinion in words, with the separator to what follows."""
    texts = load("desk.toml")
    parts = "" if decision.score is None else texts["review"]["reviewed"][lang].format(score=show(decision.score))
    if decision.opinion:
        parts += texts["review"]["opinion"][lang].format(opinion=decision.opinion)
    return f"{parts.strip()}{texts['words']['separator'][lang]}"
