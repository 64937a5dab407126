"""The score of every indicator row, vectorised over a chunk: each rule is one masked assignment, first match wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.form.values import has_negative
from perfeval_xlsx.scoring.columns import Coded, Codes, by_book, each, one_of, places, with_columns
from perfeval_xlsx.scoring.deductions import deductions
from perfeval_xlsx.scoring.measure import NUMERIC, QUALITATIVE, Bools, Floats, Measured, Objects, figures, measure
from perfeval_xlsx.scoring.rounding import half_up, product_half_up
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.verdicts import Verdicts

Books = Sequence[Rulebook]
_GONE = frozenset({"blank", "placeholder"})
_STRICT, _BOUNDED = (">", "<"), (">=", ">", "<=", "<", "±")


@dataclass(slots=True)
class Scored:
    """The scored rows: the frame's new columns, of figures and of words, and what the sentences need."""

    rows: Coded
    figures: dict[str, Floats]
    words: dict[str, Objects]
    measured: Measured
    verdicts: Verdicts
    deducted: Floats

    @property
    def frame(self) -> pd.DataFrame:
        """The frame with its new columns."""
        return with_columns(self.rows.frame, self.figures, self.words)


def score_indicators(frame: pd.DataFrame | Coded, years: Floats, books: Books, code: Codes) -> Scored:
    """Score an indicators frame.

    Args:
        frame: The indicators frame of ``to_frames``, or what is known of its columns already.
        years: The form's year by row, NaN unknown.
        books: The rulebooks in use.
        code: By row, the position of its rulebook in ``books``.

    Returns:
        The frame's rows and points, typed, kind, target_value, actual_value, ratio, score, low, high, status, method.
    """
    rows = frame if isinstance(frame, Coded) else Coded(frame)
    measured = measure(rows, years)
    points = figures(rows, "weight")
    points = np.where(points > 0, points, np.nan)
    verdicts = Verdicts.blank(len(rows))
    follows = _shares(rows, "weight")
    _set_aside(verdicts, rows, points, follows)
    _without_cost(verdicts, rows, measured, points, books, code)
    _missing(verdicts, measured)
    _deadlines(verdicts, measured, books, code)
    _numbers(verdicts, rows, measured, books, code)
    _words(verdicts, measured, books, code)
    verdicts.abstain(measured.units, "units")
    verdicts.abstain(np.ones(len(rows), dtype=np.bool_), "unreadable")
    if follows.any():
        _shared_points(verdicts, points, follows, follows & ~_shares(rows, "score") & rows.has("score"))
    deducted = deductions(rows.frame, books, code)
    verdicts.withdraw(np.isnan(deducted), "deduction_unreadable")
    points = np.where(verdicts.by("excluded", "shared"), np.nan, points)
    deducted = np.nan_to_num(deducted)
    found = _figures(rows, measured, verdicts, points, deducted, places(books, code))
    words = {"kind": measured.target.kind, "status": verdicts.status, "method": verdicts.method}
    return Scored(rows, found, words, measured, verdicts, deducted)


def _shares(rows: Coded, field: str) -> Bools:
    """Rows whose ``field`` stands in the merged cell of the row above."""
    anchors = np.fromiter(rows.addresses(field), dtype=object, count=len(rows))
    shared = np.zeros(len(rows), dtype=np.bool_)
    shared[1:] = anchors[1:] == anchors[:-1]
    forms = rows.codes("form_id")[1]
    shared[1:] &= forms[1:] == forms[:-1]
    shared[[place for place in np.flatnonzero(shared).tolist() if not anchors[place]]] = False
    return shared


def _set_aside(verdicts: Verdicts, rows: Coded, points: Floats, follows: Bools) -> None:
    excluded = load("measure.toml")["excluded_signs"]
    verdicts.abstain(rows.each("sign", lambda sign: sign in excluded, np.bool_), "excluded", "unweighted")
    verdicts.abstain(np.isnan(points) & ~follows, "unweighted", "unweighted")


