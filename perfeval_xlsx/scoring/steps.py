"""One score explained step by step, from the words in the cells to the points, for ``perfeval explain``."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.frames import Tables
from perfeval_xlsx.scoring.explain import article_words, method_words, row_article, typed_words
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.indicators import Scored, score_indicators
from perfeval_xlsx.scoring.rounding import product_half_up
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.score import FULL, score
from perfeval_xlsx.scoring.sides import Side

What = int | Literal["execution", "total"]
_PLAIN_YEAR = 2001


def steps(tables: Tables, book: Rulebook, form_id: str, what: What, lang: Lang = "zh") -> list[str]:
    """Explain one score of one form, a line a step.

    Args:
        tables: What ``to_frames`` made of the form (and of any others).
        book: The form's rulebook, its footnote applied, as given to ``score``.
        form_id: The form.
        what: Sheet row of an indicator, ``"execution"`` for the rate of execution, ``"total"`` for total and grade.
        lang: Language of the lines.

    Returns:
        The lines: target and actual as understood, what decided the direction, rate, rule, formula with its figures,
        rounding, permitted band, typed score, result, article with its support.

    Raises:
        KeyError: The form has no such indicator row, or no total fund row.
    """
    own = _only(tables, form_id)
    explain: Callable[[], Iterator[str]]
    if what == "total":
        explain = _Total(own, book, lang).lines
    elif what == "execution":
        explain = _Execution(own, book, lang).lines
    else:
        explain = _Row(own, book, lang, what).lines
    return list(explain())


def _only(tables: Tables, form_id: str) -> Tables:
    """The frames of one form."""
    frames = (
        frame[(frame["form_id"] == form_id).to_numpy()].reset_index(drop=True)
        for frame in (tables.forms, tables.funds, tables.indicators)
    )
    forms, funds, indicators = frames
    if forms.empty:
        raise KeyError(form_id)
    return replace(tables, forms=forms, funds=funds, indicators=indicators)


@dataclass(slots=True)
class _Writer:
    """What every explanation shares: the form's frames, the rulebook, the language."""

    tables: Tables
    book: Rulebook
    lang: Lang

    def say(self, section: str, key: str, **values: object) -> str:
        return str(load("steps.toml")[section][key][self.lang]).format(**values)

    def figure(self, value: float) -> str:
        return self.say("word", "none") if np.isnan(value) else show(value)

    def bounds(self, low: float, high: float) -> str:
        return self.say("row", "band", low=self.figure(low), high=self.figure(high))

    def result(self, status: str, points: float) -> str:
        words = self.say("status", status)
        key = "open" if np.isnan(points) else "left" if status == "unweighted" else "status"
        return self.say("row", key, status=words, score=self.figure(points))


