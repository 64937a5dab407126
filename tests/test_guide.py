"""The auditor's guide is followed word for word, in both languages."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import docx
import openpyxl
import pytest
from forms import ROOT, SAMPLES, perfeval, put

GUIDES = [ROOT / "docs" / "auditing.md", ROOT / "docs" / "auditing.en.md"]
ROAD = "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
LARGEST = 250_000
"""Bytes of a picture."""


def commands(guide: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def pictures(guide: Path) -> list[Path]:
    return [guide.parent / name for name in re.findall(r"\]\((pictures/[^)]+)\)", guide.read_text(encoding="utf-8"))]


def test_both_languages_give_the_same_commands_and_pictures() -> None:
    assert commands(GUIDES[0]) == commands(GUIDES[1])
    assert pictures(GUIDES[0]) == pictures(GUIDES[1])
    assert all(path.stat().st_size < LARGEST for path in pictures(GUIDES[0]))


@pytest.mark.slow
def test_every_command_of_the_guide_does_what_it_says(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "自评表")
    put(SAMPLES / "市教育局_部门整体支出绩效自评表.xlsx", tmp_path / "去年自评表" / "教育局.xlsx", "去年")
    (tmp_path / "名单.csv").write_text("单位名称\n临江市公路养护中心\n临江市体育局\n", encoding="utf-8")
    (tmp_path / "报告").mkdir()
    document = docx.Document()
    document.add_paragraph("2023年度自评得分为95分。")
    document.save(str(tmp_path / "报告" / "临江市公路养护中心绩效自评报告.docx"))
    said = []
    for line in commands(GUIDES[0]):
        program, *arguments = shlex.split(line)
        assert program == "perfeval"
        if "--since" in arguments and not (tmp_path / "六月").exists():
            book = openpyxl.load_workbook(tmp_path / "自评表" / ROAD)
            book.worksheets[0]["H13"] = 9
            book.save(tmp_path / "自评表" / ROAD)
        done = perfeval(*arguments, cwd=tmp_path)
        assert done.code in (0, 1), f"{line}\n{done.err}"
        said.append((arguments, done))

    run = {month: json.loads((tmp_path / month / "run.json").read_text(encoding="utf-8")) for month in ("五月", "六月")}
    assert [unit["org"] for unit in run["五月"]["units"] if unit["findings"][0]["code"] == "X06"] == ["临江市体育局"]
    assert "N01" in {finding["code"] for finding in run["六月"]["findings"]}
    for path in ("五月/批注/" + ROAD, "五月/退回/临江市公路养护中心.xlsx", "五月/复核表.xlsx", "定稿/scored/" + ROAD):
        assert (tmp_path / path).exists(), path
    listed = openpyxl.load_workbook(tmp_path / "六月" / "问题清单.xlsx")["问题明细"]
    assert {"新增", "未整改", "已整改"} <= {cell for row in listed.iter_rows(values_only=True) for cell in row}
    assert any("C02" in done.out and "H13" in done.out for arguments, done in said if arguments[0] == "explain")
