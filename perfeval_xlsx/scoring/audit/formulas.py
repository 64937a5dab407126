"""Formulas that are broken, carry no result, or a stale one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np

from perfeval_xlsx.scoring.audit.context import Context, Hit, decimals
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.report import position
from perfeval_xlsx.scoring.audit.words import has, plain
from perfeval_xlsx.scoring.measure import Bools, numbers

_NAMED = 5
"""Most cells that a finding about several of them names."""


@check("M01")
def no_error_values(context: Context) -> Iterator[Hit]:
    """A cell shows an error value, or would if its result had been saved."""
    shown = context.formulas.where("value", _is_error)
    computed = _without_result(context) & context.formulas.where("recomputed", _is_error)
    yield from _together([*_cells(context, shown), *_cells(context, computed, shown=True)], "cells")


def _is_error(text: str) -> bool:
    return has("error", "value", text.upper())


def _without_result(context: Context) -> Bools:
    frame = context.formulas.frame
    return np.asarray(frame["formula"].notna().to_numpy() & frame["value"].isna().to_numpy(), dtype=np.bool_)


def _cells(context: Context, rows: Bools, variant: str = "", *, shown: bool = False) -> Iterator[Hit]:
    """Hits of some formulas; ``shown``: what was computed is what the cell shows."""
    formulas = context.formulas
    for row in np.flatnonzero(rows).tolist():
        args = {"formula": str(formulas.list("formula")[row] or "")[:120]}
        found, expected = formulas.list("value")[row], formulas.list("recomputed")[row]
        found, expected = (expected, None) if shown else (found, expected)
        yield Hit(int(formulas.form[row]), formulas.list("cell")[row], None, found, expected, args, variant)


def _together(hits: Iterable[Hit], variant: str) -> Iterator[Hit]:
    """One hit a form: its only one as it is, or the first in the sheet's order with count and first cells of all."""
    for _, group in groupby(sorted(hits, key=_place), key=lambda hit: hit.form):
        mine = list(group)
        if len(mine) == 1:
            yield mine[0]
            continue
        named = "、".join(str(hit.cell) for hit in mine[:_NAMED]) + ("…" if len(mine) > _NAMED else "")
        args = {"count": str(len(mine)), "cells": named, "formula": mine[0].args["formula"]}
        yield mine[0]._replace(args=args, variant=variant)


def _place(hit: Hit) -> tuple[int, tuple[str, int, int]]:
    return hit.form, position(hit.cell)


@check("M02")
def formulas_carry_results(context: Context) -> Iterator[Hit]:
    """A formula was saved without its result."""
    bare, computed = _without_result(context), context.formulas.frame["recomputed"].notna().to_numpy(dtype=np.bool_)
    sound = bare & computed & ~context.formulas.where("recomputed", _is_error)
    yield from _together(_cells(context, bare & ~computed), "cells")
    yield from _together(_cells(context, sound, "computed"), "computed_cells")


@check("M03")
def results_are_fresh(context: Context) -> Iterator[Hit]:
    """A formula's saved result is not what it gives now."""
    formulas = context.formulas
    both = ~formulas.blank("formula") & ~formulas.blank("value") & ~formulas.blank("recomputed")
    saved, now = numbers(formulas.list("value")), numbers(formulas.list("recomputed"))
    step = np.array([10.0 ** -decimals(_digits(text)) for text in formulas.list("value")])
    apart = np.where(np.isnan(saved) | np.isnan(now), _differ(context), np.abs(saved - now) > step / 2 + 1e-9)
    yield from _cells(context, both & apart & ~formulas.where("value", _is_error))


def _digits(text: str | None) -> str:
    return plain(text).rstrip("%") if text else ""


def _differ(context: Context) -> Bools:
    pairs = zip(context.formulas.list("value"), context.formulas.list("recomputed"), strict=True)
    return np.array([plain(str(one)) != plain(str(other)) for one, other in pairs], dtype=np.bool_)
