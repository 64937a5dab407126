"""The score of every indicator row, vectorised over a chunk: each rule is one masked assignment, first match wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.form.values import has_negative
from perfeval_xlsx.scoring.measure import NUMERIC, QUALITATIVE, Bools, Floats, Measured, Objects, measure, numbers
from perfeval_xlsx.scoring.rounding import half_up, product_half_up
from perfeval_xlsx.scoring.rulebook import Rulebook

STANDS = 0.005
"""Half of the last place: a typed score this close to a bound is inside it."""


@dataclass(slots=True)
class Verdicts:
    """What the rules say of each row.

    Attributes:
        status: ruled, judged, unscorable, unweighted; ``method`` key of ``data/methods.toml``.
        top, bottom: The score is points × top / bottom, in the figures as written (for exact rounding).
        low, high: What a reviewer may give, as fractions of the points; ``open_top``: ``high`` itself is excluded.
        default: Fraction a judged row gets when no score is typed, NaN to leave it blank.
        ratio: Actual against target, 1 = reached. ``detail``: days late, tier or word, for the sentence.
    """

    status: Objects
    method: Objects
    top: Floats
    bottom: Floats
    low: Floats
    high: Floats
    open_top: Bools
    default: Floats
    ratio: Floats
    detail: Objects

    @classmethod
    def blank(cls, size: int) -> Verdicts:
        """Nothing decided yet: unscorable, unreadable, anything possible."""
        return cls(
            status=np.full(size, "", dtype=object),
            method=np.full(size, "", dtype=object),
            top=np.zeros(size),
            bottom=np.ones(size),
            low=np.zeros(size),
            high=np.ones(size),
            open_top=np.zeros(size, dtype=np.bool_),
            default=np.full(size, np.nan),
            ratio=np.full(size, np.nan),
            detail=np.full(size, "", dtype=object),
        )

    def _take(self, rows: Bools, status: str, method: str) -> Bools:
        free = rows & (self.status == "")
        self.status[free] = status
        self.method[free] = method
        return free

    def rule(self, rows: Bools, method: str, top: Floats | float = 1.0, bottom: Floats | float = 1.0) -> None:
        """Arithmetic decides ``rows``: points × top / bottom."""
        free = self._take(rows, "ruled", method)
        self.top[free] = np.broadcast_to(top, free.shape)[free]
        self.bottom[free] = np.broadcast_to(bottom, free.shape)[free]

    def judge(
        self,
        rows: Bools,
        method: str,
        low: Floats | float = 0.0,
        high: Floats | float = 1.0,
        default: Floats | float = np.nan,
        *,
        open_top: Bools | bool = False,
    ) -> None:
        """A person weighs ``rows`` between ``low`` and ``high``."""
        free = self._take(rows, "judged", method)
        for array, value in ((self.low, low), (self.high, high), (self.default, default), (self.open_top, open_top)):
            array[free] = np.broadcast_to(value, free.shape)[free]

    def abstain(self, rows: Bools, method: str, status: str = "unscorable") -> None:
        """No rule reaches ``rows``."""
        self._take(rows, status, method)


@dataclass(slots=True)
class Scored:
    """The scored rows: the frame's new columns and what the sentences need."""

    frame: pd.DataFrame
    measured: Measured
    verdicts: Verdicts


def score_indicators(rows: pd.DataFrame, years: Floats, books: Sequence[Rulebook], code: np.ndarray) -> Scored:
    """Score an indicators frame.

    Args:
        rows: The indicators frame of ``to_frames``.
        years: The form's year by row, NaN unknown.
        books: The rulebooks in use.
        code: By row, the position of its rulebook in ``books``.

    Returns:
        The frame with points, kind, target_value, actual_value, ratio, score, low, high, status, method added.
    """
    measured = measure(rows, years)
    points, typed = numbers(rows["weight"]), numbers(rows["self_score"])
    points = np.where(points > 0, points, np.nan)
    verdicts = Verdicts.blank(len(rows))
    follows = _shares(rows)
    _set_aside(verdicts, rows, points, follows)
    _missing(verdicts, measured)
    _deadlines(verdicts, measured, books, code)
    _numbers(verdicts, rows, measured, books, code)
    _words(verdicts, measured, books, code)
    verdicts.abstain(measured.units, "units")
    verdicts.abstain(np.ones(len(rows), dtype=np.bool_), "unreadable")
    _shared_points(verdicts, rows, points, follows)
    frame = _frame(rows, measured, verdicts, points, typed)
    return Scored(frame, measured, verdicts)


def _shares(rows: pd.DataFrame) -> Bools:
    """Rows whose points stand in the merged cell of the row above."""
    anchors = [cells.get("weight") for cells in rows["cells"]]
    forms = rows["form_id"].tolist()
    return np.array(
        [
            i > 0 and anchor is not None and anchor == anchors[i - 1] and forms[i] == forms[i - 1]
            for i, anchor in enumerate(anchors)
        ],
        dtype=np.bool_,
    )


