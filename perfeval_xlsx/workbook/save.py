"""The copy: cells set in place, every other member as raw bytes, written at once or not at all, then verified."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from os.path import samestat
from pathlib import Path

from perfeval_xlsx.findings import PerfevalError, cause_of
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.book import Workbook
from perfeval_xlsx.workbook.patch import ATTRIBUTE, TAG, Edits, patch
from perfeval_xlsx.workbook.refusals import Refusal, refusal, refuse
from perfeval_xlsx.workbook.repack import rebuild
from perfeval_xlsx.workbook.verify import verify
from perfeval_xlsx.workbook.xml import local, new_parser, run, utf8

_BEFORE_CALC = frozenset(
    {
        "fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups",
        "externalReferences", "definedNames",
    }
)  # fmt: skip

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
"""How a file that must not be there yet is opened, to be written and read back."""
_BLOCK = 65_536
_TOGETHER = 1 << 22
"""Copies are made together whose workbooks have so many bytes inflated."""

Finish = Callable[[dict[str, bytes], Mapping[int, Edits]], None]
"""Changes the parts of a copy (content by member name) that show the edits made, before they are packed."""


@dataclass(slots=True, eq=False)
class Copy:
    """A copy on its way.

    Attributes:
        book: The workbook; its file is not touched.
        edits: New values by position of the sheet, then by row and column (1-based).
        target: The copy's path; replaced at once, never half written.
        finish: Gives the copy what is no cell's value: formats, widths.
        refused: The cells that were not set, and why.
        failed: Why there is no copy.
        made: The edits that were made.
        replaced: New content by member name, until it is packed.
        content: The copy's bytes: packed, then as they were read back.
        draft: The file before it has its name.
    """

    book: Workbook
    edits: Mapping[int, Edits]
    target: Path | str
    finish: Finish | None = None
    refused: list[Refusal] = field(default_factory=list)
    failed: PerfevalError | None = None
    made: dict[int, Edits] = field(default_factory=dict)
    replaced: dict[str, bytes] = field(default_factory=dict)
    content: bytes = b""
    draft: Draft | None = None


def save_copy(
    book: Workbook,
    edits: Mapping[int, Edits],
    target: Path | str,
    *,
    durable: bool = True,
    finish: Finish | None = None,
) -> list[Refusal]:
    """Write a copy of a workbook with some cells set.

    Numbers become numbers, text inline strings, an empty string blanks a cell; styles stay, a formula stays and gets
    the value as its cached result. Where formulas other than the cells set remain, Excel is asked to recalculate.

    Args:
        book: The workbook; its file is not touched.
        edits: By position of the sheet, then by row and column (1-based).
        target: The copy's path; replaced at once, never half written.
        durable: Flush file and folder to disk.
        finish: Gives the copy what is no cell's value: formats, widths.

    Returns:
        The cells that were not set, and why.

    Raises:
        PerfevalError: The target cannot be written, is the input itself, or does not verify.
    """
    copy = Copy(book, edits, target, finish)
    save_copies([copy], durable=durable)
    if copy.failed is not None:
        raise copy.failed
    return copy.refused


def save_copies(copies: Sequence[Copy], *, durable: bool = True) -> None:
    """Write copies as ``save_copy`` does; each tells what was refused, and why it is not there if it is not.

    Each step is taken for all copies before the next, of so many at a time as take little memory together: its code
    stays in the processor's caches, which saves a fifth.
    """
    steps = (_guard, _set, _pack, partial(_write, durable=durable), _check, partial(_name, durable=durable))
    for group in _groups(copies):
        try:
            for step in steps:
                for copy in group:
                    if copy.failed is None:
                        _try(step, copy)
        finally:
            for copy in group:
                if copy.draft is not None:
                    copy.draft.discard()


def _groups(copies: Sequence[Copy]) -> Iterator[Sequence[Copy]]:
    """Yield the copies in groups whose parts take some memory together."""
    first = size = 0
    for at, copy in enumerate(copies):
        size += copy.book.package.inflated
        if size > _TOGETHER and at > first:
            yield copies[first:at]
            first, size = at, copy.book.package.inflated
    yield copies[first:]


def _try(step: Callable[[Copy], None], copy: Copy) -> None:
    try:
        step(copy)
    except PerfevalError as error:
        copy.failed = error


def _guard(copy: Copy) -> None:
    """Leave the input alone."""
    if same_file(copy.book.path, copy.target):
        raise refuse(why.SAME_FILE, os.path.basename(copy.target))  # noqa: PTH119


def _set(copy: Copy) -> None:
    """Set the cells."""
    book = copy.book
    for index, wanted in copy.edits.items():
        copy.refused += _patch_sheet(book, index, wanted, copy.replaced, copy.made)
    if any(copy.made.values()) and _other_formulas(book, copy.made):
        copy.replaced[book.part] = recalculating(utf8(book.package.read(book.part), book.part), book.part)
    if copy.finish is not None:
        copy.finish(copy.replaced, copy.made)


def _pack(copy: Copy) -> None:
    """Put the package together; of what is replaced only the names are needed from here on."""
    package = copy.book.package
    copy.content = rebuild(package, copy.replaced) if copy.replaced else package.data
    copy.replaced = dict.fromkeys(copy.replaced, b"")


def _write(copy: Copy, *, durable: bool) -> None:
    copy.draft = Draft(copy.target)
    copy.content = copy.draft.write(copy.content, durable=durable)


def _check(copy: Copy) -> None:
    verify(copy.book, copy.content, copy.made, copy.replaced)
    copy.content = b""


def _name(copy: Copy, *, durable: bool) -> None:
    if copy.draft is not None:
        copy.draft.name(durable=durable)


def same_file(source: Path | str, target: Path | str) -> bool:
    """Whether both are one file, by any spelling or link; a folder in the target's path may not exist yet."""
    own, there = os.access(source, os.F_OK), os.access(target, os.F_OK)
    if own and not there and os.pardir not in os.fspath(target):  # nothing stands in folders that are yet to be made
        return False
    try:
        if own and there:
            return samestat(os.stat(source), os.stat(target))  # noqa: PTH116
        return Path(target).resolve() == Path(source).resolve()
    except (OSError, RuntimeError):  # links that lead in a circle are either, by the version of Python
        return False


