"""Checked tables to a ``Rulebook``; and one file laid over the one it extends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from perfeval_xlsx.scoring.rulebook import (
    Article,
    CostRule,
    DeadlineRule,
    ExecutionRule,
    Grade,
    QualitativeRule,
    QuantitativeRule,
    Rulebook,
    SatisfactionRule,
    Support,
    Tier,
)
from perfeval_xlsx.scoring.rulebook_meaning import tier_default
from perfeval_xlsx.scoring.rulebook_schema import sections, tables, weakest
from perfeval_xlsx.scoring.rulebook_toml import Document, KeyPath

Table = Mapping[str, Any]
_NOTHING: Table = {}


def overlay(base: Document, own: Document) -> Document:
    """Lay ``own`` over ``base``: sections key by key, a key's whole value replaced, ``[rulebook]`` never inherited."""
    merged = Document(own.name, {}, {}, hashlib.sha256(f"{own.digest} {base.digest}".encode()).hexdigest(), own.base)
    for document in (base, own):
        lines = {path: place for path, place in document.lines.items() if document is own or path[0] != "rulebook"}
        for name, table in document.data.items():
            if document is own or name != "rulebook":
                _lay(merged, table, (name,))
        merged.lines.update(lines)
    return merged


def _lay(merged: Document, table: Table, path: KeyPath) -> None:
    """Copy a section's keys; tables that are sections themselves are entered, any other value replaces the old one."""
    target: dict[str, Any] = merged.data
    for part in path:
        target = target.setdefault(str(part), {})
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, Mapping) and (".".join(map(str, here)) in sections() or path == ("checks",)):
            _lay(merged, value, here)
        else:
            target[key] = value
            for old in [old for old in merged.lines if old[: len(here)] == here]:
                del merged.lines[old]


def cap_support(data: dict[str, Any]) -> None:
    """Let no inherited section claim more than the file's own ``[rulebook] support``."""
    whole = data["rulebook"]["support"]
    for name, table in tables(data):
        if name != "rulebook" and "support" in table:
            assert isinstance(table, dict)
            table["support"] = weakest([table["support"], whole])


def build(document: Document) -> Rulebook:
    """Turn a complete, checked document into a rulebook."""
    data = document.data
    head, weights, rounding = data["rulebook"], data.get("weights", _NOTHING), data["rounding"]
    supports = [str(table["support"]) for _, table in tables(data) if "support" in table]
    satisfaction = data.get("satisfaction", _NOTHING)
    return Rulebook(
        id=head["id"],
        title=head["title"],
        document=head["document"],
        source=head["source"],
        support=_support(weakest(supports)),
        execution=_execution(data["execution"]),
        quantitative=_quantitative(data["quantitative"]),
        qualitative=_qualitative(data["qualitative"]),
        deadline=_deadline(data["deadline"]),
        grades=tuple(_grade(level) for level in data["grades"]["levels"]),
        grades_source=_article(data["grades"]),
        effective=(head.get("effective_from"), head.get("effective_to")),
        kinds=tuple(head.get("kinds", ())),
        provinces=tuple(head.get("provinces", ())),
        weights=_points(weights.get("points", _NOTHING)),
        weights_source=_article_or_none(weights),
        decimals=rounding["decimals"],
        tolerances={int(places): float(value) for places, value in sorted(rounding["tolerances"].items())},
        rounding_source=_article(rounding),
        checks={code: dict(table) for code, table in _codes(data.get("checks", _NOTHING)).items()},
        path=document.name,
        digest=document.digest,
        satisfaction=_satisfaction(satisfaction),
        cost=_cost(data.get("cost", _NOTHING)),
        advisory=head.get("advisory", False),
        document_support=_support(head["support"]),
        extends=head.get("extends", ""),
        weights_alternatives=tuple(_points(points) for points in weights.get("alternatives", ())),
        weights_adjustable=weights.get("adjustable", True),
        checks_source=_article_or_none(data.get("checks", _NOTHING)),
    )


def _support(word: str) -> Support:
    assert word in {"filed", "unverified", "judgement"}
    return word  # type: ignore[return-value]


def _article(table: Table) -> Article:
    return Article(table["article"], _support(table["support"]))


def _article_or_none(table: Table) -> Article | None:
    return _article(table) if "article" in table else None


def _points(table: Table) -> dict[str, float]:
    return {name: float(points) for name, points in table.items()}


def _codes(table: Table) -> dict[str, Table]:
    return {code: params for code, params in sorted(table.items()) if isinstance(params, Mapping)}


def _rate_bands(bands: Sequence[Table]) -> tuple[tuple[float, float], ...]:
    return tuple((float(band["from"]), float(band["fraction"])) for band in bands)


def _execution(table: Table) -> ExecutionRule:
    return ExecutionRule(
        source=_article(table),
        points=float(table["points"]),
        base=table["base"],
        method=table["method"],
        bands=_rate_bands(table.get("bands", ())),
        reason_below=float(table["reason_below"]) if table.get("reason_below") else None,
        finished_full=table.get("finished_full", False),
    )


def _quantitative(table: Table) -> QuantitativeRule:
    reverse, over = table["reverse"], table["over"]
    deduction = table.get("deduction", _NOTHING)
    return QuantitativeRule(
        source=_article(table),
        reverse=reverse["method"],
        reverse_source=_article(reverse),
        pass_line=float(table["pass_line"]) if table.get("pass_line") else None,
        over_hint=float(over["hint"]),
        over_reason=float(over["reason"]),
        over_source=_article(over),
        zero_source=_article_or_none(table.get("zero", _NOTHING)),
        deduction_column=deduction.get("column", False),
        deduction_source=_article_or_none(deduction),
    )


def _qualitative(table: Table) -> QualitativeRule:
    default, presume = table["default"], table["presume"]
    reason, direct = (table.get(name, _NOTHING) for name in ("reason", "direct"))
    tiers = tuple(
        Tier(
            id=tier["id"],
            name=tier["name"],
            low=float(tier["from"]),
            high=float(tier["to"]),
            default=tier_default(default[tier["id"]], tier),
        )
        for tier in table["tiers"]
    )
    return QualitativeRule(
        source=_article(table),
        tiers=tiers,
        presume_met=presume["met"],
        presume_source=_article(presume),
        default_source=_article(default),
        reason_required=reason.get("required", False),
        reason_source=_article_or_none(reason),
        direct=tuple(direct.get("answers", ())),
        direct_source=_article_or_none(direct),
    )


def _satisfaction(table: Table) -> SatisfactionRule | None:
    bands = table.get("bands", ())
    return SatisfactionRule(_article(table), _rate_bands(bands)) if bands else None


def _cost(table: Table) -> CostRule | None:
    return CostRule(_article(table), float(table["none_at_most"])) if "none_at_most" in table else None


def _deadline(table: Table) -> DeadlineRule:
    bands = tuple((band.get("to"), float(band["fraction"])) for band in table["bands"])
    return DeadlineRule(_article(table), bands, float(table["below_weight"]))


def _grade(level: Table) -> Grade:
    return Grade(level["name"], float(level["from"]), tuple(level.get("aliases", ())))