@dataclass(slots=True)
class _Row(_Writer):
    """One indicator row."""

    row: int

    def lines(self) -> Iterator[str]:
        at, scored = self._scored()
        record: dict[str, Any] = {str(name): value for name, value in scored.frame.iloc[at].items()}
        yield self._head(record)
        yield from self._sides(scored, at, record)
        yield from self._comparison(scored, at, record)
        yield self.say("row", "method", text=method_words(scored, at, self.lang))
        if record["status"] == "ruled":
            yield from self._formula(scored, at, record)
        elif record["status"] != "unweighted":
            yield self.bounds(record["low"], record["high"])
        for text in typed_words(scored, at, self.lang):
            yield self.say("row", "typed", text=text)
        yield self.result(record["status"], record["score"])
        if record["status"] != "unweighted":
            yield article_words(row_article(self.book, record["method"]), self.lang)

    def _head(self, record: Mapping[str, Any]) -> str:
        name = record["level3"] or record["level2"] or self.say("word", "blank")
        place = record["cells"].get("score") or record["cells"].get("target") or str(self.row)
        figures = {"weight": record["points"], "typed": record["typed"], "score": record["score"]}
        shown = {key: self.figure(value) for key, value in figures.items()}
        return self.say("row", "head", name=name, place=place, **shown)

    def _scored(self) -> tuple[int, Scored]:
        rows = self.tables.indicators
        found = np.flatnonzero(rows["row"].to_numpy() == self.row)
        if not len(found):
            raise KeyError(self.row)
        years = np.full(len(rows), self.tables.forms["year"].to_numpy(dtype=float)[0])
        return int(found[0]), score_indicators(rows, years, [self.book], np.zeros(len(rows), dtype=int))

    def _sides(self, scored: Scored, at: int, record: Mapping[str, Any]) -> Iterator[str]:
        for name, side in (("target", scored.measured.target), ("actual", scored.measured.actual)):
            text = record[name] or self.say("word", "blank")
            yield self.say("row", name, text=text, meaning=self._meaning(side, at))

    def _meaning(self, side: Side, at: int) -> str:
        """A quantity in words: kind, comparator, figures with their unit."""
        kind, verdict = str(side.kind[at]), str(side.verdict[at])
        known = load("steps.toml")["kind"]
        words = self.say("verdict", verdict) if verdict in load("steps.toml")["verdict"] else verdict
        parts = [self.say("kind", kind if kind in known else "unreadable", verdict=words)]
        if side.comparator[at] in load("steps.toml")["comparator"]:
            parts.append(self.say("comparator", str(side.comparator[at])))
        if kind not in {"text", "verdict", "multiple", "blank", "placeholder"} and not np.isnan(side.value[at]):
            parts.append(self._amount(side, at))
        return self.say("word", "comma").join(parts)

    def _amount(self, side: Side, at: int) -> str:
        value, high, unit = side.value[at], side.high[at], str(side.unit[at])
        if side.kind[at] == "deadline":
            return self._day(value, unit)
        figures = [f"{_plain(value)}", *([_plain(high)] if not np.isnan(high) and high != value else [])]
        return "–".join(figures) + unit

    def _day(self, value: float, unit: str) -> str:
        if unit == "date":
            day = datetime.date.fromordinal(int(value))
            return self.say("word", "full_date", year=day.year, month=day.month, day=day.day)
        day = datetime.date(_PLAIN_YEAR, 1, 1) + datetime.timedelta(days=int(value) - 1)
        return self.say("word", "month_day", month=day.month, day=day.day)

    def _comparison(self, scored: Scored, at: int, record: Mapping[str, Any]) -> Iterator[str]:
        measured, ratio = scored.measured, scored.verdicts.ratio[at]
        if measured.deadline[at]:
            sides = {"target": self._amount(measured.target, at), "actual": self._amount(measured.actual, at)}
            late = measured.days[at] > 0
            yield self.say("row", "days" if late else "early", **sides, days=_plain(measured.days[at]))
        if not measured.comparable[at]:
            return
        why = self.say("direction", str(measured.direction[at]), sign=record["sign"], name=record["level3"])
        lower = bool(measured.lower[at])
        yield self.say("row", "lower" if lower else "higher", why=why)
        if not np.isnan(ratio):
            goal = _plain(measured.high[at] if lower else measured.low[at])
            value = _plain(measured.value[at])
            top, bottom = (goal, value) if lower else (value, goal)
            yield self.say("row", "ratio", top=top, bottom=bottom, ratio=show_percent(ratio))

    def _formula(self, scored: Scored, at: int, record: Mapping[str, Any]) -> Iterator[str]:
        top, bottom, points = scored.verdicts.top[at], scored.verdicts.bottom[at], record["points"]
        if top == bottom:
            yield self.say("row", "full", weight=show(points))
        else:
            figures = {"top": _plain(top), "bottom": _plain(bottom), "exact": _plain(points * top / bottom)}
            yield self.say("row", "formula", weight=show(points), **figures)
            yield self.say("row", "rounded", decimals=self.book.decimals, score=self._rounded(points, top, bottom))
        if scored.deducted[at] > 0:
            taken = show(scored.deducted[at])
            yield self.say("row", "deducted", deduction=taken, score=show(record["score"]))

    def _rounded(self, points: float, top: float, bottom: float) -> str:
        whole, over, under = np.array([[points], [top], [bottom]], dtype=np.float64)
        return show(float(product_half_up(whole, over, under, self.book.decimals)[0]))


