"""Completeness: the head of the form, text left over from the template, the goals, the year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from os.path import basename

import numpy as np

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.audit.context import Context, Hit
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import has, plain, template_text, years_in

_COPY_LENGTH = 6
"""Shorter goals may be equal by chance."""


@check("A01")
def head_is_filled(context: Context) -> Iterator[Hit]:
    """A head field whose cell the form has is empty."""
    forms = context.forms
    for form in np.flatnonzero(forms.has("org") & forms.blank("org")).tolist():
        yield Hit(form, forms.cell(form, "org"), "org")
    unfilled = forms.where("title", lambda text: has("title", "unfilled_year", text))
    for form in np.flatnonzero(unfilled & forms.frame["year"].isna().to_numpy()).tolist():
        yield Hit(form, forms.cell(form, "year", "title"), "year", forms.list("title")[form], variant="year")


@check("A02")
def no_template_text(context: Context) -> Iterator[Hit]:
    """Placeholders in texts that count, and rows of the template that were neither used nor removed."""
    forms, rows, left_out = context.forms, context.rows, context.left_out
    for name in ("title", "org", "goal_expected", "goal_actual"):
        for form in np.flatnonzero(forms.where(name, template_text)).tolist():
            text = str(forms.list(name)[form])
            yield Hit(form, forms.cell(form, name), name, text[:60], args={"words": template_text(text)})
    for name in ("level3", "target", "actual", "deviation"):
        suspects = rows.holding(name, load("audit_words.toml")["template"]["characters"])
        for row in np.flatnonzero(rows.where(name, template_text, suspects)).tolist():
            text = str(rows.list(name)[row])
            yield Hit(int(rows.form[row]), rows.cell(row, name), name, text[:60], args={"words": template_text(text)})
    yield from context.hits(
        rows.where("level3", lambda text: has("template", "name", text)),
        "level3",
        args=lambda row: {"words": str(rows.list("level3")[row])},
    )
    named = left_out.where("level3", lambda text: has("template", "name", text))
    for form, places in left_out.groups(named):
        found = left_out.list("level3")[places[0]]
        cell = left_out.cell(int(places[0]), "level3")
        yield Hit(form, cell, "level3", found, args={"count": str(len(places))}, variant="unused")


@check("A03")
def goals_are_written(context: Context) -> Iterator[Hit]:
    """A goal is empty, or the actual goal repeats the expected one word for word."""
    forms = context.forms
    for name in ("goal_expected", "goal_actual"):
        for form in np.flatnonzero(forms.has(name) & forms.blank(name)).tolist():
            yield Hit(form, forms.cell(form, name), name)
    pairs = zip(forms.list("goal_expected"), forms.list("goal_actual"), strict=True)
    for form, (expected, actual) in enumerate(pairs):
        if expected and actual and len(plain(expected)) >= _COPY_LENGTH and plain(expected) == plain(actual):
            yield Hit(form, forms.cell(form, "goal_actual"), "goal_actual", actual[:60], variant="copied")


@check("A04")
def years_agree(context: Context) -> Iterator[Hit]:
    """The year of the title, of the file name and of every date in the grid."""
    forms, measured = context.forms, context.measured
    for form, (title, path) in enumerate(zip(forms.list("title"), forms.list("path"), strict=True)):
        stated, named = years_in(title or ""), years_in(basename(path))  # noqa: PTH119 a path object takes ten times as long
        if len(stated) == 1 and len(named) == 1 and stated != named:
            args = {"title": str(min(stated)), "file": str(min(named))}
            yield Hit(form, forms.cell(form, "title"), "year", args["title"], args["file"], args)
    dated = (measured.actual.unit == "date") & (measured.actual.kind == "deadline")
    year = forms.floats("year")[context.rows.form]
    years = np.full(len(dated), np.nan)
    years[dated] = [_year(value) for value in measured.actual.value[dated]]
    for form, places in context.rows.groups(dated & (years < year)):
        if len(places) == int(dated[context.rows.form == form].sum()):
            row = int(places[0])
            args = {"title": f"{year[row]:.0f}", "file": f"{years[row]:.0f}"}
            found = context.rows.list("actual")[row]
            yield Hit(form, context.rows.cell(row, "actual"), "actual", found, None, args, "dates")


def _year(ordinal: float) -> int:
    return date.fromordinal(int(ordinal)).year