def _set_aside(verdicts: Verdicts, rows: pd.DataFrame, points: Floats, follows: Bools) -> None:
    excluded = np.isin(rows["sign"].to_numpy(dtype=object).astype(str), load("measure.toml")["excluded_signs"])
    verdicts.abstain(excluded, "excluded", "unweighted")
    verdicts.abstain(np.isnan(points) & ~follows, "unweighted", "unweighted")


def _missing(verdicts: Verdicts, measured: Measured) -> None:
    gone = frozenset({"blank", "placeholder"})
    verdicts.abstain(measured.target.is_(gone), "missing_target")
    verdicts.abstain(measured.actual.is_(gone), "missing_actual")


def _deadlines(verdicts: Verdicts, measured: Measured, books: Sequence[Rulebook], code: np.ndarray) -> None:
    """On time is full; late is a band a person weighs, always below the full weight."""
    late = measured.deadline & (measured.days > 0)
    verdicts.rule(measured.deadline & ~late, "on_time")
    verdicts.detail[late] = [f"{days:.0f}" for days in measured.days[late]]
    for number, book in enumerate(books):
        mine, start = late & (code == number), 0.0
        for last, fraction in book.deadline.bands:
            within = mine & (measured.days > start) & (measured.days <= (np.inf if last is None else last))
            verdicts.judge(within, "late", high=book.deadline.below_weight, default=fraction)
            start = start if last is None else last


def _numbers(
    verdicts: Verdicts, rows: pd.DataFrame, measured: Measured, books: Sequence[Rulebook], code: np.ndarray
) -> None:
    """Number against number: met, in proportion, or reversed where lower is better."""
    value, low, high, lower = measured.value, measured.low, measured.high, measured.lower
    comparable = measured.comparable
    with np.errstate(divide="ignore", invalid="ignore"):
        over = np.where(lower, np.where(value == 0, np.inf, high / value), value / low)
    verdicts.ratio[comparable] = np.where(np.isfinite(over), over, np.nan)[comparable]
    _satisfaction(verdicts, rows, measured, books, code)
    reached = np.where(lower, value <= high, value >= low)
    stated = np.isin(measured.target.comparator, [">=", ">", "<=", "<", "±"])
    zero = comparable & (low == 0) & (high == 0)
    verdicts.rule(zero & (value == 0), "met")
    verdicts.rule(zero & stated & reached, "met")
    verdicts.judge(zero, "zero_missed", high=_by_book(books, code, lambda b: b.deadline.below_weight), default=0.0)
    verdicts.abstain(comparable & (np.where(lower, high, low) < 0) & ~reached, "unreadable")
    verdicts.rule(comparable & reached, "met")
    short = comparable & ~lower
    line = _by_book(books, code, lambda b: np.nan if b.quantitative.pass_line is None else b.quantitative.pass_line)
    top = np.clip(value, 0, None)
    verdicts.rule(short & (top / _nonzero(low) < line), "below_pass", 0.0)
    verdicts.rule(short & ~np.isnan(line), "pass_line", top - line * low, low * (1 - line))
    verdicts.rule(short, "short", top, low)
    linear = _by_book(books, code, lambda b: float(b.quantitative.reverse == "linear_to_double")) > 0
    verdicts.rule(comparable & lower & linear, "reverse_linear", np.clip(2 * high - value, 0, None), high)
    verdicts.rule(comparable & lower, "reverse", high, value)
    verdicts.judge(measured.opposite, "opposite")


def _satisfaction(
    verdicts: Verdicts, rows: pd.DataFrame, measured: Measured, books: Sequence[Rulebook], code: np.ndarray
) -> None:
    """Rulebooks that score satisfaction by bands of the rate reached, not by the row's own target."""
    for number, book in enumerate(books):
        rule = getattr(book, "satisfaction", None)
        if rule is None:
            continue
        words = load("measure.toml")["satisfaction_words"]
        named = [any(w in str(a) + str(b) for w in words) for a, b in zip(rows["level1"], rows["level3"], strict=True)]
        mine = np.array(named, dtype=np.bool_) & (code == number) & (measured.actual.kind == "percent")
        for floor, fraction in rule.bands:
            here = mine & (measured.actual.value >= floor * 100) & (verdicts.status == "")
            verdicts.detail[here] = f"≥{floor * 100:g}%"
            verdicts.rule(here, "band", fraction)


def _nonzero(values: Floats) -> Floats:
    return np.where(values == 0, np.nan, values)


