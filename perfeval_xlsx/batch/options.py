"""What a run is asked to do: one frozen value that every room of the batch gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import perfeval_xlsx
from perfeval_xlsx import __version__
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read, scored and written.

    Attributes:
        keep: Fill blank cells only; what is typed stays.
        lang: Language of messages and reasons.
        rules: Ids or paths of rulebooks: one is used for every form, several are offered before the built-in ones; with
            none the form's kind, place and year decide.
        audit: Check what was claimed as well as score it.
        reviews: Path of a filled review table whose decisions take the place of open scores.
        annotate: Write copies with scores and opinions beside the form in the place of filled ones.
        reports: Folder of the departments' reports (.docx); None: an audit looks beside each form.
        roster: Path of the list of units that should hand in forms.
        since: Path of the ``run.json`` of an earlier run, to tell what was put right.
        last_year: Paths of last year's forms, to find those handed in again.
        due: By when departments must correct, as it is to be printed on their lists.
        passwords: To try on encrypted workbooks, in order; they are never written anywhere.
        copies: Write filled copies.
        durable: Flush every copy to disk before it counts as done.
        jobs: Most worker processes; 0: one for each processor.
        executor: Address of a cluster's scheduler (``dask://host:8786``), None for this machine.
        isolated: Work in worker processes, even on a single file, else in this process: without bounds of time and
            memory, and ended by whatever ends it.
        seconds: A file that takes longer is given up; 0: no bound.
        memory: Address space of a worker in bytes; 0: no bound.
    """

    keep: bool = False
    lang: Lang = "zh"
    rules: tuple[str, ...] = ()
    audit: bool = False
    reviews: str | None = None
    annotate: bool = False
    reports: str | None = None
    roster: str | None = None
    since: str | None = None
    last_year: tuple[str, ...] = ()
    due: str | None = None
    passwords: tuple[str, ...] = field(default=(), repr=False)
    copies: bool = True
    durable: bool = True
    jobs: int = 0
    executor: str | None = None
    isolated: bool = False
    seconds: float = float(load("run.toml")["worker"]["seconds"])
    memory: int = int(load("run.toml")["worker"]["memory"])

    def shown(self) -> dict[str, object]:
        """The options that results depend on, for the run's report."""
        return {
            "keep": self.keep, "lang": self.lang, "rules": list(self.rules), "audit": self.audit,
            "reviews": self.reviews, "annotate": self.annotate, "reports": self.reports, "roster": self.roster,
            "since": self.since, "last_year": list(self.last_year), "due": self.due,
        }  # fmt: skip


def stamp(options: Options, files: str) -> str:
    """Digest of all that a result depends on beside its own file.

    Args:
        options: Of the run.
        files: Digests of the rulebooks and of the review table that were asked for.
    """
    results = (options.keep, options.lang, options.audit, options.copies, options.annotate)
    return sha256(repr((program(), results, files)).encode()).hexdigest()


@cache
def program() -> str:
    """Version and digest of the package's code and data: results of a changed program are not taken over."""
    digest = sha256()
    for name, file in sorted(_sources(Path(*perfeval_xlsx.__path__))):
        digest.update(name.encode() + b"\0" + sha256(file.read_bytes()).digest())
    return f"{__version__}+{digest.hexdigest()[:16]}"


def _sources(folder: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
    for entry in folder.iterdir():
        if entry.name.endswith((".py", ".toml")):
            yield prefix + entry.name, entry
        elif entry.is_dir():
            yield from _sources(entry, f"{prefix}{entry.name}/")