def _without_cost(
    verdicts: Verdicts, rows: Coded, measured: Measured, points: Floats, books: Books, code: Codes
) -> None:
    """A form whose cost rows name no indicator: what a person may give there at most, where the rulebook says so."""
    most = by_book(books, code, lambda b: np.nan if b.cost is None else b.cost.none_at_most)
    if np.isnan(most).all():
        return
    words = load("measure.toml")["cost_words"]
    cost = rows.contains("level1", words) | rows.contains("level2", words)
    gone = measured.target.is_(_GONE)
    form = rows.codes("form_id")[1]
    none = cost & gone & (np.bincount(form, cost & ~gone)[form] == 0) & ~np.isnan(most)
    verdicts.judge(none, "no_cost", high=np.minimum(1.0, most / points))


def _missing(verdicts: Verdicts, measured: Measured) -> None:
    verdicts.abstain(measured.target.is_(_GONE), "missing_target")
    verdicts.abstain(measured.actual.is_(_GONE), "missing_actual")


def _deadlines(verdicts: Verdicts, measured: Measured, books: Books, code: Codes) -> None:
    """On time is full; late is a band a person weighs, always below the full weight."""
    known = measured.deadline & ~np.isnan(measured.days)
    late = known & (measured.days > 0)
    verdicts.rule(known & ~late, "on_time")
    verdicts.detail[late] = each(measured.days[late], lambda days: f"{days:.0f}")
    for number, book in enumerate(books):
        mine, start = late & (code == number), 0.0
        for last, fraction in book.deadline.bands:
            within = mine & (measured.days > start) & (measured.days <= (np.inf if last is None else last))
            verdicts.judge(within, "late", high=book.deadline.below_weight, default=fraction)
            start = start if last is None else last


def _numbers(verdicts: Verdicts, rows: Coded, measured: Measured, books: Books, code: Codes) -> None:
    """Number against number: met, in proportion, or reversed where lower is better."""
    value, low, high, lower = measured.value, measured.low, measured.high, measured.lower
    comparable = measured.comparable
    with np.errstate(divide="ignore", invalid="ignore"):
        over = np.where(lower, np.where(value == 0, np.inf, high / value), value / low)
    verdicts.ratio[comparable] = np.where(np.isfinite(over), over, np.nan)[comparable]
    _satisfaction(verdicts, rows, measured, books, code)
    reached = np.where(lower, value <= high, value >= low)
    _zero_targets(verdicts, measured, reached, books, code)
    verdicts.abstain(comparable & (np.where(lower, high, low) < 0) & ~reached, "unreadable")
    verdicts.rule(comparable & reached, "met")
    _short(verdicts, comparable & ~lower, np.clip(value, 0, None), low, books, code)
    linear = by_book(books, code, lambda b: float(b.quantitative.reverse == "linear_to_double")) > 0
    left = _exact(np.clip(2 * high - value, 0, None))
    verdicts.rule(comparable & lower & linear, "reverse_linear", left, high)
    verdicts.rule(comparable & lower, "reverse", high, value)
    verdicts.judge(measured.opposite, "opposite")


def _zero_targets(verdicts: Verdicts, measured: Measured, reached: Bools, books: Books, code: Codes) -> None:
    """No ratio to 0 exists: met or not, and what is not met a person decides."""
    compares, value = measured.target.compares, measured.value
    zero = measured.comparable & (measured.low == 0) & (measured.high == 0)
    verdicts.rule(zero & (value == 0) & ~compares(_STRICT), "met")
    verdicts.rule(zero & (value != 0) & compares(_BOUNDED) & reached, "met")
    verdicts.judge(zero, "zero_missed", high=by_book(books, code, lambda b: b.deadline.below_weight), default=0.0)


def _short(verdicts: Verdicts, short: Bools, value: Floats, low: Floats, books: Books, code: Codes) -> None:
    """In proportion, or counted from the pass line where the rulebook has one."""
    line = by_book(books, code, lambda b: np.nan if b.quantitative.pass_line is None else b.quantitative.pass_line)
    foot = _exact(line * low)
    verdicts.rule(short & (value < foot), "below_pass", 0.0)
    verdicts.rule(short & ~np.isnan(line), "pass_line", _exact(value - foot), _exact(low - foot))
    verdicts.rule(short, "short", value, low)