def _words(verdicts: Verdicts, measured: Measured, books: Sequence[Rulebook], code: np.ndarray) -> None:
    """Qualitative rows: the verdict's tier, or a presumption a person confirms."""
    number = measured.target.is_(NUMERIC) | measured.target.is_("deadline")
    actual, open_ = measured.actual, verdicts.status == ""
    stated = actual.verdict != ""
    tiers = {tier.id for book in books for tier in book.qualitative.tiers}
    for tier_id in sorted(tiers):
        rows = open_ & stated & (actual.verdict == tier_id)
        low, high, default = (_tier(books, code, tier_id, part) for part in ("low", "high", "default"))
        claimed = rows & number
        verdicts.detail[rows] = [_tier_name(books[c], tier_id) for c in code[rows]]
        verdicts.judge(claimed, "claimed", 0.0, 1.0, default)
        verdicts.judge(rows, "tier", low, high, default, open_top=tier_id != "met")
    free = (verdicts.status == "") & ~number & measured.target.is_(QUALITATIVE)
    free &= actual.is_(QUALITATIVE) | actual.is_(NUMERIC) | actual.is_("deadline")
    _presume(verdicts, measured, books, code, free)


def _presume(
    verdicts: Verdicts, measured: Measured, books: Sequence[Rulebook], code: np.ndarray, free: Bools
) -> None:
    texts = measured.actual.text
    words = np.full(len(free), "", dtype=object)
    words[free] = [has_negative(text) or "" for text in texts[free]]
    echo = free & (texts == measured.target.text)
    words[echo] = ""
    negative = free & (words != "")
    verdicts.detail[negative] = words[negative]
    verdicts.judge(negative, "negative", default=_tier(books, code, "partial", "default"))
    presume = _by_book(books, code, lambda b: float(b.qualitative.presume_met)) > 0
    default = _tier(books, code, "met", "default")
    verdicts.judge(free & ~presume, "not_presumed")
    verdicts.judge(echo, "echo", default=default)
    verdicts.judge(free, "presumed", default=default)


def _tier(books: Sequence[Rulebook], code: np.ndarray, tier_id: str, part: str) -> Floats:
    def of(book: Rulebook) -> float:
        found = [getattr(tier, part) for tier in book.qualitative.tiers if tier.id == tier_id]
        return float(found[0]) if found else float("nan")

    return _by_book(books, code, of)


def _tier_name(book: Rulebook, tier_id: str) -> str:
    return next((tier.name for tier in book.qualitative.tiers if tier.id == tier_id), tier_id)


def _by_book(books: Sequence[Rulebook], code: np.ndarray, parameter: object) -> Floats:
    """Spread a rulebook's parameter over the rows that use it."""
    assert callable(parameter)
    return np.array([parameter(book) for book in books], dtype=np.float64)[code]


def _shared_points(verdicts: Verdicts, rows: pd.DataFrame, points: Floats, follows: Bools) -> None:
    """One cell of points over several rows: full only when all of them are met; otherwise a person decides."""
    if not follows.any():
        return
    group = np.cumsum(~follows)
    size = np.bincount(group)[group]
    full = (verdicts.status == "ruled") & (verdicts.top == verdicts.bottom)
    all_full = np.bincount(group, ~full)[group] == 0
    head = (size > 1) & ~follows & ~np.isnan(points)
    missed = head & ~all_full
    verdicts.status[missed], verdicts.method[missed] = "judged", "shared_missed"
    verdicts.low[missed], verdicts.high[missed], verdicts.default[missed] = 0.0, 1.0, np.nan
    verdicts.open_top[missed] = False
    verdicts.status[follows], verdicts.method[follows] = "unweighted", "shared"


def _frame(
    rows: pd.DataFrame, measured: Measured, verdicts: Verdicts, points: Floats, typed: Floats
) -> pd.DataFrame:
    low, high = half_up(points * verdicts.low), half_up(points * verdicts.high)
    high = np.where(verdicts.open_top, np.maximum(low, half_up(high - 0.01)), high)
    ruled, judged = verdicts.status == "ruled", verdicts.status == "judged"
    by_rule = np.clip(product_half_up(points, verdicts.top, verdicts.bottom), 0.0, points)
    score = np.where(ruled, by_rule, np.where(judged, _judged(verdicts, points, typed, low, high), typed))
    bounded = judged | (verdicts.status == "unscorable")
    return rows.assign(
        points=points,
        typed=typed,
        kind=measured.target.kind,
        target_value=measured.low,
        actual_value=measured.value,
        ratio=verdicts.ratio,
        score=score,
        low=np.where(ruled, score, np.where(bounded, low, np.nan)),
        high=np.where(ruled, score, np.where(bounded, high, np.nan)),
        status=verdicts.status,
        method=verdicts.method,
    )


def _judged(verdicts: Verdicts, points: Floats, typed: Floats, low: Floats, high: Floats) -> Floats:
    """A typed score inside its band stands; below it the band's foot, above it or blank the rulebook's default."""
    default = np.clip(half_up(points * verdicts.default), low, high)
    inside = (typed >= low - STANDS) & (typed <= high + STANDS)
    return np.where(inside, typed, np.where(typed < low, low, default))
