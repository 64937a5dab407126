"""Make the pictures of the documents: score and audit the sample workbooks and show a page of what comes out.

    python scripts/make_pictures.py [FOLDER]

Needs LibreOffice and Poppler, as ``scripts/render.py`` does.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from render import RenderError, render

import perfeval_xlsx as pe
from perfeval_xlsx.output.template import write_templates

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
SAMPLES = ROOT / "sample_workbooks"
FORM = "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
ORG = "临江市公路养护中心"
CORRECTED = {"H13": 9, "H15": 9.73, "H16": 5}
"""Scores of FORM that the department puts right before the second audit."""


@dataclass(frozen=True)
class Picture:
    """What a picture shows: a page of a workbook, cut off below ``height`` pixels where that is not None."""

    workbook: Path
    page: int = 1
    dpi: int = 90
    height: int | None = None


def outputs(folder: Path) -> dict[str, Picture]:
    """Write every kind of output from the samples into ``folder``; return what shows them by their picture's name."""
    out = folder / "out"
    pe.score(SAMPLES, out=out)
    (blank,) = write_templates(folder / "blank", source=SAMPLES / FORM)
    scored = {
        "scored": Picture(out / "scored" / FORM),
        "summary": Picture(out / "汇总.xlsx"),
        "problems": Picture(out / "问题清单.xlsx"),
        "template": Picture(blank),
    }
    return {name: picture for name, picture in (scored | _audits(folder)).items() if picture.workbook.exists()}


def _audits(folder: Path) -> dict[str, Picture]:
    """Audit the samples, put some findings right, and audit them again."""
    forms, may, june = folder / "自评表", folder / "五月", folder / "六月"
    shutil.copytree(SAMPLES, forms)
    roster = folder / "名单.csv"
    roster.write_text(f"单位名称\n{ORG}\n临江市体育局\n", encoding="utf-8")
    pe.audit(forms, out=may, annotate=True, due="2024年5月31日", roster=roster)
    book = openpyxl.load_workbook(forms / FORM)
    for cell, value in CORRECTED.items():
        book.worksheets[0][cell] = value
    book.save(forms / FORM)
    pe.audit(forms, out=june, since=may / "run.json", roster=roster)
    return {
        "audit_departments": Picture(may / "问题清单.xlsx", height=360),
        "audit_findings": Picture(may / "问题清单.xlsx", 2),
        "audit_letter": Picture(may / "退回" / f"{ORG}.xlsx"),
        "audit_annotated": Picture(may / "批注" / FORM, dpi=160, height=620),
        "audit_review": Picture(may / "复核表.xlsx"),
        "audit_since": Picture(june / "问题清单.xlsx", height=360),
    }


def main(folder: Path = PICTURES) -> int:
    """Make every picture; return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for name, picture in outputs(Path(scratch)).items():
                pages = render(picture.workbook, Path(scratch, "pages"), picture.dpi, picture.height)
                print(shutil.copy(pages[picture.page - 1], folder / f"{name}.png"))
        except RenderError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
