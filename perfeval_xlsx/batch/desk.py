"""What an auditor brings to a run beside its forms, and what follows from all forms together.

Decisions, the list of units, last year's forms, an earlier run: they are read when a run begins, so that a wrong file
ends it at once. Nothing here depends on how the run was cut into chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError, cause_of
from perfeval_xlsx.output.outcome import finding_result, unit_result

if TYPE_CHECKING:
    from perfeval_xlsx.scoring.compare import Comparison
    from perfeval_xlsx.scoring.record import FormRecord
    from perfeval_xlsx.scoring.result import FormResult
    from perfeval_xlsx.scoring.reviews import Reviews

Read = TypeVar("Read")
_LANGS: tuple[Lang, ...] = ("zh", "en")


def brought(option: str, path: Path | str, read: Callable[[Path], Read]) -> Read:
    """Read something that was brought beside the forms.

    Args:
        option: Which option brought it (``[brought]`` in ``data/desk.toml``).
        path: Where it is.
        read: Reads it.

    Raises:
        PerfevalError: It is missing or cannot be used; the message names option and file (``B44``).
    """
    try:
        return read(Path(path))
    except PerfevalError as error:
        raise _unusable(option, str(path), _reasons(error.finding)) from error


def _reasons(finding: Finding) -> dict[str, str]:
    return {f"reason_{lang}": finding.text("message", lang) for lang in _LANGS}


def _unusable(option: str, path: str, reasons: Mapping[str, str]) -> PerfevalError:
    return PerfevalError(Finding("B44", found=path, args={"option": load("desk.toml")["brought"][option], **reasons}))


def text_of(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        PerfevalError: It is missing (``B01``) or cannot be read (``B04``).
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise PerfevalError(Finding("B01", found=path.name)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PerfevalError(Finding("B04", found=path.name, args={"detail": cause_of(error)})) from error


class Desk:
    """What lies on the desk of one run.

    Args:
        options: Of the run.

    Attributes:
        reviews: The decisions of the review table, None without one.
        digest: Of all that was brought, the decisions aside.
        files: Digests of what scores depend on: rulebooks and decisions.

    Raises:
        PerfevalError: Something that was brought cannot be used.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        if options.reports is not None and not Path(options.reports).is_dir():
            raise _unusable("reports", options.reports, _reasons(Finding("B01", found=options.reports)))
        self.reviews = self._reviews()
        self.files = _files_stamp(options, self.reviews)
        self._roster = self._listed()
        self._before = self._earlier()
        self._previous, self._unread = self._last_year()
        self.digest = self._digest()

    # What was brought.

    def _reviews(self) -> Reviews | None:
        if self._options.reviews is None:
            return None
        from perfeval_xlsx.scoring.reviews import read_reviews

        return brought("reviews", self._options.reviews, read_reviews)

    def _listed(self) -> tuple[str, ...]:
        if self._options.roster is None:
            return ()
        from perfeval_xlsx.batch.roster import read_roster

        return brought("roster", self._options.roster, read_roster)

    def _earlier(self) -> list[Mapping[str, Any]] | None:
        """The forms of the earlier run; what only something not brought this time could find is left out."""
        if self._options.since is None:
            return None
        from perfeval_xlsx.scoring.compare import read_run

        given = load("desk.toml")["since"]["given"]
        lacking = tuple(family for family, option in given.items() if getattr(self._options, option) is None)
        return [
            {**form, "findings": [found for found in form["findings"] if not str(found["code"]).startswith(lacking)]}
            for form in brought("since", self._options.since, read_run)
        ]

    def _last_year(self) -> tuple[list[FormRecord], list[FormResult]]:
        if not self._options.last_year:
            return [], []
        from perfeval_xlsx.batch.last_year import records_of_last_year

        paths = self._options.last_year
        records, unread = brought("last_year", "、".join(paths), lambda _: records_of_last_year(paths, self._options))
        for result in unread:
            if result["path"] in paths:  # one within a folder is only listed
                reasons = {f"reason_{lang}": result["findings"][0]["message"] for lang in _LANGS}
                raise _unusable("last_year", result["path"], reasons)
        return records, unread

    def _digest(self) -> str:
        given = (self._options.roster, self._options.since)
        contents = [b"" if path is None else Path(path).read_bytes() for path in given]
        facts = (self._roster, self._previous, self._options.due, [sha256(content).hexdigest() for content in contents])
        return sha256(repr(facts).encode("utf-8", "replace")).hexdigest()

    def stamp(self, manifest: Manifest) -> str:
        """Digest of all that the lists of a run depend on beside its forms' results."""
        if not self._options.audit:
            return self.digest
        from perfeval_xlsx.batch.narratives import reports_stamp

        return f"{self.digest} {reports_stamp(manifest.paths(), self._options)}"

    # What follows.

    def settle(self, manifest: Manifest) -> None:
        """Keep in the manifest what only all forms together show, and which decisions could not be used."""
        by_form: dict[tuple[str, int], list[Any]] = {}
        units: list[FormResult] = []
        if self._options.audit:
            from perfeval_xlsx.batch.compare import compared
            from perfeval_xlsx.batch.narratives import report_findings

            by_form, units = compared(manifest.results(), self._options, self._roster, self._previous)
            for key, findings in report_findings(manifest.in_order, self._options).items():
                by_form.setdefault(key, []).extend(findings)
        units += [*self._refused(manifest), *self._unread]
        if self._options.audit or units or manifest.units():
            manifest.compare(by_form, units)

    def _refused(self, manifest: Manifest) -> Iterator[FormResult]:
        """The review table as a result of its own, where some of its decisions could not be used."""
        if self.reviews is None:
            return
        findings = [*self.reviews.findings, *self.reviews.astray(manifest.paths())]
        if findings:
            lang = self._options.lang
            table = unit_result(load("desk.toml")["words"]["reviews"][lang], str(self._options.reviews))
            table["findings"] += [finding_result(finding, lang) for finding in findings]
            yield table

    def compare(self, manifest: Manifest) -> Comparison | None:
        """Compare the run with the earlier one, None where there is none."""
        if self._before is None:
            return None
        from perfeval_xlsx.scoring.compare import compare

        return compare(self._now(manifest), self._before)

    def _now(self, manifest: Manifest) -> Iterator[FormResult]:
        """What is compared: the forms, then the units.

        A unit that something was found about before, and that has handed in forms now, is among them without findings.
        """
        from perfeval_xlsx.scoring.compare import department_key

        filed = set()
        for head in manifest.in_order():
            filed.add(department_key(head))
            yield head
        yield from manifest.units()
        yield from (unit for unit in self._cleared(manifest) if department_key(unit) in filed)

    def _cleared(self, manifest: Manifest) -> Iterator[FormResult]:
        """The units of the earlier run that nothing is found about now, without findings."""
        now = {unit["path"] for unit in manifest.units()}
        for unit in self._before or ():
            if unit.get("status") == "unit" and unit["path"] not in now:
                yield unit_result(str(unit.get("org") or unit["path"]), unit["path"])

    def told(
        self, results: Iterable[FormResult], manifest: Manifest, comparison: Comparison | None
    ) -> Iterator[FormResult]:
        """Yield results, then those of whole units; with an earlier run each finding has its state.

        Args:
            results: The forms' results.
            manifest: Where the units' lie.
            comparison: With the earlier run.
        """
        if comparison is None:
            yield from results
            yield from manifest.units()
            return
        cleared = (unit for unit in self._cleared(manifest) if (unit["path"], 0) in comparison.fixed)
        for result in chain(results, manifest.units(), cleared):
            yield with_states(result, comparison)