def _exact(figures: Floats) -> Floats:
    """Differences of figures, as they would be written (97.3 − 60 = 37.3)."""
    return np.round(figures, 9).astype(np.float64)


def _satisfaction(verdicts: Verdicts, rows: Coded, measured: Measured, books: Books, code: Codes) -> None:
    """Rulebooks that score satisfaction by bands of the rate reached, not by the row's own target."""
    if all(book.satisfaction is None for book in books):
        return
    words = load("measure.toml")["satisfaction_words"]
    named = rows.contains("level1", words) | rows.contains("level3", words)
    named &= (measured.actual.kind == "percent") & ~np.isnan(measured.actual.value)
    for number, book in enumerate(books):
        for floor, fraction in book.satisfaction.bands if book.satisfaction else ():
            here = named & (code == number) & (measured.actual.value >= floor * 100) & verdicts.open
            verdicts.detail[here] = f"≥{floor * 100:g}%"
            verdicts.rule(here, "band", fraction)


def _words(verdicts: Verdicts, measured: Measured, books: Books, code: Codes) -> None:
    """Qualitative rows: the verdict's tier, or a presumption a person confirms."""
    _direct(verdicts, measured, books, code)
    number = measured.target.is_(NUMERIC) | measured.target.is_("deadline")
    actual, open_ = measured.actual, verdicts.open.copy()
    for tier_id in sorted({tier.id for book in books for tier in book.qualitative.tiers}):
        rows = open_ & actual.equals("verdict", tier_id)
        if not rows.any():
            continue
        low, high, default = (_tier(books, code, tier_id, part) for part in ("low", "high", "default"))
        for position, book in enumerate(books):
            verdicts.detail[rows & (code == position)] = _tier_name(book, tier_id)
        verdicts.judge(rows & number, "claimed", 0.0, 1.0, default)
        verdicts.judge(rows, "tier", low, high, default, open_top=tier_id != "met")
    wordy = verdicts.open & ~number & measured.target.is_(QUALITATIVE)
    if not wordy.any():
        return
    echo = np.zeros(len(wordy), dtype=np.bool_)
    echo[wordy] = actual.text[wordy] == measured.target.text[wordy]
    verdicts.judge(wordy & ~echo & (actual.is_(NUMERIC) | actual.is_("deadline")), "figure")
    free = verdicts.open & wordy & (actual.is_(QUALITATIVE) | echo)
    if free.any():
        _presume(verdicts, measured, books, code, free)


def _direct(verdicts: Verdicts, measured: Measured, books: Books, code: Codes) -> None:
    """Questions of yes or no, where the rulebook knows them: the answer that was asked for, or the other one."""
    for position, book in enumerate(books):
        words = book.qualitative.direct
        if words:
            asked, answer = measured.target.text, measured.actual.text
            here = (code == position) & one_of(asked, words) & one_of(answer, words)
            verdicts.rule(here & (asked == answer), "direct_met")
            verdicts.rule(here, "direct_missed", 0.0)


def _presume(verdicts: Verdicts, measured: Measured, books: Books, code: Codes, free: Bools) -> None:
    texts = measured.actual.text
    words = np.full(len(free), "", dtype=object)
    words[free] = each(texts[free], lambda text: has_negative(text) or "")
    echo = free & (texts == measured.target.text)
    words[echo] = ""
    negative = free & (words != "")
    verdicts.detail[negative] = words[negative]
    verdicts.judge(negative, "negative", default=_tier(books, code, "partial", "default"))
    presume = by_book(books, code, lambda b: float(b.qualitative.presume_met)) > 0
    default = _tier(books, code, "met", "default")
    verdicts.judge(free & ~presume, "not_presumed")
    verdicts.judge(echo, "echo", default=default)
    verdicts.judge(free, "presumed", default=default)


def _tier(books: Books, code: Codes, tier_id: str, part: str) -> Floats:
    def of(book: Rulebook) -> float:
        found = [getattr(tier, part) for tier in book.qualitative.tiers if tier.id == tier_id]
        return float(found[0]) if found else float("nan")

    return by_book(books, code, of)