def _patch_sheet(
    book: Workbook, index: int, edits: Edits, replaced: dict[str, bytes], made: dict[int, Edits]
) -> list[Refusal]:
    """Patch one sheet into ``replaced`` and note what was ``made``; return the refusals."""
    layout, name = book.layout(index), book.sheet_part(index)
    if layout is None or name is None:
        return [refusal(index, row, column, why.OUT_OF_RANGE) for row, column in edits]
    part, done, refused = patch(layout, book.sheet(index), edits, book.package.limits.columns)
    if done:
        replaced[name], made[index] = part, done
    return refused


def _other_formulas(book: Workbook, made: Mapping[int, Edits]) -> bool:
    """Whether any formula is left that may depend on what was set."""
    for index in range(len(book.sheet_names)):
        if book.has_formulas(index):
            done = made.get(index, {})
            cells = book.sheet(index).cells
            if any(cell.formula is not None and place not in done for place, cell in cells.items()):
                return True
    return False


def recalculating(part: bytes, name: str) -> bytes:
    """Return workbook.xml (in UTF-8) with ``fullCalcOnLoad`` set, all else as it stands."""
    places: dict[str, int] = {}
    parser = new_parser()
    level = 0
    after: list[int] = []

    def start(tag: str, _attributes: dict[str, str]) -> None:
        nonlocal level
        level += 1
        if level == 1:
            places["root"] = parser.CurrentByteIndex
        elif level == 2 and local(tag) == "calcPr":
            places["calc"] = parser.CurrentByteIndex
        elif level == 2 and local(tag) not in _BEFORE_CALC and places.get("last"):
            after.append(parser.CurrentByteIndex)

    def end(tag: str) -> None:
        nonlocal level
        level -= 1
        if level == 1 and local(tag) in _BEFORE_CALC:
            places["last"] = 1
            after.clear()
        elif level == 0:
            places["end"] = parser.CurrentByteIndex

    parser.StartElementHandler, parser.EndElementHandler = start, end
    run(parser, part, name)
    if "calc" in places:
        return _flagged(part, places["calc"])
    prefix = _prefix_of(part, places["root"])
    place = after[0] if after else places["end"]
    return part[:place] + b'<%bcalcPr fullCalcOnLoad="1"/>' % prefix + part[place:]


