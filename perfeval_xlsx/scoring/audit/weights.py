"""Points: their sum, the levels' own labels, rows without points, dimensions, footnotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from perfeval_xlsx.scoring.audit.context import NEAR, Context, Hit
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import has, name_of
from perfeval_xlsx.scoring.columns import alike
from perfeval_xlsx.scoring.figures import show
from perfeval_xlsx.scoring.measure import Bools, Floats, numbers

_NOISE = 1e-6
"""More than sums of the same figures can differ by when they are added in another order."""


@check("W01")
def points_add_up(context: Context) -> Iterator[Hit]:
    """All points, those of the execution rate included, are not 100."""
    rows = context.points > 0
    grid = context.by_form_sum(context.points, rows)
    execution = context.by_form_sum(context.total.floats("points"), context.total.floats("points") > 0, context.total)
    wanted, tolerance = context.params("W01", "total"), context.params("W01", "tolerance")
    off = np.abs(grid + execution - wanted) > tolerance + 1e-9
    presumed = ~_states_execution(context) & (np.abs(grid - wanted) <= tolerance + 1e-9)
    for form in np.flatnonzero(off & ~presumed & (grid > 0)).tolist():
        args = {
            "grid": show(float(grid[form])),
            "execution": show(float(execution[form])),
            "printed": str(context.forms.list("total_weight")[form] or "–"),
        }
        cell = context.forms.cell(form, "total_weight") or _weight_cell(context, form)
        yield Hit(form, cell, "weight", show(float(grid[form] + execution[form])), show(float(wanted[form])), args)


def _states_execution(context: Context) -> Bools:
    """Forms that say themselves how many points the execution rate has."""
    stated = context.forms.floats("execution_points") > 0
    typed = numbers(context.total.list("weight")) > 0
    return np.asarray(stated | (context.by_form_count(typed, context.total) > 0), dtype=np.bool_)


def _weight_cell(context: Context, form: int) -> str | None:
    """The first weight of the grid, for forms without a cell for the sum."""
    rows = np.flatnonzero((context.rows.form == form) & (context.points > 0))
    return context.rows.cell(int(rows[0]), "weight") if len(rows) else None


@check("W02")
def levels_keep_their_points(context: Context) -> Iterator[Hit]:
    """The rows below a level do not add up to the points of its label, or of a rulebook that fixes them."""
    rows = context.rows
    labelled = rows.floats("level1_points")
    names, points = rows.list("level1"), labelled.tolist()
    tolerance = context.params("W02", "tolerance")
    for form, places in rows.groups(_perhaps_off(context, labelled, tolerance)):
        levels: dict[tuple[str | None, float], list[int]] = {}
        for place in places.tolist():
            levels.setdefault((names[place], points[place]), []).append(place)
        for level, own in levels.items():
            wanted, found = level[1], _sum(context, own)
            if found > 0 and abs(found - wanted) > tolerance[form] + 1e-9:
                args = {"level": str(level[0] or ""), "rows": str(len(own))}
                yield Hit(form, rows.cell(own[0], "level1"), "level1", show(found), show(wanted), args)
    yield from _fixed_points(context)
    yield from _cost_without_indicators(context)


def _perhaps_off(context: Context, labelled: Floats, tolerance: Floats) -> Bools:
    """Rows below the levels whose points do not add up at first sight."""
    rows = context.rows
    kinds = alike([rows.form, rows.codes("level1")[0] + 1, pd.factorize(labelled)[0] + 1])[1]
    sums = np.bincount(kinds, np.nan_to_num(context.points))[kinds] if len(kinds) else labelled
    return np.asarray(np.abs(sums - labelled) > tolerance[rows.form] - _NOISE, dtype=np.bool_)


def _sum(context: Context, places: list[int]) -> float:
    return float(np.nansum(context.points[places]))


def _fixed_points(context: Context) -> Iterator[Hit]:
    """Dimensions against a rulebook whose points no form may change."""
    for form, book in enumerate(context.by_form):
        if book.weights_adjustable or not book.weights:
            continue
        permitted = (book.weights, *book.weights_alternatives)
        used = _used(context, form)
        if not any(_agree(used, points) for points in permitted):
            for name, wanted in book.weights.items():
                if name in used and abs(used[name] - wanted) > NEAR:
                    yield _dimension_hit(context, form, name, used[name], wanted, "rulebook")


def _agree(used: Mapping[str, float], permitted: Mapping[str, float]) -> bool:
    return all(abs(used[name] - points) <= NEAR for name, points in permitted.items() if name in used)


def _used(context: Context, form: int) -> dict[str, float]:
    """Points a form gives to each dimension, the execution rate among them."""
    rows = (context.rows.form == form) & (context.points > 0)
    used = {
        name: float(context.points[rows & (context.dimension == name)].sum())
        for name in dict.fromkeys(context.dimension[rows])
        if name
    }
    for row in np.flatnonzero(context.total.form == form):
        points = context.total.floats("points")[row]
        if points > 0:
            used[name_of("execution")] = float(points)
    return used


def _dimension_hit(context: Context, form: int, name: str, found: float, wanted: float, variant: str) -> Hit:
    """A hit at the label of a dimension, or at the points of the execution rate."""
    if name == name_of("execution"):
        row = int(np.flatnonzero(context.total.form == form)[0])
        cell = context.total.cell(row, "weight", "score")
        return Hit(form, cell, "weight", show(found), show(wanted), {"level": name}, variant)
    rows = np.flatnonzero((context.rows.form == form) & (context.dimension == name))
    cell = context.rows.cell(int(rows[0]), "level1", "weight")
    return Hit(form, cell, "level1", show(found), show(wanted), {"level": name}, variant)


def _cost_without_indicators(context: Context) -> Iterator[Hit]:
    """Where a rulebook limits the score of a cost that nobody set a target for."""
    own = context.params("W02", "cost_max_without_indicators")
    everywhere = np.arange(context.size)
    limit = np.where(own > 0, own, context.book(lambda b: 0.0 if b.cost is None else b.cost.none_at_most, everywhere))
    cost = context.rows.where("level2", lambda text: has("level2", "cost", text))
    cost |= context.dimension == name_of("cost")
    cost &= (limit > 0)[context.rows.form]
    for form, places in context.rows.groups(cost):
        targets = context.rows.blank("target")[places]
        typed = float(np.nansum(context.typed[places]))
        if targets.all() and typed > limit[form] + NEAR:
            cell = context.rows.cell(int(places[0]), "score")
            yield Hit(form, cell, "score", show(typed), show(float(limit[form])), {}, "cost")


@check("W03")
def scored_rows_have_points(context: Context) -> Iterator[Hit]:
    """A row carries a score but no points that count."""
    scored = context.counted & ~np.isnan(context.typed) & (context.typed != 0) & context.rows.has("weight")
    yield from context.hits(scored & ~(context.points > 0), "weight")


@check("W04")
def dimensions_are_complete(context: Context) -> Iterator[Hit]:
    """A dimension every form must have has no row."""
    for form in range(context.size):
        own = context.rows.form == form
        found = set(context.dimension[own])
        if not own.any() or "" in found:
            continue
        wanted = [str(name) for name in context.param("W04", "dimensions", form)]
        missing = [name for name in wanted if name not in found]
        if missing and len(missing) < len(wanted):
            yield Hit(form, None, "level1", "、".join(sorted(found)), "、".join(missing))


@check("W05")
def footnote_is_kept(context: Context) -> Iterator[Hit]:
    """The form's own footnote gives a dimension other points than its rows."""
    tolerance = context.params("W05", "tolerance")
    for form, footnote in enumerate(context.footnotes):
        used = _used(context, form) if footnote.weights else {}
        for name, wanted in footnote.weights.items():
            if name in used and abs(used[name] - wanted) > tolerance[form] + 1e-9:
                yield _dimension_hit(context, form, name, used[name], wanted, "")
