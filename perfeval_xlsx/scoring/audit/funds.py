"""Funds: sums, rate, execution score, changes of the budget, money against results, units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.audit.amounts import amounts, printed_rate, rate_step, show_amount, total_rates
from perfeval_xlsx.scoring.audit.context import NEAR, Context, Hit, decimals
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.sums import parts_sum
from perfeval_xlsx.scoring.audit.words import amounts_in, gives_reason, name_of, smallest_amount
from perfeval_xlsx.scoring.columns import Codes
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.measure import Bools, Floats, numbers
from perfeval_xlsx.scoring.rounding import half_up

_EQUAL = 0.005
"""Amounts that differ by no more than this share are one amount."""
_NOISE = 1e-6
COLUMNS = ("initial_budget", "annual_budget", "executed")


@check("F01")
def total_is_sum(context: Context) -> Iterator[Hit]:
    """A column's total is not the sum of its parts."""
    funds = context.funds
    total = funds.texts("role") == "total"
    tolerance, unknown = context.params("F01", "tolerance"), context.without_result()
    for name in COLUMNS:
        values, has = amounts(context, funds, name), funds.has(name)
        heads, wholes = np.full(context.size, -1), np.full(context.size, np.nan)
        first = np.flatnonzero(total & has)[::-1]
        heads[funds.form[first]], wholes[funds.form[first]] = first, values[first]
        counts = context.by_form_count(~total & has, funds)
        parts = ~np.isnan(values) & ~total & (heads >= 0)[funds.form]
        apart = np.abs(wholes - context.by_form_sum(values, parts, funds))
        parts &= ~(apart < tolerance * context.unit_scale * (1 - _NOISE))[funds.form]
        for form, places in funds.groups(parts):
            head, rows, unit = int(heads[form]), int(counts[form]), context.unit_scale[form]
            labels = [str(funds.list("label")[place] or "") for place in places]
            step = _step(funds.list(name)[head], [funds.list(name)[place] for place in places]) * unit
            near = tolerance[form] * unit + step
            wanted = parts_sum(values[head], values[places].tolist(), labels, rows, near)
            if wanted is not None and (form, funds.cell(head, name)) not in unknown:
                args = {"parts": str(len(places))}
                found, expected = funds.list(name)[head], show_amount(wanted / unit)
                yield Hit(form, funds.cell(head, name), name, found, expected, args)


def _step(total: str | None, parts: list[str | None]) -> float:
    """What rounding can make a total differ by that is printed with fewer places than its parts."""
    places = decimals(total)
    return 0.5 * 10.0**-places if total and max(map(decimals, parts)) > places else 0.0


@check("F02")
def rate_is_quotient(context: Context) -> Iterator[Hit]:
    """The printed rate is not executed / budget within the places it is printed with."""
    funds = context.funds
    budget, spent = _budget(context), amounts(context, funds, "executed")
    texts = funds.list("self_rate")
    printed = np.array([printed_rate(text) for text in texts], dtype=np.float64)
    step = np.array([rate_step(text) for text in texts], dtype=np.float64)
    rate = spent / budget
    off = np.abs(printed - rate) > step + 1e-9
    capped = (rate > 1) & (np.abs(printed - 1) < 1e-9)
    shown = budget / context.unit_scale[funds.form]
    yield from context.hits(
        (budget > 0) & (spent >= 0) & off & ~capped,
        "rate",
        part=funds,
        expected=lambda row: show_percent(float(rate[row])),
        args=lambda row: {"executed": str(funds.list("executed")[row]), "budget": show_amount(shown[row])},
    )


def _budget(context: Context) -> Floats:
    """The budget a fund row's rate is taken of: the rulebook's base, the other column where that one is blank."""
    initial = amounts(context, context.funds, "initial_budget")
    annual = amounts(context, context.funds, "annual_budget")
    of_initial = context.book(lambda b: float(b.execution.base == "initial_budget"), context.funds.form) > 0
    first, second = np.where(of_initial, initial, annual), np.where(of_initial, annual, initial)
    return np.where(np.isnan(first), second, first)


@check("F03")
def execution_score_is_rule(context: Context) -> Iterator[Hit]:
    """The execution score is not the rule's, exceeds its points, or is rounded up."""
    total = context.total
    typed, points = total.floats("typed"), total.floats("points")
    rule = np.where(total.texts("status") == "ruled", total.floats("score"), _by_printed_rate(context))
    tolerance = context.tolerance[total.form]
    above = (typed > points + NEAR) | (typed < 0)
    off = ~above & (np.abs(typed - rule) > tolerance + 1e-9)
    rounded = ~above & ~off & (typed - rule > float(load("audit_words.toml")["rounding"]["up"]))
    for rows, variant in ((above, "above"), (off, ""), (rounded, "rounded")):
        yield from context.hits(
            rows,
            "score",
            part=total,
            expected=lambda row: _show(rule[row]) or None,
            args=lambda row: {
                "weight": _show(points[row]), "rate": _rate_text(context, row), "basis": str(total.list("basis")[row]),
            },
            variant=variant,
        )  # fmt: skip


