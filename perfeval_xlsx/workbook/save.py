"""The copy: cells set in place, every other member as raw bytes, written at once or not at all, then verified."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from os.path import samestat
from pathlib import Path

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

Finish = Callable[[dict[str, bytes], Mapping[int, Edits]], None]
"""Changes the parts of a copy (content by member name) that show the edits made, before they are packed."""


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
    target = Path(target)
    if same_file(book.path, target):
        raise refuse(why.SAME_FILE, target.name)
    replaced: dict[str, bytes] = {}
    made: dict[int, Edits] = {}
    refused: list[Refusal] = []
    for index, wanted in edits.items():
        refused += _patch_sheet(book, index, wanted, replaced, made)
    if any(made.values()) and _other_formulas(book, made):
        replaced[book.part] = recalculating(utf8(book.package.read(book.part), book.part), book.part)
    if finish is not None:
        finish(replaced, made)
    content = rebuild(book.package, replaced) if replaced else book.package.data
    publish(content, target, lambda copy: verify(book, copy, made, replaced), durable=durable)
    return refused


def same_file(source: Path, target: Path) -> bool:
    """Whether both are one file, by any spelling or link; a folder in the target's path may not exist yet."""
    try:
        own = _status(source)
        there = _status(target)
        if own is not None and there is not None:
            return samestat(own, there)
        if own is not None and ".." not in target.parts:  # nothing stands in folders that are yet to be made
            return False
        return target.resolve() == source.resolve()
    except OSError:
        return False


def _status(path: Path) -> os.stat_result | None:
    """What the system says of a file, None where there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


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
    folder, name = os.path.split(target)  # paths as texts: a Path is parsed anew at every turn
    temporary = os.path.join(folder, f".{secrets.token_hex(6)}.tmp")  # noqa: PTH118
    named = False
    try:
        try:
            back = _written(temporary, content, durable)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            back = _written(temporary, content, durable)
        check(back)
        os.replace(temporary, target)  # noqa: PTH105
        named = True
        if durable:
            _sync_folder(folder or os.curdir)
    except OSError as error:
        raise refuse(why.NOT_WRITTEN, name, detail=str(error.strerror or error)) from error
    finally:
        if not named:
            with suppress(OSError):
                Path(temporary).unlink()


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
        while more := os.read(file, _BLOCK):
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
