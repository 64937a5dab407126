"""What was put right since an earlier run: findings matched by what they say, never by where they stand.

Forms are paired first, by department, title and file; within a pair a finding is the same when code, field and
indicator are, so that inserted rows and renamed files change nothing. A form that was not handed in again is counted
as absent: nothing is claimed about its findings.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from perfeval_xlsx.findings import Finding, PerfevalError, cause_of
from perfeval_xlsx.workbook.cells import split_sheet
from perfeval_xlsx.workbook.strings import clean

State = Literal["new", "open", "fixed"]
"""new 新增: not in the earlier run · open 未整改: in both · fixed 已整改: in the earlier run only."""

_HEAD = ("path", "form", "sheet", "org", "title")

FormKey = tuple[str, int]
"""A form within a run: path as the run names it, and its number (0 for a file without one)."""


class Fixed(NamedTuple):
    """An earlier finding that is gone: the form it was in (as the earlier run has it) and the finding itself."""

    form: Mapping[str, Any]
    finding: Mapping[str, Any]


@dataclass(slots=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        states: By form of this run, the state of each of its findings, in their order.
        fixed: Earlier findings that are gone, by the form of this run that was paired.
        absent: By department, how many earlier forms were not handed in again; ``names`` what those are called.
    """

    states: dict[FormKey, list[State]] = field(default_factory=dict)
    fixed: dict[FormKey, list[Fixed]] = field(default_factory=dict)
    absent: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)

    def counts(self, forms: Iterable[Mapping[str, Any]]) -> dict[str, Counter[State]]:
        """Count the states by department (see :func:`department_key`) over the forms of this run."""
        counts: dict[str, Counter[State]] = defaultdict(Counter)
        for form in forms:
            key = form_key(form)
            mine = counts[department_key(form)]
            mine.update(self.states.get(key, ()))
            mine.update("fixed" for _ in self.fixed.get(key, ()))
        return dict(counts)


def plain(text: object) -> str:
    """Bring a text to the hand it is compared in: NFKC, no white space, lower case."""
    return "".join(unicodedata.normalize("NFKC", "" if text is None else str(text)).split()).casefold()


def form_key(form: Mapping[str, Any]) -> FormKey:
    """Return the identity of a form within its run."""
    return str(form["path"]), int(form.get("form") or 0)


def department_key(form: Mapping[str, Any]) -> str:
    """Return what makes two forms one department's: its name, or the file's where the form does not say."""
    return plain(form.get("org")) or plain(file_name(form))


def file_name(form: Mapping[str, Any]) -> str:
    """Return the last piece of a form's path, whichever system wrote it."""
    return str(form["path"]).replace("\\", "/").rpartition("/")[2]


def department_of(form: Mapping[str, Any]) -> list[object]:
    """What is counted of a form even if nothing was found in it: key, name and file of its department, forms.

    What no file can hold (a file name's undecodable bytes) is left out of the texts.
    """
    file = file_name(form)
    key, org = plain(form["org"]) or plain(file), form["org"]
    return [clean(key), None if org is None else clean(org), clean(file), form["sheet"] is not None]


def indicator_of(form: Mapping[str, Any], finding: Mapping[str, Any]) -> str | None:
    """Return the name of the indicator whose row a finding's cell stands in, None where it stands in no row."""
    named = finding.get("indicator")
    row = row_of(finding.get("cell"))
    if named or row is None:
        return str(named) if named else None
    for indicator in form.get("indicators") or ():
        if (indicator.get("sheet"), indicator.get("row")) == row:
            name = indicator.get("level3") or indicator.get("level2") or indicator.get("level1")
            return None if name is None else str(name)
    return None


def row_of(cell: object) -> tuple[str | None, int] | None:
    """Return sheet (None for the form's own) and row of an A1 address, None where it is none."""
    sheet, address = split_sheet(str(cell or ""))
    digits = address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ$")
    return (sheet, int(digits)) if digits.isascii() and digits.isdigit() else None


def read_run(path: Path | str) -> list[Mapping[str, Any]]:
    """Read the forms of an earlier run's record.

    Understood are an object with a list under ``forms`` or ``results`` (with the findings in each form, or all under
    ``findings`` with ``path`` and ``form``), a list of forms, and one form a line. What is not needed is ignored, so
    that records of other versions can be read.

    Raises:
        PerfevalError: The file cannot be read or holds no forms.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PerfevalError(Finding("V10", found=path.name, args={"detail": cause_of(error)})) from error
    forms = [form for form in _forms(text) if isinstance(form, dict) and "path" in form and "findings" in form]
    if not forms:
        raise PerfevalError(Finding("V11", found=path.name))
    return [_tidy(form) for form in forms]


def _forms(text: str) -> Sequence[Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return _lines(text)
    if isinstance(content, dict) and "path" not in content:
        forms = _objects(content.get("forms") or content.get("results"))
        units = _objects(content.get("units"))
        return [*(_with_findings(forms, _objects(content["findings"])) if "findings" in content else forms), *units]
    if isinstance(content, dict):
        return [content]
    return content if isinstance(content, list) else []


def _with_findings(forms: Sequence[dict[str, Any]], findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put findings that a record lists by themselves into their forms; what a form lacks they may say (org, title)."""
    known = {(form.get("path"), form.get("form")): {**form, "findings": []} for form in forms}
    for finding in findings:
        place = finding.get("path"), finding.get("form")
        form = known.setdefault(place, {name: finding.get(name) for name in _HEAD} | {"findings": []})
        form["findings"].append(finding)
    return [form for form in known.values() if isinstance(form.get("path"), str)]


