"""Make the pictures of the documents: score the sample workbooks and show the first page of what comes out.

    python scripts/make_pictures.py [FOLDER]

Needs LibreOffice and Poppler, as ``scripts/render.py`` does.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from render import RenderError, render

import perfeval_xlsx as pe
from perfeval_xlsx.output.template import write_templates

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
SAMPLES = ROOT / "sample_workbooks"
FORM = "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
DPI = 90


def outputs(folder: Path) -> dict[str, Path]:
    """Write every kind of output from the samples into ``folder``; return the workbooks by their picture's name."""
    out = folder / "out"
    pe.score(SAMPLES, out=out)
    (blank,) = write_templates(folder / "blank", source=SAMPLES / FORM)
    found = {
        "scored": out / "scored" / FORM,
        "summary": out / "汇总.xlsx",
        "problems": out / "问题清单.xlsx",
        "template": blank,
    }
    return {name: path for name, path in found.items() if path.exists()}


def main(folder: Path = PICTURES) -> int:
    """Make every picture; return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for name, workbook in outputs(Path(scratch)).items():
                first = render(workbook, Path(scratch, "pages"), DPI)[0]
                print(shutil.copy(first, folder / f"{name}.png"))
        except RenderError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
