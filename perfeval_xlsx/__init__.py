"""Read, score, audit and fill back performance self-evaluation forms (绩效自评表) in Excel workbooks.

    import perfeval_xlsx as pe

    forms = pe.read("forms/")                 # list of Form; forms.frames() lays them out as tidy tables
    results = pe.score("forms/", out="scored")  # list of results; results.frames() likewise

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from perfeval_xlsx.batch.library import Forms, Results
    from perfeval_xlsx.findings import Lang

__version__ = "0.1.0"
__all__ = ["__version__", "audit", "read", "score"]


def read(*paths: str | PathLike[str]) -> Forms:
    """Read every form of some workbooks or folders.

    Args:
        paths: Files and folders; a folder is searched throughout.

    Returns:
        The forms, in the order of the files and of their sheets.

    Raises:
        PerfevalError: There is nothing to read, or a file cannot be read.
    """
    from perfeval_xlsx.batch.library import read_forms

    return read_forms(paths)


def score(
    *paths: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    rules: str | PathLike[str] | None = None,
    keep: bool = False,
    lang: Lang = "zh",
    jobs: int = 1,
) -> Results:
    """Score every form of some workbooks or folders.

    Args:
        paths: Files and folders; a folder is searched throughout.
        out: Folder for filled copies, summary and ``run.json``; None writes nothing.
        rules: Id or file of the rulebook for all forms; by default kind, place and year of each form decide.
        keep: Fill blank cells only.
        lang: Language of messages and reasons, ``zh`` or ``en``.
        jobs: Worker processes; 1 works in this process, 0 uses every processor.

    Returns:
        One result a form, in the order of the files; a file without a form, or an unreadable one, has one as well.

    Raises:
        PerfevalError: There is nothing to read, the rulebook is wrong, or ``out`` cannot be written or is in use.
    """
    from perfeval_xlsx.batch.library import score_forms

    return score_forms(paths, out, rules=rules, keep=keep, lang=lang, jobs=jobs)


def audit(
    *paths: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    rules: str | PathLike[str] | None = None,
    annotate: bool = False,
    reviews: str | PathLike[str] | None = None,
    since: str | PathLike[str] | None = None,
    roster: str | PathLike[str] | None = None,
    last_year: Sequence[str | PathLike[str]] = (),
    reports: str | PathLike[str] | None = None,
    due: str | None = None,
    lang: Lang = "zh",
    jobs: int = 1,
) -> Results:
    """Score every form of some workbooks or folders and check what they claim; no score is written into any form.

    Args:
        paths: Files and folders; a folder is searched throughout.
        out: Folder for the lists, the review table and ``run.json``; None writes nothing.
        rules: Id or file of the rulebook for all forms.
        annotate: Also write copies with reviewed scores and opinions beside the forms.
        reviews: A filled review table.
        since: The ``run.json`` of an earlier run: findings get a ``state``, results list those ``fixed``.
        roster: List of the units that should hand in forms, .csv or a workbook.
        last_year: Last year's forms, files and folders.
        reports: Folder of the departments' reports (.docx); None looks beside each form.
        due: By when departments must correct, as it is to be printed on their lists.
        lang: Language of messages and reasons.
        jobs: Worker processes, as in ``score``.

    Returns:
        Results as ``score`` gives them, with the findings of all checks; those about whole units come last (status
        ``unit``).

    Raises:
        PerfevalError: As ``score``, or something that was brought cannot be used.
    """
    from os import fspath

    from perfeval_xlsx.batch.library import audit_forms

    given = {"rules": rules, "reviews": reviews, "since": since, "roster": roster, "reports": reports}
    brought = {name: None if value is None else fspath(value) for name, value in given.items()}
    years = tuple(fspath(path) for path in last_year)
    return audit_forms(paths, out, brought, last_year=years, annotate=annotate, due=due, lang=lang, jobs=jobs)
