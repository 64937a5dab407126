"""The floor under a form's cost: what reading, inflating, parsing, deflating and writing take by themselves.

    python benchmarks/floor.py --forms 200 --rows 60

Nothing is understood of the forms, and nothing is scored: each step is the standard library's own, once a form, so no
program that reads every cell and writes a valid copy can be faster in the same interpreter. Prints one JSON object of
microseconds a form, the best of several rounds; beside them the stages of ``perfeval score`` in the same run.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.parsers import expat

from generate import generate

from perfeval_xlsx.batch import chunk
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import pack_all
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.fill import Filling, fill_all
from perfeval_xlsx.output.results import form_results
from perfeval_xlsx.scoring.audit import audit
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.scoring.score import score
from perfeval_xlsx.workbook import Workbook, open_workbook

_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"(?: s="([0-9]+)")?(?: t="([a-z]+)")?(?:/>|>(?:<v>([^<]*)</v>)?</c>)')
Clock = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; print JSON; return the exit code."""
    parser = argparse.ArgumentParser(description="What a form costs at least, and what perfeval adds.")
    parser.add_argument("--forms", type=int, default=512)
    parser.add_argument("--rows", type=int, default=60, help="indicators a form, at least 10")
    parser.add_argument("--chunk", type=int, default=128, help="forms of one chunk")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the floor's steps; each stage sees new forms")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "in", Path(scratch) / "out"
        generate(source, options.forms, options.rows, options.seed)
        out.mkdir()
        paths = sorted(source.glob("*.xlsx"))
        least = [floor(paths, out / "copy.xlsx") for _ in range(options.rounds)]
        chunks = [paths[at : at + options.chunk] for at in range(0, len(paths), options.chunk)]
        gc.disable()
        spent = [stages(part, out) for part in chunks]
    shown = {"floor": _best(least), "stages": _best(spent[1:] or spent)}
    print(json.dumps({"forms": options.forms, "rows": options.rows, "microseconds": shown}, indent=2))
    return 0


def _best(runs: Sequence[Clock]) -> dict[str, int]:
    best = {name: min(run[name] for run in runs) for name in runs[0]}
    return {name: round(1e6 * seconds) for name, seconds in (best | {"total": sum(best.values())}).items()}


def floor(paths: Sequence[Path], copy: Path) -> Clock:
    """Seconds of CPU a form of each step."""
    clock: Clock = {}
    data = _timed(clock, "read", paths, lambda path: path.read_bytes())
    _timed(clock, "digest", data, lambda content: hashlib.sha256(content).hexdigest())
    parts = _timed(clock, "open and inflate", paths, _inflated)
    _timed(clock, "parse the small parts", parts, _parsed)
    _timed(clock, "cells by one expression", parts, lambda part: _CELL.findall(part["xl/worksheets/sheet1.xml"]))
    _timed(clock, "deflate", parts, lambda part: zlib.compress(part["xl/worksheets/sheet1.xml"], 4))
    _timed(clock, "write and rename", data, lambda content: _written(copy, content))
    return {name: seconds / len(paths) for name, seconds in clock.items()}


def _timed(clock: Clock, name: str, items: Sequence[Any], step: Callable[[Any], Any]) -> list[Any]:
    start = time.process_time()
    results = [step(item) for item in items]
    clock[name] = time.process_time() - start
    return results


def _inflated(path: Path) -> dict[str, bytes]:
    package = open_workbook(path).package
    return {member.name: package.read(member.name) for member in package.members.values()}


def _parsed(parts: dict[str, bytes]) -> None:
    for name, content in parts.items():
        if name.endswith(("workbook.xml", "sharedStrings.xml", ".rels", "[Content_Types].xml")):
            parser = expat.ParserCreate(namespace_separator=" ")
            parser.StartElementHandler = parser.CharacterDataHandler = None
            parser.Parse(content, True)


def _written(copy: Path, content: bytes) -> None:
    temporary = copy.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(copy)


def stages(paths: Sequence[Path], out: Path) -> Clock:
    """Seconds of CPU a form of each stage of a chunk, in the order of ``batch.chunk.score_chunk``."""
    clock: Clock = {}
    options = Options()

    def lap(name: str, step: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = step()
        clock[name] = (time.process_time() - start) / len(paths)
        return result

    books: list[Workbook] = lap("open", lambda: [open_workbook(path) for path in paths])
    lap("sheets", lambda: [list(book.sheets()) for book in books])
    forms = lap("find forms", lambda: [form for book in books for form in find_forms(book)])
    tables = lap("frames", lambda: to_frames(forms))
    rulebooks = lap("rulebooks", lambda: chunk.rulebooks_of(forms, tables, options))
    scored = lap("score", lambda: score(tables, rulebooks, "zh"))
    results = lap("results", lambda: form_results(forms, scored, "zh"))
    pairs = list(zip(books, forms, results, strict=True))
    lap("copy", lambda: _copies(pairs, out))
    lap("record", lambda: pack_all(results, "zh"))
    lap("audit (only in an audit)", lambda: audit(tables, scored, rulebooks, "zh"))
    return clock


def _copies(pairs: Sequence[tuple[Workbook, Form, FormResult]], out: Path) -> None:
    fill_all([Filling(book, [form], [result], out / book.path.name) for book, form, result in pairs], durable=False)


if __name__ == "__main__":
    sys.exit(main())
