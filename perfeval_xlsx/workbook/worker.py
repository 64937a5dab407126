"""The process in which foreign libraries read foreign formats: bounded memory, bounded time, nothing shared but bytes.

A Rust panic, an abort or an endless loop there costs one file, never the run. Request and answer are one line of JSON,
each followed by bytes where there are any; the parent never unpickles what the process says.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from perfeval_xlsx.findings import Finding, PerfevalError, cause_of
from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet
from perfeval_xlsx.workbook.look import Contents, LaidSheet, Look
from perfeval_xlsx.workbook.refusals import refuse


def ask(
    task: str, data: bytes, name: str, limits: Limits, asked: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], bytes]:
    """Have a fresh process do a task.

    Args:
        task: ``xls``, ``xlsb``, ``decrypt`` or ``formulas``.
        data: The file's bytes.
        name: The file's name, for messages.
        limits: Bounds, the process's own included.
        asked: What else the task takes: ``passwords`` to try, ``cells`` to compute.

    Returns:
        The answer, and the bytes behind it.

    Raises:
        PerfevalError: The process says so, died, took too long, or cannot be started.
    """
    request = {"task": task, "limits": dataclasses.asdict(limits), **(asked or {})}
    command = [sys.executable, "-P", "-c", f"from {__name__} import main; main()"]
    # The child finds what this process finds, and never a module that happens to lie in the current folder.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            command, input=json.dumps(request).encode() + b"\n" + data, env=environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=limits.worker_seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise refuse(why.TOO_SLOW, name, str(limits.worker_seconds)) from error
    except OSError as error:
        raise refuse(why.NOT_STARTED, name, detail=cause_of(error), python=sys.executable) from error
    head, _, rest = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise refuse(why.DIED, name)
    answer: dict[str, Any] = json.loads(head)
    if "refused" in answer:
        raise PerfevalError(Finding(**answer["refused"]))
    return answer, rest


def contents_of(answer: dict[str, Any]) -> Contents:
    """Return the contents a worker's answer describes."""
    return Contents(
        answer["format"],
        [_laid(index, sheet) for index, sheet in enumerate(answer["sheets"])],
        [Look(*look) for look in answer["looks"]],
        answer["date1904"],
        answer["protected"],
        answer["lost"],
    )


def _laid(index: int, said: dict[str, Any]) -> LaidSheet:
    cells = {(row, column): Cell(*cell) for row, column, *cell in said["cells"]}
    merges = [Merge(*merge) for merge in said["merges"]]
    hidden = set(said["hidden_rows"]), set(said["hidden_columns"])
    sheet = Sheet(said["name"], index, said["state"], cells, merges, *hidden, said["protected"])
    blanks = {(row, column): style for row, column, style in said["blanks"]}
    return LaidSheet(sheet, blanks, dict(said["widths"]), dict(said["heights"]))


def _said(contents: Contents) -> dict[str, Any]:
    """Return contents as JSON takes them."""
    said = {name: getattr(contents, name) for name in ("format", "looks", "date1904", "protected", "lost")}
    return said | {"sheets": [_said_sheet(laid) for laid in contents.sheets]}


def _said_sheet(laid: LaidSheet) -> dict[str, Any]:
    sheet = laid.sheet
    return {
        "name": sheet.name, "state": sheet.state, "merges": sheet.merges, "protected": sheet.protected,
        "cells": [[*place, *cell] for place, cell in sheet.cells.items()],
        "hidden_rows": sorted(sheet.hidden_rows), "hidden_columns": sorted(sheet.hidden_columns),
        "blanks": [[*place, style] for place, style in laid.blanks.items()],
        "widths": list(laid.widths.items()), "heights": list(laid.heights.items()),
    }  # fmt: skip


def _work(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Do a task in this process."""
    limits = Limits(**request["limits"])
    if request["task"] == "decrypt":
        from perfeval_xlsx.workbook.crypto import unlock

        return {}, unlock(data, request["passwords"])
    if request["task"] == "formulas":
        from perfeval_xlsx.workbook.formulas import results

        return results(data, request["cells"], limits), b""
    if request["task"] == "xls":
        from perfeval_xlsx.workbook.legacy_xls import read_xls

        return _said(read_xls(data, limits)), b""
    from perfeval_xlsx.workbook.legacy_calamine import read_calamine

    return _said(read_calamine(data, request["task"], limits, why.VALUES_ONLY)), b""


def _bound(limits: dict[str, int]) -> None:
    """Bound this process's address space where the system can."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = limits["worker_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _refusal(error: BaseException) -> dict[str, Any]:
    """Return what the parent is to raise; a panic of a Rust library is no ``Exception``."""
    if isinstance(error, PerfevalError):
        return {"refused": dataclasses.asdict(error.finding)}
    detail = str(error)[:200] or type(error).__name__
    return {"refused": dataclasses.asdict(Finding(why.DAMAGED, args={"detail": detail}))}


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Read one request, write its answer."""
    request = json.loads(source.readline())
    _bound(request["limits"])
    try:
        answer, rest = _work(request, source.read())
    except BaseException as error:
        answer, rest = _refusal(error), b""
    target.write(json.dumps(answer).encode() + b"\n" + rest)
    target.flush()


def main() -> None:
    """Serve one request from standard input to standard output; what a library prints goes elsewhere."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, answers)
