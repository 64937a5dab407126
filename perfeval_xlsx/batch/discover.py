"""Files and folders to a work list: what is read, in a stable order, and where its copy goes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, cause_of

_DIGITS = re.compile(r"\d+")
_HIDDEN = getattr(stat, "FILE_ATTRIBUTE_HIDDEN", 0)


class Source(NamedTuple):
    """One file to read.

    Attributes:
        path: The path as it was given, or the given folder's with the rest below it.
        relative: Place among the copies, POSIX, unique within the run.
        size: Bytes.
        mtime: Time of the last change, nanoseconds.
        problem: Why it cannot be read at all (a missing path, a folder that may not be listed), None for a file.
    """

    path: str
    relative: str
    size: int = 0
    mtime: int = 0
    problem: Finding | None = None

    @property
    def shown(self) -> str:
        """The path as text that can be written anywhere, whatever bytes the file system has."""
        return printable(self.path)

    @property
    def key(self) -> str:
        """Sorts as a person sorts names: ``2`` before ``10``, case aside; different for every ``relative``."""
        return sort_key(self.relative)


@lru_cache(maxsize=512)
def sort_key(relative: str) -> str:
    """Key that puts paths in folder order, numbers by value; unique because the path itself ends it."""
    by_value = _DIGITS.sub(lambda found: f"{len(found[0].lstrip('0')):03d}{found[0]}", relative.casefold())
    return by_value.replace("/", "\x01") + "\x00" + relative


def discover(paths: Sequence[str | Path], out: Path | None = None) -> Iterator[Source]:
    """Yield the workbooks of files and folders; ``Source.key`` sorts them.

    A folder is searched throughout; lock files (``~$…``), hidden files and folders, our own outputs and files of other
    kinds are left out without a word. A file that is named is always listed. The same file is listed once. Of several
    folders each one's files go below its name.

    Args:
        paths: Files and folders.
        out: The run's output folder, which may lie within an input folder.
    """
    if len(paths) == 1:
        yield from _listed(Path(paths[0]), out)
        return
    seen: set[str] = set()
    taken: set[str] = set()
    for path in map(Path, paths):
        prefix = _free(path.resolve().name or "_", taken) + "/" if path.is_dir() else ""
        for source in _listed(path, out):
            identity = os.path.realpath(source.path)
            if identity not in seen:
                seen.add(identity)
                relative = prefix + source.relative if prefix else _free(source.relative, taken)
                yield source._replace(relative=relative)


def printable(path: str) -> str:
    """A path with the lone surrogates that stand for undecodable bytes written out."""
    return path if path.isprintable() else path.encode("utf-8", "backslashreplace").decode("utf-8")


def copy_name(relative: str) -> str:
    """Name of the copy: the file's own, with ``.xlsx`` added where the format has no lossless writer."""
    stem, _, suffix = relative.rpartition("/")[2].rpartition(".")
    lossless = stem != "" and f".{suffix.lower()}" in load("run.toml")["lossless"]
    return relative if lossless else f"{relative}.xlsx"


def digest_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes, "" where it cannot be read; a file of any size takes no memory."""
    try:
        with Path(path).open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _listed(path: Path, out: Path | None) -> Iterator[Source]:
    try:
        status = path.stat()
    except (OSError, ValueError):
        yield Source(str(path), path.name or str(path), problem=Finding("B01", found=str(path)))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(path, "", _identity(out))
    else:
        yield Source(str(path), path.name, status.st_size, status.st_mtime_ns)


def _walk(folder: Path, below: str, out: tuple[int, int] | None) -> Iterator[Source]:
    """The workbooks below a folder, in no particular order, one at a time: it may hold a province's."""
    try:
        with os.scandir(folder) as scan:
            yield from _in_folder(folder, scan, below, out)
    except OSError as error:
        problem = Finding("B04", found=str(folder), args={"detail": cause_of(error)})
        yield Source(str(folder), below.rstrip("/") or folder.name, problem=problem)


def _in_folder(
    folder: Path, entries: Iterable[os.DirEntry[str]], below: str, out: tuple[int, int] | None
) -> Iterator[Source]:
    outputs = load("run.toml")["outputs"]
    is_output = (folder / outputs["manifest"]).exists() or (out is not None and out == _identity(folder))
    own = set(outputs.values()) if is_output else set()
    extensions = tuple(load("run.toml")["extensions"])
    for entry in entries:
        name = entry.name
        if name in own or name.startswith((".", "~$")) or _is_hidden(entry):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / name, f"{below}{name}/", out)
        elif name.lower().endswith(extensions) and entry.is_file():
            yield _found(entry, printable(below + name))


def _found(entry: os.DirEntry[str], relative: str) -> Source:
    """One file of a folder; it may have left since the folder was listed."""
    try:
        status = entry.stat()
    except OSError as error:
        problem = Finding("B04", found=printable(entry.path), args={"detail": cause_of(error)})
        return Source(entry.path, relative, problem=problem)
    return Source(entry.path, relative, status.st_size, status.st_mtime_ns)


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    """Whether Windows hides an entry; elsewhere the dot in front says so."""
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & _HIDDEN)


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Device and number of a folder, None where there is none (yet)."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino)


def _free(name: str, taken: set[str]) -> str:
    """``name``, numbered if another input has it already; case does not tell names apart on Windows."""
    pure = PurePosixPath(name)
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{pure.stem} ({number}){pure.suffix}"
    taken.add(free.casefold())
    return free
