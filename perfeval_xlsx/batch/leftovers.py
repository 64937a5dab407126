"""Copies of files that are not read any more: removed where the same bytes are read under another name, else set aside.

The outputs are then those of a first run, and nothing is lost. What a watch marked as taken out stays, and so does what
was read from elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from perfeval_xlsx.batch.copies import Aside, removed
from perfeval_xlsx.batch.register import Register, Unlisted
from perfeval_xlsx.batch.standing import stands


class Leftovers(NamedTuple):
    """What became of the outputs that a first run would not have made.

    Attributes:
        removed: Copies of files that were renamed, and lists of an earlier audit.
        moved: Where the copies of files went that are not there any more.
        others: Files among the copies that belong to no file of this run; they were left alone.
    """

    removed: int = 0
    moved: tuple[Path, ...] = ()
    others: int = 0


def clear(register: Register, out: Path, paths: Sequence[str | Path], *, lists: bool) -> Leftovers:
    """Take what is not read any more from the record and from among the copies.

    Args:
        register: The record; what is read is listed and done.
        out: The output folder.
        paths: What was given to be read. If any of it could not be seen, nothing is taken for gone.
        lists: Whether the lists of an earlier audit stay.
    """
    aside, gone = Aside(out), []
    count = 0 if lists else _without_lists(register, aside)
    for file in _gone(register, paths):
        if file.copy is not None and not file.shared and file.there:
            if file.known and file.whole:
                if removed(out, file.copy) is not None:
                    continue  # the next run tries again
                count += 1
            elif not aside.take(file.copy):
                continue
            register.drop_copy(file.copy)
        gone.append(file.key)
    if gone:
        register.forget(*gone)
    return Leftovers(count, tuple(aside.taken.values()), register.other_copies())


def _without_lists(register: Register, aside: Aside) -> int:
    """Remove the lists of an earlier audit; return how many."""
    names = register.noted("returns") or ()
    for name in names:
        if not stands(register, name):
            aside.take(name)
    left = [name for name in names if removed(register.folder, name) is not None]
    if names:
        register.note("returns", left)
    return sum(not (register.folder / name).exists() for name in names) - len(aside.taken)


def _gone(register: Register, paths: Sequence[str | Path]) -> Iterator[Unlisted]:
    """The files on record that left the given folders, or are read in another place now."""
    if register.has_problems():
        return
    folders = tuple(os.path.join(os.path.abspath(path), "") for path in paths if Path(path).is_dir())  # noqa: PTH100, PTH118
    for file in register.unlisted():
        inside = os.path.abspath(file.path).startswith(folders)  # noqa: PTH100
        if file.elsewhere or (inside and not os.path.lexists(file.path)):
            yield file
