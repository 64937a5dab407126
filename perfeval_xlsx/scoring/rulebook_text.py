"""A rulebook as plain text for people: every number with its article and what supports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.rulebook import Article, DeadlineRule, Grade, Rulebook, Tier

Line = tuple[str, str]
"""Label and text of one line."""


def describe(rulebook: Rulebook, lang: Lang = "zh") -> str:
    """Return the rulebook as text: title and scope, then each section's numbers, its article and its support."""
    return "\n".join(_Writer(rulebook, lang).lines()) + "\n"


class _Writer:
    """Writes one rulebook in one language."""

    def __init__(self, rulebook: Rulebook, lang: Lang) -> None:
        self.book, self.lang = rulebook, lang
        data = load("rulebook_words.toml")
        self.show, self.values = data["show"], data["value"]
        self.sections: Mapping[str, Any] = load("rulebook_schema.toml")["section"]

    def lines(self) -> Iterator[str]:
        yield from self.head()
        parts = (
            ("execution", self.execution(), self.book.execution.source),
            ("quantitative", self.quantitative(), self.book.quantitative.source),
            ("quantitative.reverse", self.reverse(), self.book.quantitative.reverse_source),
            ("quantitative.over", self.over(), self.book.quantitative.over_source),
            ("quantitative.zero", [("", self.words("zero_rule"))], self.book.quantitative.zero_source),
            ("quantitative.deduction", self.deduction(), self.book.quantitative.deduction_source),
            ("qualitative", self.tiers(), self.book.qualitative.source),
            ("qualitative.default", self.defaults(), self.book.qualitative.default_source),
            ("qualitative.presume", self.presume(), self.book.qualitative.presume_source),
            ("qualitative.reason", self.reason(), self.book.qualitative.reason_source),
            ("qualitative.direct", self.direct(), self.book.qualitative.direct_source),
            ("satisfaction", self.satisfaction(), self.book.satisfaction.source if self.book.satisfaction else None),
            ("cost", self.cost(), self.book.cost.source if self.book.cost else None),
            ("deadline", self.deadline(self.book.deadline), self.book.deadline.source),
            ("grades", self.grades(), self.book.grades_source),
            ("weights", self.weights(), self.book.weights_source),
            ("rounding", self.rounding(), self.book.rounding_source),
            ("checks", self.checks(), self.book.checks_source),
        )
        for name, lines, source in parts:
            if source is not None or (name == "checks"):
                yield from self.section(name, lines, source)

    def words(self, key: str, **values: object) -> str:
        return str(self.show[key][self.lang]).format(**values)

    def label(self, section: str, key: str) -> str:
        return str(self.sections[section]["key"][key]["title"][self.lang])

    def support(self, word: str) -> str:
        return str(load("methods.toml")["support"][word][self.lang])

    def section(self, name: str, lines: list[Line], source: Article | None) -> Iterator[str]:
        yield ""
        yield str(self.sections[name]["title"][self.lang])
        for label, text in lines:
            yield f"  {label}{self.words('colon')}{text}" if label else f"  {text}"
        if source is not None:
            mark = self.words("support", word=self.support(source.support))
            yield "  " + self.words("article", article=source.article, support=mark)

    def head(self) -> Iterator[str]:
        book = self.book
        yield f"{book.id}  {book.title}"
        facts = [
            ("document", f"{book.document} {self.words('support', word=self.support(book.document_support))}"),
            ("source", book.source),
            ("effective_from", self.dates()),
            ("kinds", self.joined(self.value(kind) for kind in book.kinds) or self.words("any")),
            ("provinces", self.joined(book.provinces) or self.words("any")),
        ]
        facts += [("extends", book.extends)] if book.extends else []
        facts += [("advisory", self.words("advisory"))] if book.advisory else []
        for key, text in facts:
            yield f"{self.label('rulebook', key)}{self.words('colon')}{text}"
        yield self.words("weakest", word=self.support(book.support))

    def dates(self) -> str:
        start, end = (str(day) if day else self.words("open") for day in self.book.effective)
        return (
            self.words("any") if self.book.effective == (None, None) else self.words("effective", start=start, end=end)
        )

    def value(self, choice: str) -> str:
        return str(self.values[choice][self.lang])

    def joined(self, texts: Any) -> str:
        return self.words("comma").join(texts)

    def flag(self, *, on: bool) -> str:
        return self.words("yes" if on else "no")

    def percent_or_none(self, value: float | None) -> str:
        return self.words("none") if value is None else _percent(value)

    def execution(self) -> list[Line]:
        rule = self.book.execution
        lines = [
            (self.label("execution", "points"), f"{rule.points:g}"),
            (self.label("execution", "base"), self.value(rule.base)),
            (self.label("execution", "method"), self.value(rule.method)),
        ]
        lines += self.rate_bands(rule.bands)
        lines += [(self.label("execution", "finished_full"), self.flag(on=True))] if rule.finished_full else []
        return [*lines, (self.label("execution", "reason_below"), self.percent_or_none(rule.reason_below))]

    def rate_bands(self, bands: tuple[tuple[float, float], ...]) -> list[Line]:
        return [("", self.words("band", low=_percent(low), share=_percent(share))) for low, share in bands]

    def quantitative(self) -> list[Line]:
        line = self.book.quantitative.pass_line
        return [(self.label("quantitative", "pass_line"), self.percent_or_none(line))]

    def reverse(self) -> list[Line]:
        return [(self.label("quantitative.reverse", "method"), self.value(self.book.quantitative.reverse))]

    def over(self) -> list[Line]:
        rule = self.book.quantitative
        return [
            (self.label("quantitative.over", "hint"), _percent(rule.over_hint)),
            (self.label("quantitative.over", "reason"), _percent(rule.over_reason)),
        ]

    def deduction(self) -> list[Line]:
        on = self.book.quantitative.deduction_column
        return [(self.label("quantitative.deduction", "column"), self.flag(on=on))]

    def tiers(self) -> list[Line]:
        return [("", self.tier(tier)) for tier in self.book.qualitative.tiers]

    def tier(self, tier: Tier) -> str:
        key = "tier" if tier.low > 0 else "tier_last"
        return self.words(key, name=tier.name, low=_percent(tier.low), high=_percent(tier.high))

    def defaults(self) -> list[Line]:
        tiers = self.book.qualitative.tiers
        return [(self.label("qualitative.default", tier.id), _percent(tier.default)) for tier in tiers]

    def presume(self) -> list[Line]:
        return [(self.label("qualitative.presume", "met"), self.flag(on=self.book.qualitative.presume_met))]

    def reason(self) -> list[Line]:
        return [(self.label("qualitative.reason", "required"), self.flag(on=self.book.qualitative.reason_required))]

    def direct(self) -> list[Line]:
        return [(self.label("qualitative.direct", "answers"), self.joined(self.book.qualitative.direct))]

    def satisfaction(self) -> list[Line]:
        return self.rate_bands(self.book.satisfaction.bands) if self.book.satisfaction else []

    def cost(self) -> list[Line]:
        rule = self.book.cost
        return [(self.label("cost", "none_at_most"), f"{rule.none_at_most:g}")] if rule else []

    def deadline(self, rule: DeadlineRule) -> list[Line]:
        lines, low = [], 1
        for last, share in rule.bands:
            key = "days_last" if last is None else "days"
            lines.append(("", self.words(key, low=low, high=last, share=_percent(share))))
            low = (last or 0) + 1
        return [*lines, (self.label("deadline", "below_weight"), _percent(rule.below_weight))]

    def grades(self) -> list[Line]:
        levels, lines = self.book.grades, []
        for position, grade in enumerate(levels):
            key = "grade_top" if position == 0 else "grade_last" if position == len(levels) - 1 else "grade"
            high = f"{levels[position - 1].floor:g}" if position else ""
            lines.append(
                ("", self.words(key, name=grade.name, low=f"{grade.floor:g}", high=high) + self.aliases(grade))
            )
        return lines

    def aliases(self, grade: Grade) -> str:
        return self.words("aliases", names=self.joined(grade.aliases)) if grade.aliases else ""

    def weights(self) -> list[Line]:
        book = self.book
        lines = [(self.label("weights", "points"), self.points(book.weights))]
        lines += [(self.label("weights", "alternatives"), self.points(points)) for points in book.weights_alternatives]
        return [*lines, (self.label("weights", "adjustable"), self.flag(on=book.weights_adjustable))]

    def points(self, points: Mapping[str, float]) -> str:
        return self.joined(self.words("points", name=name, points=f"{value:g}") for name, value in points.items())

    def rounding(self) -> list[Line]:
        book = self.book
        texts = [
            self.words("tolerance", decimals=places, value=f"{value:g}") for places, value in book.tolerances.items()
        ]
        return [
            (self.label("rounding", "decimals"), str(book.decimals)),
            (self.label("rounding", "tolerances"), self.joined(texts)),
        ]

    def checks(self) -> list[Line]:
        known = load("checks.toml")["check"]
        lines = []
        for code, params in self.book.checks.items():
            texts = [self.parameter(known[code], key, value) for key, value in params.items()]
            lines.append((f"{code} {known[code]['title'][self.lang]}", self.joined(texts)))
        return lines or [("", self.words("checks_default"))]

    def parameter(self, check: Mapping[str, Any], key: str, value: object) -> str:
        if key == "enabled":
            return self.words("enabled" if value else "disabled")
        shown = self.flag(on=value) if isinstance(value, bool) else str(value)
        return f"{check['param'][key]['meaning'][self.lang]} = {shown}"


def _percent(fraction: float) -> str:
    return f"{round(fraction * 100, 6):g}%"
