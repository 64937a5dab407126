"""The forms of a whole run against each other: what no chunk can see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.output.outcome import unit_result
from perfeval_xlsx.scoring.across import across
from perfeval_xlsx.scoring.compare import row_of
from perfeval_xlsx.scoring.record import FormRecord, record_of
from perfeval_xlsx.scoring.result import FindingResult, FormResult
from perfeval_xlsx.scoring.rulebook_file import load_rulebook

Found = dict[tuple[str, int], list[FindingResult]]
"""Findings by path and number of a form."""


def compared(
    results: Iterable[FormResult],
    options: Options,
    roster: Sequence[str] = (),
    previous: Sequence[FormRecord] = (),
) -> tuple[Found, list[FormResult]]:
    """Compare the forms of a run.

    Args:
        results: Whole results, in order.
        options: Language; one rulebook that was asked for also sets the checks' parameters.
        roster: Units that should have handed in forms.
        previous: Last year's forms.

    Returns:
        Findings by path and number of the form, each with the ``indicator`` of its row, and one result for each unit
        that something was found about as a whole.
    """
    records = [record_of(result) for result in results if result["form"] is not None]
    parameters = load_rulebook(options.rules[0]).checks if len(options.rules) == 1 else {}
    found = across(records, roster=roster, previous=previous, parameters=parameters, lang=options.lang)
    places = {(record.path, record.form): record for record in records}
    by_form: Found = defaultdict(list)
    units: dict[str, FormResult] = {}
    for record in found.to_dict("records"):
        finding: Any = {key: record[key] for key in FindingResult.__annotations__}
        if record["path"] is None:
            units.setdefault(record["org"], unit_result(record["org"]))["findings"].append(finding)
        else:
            finding["indicator"] = _indicator(places[record["path"], record["form"]], finding)
            by_form[record["path"], int(record["form"] or 0)].append(finding)
    return by_form, list(units.values())


def _indicator(record: FormRecord, finding: Mapping[str, Any]) -> str | None:
    """Name of the indicator in whose row a finding stands."""
    row = row_of(finding["cell"])
    if row is None:
        return None
    return next((own.name for own in record.rows() if row_of(own.cell) == row), None)
