"""Indicators as set: names, targets nobody can measure, repeated targets, money as quantity, direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from perfeval_xlsx.form.values import lower_is_better
from perfeval_xlsx.scoring.audit.context import Context, Hit
from perfeval_xlsx.scoring.audit.filled import is_cost
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import bare_name, has, is_vague, name_of, plain
from perfeval_xlsx.scoring.columns import one_of
from perfeval_xlsx.scoring.measure import NUMERIC

_AT_LEAST, _AT_MOST = (">=", ">"), ("<=", "<")


@check("I01")
def names_say_something(context: Context) -> Iterator[Hit]:
    """A name is empty, only a level-2 word, or far too long."""
    rows = context.rows
    yield from context.hits(rows.blank("level3") & rows.own_cell("level3"), "level3", variant="empty")
    only = rows.where("level3", lambda text: has("level2", "names", bare_name(text)))
    yield from context.hits(only, "level3")
    longest = context.params("I01", "max_length")[rows.form]
    length = rows.map("level3", lambda text: len(plain(text)), 0, int)
    yield from context.hits(length > longest, "level3", args=lambda row: {"length": str(length[row])}, variant="long")


@check("I05")
def targets_can_be_measured(context: Context) -> Iterator[Hit]:
    """A target is a vague word, without figure and without a stated tier behind it."""
    tiered = np.array([note.tiers is not None for note in context.footnotes], dtype=np.bool_)
    stated = context.measured.actual.verdict != ""
    vague = context.rows.where("target", is_vague, context.measured.target.kind == "text")
    yield from context.hits(vague & ~stated & ~tiered[context.rows.form], "target")


@check("I06")
def targets_differ(context: Context) -> Iterator[Hit]:
    """One target stands on most of the benefit rows."""
    rows, shown = context.rows, context.rows.list("target")
    unfilled = context.measured.target.is_(frozenset({"blank", "placeholder"}))
    benefit = (context.dimension == name_of("benefit")) & ~unfilled
    for form, places in rows.groups(benefit):
        targets = [plain(str(shown[place])) for place in places.tolist()]
        common, count = Counter(targets).most_common(1)[0]
        least = float(context.param("I06", "share", form))
        if count >= context.param("I06", "rows", form) and count / len(targets) > least:
            row = int(places[targets.index(common)])
            args = {"count": str(count), "rows": str(len(targets))}
            yield Hit(form, rows.cell(row, "target"), "target", shown[row], None, args)


@check("I07")
def cost_is_no_minimum(context: Context) -> Iterator[Hit]:
    """A cost has to be at least something."""
    fine = context.rows.where("level3", lambda text: has("cost", "more_is_fine", text))
    at_least = one_of(context.measured.target.comparator, _AT_LEAST) & context.measured.target.is_(NUMERIC)
    costly = is_cost(context) & at_least & ~fine & (context.measured.target.kind != "percent")
    yield from context.hits(costly, "target")


@check("I08")
def quantity_is_no_money(context: Context) -> Iterator[Hit]:
    """Money, or the rate it is spent at, counts as a quantity."""
    rows, target = context.rows, context.measured.target
    quantity = rows.where("level2", lambda text: has("level2", "quantity", text)) & target.is_(NUMERIC)
    named = rows.where("level3", lambda text: has("money", "named", bare_name(text)))
    result = rows.where("level3", lambda text: has("money", "result", text))
    yield from context.hits(quantity & (named | (target.kind == "money")) & ~result, "level3")


@check("I09")
def names_stand_once(context: Context) -> Iterator[Hit]:
    """The same name stands twice below one level-2 word, or twice with the same target."""
    rows = context.rows
    names = rows.map("level3", bare_name, "")
    codes, distinct = pd.factorize(names)
    pairs = pd.Series(rows.form * len(distinct) + codes)
    repeated = np.asarray(pairs.duplicated(keep=False) & (names != ""), dtype=np.bool_)
    first_with: dict[tuple[int, str, str], int] = {}
    for row in np.flatnonzero(repeated).tolist():
        form, name = int(rows.form[row]), str(names[row])
        level2, target = rows.list("level2")[row], rows.list("target")[row]
        keys = [(form, name, f"2{plain(level2 or '')}"), (form, name, f"t{plain(target or '')}")]
        known = next((first_with[key] for key in keys if key in first_with), None)
        if known is not None and not _same_cell(context, row, known):
            args = {**context.facts(row), "other": rows.cell(known, "level3") or ""}
            yield Hit(form, rows.cell(row, "level3"), "level3", rows.list("level3")[row], None, args)
        for key in keys:
            first_with.setdefault(key, row)


def _same_cell(context: Context, row: int, other: int) -> bool:
    return context.rows.cell(row, "level3") == context.rows.cell(other, "level3")


@check("I15")
def direction_fits_name(context: Context) -> Iterator[Hit]:
    """Complaints of at least so many, or satisfaction of at most so much."""
    rows, target = context.rows, context.measured.target
    turned = rows.where("level3", lambda text: has("direction", "turned", text))
    lower = rows.where("level3", lambda text: has("direction", "lower", bare_name(text)) and lower_is_better(text))
    higher = rows.where("level3", lambda text: has("direction", "higher", bare_name(text)))
    minimum = lower & ~turned & one_of(target.comparator, _AT_LEAST)
    maximum = higher & one_of(target.comparator, _AT_MOST)
    yield from context.hits(minimum & target.is_(NUMERIC), "target", variant="minimum")
    yield from context.hits(maximum & target.is_(NUMERIC), "target", variant="maximum")
