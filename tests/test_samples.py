"""The sample workbooks are what ``scripts/make_samples.py`` draws, and fit to print."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_workbooks"
PATHS = sorted(SAMPLES.rglob("*.xlsx"))


def draw(folder: Path) -> Path:
    subprocess.run([sys.executable, str(ROOT / "scripts" / "make_samples.py"), str(folder)], check=True, cwd=folder)
    return folder


def members(path: Path) -> list[tuple[str, tuple[int, ...], bytes]]:
    """Name, date and content of every member, in order: all but how zlib packed it."""
    with zipfile.ZipFile(path) as package:
        return [(item.filename, item.date_time, package.read(item)) for item in package.infolist()]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("drawn"))


def test_the_script_draws_the_committed_workbooks(drawn: Path) -> None:
    names = {path.relative_to(drawn) for path in drawn.rglob("*.xlsx")}
    assert names == {path.relative_to(SAMPLES) for path in PATHS}
    for name in sorted(names):
        assert members(drawn / name) == members(SAMPLES / name), name


def test_two_runs_write_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    again = draw(tmp_path)
    for path in drawn.rglob("*.xlsx"):
        assert path.read_bytes() == (again / path.relative_to(drawn)).read_bytes(), path.name


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_sheet_prints_on_a4_one_page_wide(path: Path) -> None:
    for sheet in openpyxl.load_workbook(path):
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToWidth in (None, 1)


def test_cached_values_are_those_of_the_formulas() -> None:
    """The formulas are sums, a product and a quotient: worked out here from the cells they name."""
    path = SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx"
    formulas = openpyxl.load_workbook(path)["项目自评表"]
    values = openpyxl.load_workbook(path, data_only=True)["项目自评表"]

    def column_sum(cells: str) -> float:
        return sum(cell.value for (cell,) in values[cells] if cell.value is not None)

    expected = {
        "D6": ("=SUM(D7:D9)", column_sum("D7:D9")),
        "E6": ("=SUM(E7:E9)", column_sum("E7:E9")),
        "F6": ("=SUM(F7:F9)", column_sum("F7:F9")),
        "H6": ("=F6/E6", values["F6"].value / values["E6"].value),
        "I6": ("=ROUND(G6*H6,2)", round(values["G6"].value * values["H6"].value, 2)),
        "G25": ("=G6+SUM(G13:G24)", values["G6"].value + column_sum("G13:G24")),
        "H25": ("=I6+SUM(H13:H24)", values["I6"].value + column_sum("H13:H24")),
    }
    found = {
        cell.coordinate: (cell.value, values[cell.coordinate].value)
        for row in formulas.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    assert found == {cell: (formula, pytest.approx(value)) for cell, (formula, value) in expected.items()}
