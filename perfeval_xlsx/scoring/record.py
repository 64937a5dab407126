"""What a comparison of forms has to know of each: a light record, made from a form's result."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from perfeval_xlsx.deflate import squeeze, unsqueeze
from perfeval_xlsx.form.values import parse_value
from perfeval_xlsx.scoring.audit.words import bare_name, plain
from perfeval_xlsx.scoring.measure import NUMERIC, number

SHORTEST = 12
"""Shorter texts are never compared: two units may well write the same few words."""


class Row(NamedTuple):
    """An indicator row, white space out: name without numbering, target, actual, reason, cell of its score."""

    name: str
    target: str
    actual: str
    deviation: str
    cell: str | None

    @property
    def texts(self) -> tuple[str, ...]:
        """Its longer texts."""
        return tuple(text for text in (self.actual, self.deviation) if len(text) >= SHORTEST)


@dataclass(frozen=True, slots=True)
class FormRecord:
    """One form, small enough that a run of ten thousand fits in memory.

    Attributes:
        path, form: Where it is; ``org``, ``kind``, ``year`` who filed what.
        rate: Execution rate, 1 = 100 %, NaN unknown; ``rate_cell`` where it is scored.
        budget, executed: As displayed.
        self_total, total: Typed and ruled total, NaN unknown.
        size: Number of indicator rows; ``ratios`` actual / target of those that compare and where more is better.
        texts, lengths: Digest and length of every longer text.
        signature: Digest of the indicators' names in order: one project has one.
        packed: The rows, compressed; ``rows`` unpacks them.
    """

    path: str
    form: int | None
    org: str | None
    kind: str | None
    year: int | None
    rate: float
    rate_cell: str | None
    budget: str | None
    executed: str | None
    self_total: float
    total: float
    size: int
    ratios: array[float]
    texts: array[int]
    lengths: array[int]
    signature: int
    packed: bytes

    def rows(self) -> list[Row]:
        """The indicator rows."""
        return [Row(*fields) for fields in json.loads(unsqueeze(self.packed))]


def record_of(result: Mapping[str, Any]) -> FormRecord:
    """Make the record of one form from its result (``FormResult``, or the same from a run's JSON)."""
    execution = result.get("execution") or {}
    rows = [_row(row) for row in result["indicators"]]
    texts = [text for row in rows for text in row.texts]
    ratios = (ratio for row in result["indicators"] if (ratio := _ratio(row)) == ratio)
    return FormRecord(
        path=result["path"],
        form=result["form"],
        org=result["org"],
        kind=result["kind"],
        year=result["year"],
        rate=number(execution.get("rate")) / 100,
        rate_cell=execution.get("cell"),
        budget=execution.get("budget"),
        executed=execution.get("executed"),
        self_total=number(result["self_total"]),
        total=number(result["total"]),
        size=len(rows),
        ratios=array("d", ratios),
        texts=array("q", map(digest, texts)),
        lengths=array("L", map(len, texts)),
        signature=digest("\n".join(row.name for row in rows)),
        packed=squeeze(json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace")),
    )


def _row(row: Mapping[str, Any]) -> Row:
    target, actual, deviation = (plain(row.get(name) or "") for name in ("target", "actual", "deviation"))
    return Row(bare_name(row.get("level3") or ""), target, actual, deviation, row.get("cell"))


def _ratio(row: Mapping[str, Any]) -> float:
    """Actual against target where both are figures in one unit and more is better, NaN else."""
    wanted, reached = parse_value(row.get("target")), parse_value(row.get("actual"))
    if wanted.kind not in NUMERIC or reached.kind not in NUMERIC or wanted.comparator.startswith("<"):
        return float("nan")
    if wanted.unit != reached.unit or not wanted.value or reached.value is None:
        return float("nan")
    return reached.value / wanted.value


def digest(text: str) -> int:
    """Return a 64-bit digest that is the same in every process."""
    hashed = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(hashed, "big", signed=True)
