"""A record that a bad disk or a foreign hand has damaged: told from other failures, set aside, never thrown away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_JOURNAL = "-journal"


class Damaged(sqlite3.DatabaseError):
    """What the record holds is not what was written there."""


class OtherFormat(sqlite3.DatabaseError):
    """The record is another version's of the program."""


def is_damage(error: BaseException | None) -> bool:
    """Whether an error says that the record is damaged; a full disk, a lost share or a wrong call does not."""
    if isinstance(error, sqlite3.OperationalError):
        return "decode" in str(error)  # a text that is not UTF-8
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError)


@contextmanager
def unpacking() -> Iterator[None]:
    """Let packed values that cannot be unpacked count as damage.

    Raises:
        Damaged: They cannot be unpacked.
    """
    try:
        yield
    except (OSError, MemoryError, sqlite3.Error):
        raise
    except Exception as error:
        raise Damaged(f"{type(error).__name__}: {error}") from error


def set_aside(path: Path) -> Path:
    """Rename a damaged record and its journal; return its new name.

    Raises:
        OSError: It cannot be renamed.
    """
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(kept)
    journal = Path(f"{path}{_JOURNAL}")
    if journal.exists():
        journal.rename(f"{kept}{_JOURNAL}")
    return kept


def remove(path: Path) -> None:
    """Remove a record and its journal."""
    for suffix in ("", _JOURNAL):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
