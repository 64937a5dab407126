"""The forms of a whole run against each other: what no chunk can see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.scoring.across import across, record_of
from perfeval_xlsx.scoring.result import FindingResult, FormResult
from perfeval_xlsx.scoring.rulebook_file import load_rulebook


def compared(
    results: Iterable[FormResult], options: Options
) -> tuple[dict[tuple[str, int], list[FindingResult]], list[dict[str, Any]]]:
    """Compare the forms of a run.

    Args:
        results: Whole results, in order.
        options: Language; one rulebook that was asked for also sets the checks' parameters.

    Returns:
        Findings by path and number of the form, and those about whole units, which name the ``org``.
    """
    records = [record_of(result) for result in results if result["form"] is not None]
    parameters = load_rulebook(options.rules[0]).checks if len(options.rules) == 1 else {}
    found = across(records, parameters=parameters, lang=options.lang)
    by_form: dict[tuple[str, int], list[FindingResult]] = defaultdict(list)
    units: list[dict[str, Any]] = []
    for record in found.to_dict("records"):
        finding: Any = {key: record[key] for key in FindingResult.__annotations__}
        if record["path"] is None:
            units.append({"org": record["org"], **finding})
        else:
            by_form[record["path"], int(record["form"] or 0)].append(finding)
    return by_form, units
