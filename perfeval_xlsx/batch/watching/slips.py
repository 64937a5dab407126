"""退回/: why a dropped file could not be scored, as a text beside the outputs that a clerk can print or send on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.result import FormResult


def write_slips(out: Path, files: Iterable[tuple[str, FormResult]], lang: Lang) -> None:
    """Write a slip for each file and remove those that no longer hold; other files of the folder are left alone.

    Args:
        out: The output folder.
        files: Place in the inbox and result of every file that could not be scored.
        lang: Language of the slips.

    Raises:
        OSError: A slip cannot be written.
    """
    folder = out / load("run.toml")["outputs"]["returned"]
    kept = set()
    for relative, result in files:
        slip = folder / f"{relative}{load('watch.toml')['slip']['suffix']}"
        kept.add(slip)
        _write(slip, slip_text(relative, result, lang))
    for slip in list(_slips(folder)):
        if slip not in kept:
            slip.unlink(missing_ok=True)


def slip_text(relative: str, result: FormResult, lang: Lang) -> str:
    """The text of one slip: the file, every reason and what to do about it."""
    words = load("watch.toml")["slip"]
    lines = [words["title"][lang], "", words["file"][lang].format(path=relative)]
    for finding in result["findings"]:
        lines.append(words["reason"][lang].format(message=finding["message"]))
        if finding["suggestion"]:
            lines.append(words["advice"][lang].format(suggestion=finding["suggestion"]))
    return "\n".join([*lines, "", words["end"][lang], ""])


def _write(slip: Path, text: str) -> None:
    """Write a slip at once, unless it says the same already."""
    content = text.replace("\n", "\r\n").encode(load("watch.toml")["slip"]["encoding"])
    if slip.is_file() and slip.read_bytes() == content:
        return
    slip.parent.mkdir(parents=True, exist_ok=True)
    temporary = slip.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(slip)
    finally:
        temporary.unlink(missing_ok=True)


def _slips(folder: Path) -> Iterator[Path]:
    """Our slips below a folder; a text of somebody else does not begin as ours do."""
    words = load("watch.toml")["slip"]
    titles = tuple(title.encode(words["encoding"]) for title in words["title"].values())
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names if name.endswith(words["suffix"])):
            if path.read_bytes().startswith(titles):
                yield path
