"""Kinds of form that are audited but not scored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from perfeval_xlsx.scoring.audit.context import Context, Hit
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import has, plain


@check("K01")
def has_score_column(context: Context) -> Iterator[Hit]:
    """The grid has no column for scores."""
    scored = context.rows.has("score")
    grid = np.bincount(context.rows.form, minlength=context.size) > 0
    without = grid & (context.by_form_count(scored) == 0)
    for form in np.flatnonzero(without).tolist():
        yield Hit(form, None)


@check("K02")
def judges_results(context: Context) -> Iterator[Hit]:
    """A table that judges a process (投入, 过程) by text rules is no self-evaluation of results."""
    titled = context.forms.where("title", lambda text: has("title", "process", text))
    process = context.rows.where("level1", lambda text: has("title", "process_levels", plain(text)))
    for form in np.flatnonzero(titled).tolist():
        yield Hit(form, context.forms.cell(form, "title"), "title", context.forms.list("title")[form])
    for form, places in context.rows.groups(process):
        if not titled[form]:
            row = int(places[0])
            yield Hit(form, context.rows.cell(row, "level1"), "level1", context.rows.list("level1")[row])
