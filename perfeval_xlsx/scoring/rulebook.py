"""Rulebooks: scoring rules as data, each with the article it comes from and what supports it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from perfeval_xlsx.data import load

Support = Literal["filed", "unverified", "judgement"]
"""filed: read in filed forms or systems; unverified: as commonly cited, text not at hand; judgement: ours."""


@dataclass(frozen=True, slots=True)
class Article:
    """Where a rule comes from: the article's text reference and what supports it."""

    article: str
    support: Support


@dataclass(frozen=True, slots=True)
class ExecutionRule:
    """Budget execution: points × min(1, executed / base), or bands of (rate floor, points fraction), best first.

    ``reason_below``: a rate below this needs a reason (1 = 100 %), None where the rule asks for none.
    ``finished_full``: a project finished within its budget has full points; forms do not say, so a person decides.
    """

    source: Article
    points: float = 10.0
    base: Literal["annual_budget", "initial_budget"] = "annual_budget"
    method: Literal["proportional", "bands"] = "proportional"
    bands: tuple[tuple[float, float], ...] = ()
    reason_below: float | None = None
    finished_full: bool = False


@dataclass(frozen=True, slots=True)
class QuantitativeRule:
    """Number against number.

    ``reverse`` decides a missed lower-is-better row; ``pass_line`` the rate below which 0 is given; ``over_hint`` and
    ``over_reason`` the ratios from which over-achievement is marked and needs a reason. ``deduction_column``: the form
    has a column of points taken off (``扣减分数``) that is subtracted, never below 0.
    """

    source: Article
    reverse: Literal["target_over_actual", "linear_to_double"] = "target_over_actual"
    reverse_source: Article | None = None
    pass_line: float | None = None
    over_hint: float = 1.2
    over_reason: float = 1.3
    over_source: Article | None = None
    zero_source: Article | None = None
    deduction_column: bool = False
    deduction_source: Article | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """One qualitative tier: scores from ``low`` to ``high`` as fractions of the weight, ``default`` when blank.

    The first tier includes both ends; every other tier excludes ``high``.
    """

    id: Literal["met", "partial", "unmet"]
    name: str
    low: float
    high: float
    default: float


@dataclass(frozen=True, slots=True)
class QualitativeRule:
    """Tiers from best to worst without a hole.

    ``presume_met``: free text with nothing negative counts as the first tier; ``default_source``: where the tiers'
    defaults come from; ``reason_required``: every qualitative row needs a filled explanation. ``direct``: answers to a
    question of yes or no; a target that is one of them is met in full by the same answer, not at all by another.
    """

    source: Article
    tiers: tuple[Tier, ...]
    presume_met: bool = True
    presume_source: Article | None = None
    default_source: Article | None = None
    reason_required: bool = False
    reason_source: Article | None = None
    direct: tuple[str, ...] = ()
    direct_source: Article | None = None


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """Lateness: ``bands`` of (days late up to and including, fraction of the weight); the last has no limit (None)."""

    source: Article
    bands: tuple[tuple[int | None, float], ...] = ((90, 0.5), (None, 0.0))
    below_weight: float = 0.99


@dataclass(frozen=True, slots=True)
class SatisfactionRule:
    """Satisfaction scored by the rate itself: ``bands`` of (rate floor, fraction of the weight), best first."""

    source: Article
    bands: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class CostRule:
    """Forms whose cost rows name no indicator: each may get ``none_at_most`` points."""

    source: Article
    none_at_most: float


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade holds from ``floor`` (inclusive) up to the next better one's floor (exclusive)."""

    name: str
    floor: float
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A complete rulebook.

    Attributes:
        id: Stable id (``national-2020``); ``document`` and ``title`` of the rule; ``source`` where it was read.
        support: The weakest support of the whole; reports print it beside the id.
        effective: First and last date, either may be None.
        kinds: Kinds of form it is the default for; ``provinces`` likewise (empty: any).
        weights: Points by level-1 dimension (``产出``, ``效益``, ``满意度`` …) and ``执行``, when the rule fixes them.
        weights_source: Where those come from; ``weights_alternatives`` further sets of points the rule permits as well;
            ``weights_adjustable`` whether a form may set its own points.
        grades: From best to worst.
        decimals: Places a score is rounded to, half up.
        tolerances: A file's own score is accepted within this much, by decimals the file prints (0, 1, 2).
        checks: Audit checks' parameters by code; ``{"enabled": False}`` switches one off.
        path: File it was read from; ``digest`` SHA-256 of that file's bytes (and of those it extends).
        satisfaction: Bands for satisfaction rows, where the rule has them; ``cost`` what a form without cost indicators
            may get for cost, likewise.
        advisory: Never chosen by default, only by name.
        document_support: How well the document itself is known; no section claims more.
        extends: Id of the rulebook this one builds on, or "".
    """

    id: str
    title: str
    document: str
    source: str
    support: Support
    execution: ExecutionRule
    quantitative: QuantitativeRule
    qualitative: QualitativeRule
    deadline: DeadlineRule
    grades: tuple[Grade, ...]
    grades_source: Article
    effective: tuple[date | None, date | None] = (None, None)
    kinds: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    weights_source: Article | None = None
    decimals: int = 2
    tolerances: Mapping[int, float] = field(default_factory=lambda: {0: 0.5, 1: 0.1, 2: 0.01})
    rounding_source: Article | None = None
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    path: str = ""
    digest: str = ""
    satisfaction: SatisfactionRule | None = None
    cost: CostRule | None = None
    advisory: bool = False
    document_support: Support = "unverified"
    extends: str = ""
    weights_alternatives: tuple[Mapping[str, float], ...] = ()
    weights_adjustable: bool = True
    checks_source: Article | None = None

    def __hash__(self) -> int:
        return hash((self.id, self.digest))


_EPSILON = 1e-9


def grade_of(total: float, rulebook: Rulebook) -> str:
    """Return the name of the grade of ``total`` points: the best one whose floor it reaches (89.995 is not 90).

    Raises:
        ValueError: ``total`` is not a number; a total that is not known has no grade.
    """
    if not math.isfinite(total):
        raise ValueError(f"no grade for a total of {total}")
    for grade in rulebook.grades:
        if total >= grade.floor - _EPSILON:
            return grade.name
    return rulebook.grades[-1].name


def grade_alias(text: str, rulebook: Rulebook) -> str | None:
    """Return the rulebook's name of the grade written in a cell (``"等级：优秀"`` → ``"优"``), None when it is none."""
    return _grade_alias(text, rulebook.grades)


@lru_cache(maxsize=4096)
def _grade_alias(text: str, grades: tuple[Grade, ...]) -> str | None:
    words = load("rulebook_words.toml")["grade"]
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    plain = re.sub(words["before"], "", plain)
    plain = re.sub(words["after"], "", plain)
    return next((grade.name for grade in grades if plain == grade.name or plain in grade.aliases), None)
