"""Folders of forms to run commands on: the sample workbooks, made different from each other without changing a cell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_workbooks"
SEED = SAMPLES / "市教育局_部门整体支出绩效自评表.xlsx"
PROJECT = SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx"
NO_FORM = SAMPLES / "2023年度项目库清单.xlsx"


def put(source: Path, target: Path, mark: str = "") -> Path:
    """Copy a workbook; a ``mark`` makes its bytes, not its cells, differ from every other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if mark:
        with zipfile.ZipFile(target, "a") as package:
            package.comment = mark.encode()
    return target


def folder_of(folder: Path, count: int, source: Path = PROJECT) -> Path:
    """A folder of ``count`` different files with the same form."""
    for number in range(count):
        put(source, folder / f"{number // 10}组" / f"表{number}.xlsx", f"{number}")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes, the run's own record and lock aside."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".perfeval"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def content(folder: Path) -> dict[str, object]:
    """As ``tree``, with a workbook's members in the place of its bytes, but for the time it was written."""
    return {name: members(folder / name) if name.endswith(".xlsx") else data for name, data in tree(folder).items()}


def members(path: Path) -> dict[str, bytes]:
    """The members of a workbook but for its properties, which hold the time it was written."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist() if not name.startswith("docProps/")}


def start(*arguments: object, env: Mapping[str, str] | None = None, **options: object) -> subprocess.Popen[bytes]:
    """Start the command line as a user does."""
    command = [sys.executable, "-m", "perfeval_xlsx", *map(str, arguments)]
    whole = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(command, env=whole, **streams)  # type: ignore[call-overload,no-any-return]


def perfeval(*arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Done:
    """Run the command line to its end."""
    process = start(*arguments, env=env, cwd=cwd)
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


class Done:
    """What a command came to: exit code, bytes of stdout, text of stderr."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code, self.raw = code, out
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")
        assert "Traceback" not in self.err, self.err
        assert "Traceback" not in self.out, self.out
