"""An inbox as it is seen from look to look: what has settled, what is still being written, what has left."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from perfeval_xlsx.batch.discover import Source, digest_of, discover
from perfeval_xlsx.data import load

Facts = tuple[int, int]
"""Size and time of a file on record."""


@dataclass(slots=True)
class Seen:
    """One look.

    Attributes:
        ready: Files that may be read: those on record unchanged, and those that were the same twice.
        fresh: Digest by key of the ready files that are not on record as they are; ``steady`` keys of the others.
        busy: Files that are still being written.
        missing: Keys of files on record that are not there; ``absent`` those that were missing twice.
    """

    ready: list[Source] = field(default_factory=list)
    fresh: dict[str, str] = field(default_factory=dict)
    steady: set[str] = field(default_factory=set)
    busy: list[Source] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)

    @property
    def open(self) -> bool:
        """Whether another look soon will settle something."""
        return bool(self.busy or self.missing - self.absent)


class InboxError(Exception):
    """The inbox cannot be seen; ``reason`` is the key of the words for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Inbox:
    """Looks at a folder again and again; a network share delivers no events, and size and time alone may lie.

    Args:
        folder: The inbox.
        out: The output folder, which may lie in it.
        apart: Seconds that two looks must be apart to count as two.
        clock: Tells seconds.
    """

    def __init__(self, folder: Path, out: Path, apart: float, clock: Callable[[], float] = monotonic) -> None:
        self._folder, self._out, self._apart, self._clock = folder, out, apart, clock
        self._looks: dict[str, tuple[float, Any]] = {}

    def look(self, known: Mapping[str, Facts]) -> Seen:
        """Look once.

        Args:
            known: Size and time by key of the files on record, those that are marked as taken out aside.

        Raises:
            InboxError: The folder is not there, cannot be listed, or is suddenly empty.
        """
        sources = self._listed(known)
        seen, looks = Seen(), {}
        for source in sources:
            if known.get(source.key) == (source.size, source.mtime):
                seen.ready.append(source)
                seen.steady.add(source.key)
                continue
            digest = self._digest(source)
            looks[source.key] = first = self._since(source.key, (source.size, source.mtime, digest))
            if self._settled(source, digest, first[0]):
                seen.ready.append(source)
                seen.fresh[source.key] = digest or ""
            else:
                seen.busy.append(source)
        seen.missing = _missing(known, sources)
        for key in seen.missing:
            looks[key] = first = self._since(key, None)
            if self._clock() - first[0] >= self._apart:
                seen.absent.add(key)
        self._looks = looks
        return seen

    def _listed(self, known: Collection[str]) -> list[Source]:
        try:
            sources = list(discover([self._folder], self._out))
        except OSError as error:
            raise InboxError("away") from error
        if any(Path(source.path) == self._folder for source in sources):  # it cannot be listed, or is a file
            raise InboxError("away")
        if known and not sources:
            raise InboxError("empty")
        return sources

    def there(self, expected: Collection[str]) -> set[str]:
        """Keys of the files that are in the inbox now; nothing settles by this.

        Args:
            expected: Keys of files that were there a moment ago.

        Raises:
            InboxError: As of :meth:`look`.
        """
        return {source.key for source in self._listed(expected)}

    def _since(self, key: str, look: object) -> tuple[float, Any]:
        """When a file was first seen as it is now."""
        before = self._looks.get(key)
        return before if before is not None and before[1] == look else (self._clock(), look)

    def _settled(self, source: Source, digest: str | None, first: float) -> bool:
        if source.problem is None and _in_transit(source):
            return False
        wait = self._apart if digest is not None else max(self._apart, load("watch.toml")["unreadable"])
        return self._clock() - first >= wait

    @staticmethod
    def _digest(source: Source) -> str | None:
        """SHA-256 of a file's bytes, None where it cannot be read: whoever writes it may hold it."""
        return "" if source.problem is not None else digest_of(source.path) or None


def _in_transit(source: Source) -> bool:
    """Whether a download of the file is under way beside it."""
    return any(os.path.exists(source.path + suffix) for suffix in load("watch.toml")["temporary"])  # noqa: PTH110


def _missing(known: Mapping[str, Facts], sources: Iterable[Source]) -> set[str]:
    """Keys on record that are not listed; what lies in a folder that cannot be listed now is not missing."""
    missing = set(known)
    closed = []
    for source in sources:
        missing.discard(source.key)
        if source.problem is not None:
            closed.append(f"{source.relative}/")
    return {key for key in missing if not key.rpartition("\0")[2].startswith(tuple(closed))}