def _files_stamp(options: Options, reviews: Reviews | None) -> str:
    """Digests of the rulebooks and of the decisions that were brought; the built-in rulebooks are the program's.

    The run writes a review table anew with its decisions in other places, so that places and bytes do not count.

    Raises:
        PerfevalError: A rulebook is wrong.
    """
    digests = []
    if options.rules:
        from perfeval_xlsx.scoring.rulebook_file import load_rulebook

        digests = [f"{book.id}:{book.digest}" for book in map(load_rulebook, options.rules)]
    if reviews is not None:
        decisions = sorted(repr(replace(decision, place="")) for decision in reviews.decisions)
        digests.append(sha256("\n".join(decisions).encode("utf-8", "replace")).hexdigest())
    return " ".join(digests)


def with_states(result: FormResult, comparison: Comparison) -> FormResult:
    """Return a result whose findings say what an earlier run makes of them; ``fixed`` lists those put right."""
    from perfeval_xlsx.scoring.compare import form_key
    from perfeval_xlsx.scoring.result import FindingResult

    key = form_key(result)
    findings: Any = [
        {**finding, "state": state}
        for finding, state in zip(result["findings"], comparison.states.get(key, ()), strict=True)
    ]
    names = (*FindingResult.__annotations__, "indicator")
    fixed: Any = [
        {name: gone.finding[name] for name in names if name in gone.finding} | {"state": "fixed"}
        for gone in comparison.fixed.get(key, ())
    ]
    return {**result, "findings": findings, "fixed": fixed}
