"""One run over files and folders: what is new is scored, the rest taken over, the reports written from the record."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from perfeval_xlsx.batch.copies import Aside, removed, tidied
from perfeval_xlsx.batch.damage import is_damage
from perfeval_xlsx.batch.desk import Desk
from perfeval_xlsx.batch.discover import Source, digest_of, discover
from perfeval_xlsx.batch.entries import Count, Pending
from perfeval_xlsx.batch.executors import Chunk, Outcomes, Pool, here, process_pool, sizes
from perfeval_xlsx.batch.flush import can_flush, flush
from perfeval_xlsx.batch.leftovers import Leftovers, clear
from perfeval_xlsx.batch.lock import locked
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.nothing import missing_paths, not_there, nothing_to_read
from perfeval_xlsx.batch.nursery import processors
from perfeval_xlsx.batch.options import Options, stamp
from perfeval_xlsx.batch.record import FileRecord, file_record, kept_back
from perfeval_xlsx.batch.register import Register
from perfeval_xlsx.batch.reports import prepare, report_paths, write_reports
from perfeval_xlsx.batch.standing import note_reports, reports_stand, take_changed
from perfeval_xlsx.batch.trials import Trials
from perfeval_xlsx.batch.workers import EarlyPool
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.output.outcome import file_result

if TYPE_CHECKING:
    from perfeval_xlsx.scoring.compare import Comparison
    from perfeval_xlsx.scoring.result import FormResult
    from perfeval_xlsx.scoring.reviews import Reviews

_FEW = 4
"""Up to so many copies are flushed one by one: to flush the disk may take long where others write to it."""


class Progress(NamedTuple):
    """How far a run is: files done of those that had to be done, how many of them failed, how many were taken over."""

    done: int
    total: int
    failed: int
    ready: int
    writing: bool = False


Watcher = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        files: Files of the work list; ``done`` of them were read now, ``left`` are still to be read, the others were
            taken over.
        counts: Sums by status; ``grades`` forms by grade.
        unfinished: Files that could be read but whose copy could not be written, or that are worth another try.
        interrupted: Whether the run was told to stop before its end.
        failing: Whether it was an audit and found errors, or a decision of a reviewer was refused.
        nothing: Whether none of the paths that were given exists.
        written: Where the outputs are: folders of copies and lists, then the reports.
        damaged: Where a damaged record was set aside, None where it was sound.
        changed: Where outputs went that somebody had changed, before they were written anew.
        leftovers: What became of outputs that a first run would not have made.
    """

    files: int
    done: int
    left: int
    counts: dict[str, Count]
    grades: dict[str, int]
    unfinished: int
    interrupted: bool
    failing: bool
    nothing: bool
    written: tuple[Path, ...] = ()
    damaged: Path | None = None
    changed: tuple[Path, ...] = ()
    leftovers: Leftovers = field(default_factory=Leftovers)

    @property
    def exit_code(self) -> int:
        """0 well, 1 a file failed, an audit found errors or a decision was refused, 3 nothing to read, 130 ended."""
        if self.interrupted or self.nothing:
            return 130 if self.interrupted else 3
        return 1 if self.failing or "failed" in self.counts or self.unfinished else 0


