"""Files taken out of an inbox: the copy stays, the row is marked and counts no more; a renamed file is no such case."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

from perfeval_xlsx.batch.copies import removed
from perfeval_xlsx.batch.record import FileRecord, pack
from perfeval_xlsx.batch.register import Known, Register
from perfeval_xlsx.findings import Finding, Lang
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.result import FormResult

_GONE = "gone "
_HELD = "held copies"


class Gone(NamedTuple):
    """One file that left its place in the inbox.

    Attributes:
        relative: The place.
        event: ``moved`` its bytes are there under another name, ``deleted`` its row is marked and its copy stays,
            ``removed`` it held no form, so nothing of it stays.
    """

    relative: str
    event: str


def is_gone(file: Known) -> bool:
    """Whether a file is on record as taken out."""
    return file.stamp.startswith(_GONE)


def settle_gone(manifest: Register, absent: Set[str], present: Set[str], out: Path, lang: Lang) -> Iterator[Gone]:
    """Mark the files that left, drop those that came back under another name, and list what stays on record.

    Args:
        manifest: The records; the files of the inbox are listed already.
        absent: Keys of the files that are not in the inbox any more.
        present: Digests of the files that are.
        out: The output folder.
        lang: Language of the mark.

    Yields:
        What changed.
    """
    held = _still_held(manifest, out)
    for file in [file for file in manifest.known() if is_gone(file) or file.key in absent]:
        digest = file.stamp.removeprefix(_GONE) if is_gone(file) else file.digest
        marked = None if digest in present else _marked(manifest, file, lang)
        if marked is None:
            copy = manifest.copy_of(file.key)
            if copy is not None and removed(out, copy) is not None:
                held[file.key] = copy
            manifest.forget(file.key)
            yield Gone(file.source.relative, "moved" if digest in present else "removed")
        elif is_gone(file):
            manifest.hold(file)
        else:
            manifest.hold(file)
            manifest.store([(file.source, marked)], _GONE + digest)
            yield Gone(file.source.relative, "deleted")
    if held != manifest.noted(_HELD):
        manifest.note(_HELD, held)


def _still_held(manifest: Register, out: Path) -> dict[str, str]:
    """Copies that could not be removed earlier, and cannot be now, by the key of a file that is on record no more."""
    held = dict(manifest.noted(_HELD) or {})
    return {key: copy for key, copy in held.items() if not manifest.recorded([key]) and removed(out, copy) is not None}


def _marked(manifest: Register, file: Known, lang: Lang) -> FileRecord | None:
    """The record of a file that left, None where it holds no form worth keeping."""
    forms = [_without(result, lang) for result in manifest.heads_of(file.key) if result["form"] is not None]
    if not forms:
        return None
    # Digest and columns that are counted stay empty: the file is nobody's twin, its grade in no sum.
    packed = [
        pack(form, lang)._replace(grade=None, rulebook=None, judged=0, errors=0, warnings=0, replaced=0)
        for form in forms
    ]
    return FileRecord(file.source.relative, packed, copy=manifest.copy_of(file.key), written=manifest.written(file.key))


def _without(result: FormResult, lang: Lang) -> FormResult:
    """A form's result with its total and grade, but nothing that is added up or to be corrected."""
    finding = finding_result(Finding("B43"), lang)
    return {
        **result, "status": "deleted", "execution": None, "levels": [], "indicators": [], "person_rows": 0,
        "replaced": [], "findings": [finding],
    }  # fmt: skip
