"""Findings of a whole run in a private database on disk, so that lists in any order need no memory."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.compare import (
    Comparison,
    State,
    department_key,
    department_of,
    form_key,
    indicator_of,
    row_of,
)
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.workbook.strings import clean


class Problem(NamedTuple):
    """One finding with all a list shows of it.

    Attributes:
        org: The department's name as it first stood, None where no form of it says.
        path, copy, sheet, form, cell: Where the finding stands.
        state: None where there is no earlier run to compare with.
    """

    department: str
    org: str | None
    path: str
    copy: str | None
    sheet: str | None
    form: int | None
    cell: str | None
    indicator: str | None
    code: str
    severity: str
    message: str
    found: str | None
    expected: str | None
    basis: str
    suggestion: str
    state: State | None


class Department(NamedTuple):
    """One department of the ranking: forms handed in, findings that stand by each severity, and all by each state."""

    key: str
    org: str | None
    file: str
    forms: int
    weight: int
    severities: Mapping[str, int]
    states: Mapping[str, int]
    absent: int


class CheckCount(NamedTuple):
    """How often a check was met: findings, departments, forms."""

    code: str
    findings: int
    orgs: int
    forms: int


_COLUMNS = Problem._fields
_TABLES = f"""
create table problem ({", ".join(_COLUMNS)}, weight integer, row integer);
create table department (key text primary key, name, file, forms integer);
"""
_TOGETHER = 256
_STANDS = "(state is null or state != 'fixed')"
_PLACE = "path, form, instr(cell, '!'), row, length(cell), cell"
_ORDER = f"coalesce(state, '') = 'fixed', weight desc, {_PLACE}, problem.rowid"


def covered(finding: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a check says better what a finding says (``[covered]`` in the data).

    Args:
        finding: The finding.
        others: All findings of its form.
    """
    better = load("desk.toml")["covered"].get(finding["code"])
    row = row_of(finding.get("cell"))
    return better is not None and any(
        other["code"] in better and (row is None or row_of(other.get("cell")) == row) for other in others
    )


def _clean(value: object) -> object:
    """Leave out what no file can hold (a file name's undecodable bytes)."""
    return clean(value) if isinstance(value, str) else value