class Run:
    """A run that holds its output folder; made by ``open_run``.

    Attributes:
        manifest: The records, to read results from once the run is done.
        files: How many files are listed.
        counts: Sums by status, once it is done; ``grades`` forms by grade.
    """

    def __init__(
        self, manifest: Register, out: Path | None, options: Options, stop: Event, files: int, *,
        desk: Desk | None = None, nothing: bool = False, workers: EarlyPool | None = None, trials: Trials | None = None,
        paths: Sequence[str | Path] | None = None,
    ) -> None:  # fmt: skip
        self.manifest, self.files, self._nothing = manifest, files, nothing
        self._paths = paths
        self._workers = workers or _workers(options, out)
        self._out, self._options, self._stop = out, options, stop
        self._aside = None if out is None else Aside(out)
        self._desk = desk or Desk(options)
        self._stamp = stamp(options, self._desk.files)
        self._trials = trials or Trials()
        self._trials.begin(manifest, self._stamp)
        self.counts, self.grades = dict[str, Count](), dict[str, int]()
        self._ready = files
        self._done = self._failed = self._total = 0

    def pending(self) -> Iterator[Pending]:
        """The files that are not up to date."""
        return self.manifest.pending(self._stamp, passwords=bool(self._options.passwords))

    def _pending_count(self) -> int:
        return self.manifest.pending_count(self._stamp, passwords=bool(self._options.passwords))

    def execute(self, watch: Watcher = lambda _: None) -> Outcome:
        """Score what is not up to date, then write the reports that are not.

        A record that turns out to be damaged is set aside, and all files are read anew; that is done once.

        Args:
            watch: Told after every chunk, and a few times a second where none is done, how far the run is.

        Raises:
            PerfevalError: A report cannot be written.
        """
        try:
            return self._executed(watch)
        except sqlite3.DatabaseError as error:
            if self._paths is None or not is_damage(error):
                raise
        self.manifest.renew()
        self.files = _listed(self.manifest, discover(self._paths, self._out))
        self._done = self._failed = 0
        return self._executed(watch)

    def _executed(self, watch: Watcher) -> Outcome:
        while (pending := self._pending_count()) and not self._stop.is_set():
            self._total = self._done + pending
            self._ready = self.files - self._total
            self._work(watch, pending)
        left = self._pending_count() if self._stop.is_set() else 0
        if left:  # what they came to before, under other options or rules, is nothing that this run found
            self.manifest.unlist_pending(self._stamp, passwords=bool(self._options.passwords))
        self._settle_twins()
        return self._concluded(watch, left)

    def _work(self, watch: Watcher, pending: int) -> None:
        watch(self._progress())
        options = self._options
        together = options.durable and options.executor is None and pending > _FEW and can_flush()
        with closing(self._outcomes(pending, replace(options, durable=False) if together else options)) as outcomes:
            for done in outcomes:
                if not done:  # a tick
                    watch(self._progress())
                elif together and self._out is not None:
                    flush(self._out)
                for chunk, records in done:
                    self._store(*self._trials.taken(chunk, records))
                    watch(self._progress())

    def _progress(self, *, writing: bool = False) -> Progress:
        return Progress(self._done, self._total, self._failed, self._ready, writing)

    def _outcomes(self, pending: int, options: Options) -> Outcomes:
        """Records of all pending files, from workers or from this process."""
        if options.executor is not None:
            return self._on_cluster(pending)
        if not options.isolated:
            small = int(load("run.toml")["chunk"]["small"])
            return here(self._chunks(lambda _: small), options, self._out, _log(self._out), self._stop)
        jobs = min(options.jobs or processors(), pending)
        pool = Pool(self._workers, jobs, options, self._out, self._stop)
        if self._out is not None:
            Thread(target=prepare, daemon=True).start()
        return pool.outcomes(self._chunks(sizes(pending, jobs)))

    def _on_cluster(self, pending: int) -> Outcomes:
        """Records of all pending files from the workers of a cluster."""
        from perfeval_xlsx.batch.cluster import cluster

        with cluster(self._options, self._out) as (make, jobs):
            pool = Pool(make, jobs, self._options, self._out, self._stop)
            yield from pool.outcomes(self._chunks(sizes(pending, jobs)))
        if self._out is not None:
            for _ in tidied(self._out):
                pass  # a worker that was lost, and whose files went to others, has left one half written

    def _chunks(self, size: Callable[[int], int]) -> Iterator[Chunk]:
        """Cut the pending files into chunks, none of many bytes; a file with just a new time is no work.

        Args:
            size: Most files of a chunk by how many were cut before it.
        """
        chunk: list[Source] = []
        weight = cut = 0
        most, heaviest = size(cut), load("run.toml")["chunk"]["bytes"]
        for source, digest, changed in self.pending():
            if changed is not None and self._aside is not None:
                self._aside.take(changed)
            if digest and digest == digest_of(source.path):
                self.manifest.touch(source)
                self._done += 1
                continue
            if chunk and (len(chunk) >= most or weight + source.size > heaviest):
                yield chunk
                cut += len(chunk)
                chunk, weight, most = [], 0, size(cut)
            chunk.append(source)
            weight += source.size
        if chunk:
            yield chunk

    def _store(self, chunk: Chunk, records: Sequence[FileRecord]) -> None:
        """Keep the records; a copy that no longer holds goes first, so that none outlives its record."""
        copies = self.manifest.recorded(source.key for source in chunk)
        outcomes = [
            (source, self._without_old(source.key, record, copies.get(source.key)))
            for source, record in zip(chunk, records, strict=True)
        ]
        self._failed += sum(any(form.status == "failed" for form in record.forms) for record in records)
        self.manifest.store(outcomes, self._stamp)
        if self._aside is not None:
            self._aside.settle(record.copy for record in records)
        self._done += len(chunk)

    def _without_old(self, key: str, record: FileRecord, old: str | None) -> FileRecord:
        """The record of a file whose old copy is gone; one that cannot be removed stays on record for the next run."""
        if old is None or old == record.copy or self._out is None:
            return record
        finding = removed(self._out, old)
        if finding is None:
            self.manifest.drop_copy(old)
            return record
        return kept_back(record, old, finding, self._options.lang)._replace(written=self.manifest.written(key))

    def _settle_twins(self) -> None:
        """Let the first of several files with the same bytes count, and report the others as its duplicates."""
        for twin in self.manifest.twins():
            finding = Finding("B29", found=twin.original)
            result = file_result(twin.source.shown, "duplicate", [finding], self._options.lang)
            record = file_record(twin.source.relative, result, twin.digest, twin.first, self._options.lang)
            self.manifest.store([(twin.source, self._without_old(twin.source.key, record, twin.copy))], self._stamp)

    @property
    def reviews(self) -> Reviews | None:
        """The decisions that were brought, None without any."""
        return self._desk.reviews

    @cached_property
    def comparison(self) -> Comparison | None:
        """What the earlier run makes of this one, which must be done; None where there is no earlier run."""
        return self._desk.compare(self.manifest)

    def results(self, *, rows: bool = True) -> Iterator[FormResult]:
        """What the run came to, once it is done: every form, in the order of the files, then whole units.

        Args:
            rows: Whether the forms' rows are wanted; without them each finding names the ``indicator`` of its row.
        """
        results = self.manifest.results() if rows else self.manifest.in_order()
        return self._desk.told(results, self.manifest, self.comparison)

    def _concluded(self, watch: Watcher, left: int) -> Outcome:
        """Write the reports unless they stand already, and sum the run up."""
        interrupted = left > 0
        leftovers = Leftovers()
        if self._out is not None and self._paths is not None and not interrupted:
            leftovers = clear(self.manifest, self._out, self._paths, lists=self._options.audit)
        reports = () if self._out is None else report_paths(self._out)
        facts = f"{self._stamp} {self._desk.stamp(self.manifest)} {left}"
        stand = self.manifest.reports_are(facts) and (self._out is None or reports_stand(self.manifest, self._out))
        if not stand:
            watch(self._progress(writing=True))
            self._desk.settle(self.manifest)
        self.counts, self.grades = self.manifest.counts(), self.manifest.grades()
        if not stand:
            if self._out is not None and self._aside is not None:
                take_changed(self.manifest, self._aside)
                write_reports(self, self._out, self._options, left=left)
                note_reports(self.manifest, self._out)
            self.manifest.reports_written(facts)
        units = [finding for unit in self.manifest.units() for finding in unit["findings"]]
        refused = any(finding["severity"] == "error" for finding in units)
        errors = refused or any(count.errors for count in self.counts.values())
        return Outcome(
            files=self.files,
            done=self._done,
            left=left,
            counts=self.counts,
            grades=self.grades,
            unfinished=self.manifest.unfinished(),
            interrupted=interrupted,
            failing=refused or (self._options.audit and errors),
            nothing=self._nothing,
            written=tuple(path for path in (*self._folders(), *reports) if path.exists()),
            damaged=self.manifest.damaged,
            changed=() if self._aside is None else tuple(self._aside.taken.values()),
            leftovers=leftovers,
        )

    def _folders(self) -> Iterator[Path]:
        """Folders of the copies and of the departments' lists."""
        names = load("run.toml")["outputs"]
        wanted = {"copies": self._options.copies, "annotated": self._options.annotate, "returned": self._options.audit}
        if self._out is not None:
            yield from (self._out / names[name] for name, made in wanted.items() if made)


