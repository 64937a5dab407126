"""What ``import perfeval_xlsx`` offers: lists of forms and of results that also come as frames."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perfeval_xlsx.batch.discover import discover
from perfeval_xlsx.batch.nothing import nothing_to_read
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.run import open_run
from perfeval_xlsx.findings import Lang, PerfevalError
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.scoring.result import FormResult

if TYPE_CHECKING:
    import pandas as pd

    from perfeval_xlsx.form.frames import Tables

Paths = Sequence[str | os.PathLike[str]]
_NESTED = ("execution", "levels", "indicators", "replaced", "findings")


class Forms(list[Form]):
    """Forms as they were read."""

    def frames(self) -> Tables:
        """The forms as tidy tables (``form/frames.py`` documents every column)."""
        from perfeval_xlsx.form.frames import to_frames

        return to_frames(self)


class Results(list[FormResult]):
    """Results of forms, and of files without one."""

    def frames(self) -> dict[str, pd.DataFrame]:
        """The results as tidy tables, figures as displayed texts.

        Returns:
            ``forms`` with one row a result, ``indicators``, ``executions`` and ``findings`` with path and form on every
            row.
        """
        import pandas as pd

        def table(rows: Sequence[tuple[FormResult, object]]) -> pd.DataFrame:
            return pd.DataFrame([{"path": r["path"], "form": r["form"]} | dict(row) for r, row in rows])  # type: ignore[call-overload]

        return {
            "forms": pd.DataFrame([{k: v for k, v in result.items() if k not in _NESTED} for result in self]),
            "indicators": table([(result, row) for result in self for row in result["indicators"]]),
            "executions": table([(result, result["execution"]) for result in self if result["execution"]]),
            "findings": table([(result, finding) for result in self for finding in result["findings"]]),
        }


def read_forms(paths: Paths) -> Forms:
    """See ``perfeval_xlsx.read``."""
    from perfeval_xlsx.form.read import find_forms
    from perfeval_xlsx.workbook import open_any

    listed = [os.fspath(path) for path in paths]
    sources = sorted(discover(listed), key=lambda source: source.key)
    if not sources:
        raise nothing_to_read(listed)
    forms = Forms()
    for source in sources:
        if source.problem is not None:
            raise PerfevalError(source.problem)
        forms += find_forms(open_any(source.path), source.shown)
    return forms


def score_forms(
    paths: Paths,
    out: str | os.PathLike[str] | None,
    *,
    rules: str | os.PathLike[str] | None = None,
    keep: bool = False,
    lang: Lang = "zh",
    jobs: int = 1,
) -> Results:
    """See ``perfeval_xlsx.score``."""
    own = () if rules is None else (os.fspath(rules),)
    return _run(paths, out, Options(keep=keep, lang=lang, rules=own, jobs=jobs, isolated=jobs != 1))


def audit_forms(
    paths: Paths,
    out: str | os.PathLike[str] | None,
    brought: Mapping[str, str | None],
    *,
    last_year: tuple[str, ...],
    annotate: bool,
    due: str | None,
    lang: Lang,
    jobs: int,
) -> Results:
    """See ``perfeval_xlsx.audit``; ``brought`` holds paths by the option they are given with."""
    rules = () if brought["rules"] is None else (brought["rules"],)
    options = Options(
        audit=True, copies=False, annotate=annotate, rules=rules, reviews=brought["reviews"], since=brought["since"],
        roster=brought["roster"], reports=brought["reports"], last_year=last_year, due=due, lang=lang, jobs=jobs,
        isolated=jobs != 1,
    )  # fmt: skip
    return _run(paths, out, options)


def _run(paths: Paths, out: str | os.PathLike[str] | None, options: Options) -> Results:
    folder = None if out is None else Path(out)
    with open_run([os.fspath(path) for path in paths], folder, options) as run:
        run.execute()
        return Results(run.results())