class ProblemStore:
    """Collects findings form by form; closes its database when the ``with`` block ends.

    Args:
        since: The comparison with an earlier run, where there is one.
        lang: Language of words the store itself supplies.
    """

    def __init__(self, since: Comparison | None = None, lang: Lang = "zh") -> None:
        self.since, self.lang = since, lang
        self._base = sqlite3.connect("")
        self._base.executescript(_TABLES)
        self._waiting: list[Sequence[object]] = []
        self._ranked = False
        self._weights = {name: int(entry["weight"]) for name, entry in load("desk.toml")["severity"].items()}

    def __enter__(self) -> ProblemStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    def add(self, result: FormResult) -> None:
        """Take in the findings of one form or file."""
        key = form_key(result)
        self.add_sound(department_of(result))
        states: list[State | None] = [None] * len(result["findings"])
        if self.since is not None:
            states = [*self.since.states.get(key, ["new"] * len(states))]
            for gone in self.since.fixed.get(key, ()):
                if not covered(gone.finding, gone.form["findings"]):
                    self._put(result, gone.form, gone.finding, "fixed")
        for finding, state in zip(result["findings"], states, strict=True):
            if not covered(finding, result["findings"]):
                self._put(result, result, finding, state)

    def add_sound(self, department: Sequence[object]) -> None:
        """Take in a form that nothing was found in, given as its ``department_of``."""
        self._waiting.append(department)
        if len(self._waiting) == _TOGETHER:
            self._count()

    def _count(self) -> None:
        """Count the forms that wait for it: many at once cost half of what each by itself does."""
        self._base.executemany(
            "insert into department values (?, ?, ?, ?)"
            " on conflict (key) do update set forms = forms + excluded.forms, name = coalesce(name, excluded.name)",
            self._waiting,
        )
        self._waiting.clear()

    def _put(
        self, result: FormResult, form: Mapping[str, Any], finding: Mapping[str, Any], state: State | None
    ) -> None:
        cell = finding.get("cell")
        row = row_of(cell)
        where = result["sheet"] if result["sheet"] is not None else form.get("sheet")
        path = "" if result["status"] == "unit" else result["path"]
        problem = Problem(
            department_key(result), result["org"], path, result["copy"], where, result["form"], cell,
            indicator_of(form, finding) or self._execution(form, row), finding["code"], finding["severity"],
            finding.get("message") or "", finding.get("found"), finding.get("expected"), finding.get("basis") or "",
            finding.get("suggestion") or "", state,
        )  # fmt: skip
        weight = self._weights.get(problem.severity, 0)
        values = (*map(_clean, problem), weight, row[1] if row else 0)
        self._base.execute(f"insert into problem values ({', '.join('?' * len(values))})", values)

    def _execution(self, form: Mapping[str, Any], row: tuple[str | None, int] | None) -> str | None:
        """The name of the execution score where a finding stands in its row."""
        if row is None or row_of((form.get("execution") or {}).get("cell")) != row:
            return None
        return str(load("desk.toml")["words"]["execution"][self.lang])

    def count(self) -> int:
        """Return how many findings there are, those put right among them."""
        return int(self._base.execute("select count(*) from problem").fetchone()[0])

    def departments(self) -> Iterator[Department]:
        """Yield the departments, heaviest first; those of one weight by errors, then by name.

        One that handed in nothing this time has 0 forms.
        """
        self._rank()
        absent = Counter[str]() if self.since is None else self.since.absent
        severities, states, one = tuple(self._weights), tuple(load("desk.toml")["state"]), len(self._weights)
        for key, org, file, forms, weight, *counts in self._base.execute("select * from ranking order by rowid"):
            by_severity = dict(zip(severities, counts, strict=False))
            by_state = dict(zip(states, counts[one:], strict=True))
            yield Department(key, org, file, forms, weight, by_severity, by_state, absent[key])

    def troubled(self) -> Iterator[str]:
        """Yield the keys of the departments that anything is or was found about, heaviest first."""
        self._rank()
        for (key,) in self._base.execute(
            "select key from ranking join counted on department = key order by ranking.rowid"
        ):
            yield key

    def _rank(self) -> None:
        """Rank the departments, once all findings are there; those of the earlier run only are among them."""
        if self._ranked:
            return
        self._count()
        names = {} if self.since is None else self.since.names
        rows = (tuple(map(_clean, (key, name, name))) for key, name in names.items())
        self._base.executemany("insert or ignore into department values (?, ?, ?, 0)", rows)
        by_severity = [f"sum({_STANDS} and severity = '{name}')" for name in self._weights]
        by_state = [f"sum(coalesce(state, '') = '{name}')" for name in load("desk.toml")["state"]]
        sums = [f"sum({_STANDS} * weight)", *by_severity, *by_state]
        known = ", ".join(f"coalesce(c{position}, 0)" for position in range(len(sums)))
        counted = ", ".join(f"{each} as c{position}" for position, each in enumerate(sums))
        errors = f"c{1 + list(self._weights).index('error')}"
        self._base.executescript(
            f"create table counted as select department, {counted} from problem group by department;"
            "create unique index counted_by on counted (department);"
            f"create table ranking as select key, name, file, forms, {known} from department"
            " left join counted on department = key"
            f" order by coalesce(c0, 0) desc, coalesce({errors}, 0) desc, coalesce(nullif(name, ''), file), key;"
            "create index by_department on problem (department);"
            "create index by_code on problem (code);"
        )
        self._ranked = True

    def checks(self) -> list[CheckCount]:
        """Return the checks met, by code; what was put right does not count."""
        form = "path || '#' || coalesce(form, 0)"
        counts = f"code, count(*), count(distinct department), count(distinct {form})"
        query = f"select {counts} from problem where {_STANDS} group by code order by code"
        return [CheckCount(*row) for row in self._base.execute(query)]

    def of_department(self, key: str) -> Iterator[Problem]:
        """Yield a department's findings: the gravest first, then by file, form and cell."""
        return self._select("where department = ?", key, _ORDER)

    def to_correct(self, key: str) -> Iterator[Problem]:
        """Yield what a department must correct, as it stands in its forms: by file, form and cell."""
        data = load("desk.toml")["returns"]
        severities, codes = (", ".join(f"'{name}'" for name in data[k]) for k in ("severities", "not_codes"))
        condition = f"where {_STANDS} and severity in ({severities}) and code not in ({codes}) and department = ?"
        return self._select(condition, key, f"{_PLACE}, weight desc, problem.rowid")

    def of_check(self, code: str) -> Iterator[Problem]:
        """Yield a check's findings, by department, file, form and cell."""
        return self._select("where code = ?", code, f"department, {_PLACE}, problem.rowid")

    def _select(self, condition: str, value: str, order: str) -> Iterator[Problem]:
        self._rank()
        columns = ", ".join("name" if column == "org" else column for column in _COLUMNS)
        query = f"select {columns} from problem join department on key = department {condition} order by {order}"
        return map(Problem._make, self._base.execute(query, (value,)))


def collect_problems(results: Iterable[FormResult], since: Comparison | None = None, lang: Lang = "zh") -> ProblemStore:
    """Read a stream of results into a store; use it in a ``with`` block.

    Args:
        results: The run's results, read once.
        since: The comparison with an earlier run.
        lang: Language of the lists to be made.
    """
    store = ProblemStore(since, lang)
    for result in results:
        store.add(result)
    return store
