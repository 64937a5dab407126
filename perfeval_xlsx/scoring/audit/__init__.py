"""The auditor's checks: small functions over a chunk's frames, one module a family, listed in ``data/checks.toml``.

``audit`` runs them over single forms; checks that compare forms stand in ``scoring/across.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.frames import Tables
from perfeval_xlsx.scoring.audit import (
    completeness,
    design,
    filled,
    formulas,
    funds,
    kind,
    scores,
    total,
    weights,
)
from perfeval_xlsx.scoring.audit.context import Context, Hit
from perfeval_xlsx.scoring.audit.registry import FUNCTIONS, Check, checks_list
from perfeval_xlsx.scoring.audit.repeats import without_repeats
from perfeval_xlsx.scoring.audit.report import COLUMNS, findings_frame
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.score import ScoredTables

__all__ = ["COLUMNS", "FAMILIES", "FUNCTIONS", "Check", "audit", "checks_list", "without_repeats"]

FAMILIES = (completeness, funds, weights, design, filled, scores, total, kind, formulas)
"""The modules that hold the checks; importing them registers their functions."""


def audit(tables: Tables, scored: ScoredTables, rulebooks: Mapping[str, Rulebook], lang: Lang = "zh") -> pd.DataFrame:
    """Run every check of single forms over a chunk.

    Args:
        tables: What ``to_frames`` made of the forms.
        scored: What ``score`` made of them.
        rulebooks: The rulebook of every form, by form_id; it switches checks off and sets their parameters.
        lang: Language of the texts.

    Returns:
        One row a finding: form_id, code, severity, cell, field, found, expected, message, basis, suggestion; in the
        order of the forms and of the sheet.
    """
    context = Context(tables, scored, rulebooks)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return findings_frame(context, _found(context), lang)


def _found(context: Context) -> Iterator[tuple[str, Hit]]:
    known = load("checks.toml")["check"]
    for code, function in FUNCTIONS.items():
        silent = ~context.enabled(code) | context.missing_cell(known[code]["needs"])
        if silent.all():
            continue
        for hit in function(context):
            if not silent[hit.form]:
                yield code, hit