@dataclass(slots=True)
class _Execution(_Writer):
    """The total fund row."""

    def lines(self) -> Iterator[str]:
        funds = score(self.tables, {self.tables.forms["form_id"][0]: self.book}, self.lang).funds
        if funds.empty:
            raise KeyError("execution")
        record: dict[str, Any] = {str(name): value for name, value in funds.iloc[0].items()}
        figures = {"weight": record["points"], "typed": record["typed"], "score": record["score"]}
        yield self.say("execution", "head", **{name: self.figure(value) for name, value in figures.items()})
        base = self.say("word", self.book.execution.base)
        yield self._amount("budget", record["budget_text"], record["budget"], base)
        yield self._amount("executed", record["executed"], record["spent"], base)
        if not np.isnan(record["rate"]):
            sums = {"top": _plain(record["spent"]), "bottom": _plain(record["budget"])}
            yield self.say("execution", "rate", **sums, rate=show_percent(record["rate"]))
        if not np.isnan(record["points"]):
            yield self._points(record)
        if record["status"] in {"judged", "unscorable"}:
            yield self.bounds(record["low"], record["high"])
        yield self.say("row", "method", text=record["basis"])
        yield self.result(record["status"], record["score"])

    def _amount(self, key: str, text: str | None, amount: float, base: str) -> str:
        words = self.say("word", "none") if np.isnan(amount) else self.say("word", "yuan", amount=_plain(amount))
        return self.say("execution", key, text=text or self.say("word", "blank"), amount=words, base=base)

    def _points(self, record: Mapping[str, Any]) -> str:
        """Which of cell, header and rulebook gives the points."""
        stated = self.tables.forms["execution_points"].to_numpy(dtype=float)[0]
        key = "points_cell" if record["weight"] else "points_header" if stated > 0 else "points_book"
        return self.say("execution", key, weight=self.figure(record["points"]))


@dataclass(slots=True)
class _Total(_Writer):
    """Total and grade."""

    def lines(self) -> Iterator[str]:
        scored = score(self.tables, {self.tables.forms["form_id"][0]: self.book}, self.lang)
        form: dict[str, Any] = {str(name): value for name, value in scored.forms.iloc[0].items()}
        typed = form["self_total"] or self.say("word", "none")
        yield self.say("total", "head", typed=typed, score=self.figure(form["total"]))
        rows = scored.indicators[scored.indicators["points"].notna()]
        for name, level in rows.groupby("level1", sort=False, dropna=False):
            shown = name if isinstance(name, str) and name else self.say("total", "unnamed")
            yield self._level(shown, level["points"].sum(), level["score"].sum(skipna=False))
        for record in scored.funds[scored.funds["points"].notna()].to_dict("records"):
            yield self._level(self.say("total", "execution"), record["points"], record["score"])
        yield from self._sum(form)
        yield from self._grade(form)
        yield article_words(self.book.grades_source, self.lang)

    def _level(self, name: str, points: float, total: float) -> str:
        return self.say("total", "level", name=name, weight=self.figure(points), score=self.figure(total))

    def _sum(self, form: Mapping[str, Any]) -> Iterator[str]:
        yield self.say("total", "points", points=self.figure(form["points"]))
        if form["status"] == "reported":
            yield self.say("total", "reported")
        elif form["open_rows"]:
            yield self.say("total", "open", count=form["open_rows"])
        else:
            yield self.say("total", "sum", score=self.figure(form["total"]))
        if not np.isnan(form["low"]):
            yield self.say("total", "bounds", low=self.figure(form["low"]), high=self.figure(form["high"]))

    def _grade(self, form: Mapping[str, Any]) -> Iterator[str]:
        if form["grade"]:
            floors = [self.say("total", "floor", name=g.name, floor=f"{g.floor:g}") for g in self.book.grades]
            yield self.say("total", "grade", grade=form["grade"], rule=self.say("word", "comma").join(floors))
        elif form["status"] != "reported" and abs(form["points"] - FULL) >= 0.005:
            yield self.say("total", "not_full")
        low, high = form["low_grade"], form["high_grade"]
        if low and high:
            yield self.say("total", "fixed" if low == high else "varies", grade=low, low=low, high=high)


def _plain(value: float) -> str:
    """A figure with up to six places, without useless zeros and without an exponent."""
    return show(round(float(value), 6), 6)
