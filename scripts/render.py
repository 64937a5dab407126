"""Turn workbooks into pictures of their printed pages, to look at them.

    python scripts/render.py OUT_FOLDER WORKBOOK…

Needs LibreOffice (``soffice``) and Poppler (``pdftoppm``) on the PATH.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = {"soffice": "LibreOffice", "pdftoppm": "Poppler (poppler-utils)"}
TIMEOUT_SECONDS = 180


class RenderError(Exception):
    """Why a workbook cannot be shown."""


def require_programs() -> None:
    """Raise RenderError naming the programs that are not installed."""
    absent = [f"{program} ({name})" for program, name in PROGRAMS.items() if shutil.which(program) is None]
    if absent:
        raise RenderError(f"not found on the PATH: {', '.join(absent)}")


def render(workbook: Path, folder: Path, dpi: int = 80, height: int | None = None) -> list[Path]:
    """Print ``workbook`` to one PNG a page in ``folder``.

    Args:
        workbook: Anything LibreOffice opens.
        folder: Where the pictures go; made when missing.
        dpi: Resolution.
        height: Pixels of each page that are shown, from its top; None for whole pages.

    Returns:
        The pictures in page order, ``<name>-1.png`` ….

    Raises:
        RenderError: A program is missing, fails or takes too long.
    """
    require_programs()
    folder.mkdir(parents=True, exist_ok=True)
    for old in _pages(workbook, folder):
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        profile = f"-env:UserInstallation={Path(scratch, 'profile').as_uri()}"
        _run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", scratch, str(workbook))
        pdf = Path(scratch, f"{workbook.stem}.pdf")
        if not pdf.exists():
            raise RenderError(f"LibreOffice wrote no PDF for {workbook}")
        cut = [] if height is None else ["-x", "0", "-y", "0", "-H", str(height)]
        _run("pdftoppm", "-r", str(dpi), *cut, "-png", str(pdf), str(folder / workbook.stem))
    return _pages(workbook, folder)


def _pages(workbook: Path, folder: Path) -> list[Path]:
    """The pictures of ``workbook`` in ``folder``: its name, a hyphen, a number."""
    start = f"{workbook.stem}-"
    found = [path for path in folder.glob("*.png") if path.stem.startswith(start)]
    numbered = [path for path in found if path.stem[len(start) :].isdigit()]
    return sorted(numbered, key=lambda path: int(path.stem[len(start) :]))


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"{command[0]} took more than {TIMEOUT_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise RenderError(f"{command[0]} failed: {error.stderr.strip() or error.returncode}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the workbooks named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Turn workbooks into pictures of their printed pages.")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("workbooks", type=Path, nargs="+", metavar="WORKBOOK")
    parser.add_argument("--dpi", type=int, default=80)
    options = parser.parse_args(arguments)
    try:
        for workbook in options.workbooks:
            for picture in render(workbook, options.folder, options.dpi):
                print(picture)
    except RenderError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
