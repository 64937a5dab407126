"""Checks that compare forms: plain statistics over a whole run, every finding with its evidence.

They take light records in the order of the run and never see a chunk, so that chunking changes nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.audit.report import position, words
from perfeval_xlsx.scoring.audit.words import plain
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.record import FormRecord, digest, record_of

__all__ = ["COLUMNS", "FormRecord", "across", "record_of", "self_against_rule"]

COLUMNS = (
    "path", "form", "org", "code", "severity", "cell", "field", "found", "expected", "message", "basis", "suggestion",
)  # fmt: skip
_CODE = re.compile(r"^\d+[-_/]*")
_CROWD = 50
"""A text in more forms than this comes from a template: each is compared with the first of them only."""
_EXCERPT = 24
"""Characters of a text that are quoted."""
_FEW = 3
"""Fewer equal texts, or comparable rows, may be chance."""
_ROBUST = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


class Place(NamedTuple):
    """Where a comparison points: a form (``path`` and ``form``), or only a unit."""

    path: str | None
    form: int | None
    org: str | None
    cell: str | None = None
    field: str | None = None
    found: str | None = None
    expected: str | None = None
    args: Mapping[str, str] = {}
    variant: str = ""


@dataclass(slots=True)
class Run:
    """The forms of a run and what they are compared with.

    Attributes:
        records: The forms, in the order of the run.
        roster: Units that should have filed.
        previous: Forms of an earlier run.
        parameters: Parameters by code, as under a rulebook's ``[checks]``.
    """

    records: Sequence[FormRecord]
    roster: Sequence[str] = ()
    previous: Sequence[FormRecord] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def param(self, code: str, name: str) -> Any:
        """A parameter: the run's, else the default."""
        default = load("checks.toml")["check"][code]["param"][name]["default"]
        return self.parameters.get(code, {}).get(name, default)

    def by(self, key: Callable[[FormRecord], Any]) -> list[list[FormRecord]]:
        """The records grouped by a key, those without one left out."""
        groups: dict[Any, list[FormRecord]] = {}
        for record in self.records:
            if (value := key(record)) is not None:
                groups.setdefault(value, []).append(record)
        return list(groups.values())


def across(
    records: Iterable[FormRecord],
    *,
    roster: Iterable[str] = (),
    previous: Iterable[FormRecord] = (),
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    lang: Lang = "zh",
) -> pd.DataFrame:
    """Compare the forms of a run.

    Args:
        records: One record a form, see ``record_of``.
        roster: Names of the units that should have filed.
        previous: Records of an earlier run, to find forms that were filed again.
        parameters: Parameters by code, as under a rulebook's ``[checks]``; ``enabled = False`` switches one off.
        lang: Language of the texts.

    Returns:
        One row a finding: path, form, org, code, severity, cell, field, found, expected, message, basis, suggestion;
        path and form None where a whole unit is meant. Sorted by path, form, position and code, whole units last.
    """
    run = Run(tuple(records), tuple(roster), tuple(previous), parameters or {})
    places = [
        (code, place)
        for code, function in _CHECKS
        if run.parameters.get(code, {}).get("enabled", True)
        for place in function(run)
    ]
    places.sort(key=_order)
    return pd.DataFrame([_written(code, place, lang) for code, place in places], columns=list(COLUMNS), dtype=object)


def _order(item: tuple[str, Place]) -> tuple[bool, str, int, tuple[str, int, int], str]:
    code, place = item
    return place.path is None, place.path or "", place.form or 0, position(place.cell), code


def _written(code: str, place: Place, lang: Lang) -> tuple[Any, ...]:
    values = {**place.args, "org": place.org or "–", "found": place.found or "", "expected": place.expected or ""}
    labels = load("messages_audit.toml")["field"]
    if values.get("name") in labels:
        values["name"] = labels[values["name"]][lang]
    severity, message, basis, suggestion = words(code, place.variant, values, lang)
    return (
        place.path, place.form, place.org, code, severity, place.cell, place.field, place.found, place.expected,
        message, basis, suggestion,
    )  # fmt: skip


def org_key(name: str | None) -> str | None:
    """A unit's name without the code before it and white space: ``219001-某局`` and ``某局`` are one."""
    folded = _CODE.sub("", plain(name)) if name else ""
    return folded or None


def _all_full(run: Run) -> Iterator[Place]:
    """T05: all forms of one unit have 100 points."""
    for records in run.by(lambda record: org_key(record.org)):
        totals = [record.self_total for record in records]
        if len(records) >= run.param("T05", "forms") and all(abs(total - 100) < 0.005 for total in totals):
            yield Place(None, None, records[0].org, None, "self_total", "100", None, {"forms": str(len(records))})