def _flagged(part: bytes, position: int) -> bytes:
    """Return the part with the flag on the calcPr element at ``position``."""
    tag = TAG.match(part, position)
    if tag is None:
        raise AssertionError(f"no tag at byte {position}")
    kept = b"".join(found[0] for found in ATTRIBUTE.finditer(tag[2]) if found[1] != b"fullCalcOnLoad")
    flagged = b'<%b%b fullCalcOnLoad="1"%b>' % (tag[1], kept, tag[3])
    return part[: tag.start()] + flagged + part[tag.end() :]


def _prefix_of(part: bytes, position: int) -> bytes:
    found = re.compile(rb"<(?:([^\s/>:]+:))?").match(part, position)
    return (found[1] or b"") if found else b""


class Draft:
    """A file beside its place, until it is given its name."""

    __slots__ = ("_folder", "_name", "_named", "_path", "_target")

    def __init__(self, target: Path | str) -> None:
        self._target = os.fspath(target)  # paths as texts: a Path is parsed anew at every turn
        self._folder, self._name = os.path.split(self._target)
        self._path = os.path.join(self._folder, f".{secrets.token_hex(6)}.tmp")  # noqa: PTH118
        self._named = False

    def write(self, content: bytes, *, durable: bool) -> bytes:
        """Write the file and return what can be read of it; its folder is made where there is none.

        Raises:
            PerfevalError: It cannot be written.
        """
        try:
            try:
                return _written(self._path, content, durable)
            except FileNotFoundError:
                Path(self._folder).mkdir(parents=True, exist_ok=True)
                return _written(self._path, content, durable)
        except OSError as error:
            raise self._refused(error) from error

    def name(self, *, durable: bool) -> None:
        """Give the file its name; the one that had it is gone.

        Raises:
            PerfevalError: It cannot be done.
        """
        try:
            os.replace(self._path, self._target)  # noqa: PTH105
            self._named = True
            if durable:
                _sync_folder(self._folder or os.curdir)
        except OSError as error:
            raise self._refused(error) from error

    def discard(self) -> None:
        """Remove the file unless it has its name."""
        if not self._named:
            with suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108

    def _refused(self, error: OSError) -> PerfevalError:
        return refuse(why.NOT_WRITTEN, self._name, detail=cause_of(error))


def publish(content: bytes, target: Path, check: Callable[[bytes], None], *, durable: bool) -> None:
    """Write beside the target, check what was written, and only then give the file its name.

    Args:
        content: The file's bytes.
        target: Its path.
        check: Gets the bytes as they were read back; raises when they are not as they should be.
        durable: Flush file and folder to disk.

    Raises:
        PerfevalError: The file cannot be written, or ``check`` says so.
    """
    draft = Draft(target)
    try:
        check(draft.write(content, durable=durable))
        draft.name(durable=durable)
    finally:
        draft.discard()


def _written(path: str, content: bytes, durable: bool) -> bytes:
    """Write a new file and return what can be read of it."""
    file = os.open(path, _NEW, 0o666)
    try:
        written = os.write(file, content)
        while written < len(content):
            written += os.write(file, memoryview(content)[written:])
        if durable:
            os.fsync(file)
        os.lseek(file, 0, os.SEEK_SET)
        back = os.read(file, len(content) + 1)
        while len(back) < len(content) and (more := os.read(file, _BLOCK)):
            back += more
        return back
    finally:
        os.close(file)


def _sync_folder(folder: str) -> None:
    """Flush a rename to disk where the system lets a folder be opened (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
