"""Rulebooks: scoring rules as data, each with the article it comes from and what supports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Support = Literal["filed", "unverified", "judgement"]
"""filed: read in filed forms or systems; unverified: as commonly cited, text not at hand; judgement: ours."""


@dataclass(frozen=True, slots=True)
class Article:
    """Where a rule comes from: the article's text reference and what supports it."""

    article: str
    support: Support


@dataclass(frozen=True, slots=True)
class ExecutionRule:
    """Budget execution: points × min(1, executed / base), or bands of (rate floor, points fraction)."""

    source: Article
    points: float = 10.0
    base: Literal["annual_budget", "initial_budget"] = "annual_budget"
    method: Literal["proportional", "bands"] = "proportional"
    bands: tuple[tuple[float, float], ...] = ()
    reason_below: float | None = None


@dataclass(frozen=True, slots=True)
class QuantitativeRule:
    """Number against number. ``reverse`` decides a missed lower-is-better row; ``pass_line`` the rate below which 0 is given."""

    source: Article
    reverse: Literal["target_over_actual", "linear_to_double"] = "target_over_actual"
    reverse_source: Article | None = None
    pass_line: float | None = None
    over_hint: float = 1.2
    over_reason: float = 1.3
    over_source: Article | None = None
    zero_source: Article | None = None


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
    """Tiers from best to worst without a hole; ``presume_met``: free text with nothing negative counts as the first."""

    source: Article
    tiers: tuple[Tier, ...]
    presume_met: bool = True
    presume_source: Article | None = None


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """Lateness: ``bands`` of (days late up to and including, fraction of the weight); the last one has no limit (None)."""

    source: Article
    bands: tuple[tuple[int | None, float], ...] = ((90, 0.5), (None, 0.0))
    below_weight: float = 0.99


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
        id: Stable id (``national-2020``); ``document`` and ``title`` of the rule; ``source`` a sentence on where it was read.
        support: The weakest support of the whole; reports print it beside the id.
        effective: First and last date, either may be None.
        kinds: Kinds of form it is the default for; ``provinces`` likewise (empty: any).
        weights: Points by level-1 dimension (``产出``, ``效益``, ``满意度`` …) and ``执行``, when the rule fixes them.
        weights_source: Where those come from.
        grades: From best to worst.
        decimals: Places a score is rounded to, half up.
        tolerances: A file's own score is accepted within this much, by decimals the file prints (0, 1, 2).
        checks: Audit checks' parameters by code; ``{"enabled": False}`` switches one off.
        path: File it was read from; ``digest`` SHA-256 of that file's bytes.
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