def _identical_texts(run: Run) -> Iterator[Place]:
    """T05: most of the longer texts of a form stand in another unit's form."""
    least = run.param("T05", "length")
    texts = [
        frozenset(text for text, length in zip(record.texts, record.lengths, strict=True) if length >= least)
        for record in run.records
    ]
    holders: dict[int, list[int]] = defaultdict(list)
    for at, own in enumerate(texts):
        for each in own:
            holders[each].append(at)
    common: Counter[tuple[int, int]] = Counter()
    for held in holders.values():
        firsts = held if len(held) <= _CROWD else held[:1]
        common.update((one, other) for one in firsts for other in held if one < other)
    for (one, other), count in common.items():
        first, second = run.records[one], run.records[other]
        share = count / len(texts[other])
        alike = count >= _FEW and share >= run.param("T05", "share") - 1e-9
        if alike and org_key(first.org) != org_key(second.org):
            args = {"other": _name(first), "share": show_percent(share, 0), "count": str(count)}
            found, cell = _shared_text(second, texts[one])
            yield Place(second.path, second.form, second.org, cell, "actual", found, None, args, "texts")


def _shared_text(record: FormRecord, others: frozenset[int]) -> tuple[str, str | None]:
    """The beginning of the first text that another form has too, and the cell of its row."""
    shared = ((text, row.cell) for row in record.rows() for text in row.texts if digest(text) in others)
    text, cell = next(shared)
    return text[:_EXCERPT], cell


def _name(record: FormRecord) -> str:
    return record.path if record.form in (None, 1) else f"{record.path}#{record.form}"


def _repeated_target(run: Run) -> Iterator[Place]:
    """X01: one target stands on most rows of a unit's forms."""
    for records in run.by(lambda record: org_key(record.org)):
        targets = [row.target for record in records for row in record.rows() if row.target]
        if len(targets) < run.param("X01", "rows") or len(records) < run.param("X01", "forms"):
            continue
        common, count = Counter(targets).most_common(1)[0]
        if count / len(targets) >= run.param("X01", "share"):
            args = {"forms": str(len(records)), "rows": str(len(targets)), "count": str(count)}
            yield Place(None, None, records[0].org, None, "target", common, None, args)


def _rate_outliers(run: Run) -> Iterator[Place]:
    """X02: an execution rate far from those of the same kind and year."""
    yield from _outliers(run, "X02", lambda record: record.rate, "rate", both=True)


def _over_outliers(run: Run) -> Iterator[Place]:
    """X03: a far larger share of over-achieved rows than in forms of the same kind and year."""
    line = run.param("X03", "ratio")

    def share(record: FormRecord) -> float:
        over = sum(ratio >= line - 1e-9 for ratio in record.ratios)
        return over / len(record.ratios) if len(record.ratios) >= _FEW else math.nan

    yield from _outliers(run, "X03", share, "actual", both=False)


def _outliers(run: Run, code: str, figure: Callable[[FormRecord], float], name: str, *, both: bool) -> Iterator[Place]:
    """Figures far from the median of their peers, above it only unless ``both``."""
    deviations, least = run.param(code, "deviations"), run.param(code, "least")
    for records in run.by(lambda record: (record.kind, record.year)):
        figures = pd.Series([figure(record) for record in records], dtype="float64")
        known = figures.dropna()
        if len(known) < run.param(code, "peers"):
            continue
        low, middle, high = (float(known.quantile(share)) for share in (0.25, 0.5, 0.75))
        spread = float((known - middle).abs().median()) * _ROBUST
        limit = max(deviations * spread, least)
        far = (figures - middle).abs() if both else figures - middle
        for at in figures.index[far > limit + 1e-9]:
            record = records[at]
            args = {"peers": str(len(known)), "low": show_percent(low), "high": show_percent(high)}
            cell = record.rate_cell if name == "rate" else None
            found, expected = show_percent(float(figures[at])), show_percent(middle)
            yield Place(record.path, record.form, record.org, cell, name, found, expected, args)


def _filed_twice(run: Run) -> Iterator[Place]:
    """X04: one unit's forms of one year with the same indicators but other figures."""
    least = run.param("X04", "rows")

    def key(record: FormRecord) -> tuple[str, int | None, int] | None:
        org = org_key(record.org)
        return (org, record.year, record.signature) if org and record.size >= least else None

    for records in run.by(key):
        for record in records[1:]:
            differing = list(_differences(records[0], record))
            if differing:
                name, cell, own, others = differing[0]
                args = {"other": _name(records[0]), "count": str(len(differing)), "name": name}
                yield Place(record.path, record.form, record.org, cell, None, own or "–", others or "–", args)


