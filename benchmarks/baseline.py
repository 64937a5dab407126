"""The other side of the comparison: the script one would write with openpyxl and pandas.

    python benchmarks/baseline.py IN_FOLDER OUT_FOLDER [JOBS]

It loads every workbook twice (openpyxl hands over either cached values or formulas), scores numeric targets with pandas
and saves. It knows one layout, no text values, no bounds and no findings, and writes neither summary nor report.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

HEADERS = {
    "name": "三级指标", "target": "年度指标值", "actual": "实际完成值", "weight": "分值", "score": "得分",
}  # fmt: skip
FIGURE = re.compile(r"-?\d+(?:\.\d+)?")
SCALES = {"亿": 1e8, "万": 1e4, "%": 0.01}


def figure(value: Any) -> float | None:
    """Return the first number of a cell in base units, None where there is none."""
    if isinstance(value, int | float):
        return float(value)
    text = str(value or "").replace(",", "")
    match = FIGURE.search(text)
    if match is None:
        return None
    scale = next((scale for mark, scale in SCALES.items() if mark in text), 1.0)
    return float(match[0]) * scale


def table(rows: Sequence[Sequence[Any]]) -> tuple[pd.DataFrame, int] | None:
    """Return the indicators below the header and the 1-based column of their scores, None where there is no header."""
    for number, row in enumerate(rows, 1):
        labels = ["".join(str(cell or "").split()) for cell in row]
        if all(label in labels for label in HEADERS.values()):
            at = {name: labels.index(label) for name, label in HEADERS.items()}
            body = [
                [below, *(cells[column] for column in at.values())]
                for below, cells in enumerate(rows[number:], number + 1)
            ]
            return pd.DataFrame(body, columns=["row", *at]), at["score"] + 1
    return None


def scores(indicators: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with points, scored in proportion of actual to target."""
    points = pd.to_numeric(indicators["weight"], errors="coerce")
    kept = indicators[points.notna() & indicators["name"].notna()]
    target, actual = (kept[name].map(figure).astype(float) for name in ("target", "actual"))
    lower = kept["target"].astype(str).str.startswith("≤")
    ratio = (actual / target).mask(lower, target / actual).clip(upper=1.0).fillna(1.0)
    return kept.assign(score=(points[kept.index] * ratio).round(2))


def score_file(source: Path, copy: Path) -> bool:
    """Score one workbook into ``copy``; False where it holds no form."""
    shown = openpyxl.load_workbook(source, data_only=True)
    kept = openpyxl.load_workbook(source)
    for sheet in shown.worksheets:
        found = table(list(sheet.iter_rows(values_only=True)))
        if found is not None:
            indicators, column = found
            scored = scores(indicators)
            for row, value in zip(scored["row"], scored["score"], strict=True):
                kept[sheet.title].cell(int(row), column).value = float(value)
            kept.save(copy)
            return True
    return False


def main(arguments: Sequence[str]) -> int:
    """Score a folder; print forms and seconds as one JSON line."""
    source, out = Path(arguments[0]), Path(arguments[1])
    jobs = int(arguments[2]) if len(arguments) > 2 else 1
    out.mkdir(parents=True, exist_ok=True)
    paths = sorted(source.glob("*.xlsx"))
    copies = [out / path.name for path in paths]
    start = time.perf_counter()
    if jobs == 1:
        done = list(map(score_file, paths, copies))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            done = list(pool.map(score_file, paths, copies, chunksize=8))
    seconds = time.perf_counter() - start
    print(json.dumps({"forms": sum(done), "seconds": round(seconds, 3), "jobs": jobs}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