@contextmanager
def open_run(
    paths: Sequence[str | Path],
    out: Path | None = None,
    options: Options | None = None,
    stop: Event | None = None,
    *,
    dry: bool = False,
) -> Iterator[Run]:
    """Take an output folder and list what there is to do.

    Args:
        paths: Files and folders.
        out: The output folder; None writes nothing and keeps results for as long as the run is open.
        options: How files are scored.
        stop: Set from outside to end early.
        dry: Only look what there is to do; an output folder without a record is not even made.

    Raises:
        PerfevalError: There is nothing to read (``B40``; ``B46`` where no path exists and an output folder is asked
            for), the folder is in use or not writable, something that was brought (a rulebook, a review table …)
            cannot be used.
    """
    options = options or Options()
    desk = Desk(options)
    with ExitStack() as stack:
        names = load("run.toml")["outputs"]
        folder = out
        if folder is None or (dry and not (folder / names["manifest"]).exists()):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="perfeval-")))
        missing = missing_paths(discover(paths, out))
        if missing is not None and (out is not None or not missing):
            raise not_there(missing) if missing else nothing_to_read(paths)
        stack.enter_context(locked(folder))
        manifest = stack.enter_context(Register(folder / names["manifest"]))
        workers = _workers(options, out)
        stack.callback(workers.close)
        new = options.isolated and not dry and options.executor is None and manifest.is_empty()
        files = _listed(manifest, workers.begun_by(discover(paths, out)) if new else discover(paths, out))
        yield Run(
            manifest, out, options, stop or Event(), files, desk=desk, nothing=missing is not None, workers=workers,
            paths=paths,
        )  # fmt: skip


def _listed(manifest: Manifest, sources: Iterable[Source]) -> int:
    """List the files and the copies there are; return how many files."""
    files = manifest.list_sources(sources)
    manifest.list_copies(tidied(manifest.folder))
    return files


def _workers(options: Options, out: Path | None) -> EarlyPool:
    return EarlyPool(partial(process_pool, options=options, log=_log(out)), options.jobs or processors())


def _log(out: Path | None) -> Path | None:
    """Where tracebacks go."""
    return None if out is None else out / load("run.toml")["outputs"]["log"]