def _differences(first: FormRecord, second: FormRecord) -> Iterator[tuple[str, str | None, str, str]]:
    """What differs between two forms of one project: name, cell in the second, figure there, figure in the first."""
    money = (("annual_budget", second.budget, first.budget), ("executed", second.executed, first.executed))
    for name, figure, other in money:
        if figure != other:
            yield name, second.rate_cell, figure or "", other or ""
    for own, others in zip(second.rows(), first.rows(), strict=True):
        for figure, other in ((own.target, others.target), (own.actual, others.actual)):
            if figure != other:
                yield own.name, own.cell, figure, other


def _filed_again(run: Run) -> Iterator[Place]:
    """X05: the indicators and nearly all actuals are those of an earlier year."""
    known: dict[tuple[str | None, int], list[FormRecord]] = defaultdict(list)
    for record in (*run.previous, *run.records):
        known[org_key(record.org), record.signature].append(record)
    for record in run.records:
        if record.org and record.year is not None and record.size >= run.param("X05", "rows"):
            held = known[org_key(record.org), record.signature]
            yield from _copied_from(run, record, [other for other in held if 0 < _year(other) < record.year])


def _year(record: FormRecord) -> int:
    return record.year or 0


def _copied_from(run: Run, record: FormRecord, earlier: Sequence[FormRecord]) -> Iterator[Place]:
    """The latest of the earlier forms that has nearly all actuals of ``record``."""
    for other in sorted(earlier, key=_year, reverse=True):
        pairs = zip(record.rows(), other.rows(), strict=True)
        same = [own.actual == others.actual for own, others in pairs if own.actual]
        count, rows = sum(same), len(same)
        if rows >= run.param("X05", "rows") and count / rows >= run.param("X05", "share") - 1e-9:
            args = {"other": _name(other), "year": str(other.year), "count": str(count), "rows": str(rows)}
            yield Place(record.path, record.form, record.org, None, "actual", None, None, args)
            return


def _missing_units(run: Run) -> Iterator[Place]:
    """X06: units of the roster without a form; a name may be written shorter or longer in the form."""
    filed = {key for record in run.records if (key := org_key(record.org))}
    for name in run.roster:
        wanted = org_key(name)
        if wanted and not any(wanted in key or key in wanted for key in filed):
            yield Place(None, None, name.strip(), None, "org", None, name.strip())


def _inflated(run: Run) -> Iterator[Place]:
    """X07: a unit's own totals lie well above the rule's."""
    table = self_against_rule(run.records)
    several = table["forms"] >= run.param("X07", "forms")
    for row in table[several & (table["difference"] >= run.param("X07", "points"))].to_dict("records"):
        args = {name: show(float(row[name])) for name in ("forms", "difference", "largest")}
        found, expected = show(float(row["self_mean"])), show(float(row["rule_mean"]))
        yield Place(None, None, str(row["org"]), None, "self_total", found, expected, args)


def self_against_rule(records: Iterable[FormRecord]) -> pd.DataFrame:
    """Compare typed and ruled totals, unit by unit.

    Returns:
        org · forms (with both totals) · self_mean · rule_mean · difference (mean of typed − ruled, points) · largest;
        the unit that inflates most first.
    """
    rows = [
        (org_key(record.org), record.org, record.self_total, record.total, record.self_total - record.total)
        for record in records
        if record.org and record.self_total == record.self_total and record.total == record.total
    ]
    frame = pd.DataFrame(rows, columns=["key", "org", "typed", "ruled", "difference"])
    table = frame.groupby("key", sort=False).agg(
        org=("org", "first"),
        forms=("difference", "size"),
        self_mean=("typed", "mean"),
        rule_mean=("ruled", "mean"),
        largest=("difference", "max"),
        difference=("difference", "mean"),
    )
    columns = ["org", "forms", "self_mean", "rule_mean", "difference", "largest"]
    return table[columns].sort_values(["difference", "org"], ascending=[False, True]).reset_index(drop=True)


_CHECKS: tuple[tuple[str, Callable[[Run], Iterator[Place]]], ...] = (
    ("T05", _all_full),
    ("T05", _identical_texts),
    ("X01", _repeated_target),
    ("X02", _rate_outliers),
    ("X03", _over_outliers),
    ("X04", _filed_twice),
    ("X05", _filed_again),
    ("X06", _missing_units),
    ("X07", _inflated),
)