def _by_printed_rate(context: Context) -> Floats:
    """Points × the printed rate, where the form has no amounts to compute one from."""
    total = context.total
    proportional = context.book(lambda b: float(b.execution.method == "proportional"), total.form) > 0
    value = half_up(np.clip(total.floats("points") * total_rates(context), 0, total.floats("points")))
    return np.where(proportional, value, np.nan)


def _rate_text(context: Context, row: int) -> str:
    rate = context.total.floats("rate")[row]
    return str(context.total.list("self_rate")[row] or "–") if np.isnan(rate) else show_percent(float(rate))


def _show(value: float) -> str:
    return "" if np.isnan(value) else show(float(value))


@check("F04")
def budget_carries_score(context: Context) -> Iterator[Hit]:
    """Points without a budget; more spent than there was."""
    total, funds = context.total, context.funds
    typed = total.floats("typed")
    without = ~(total.floats("budget") > 0) & (typed > 0) & ~_budget_unknown(context)
    yield from context.hits(
        without, "score", part=total, args=lambda row: {"budget": str(total.list("budget_text")[row] or "–")}
    )
    budget, spent = _budget(context), amounts(context, funds, "executed")
    unit = context.unit_scale[funds.form]
    yield from context.hits(
        (budget > 0) & (spent > budget + 0.01 * unit),
        "executed",
        part=funds,
        args=lambda row: {
            "budget": show_amount(budget[row] / unit[row]), "label": str(funds.list("label")[row] or ""),
        },
        variant="over",
    )  # fmt: skip


def _budget_unknown(context: Context) -> Bools:
    """Total rows with a budget whose formula has no result."""
    total, unknown = context.total, context.without_result()
    places = ((int(total.form[row]), total.cell(row, name)) for row in range(len(total)) for name in COLUMNS[:2])
    found = np.fromiter((place in unknown for place in places), np.bool_, 2 * len(total))
    return np.asarray(found.reshape(-1, 2).any(axis=1), dtype=np.bool_)


@check("F05")
def low_rate_has_reason(context: Context) -> Iterator[Hit]:
    """The rate is below the rulebook's line and nobody says why."""
    total = context.total
    line = context.book(lambda b: np.nan if b.execution.reason_below is None else b.execution.reason_below, total.form)
    low = (total.floats("rate") < line - 1e-9) & ~total.where("reason", gives_reason)
    yield from context.hits(
        low & ~context.noted[total.form],
        "reason",
        part=total,
        args=lambda row: {"line": show_percent(float(line[row]), 0), "rate": _rate_text(context, row)},
    )


@check("F06")
def budget_was_changed(context: Context) -> Iterator[Hit]:
    """The annual budget is not the initial one; where the rulebook asks for a reason, only without one."""
    total = context.total
    initial, annual = amounts(context, total, "initial_budget"), amounts(context, total, "annual_budget")
    changed = np.abs(annual - initial) > NEAR * context.unit_scale[total.form]
    required = context.flags("F06", "reason_required")[total.form]
    reasoned = total.where("reason", gives_reason) | context.noted[total.form]
    share = np.where(initial > 0, annual / initial - 1, np.nan)

    def args(row: int) -> dict[str, str]:
        initial_text, annual_text = (str(total.list(name)[row]) for name in COLUMNS[:2])
        change = "–" if np.isnan(share[row]) else show_percent(float(share[row]), 1)
        return {"initial": initial_text, "annual": annual_text, "share": change}

    asked = required & total.has("reason")
    yield from context.hits(changed & ~asked & ~required, "annual_budget", part=total, args=args)
    yield from context.hits(changed & asked & ~reasoned, "annual_budget", part=total, args=args, variant="reason")


@check("F07")
def results_do_not_beat_money(context: Context) -> Iterator[Hit]:
    """The share of points reached lies well above the share of money spent."""
    total, rate = context.total, total_rates(context)
    weight = context.by_form_sum(context.points, context.points > 0)
    reached = context.by_form_sum(context.typed, context.scored)
    unscored = context.by_form_count((context.points > 0) & ~context.scored) > 0
    share = np.where(unscored, np.nan, reached / weight)[total.form]
    gap = (share - rate) / share
    wide = (gap > context.params("F07", "gap")[total.form] + 1e-9) & ~_unspent(context)
    yield from context.hits(
        wide & (share <= 1 + 1e-9),
        "rate",
        part=total,
        instead=("executed",),
        args=lambda row: {"share": show_percent(float(share[row])), "rate": show_percent(float(rate[row]))},
    )