def _tier_name(book: Rulebook, tier_id: str) -> str:
    return next((tier.name for tier in book.qualitative.tiers if tier.id == tier_id), tier_id)


def _shared_points(verdicts: Verdicts, points: Floats, follows: Bools, apart: Bools) -> None:
    """One cell of points over several rows: full only when all of them are met; otherwise a person decides.

    ``apart``: rows that share the points but have a score cell of their own; nobody can say how the points are split.
    """
    group = np.cumsum(~follows)
    size = np.bincount(group)[group]
    full = verdicts.are("ruled") & (verdicts.top == verdicts.bottom)
    all_full = np.bincount(group, ~full)[group] == 0
    missed = (size > 1) & ~follows & ~np.isnan(points) & ~all_full
    verdicts.settle(missed, "judged", "shared_missed")
    verdicts.low[missed], verdicts.high[missed], verdicts.default[missed] = 0.0, 1.0, np.nan
    verdicts.open_top[missed] = False
    verdicts.withdraw((np.bincount(group, apart)[group] > 0) & ~follows, "shared_split")
    verdicts.settle(follows, "unweighted", "shared")


def _figures(
    rows: Coded, measured: Measured, verdicts: Verdicts, points: Floats, deducted: Floats, decimals: Codes
) -> dict[str, Floats]:
    """The new columns of figures."""
    ruled, typed = verdicts.are("ruled"), figures(rows, "self_score")
    by_rule = np.clip(product_half_up(points, verdicts.top, verdicts.bottom, decimals), 0.0, points)
    score = np.where(ruled, _less(by_rule, deducted, decimals), typed)
    low, high = (np.where(ruled, score, np.nan) for _ in range(2))
    weighed = np.flatnonzero(verdicts.are("judged") | verdicts.are("unscorable"))
    if len(weighed):
        facts = points[weighed], typed[weighed], deducted[weighed], decimals[weighed]
        low[weighed], high[weighed], score[weighed] = _weighed(verdicts, weighed, *facts)
    score[verdicts.by("shared", "shared_split")] = np.nan
    return {
        "points": points,
        "typed": typed,
        "target_value": measured.low,
        "actual_value": measured.value,
        "ratio": verdicts.ratio,
        "score": score,
        "low": low,
        "high": high,
    }


def _weighed(
    verdicts: Verdicts, rows: Codes, points: Floats, typed: Floats, deducted: Floats, decimals: Codes
) -> tuple[Floats, Floats, Floats]:
    """What a reviewer may give for ``rows``, at least and at most, and what they have until then."""
    low, high = _bounds(verdicts, rows, points, decimals)
    default = np.clip(half_up(points * verdicts.default[rows], decimals), low, high)
    low, high, default = (_less(figures, deducted, decimals) for figures in (low, high, default))
    inside = stands(typed, low, high)
    unless = np.where(verdicts.are("judged")[rows], np.where(typed < low, low, default), np.nan)
    return low, high, np.where(inside, typed, unless)


def _bounds(verdicts: Verdicts, rows: Codes, points: Floats, decimals: Codes) -> tuple[Floats, Floats]:
    """What a reviewer may give, in points: a band that ends below the full weight never reaches it by rounding."""
    step = 10.0**-decimals
    low, high = half_up(points * verdicts.low[rows], decimals), half_up(points * verdicts.high[rows], decimals)
    high = np.where(verdicts.open_top[rows], half_up(high - step, decimals), high)
    high = np.where(verdicts.high[rows] < 1, np.minimum(high, half_up(points - step, decimals)), high)
    return low, np.maximum(low, high)


def stands(typed: Floats, low: Floats, high: Floats) -> Bools:
    """Whether a typed score, to two places, lies within its bounds; never where none is typed."""
    shown = half_up(typed)
    return np.asarray((shown >= low) & (shown <= high), dtype=np.bool_)


def _less(figures: Floats, deducted: Floats, decimals: Codes) -> Floats:
    taken = deducted > 0
    if not taken.any():
        return figures
    return np.where(taken, half_up(np.clip(figures - deducted, 0.0, None), decimals), figures)