def _lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return []


def _tidy(form: dict[str, Any]) -> dict[str, Any]:
    """Drop what is no finding or no row, whoever wrote it."""
    return form | {
        "form": form["form"] if isinstance(form.get("form"), int) else None,
        "findings": [found for found in _objects(form.get("findings")) if found.get("code")],
        "indicators": _objects(form.get("indicators")),
    }


def _objects(items: object) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


_Content = tuple[str, str, str | None]
"""Code, field and indicator; None for the indicator where a record does not keep it."""


class _Head(NamedTuple):
    """What pairs a form, and its findings by content."""

    key: FormKey
    org: str
    department: str
    title: str
    file: str
    sheet: str
    contents: list[_Content]
    form: Mapping[str, Any] | None


def compare(now: Iterable[Mapping[str, Any]], before: Iterable[Mapping[str, Any]]) -> Comparison:
    """Compare the findings of two runs.

    Args:
        now: The forms of this run (``FormResult`` with their rows); read once, only what pairs them is kept.
        before: The forms of the earlier run, as :func:`read_run` gives them.
    """
    ours = [_head(form, keep=False) for form in now]
    earlier = [_head(form, keep=True) for form in before]
    comparison = Comparison()
    pairs, absent = _paired(ours, earlier)
    for head, old in pairs:
        comparison.states[head.key], gone = _states(head.contents, old.contents if old else [])
        if old is not None and old.sheet and not head.sheet:
            absent.append(old)  # the file is there, but cannot be read any more
        elif old is not None and old.form is not None and gone:
            comparison.fixed[head.key] = [Fixed(old.form, old.form["findings"][i]) for i in gone]
    for old in absent:
        if old.sheet and old.form is not None:
            comparison.absent[old.department] += 1
            comparison.names.setdefault(old.department, str(old.form.get("org") or file_name(old.form)))
    return comparison


def _head(form: Mapping[str, Any], *, keep: bool) -> _Head:
    known = bool(form.get("indicators"))
    contents = [
        (
            str(found["code"]),
            plain(found.get("field")),
            plain(indicator_of(form, found)) if known or "indicator" in found else None,
        )
        for found in form.get("findings") or ()
    ]
    return _Head(
        form_key(form), plain(form.get("org")), department_key(form), plain(form.get("title")), plain(file_name(form)),
        plain(form.get("sheet")), contents, form if keep else None,
    )  # fmt: skip


_STEPS = (
    lambda head: (head.org, head.title, head.file, head.sheet),
    lambda head: (head.org, head.title, head.file),
    lambda head: (head.org, head.title),
    lambda head: (head.file, head.sheet),
    lambda head: head.file,
)
"""What must agree for two forms to be one, from sure to loose; the last ones find a form whose head was corrected."""


def _paired(ours: Sequence[_Head], earlier: Sequence[_Head]) -> tuple[list[tuple[_Head, _Head | None]], list[_Head]]:
    """Pair forms one to one, the surest first; return all of ours with their partners, and the earlier ones left."""
    partner: dict[int, _Head] = {}
    left = dict(enumerate(earlier))
    for step in _STEPS:
        places: dict[object, list[int]] = defaultdict(list)
        for place in reversed(left):
            places[step(left[place])].append(place)
        for mine in _open(ours, partner):
            if places.get(step(ours[mine])):
                partner[mine] = left.pop(places[step(ours[mine])].pop())
    return [(head, partner.get(mine)) for mine, head in enumerate(ours)], list(left.values())


def _open(ours: Sequence[_Head], partner: Mapping[int, _Head]) -> Iterator[int]:
    return (mine for mine in range(len(ours)) if mine not in partner)


def _states(now: Sequence[_Content], before: Sequence[_Content]) -> tuple[list[State], list[int]]:
    """Match findings one to one; return the state of each of ours, and the positions of the earlier ones left.

    An earlier finding whose indicator is not recorded matches one of the same code and field that found no other.
    """
    left: dict[_Content, list[int]] = defaultdict(list)
    for i in range(len(before) - 1, -1, -1):
        left[before[i]].append(i)
    states: list[State] = ["new"] * len(now)
    for keys in (list(now), [(code, name, None) for code, name, _ in now]):
        for i, key in enumerate(keys):
            if states[i] == "new" and left.get(key):
                left[key].pop()
                states[i] = "open"
    return states, sorted(i for places in left.values() for i in places)