@check("F08")
def output_needs_money(context: Context) -> Iterator[Hit]:
    """Hardly any money is spent, yet every output row is full."""
    total, rate = context.total, total_rates(context)
    rows = context.by_form_count(_output(context))
    yield from context.hits(
        _unspent(context),
        "rate",
        part=total,
        instead=("executed",),
        args=lambda row: {"rate": show_percent(float(rate[row])), "rows": str(rows[total.form[row]])},
    )


def _output(context: Context) -> Bools:
    return np.asarray(context.counted & (context.dimension == name_of("output")) & (context.points > 0), dtype=np.bool_)


def _unspent(context: Context) -> Bools:
    """Total rows with a very low rate in forms whose output rows are all full."""
    output = _output(context)
    rows, full = context.by_form_count(output), context.by_form_count(output & context.full)
    low = total_rates(context) < context.params("F08", "rate")[context.total.form]
    return np.asarray(low & ((rows > 0) & (rows == full))[context.total.form], dtype=np.bool_)


@check("F09")
def points_count_once(context: Context) -> Iterator[Hit]:
    """A part's row repeats the points or the score of the total."""
    funds, total = context.funds, context.total
    head_points, head_score = np.full(context.size, np.nan), np.full(context.size, np.nan)
    head_points[total.form], head_score[total.form] = numbers(total.list("weight")), total.floats("typed")
    part = funds.texts("role") == "part"
    weight, score = numbers(funds.list("weight")), numbers(funds.list("self_score"))
    same_weight = part & (weight > 0) & (np.abs(weight - head_points[funds.form]) < NEAR)
    same_score = part & (score > 0) & (np.abs(score - head_score[funds.form]) < NEAR)
    for rows, name in ((same_score, "score"), (same_weight & ~same_score, "weight")):
        yield from context.hits(rows, name, part=funds, args=lambda row: {"label": str(funds.list("label")[row] or "")})


@check("F10")
def unit_of_money_agrees(context: Context) -> Iterator[Hit]:
    """An amount in the goals or the grid is the budget times or through 10,000."""
    total = context.total
    columns = [amounts(context, total, name) for name in COLUMNS]
    factors, (owner, in_grid) = context.params("F10", "factor"), _grid_amounts(context)
    perhaps = _perhaps_meets(context, columns, factors, owner, in_grid)
    for row, form in enumerate(total.forms):
        goals = [context.forms.list(name)[form] for name in ("goal_expected", "goal_actual")]
        stated = [each for text in goals if text for each in amounts_in(text)]
        budget = [column[row] for column in columns if column[row] > 0]
        if not (stated or perhaps[form]) or not budget or context.forms.list("unit")[form] is None:
            continue
        stated += in_grid[owner == form].tolist()
        times, through = [each * factors[form] for each in budget], [each / factors[form] for each in budget]
        odd = _meets(stated, times) or _meets(stated, through)
        if odd is not None and _meets(stated, budget) is None:
            unit = str(context.forms.list("unit")[form])
            args = {"unit": unit, "stated": show_amount(odd / 1e4), "budget": show_amount(budget[0] / 1e4)}
            cell = context.forms.cell(form, "unit") or total.cell(row, "annual_budget", "initial_budget", "executed")
            yield Hit(form, cell, "unit", unit, None, args)


def _perhaps_meets(
    context: Context, columns: Sequence[Floats], factors: Floats, owner: Codes, amounts: Floats
) -> Bools:
    """Forms of which an amount of the grid equals a budget times or through the factor."""
    found, budget = np.zeros(context.size, dtype=np.bool_), np.full(context.size, np.nan)
    for column in columns:
        budget[context.total.form] = np.where(column > 0, column, np.nan)
        for wanted in ((budget * factors)[owner], (budget / factors)[owner]):
            found[owner[np.abs(amounts - wanted) <= _EQUAL * wanted]] = True
    return found


def _meets(stated: list[float], wanted: list[float]) -> float | None:
    """The first amount that equals one of ``wanted`` within half a per cent, None where none does."""
    near = {amount for each in wanted for amount in stated if abs(amount - each) <= _EQUAL * each}
    return next((amount for amount in stated if amount in near), None) if near else None


def _grid_amounts(context: Context) -> tuple[Codes, Floats]:
    """Amounts of money the targets and actuals state, in 元, each with its own unit; and the form of each."""
    sides = context.measured.target, context.measured.actual
    stated = [np.flatnonzero(side.is_("money") & (side.value >= smallest_amount())) for side in sides]
    amounts = [side.value[rows] for side, rows in zip(sides, stated, strict=True)]
    return np.concatenate([context.rows.form[rows] for rows in stated]), np.concatenate(amounts)
