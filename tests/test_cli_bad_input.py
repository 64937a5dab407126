"""What is no form, or no workbook at all: a message that names the file and says what to do, and the run goes on."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from forms import NO_FORM, PROJECT, SEED, Done, content, perfeval, put


def docx(path: Path) -> None:
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/'
    types += 'document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main'
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("[Content_Types].xml", types + '+xml"/></Types>')
        package.writestr("word/document.xml", "<document/>")


def truncated(path: Path) -> None:
    path.write_bytes(SEED.read_bytes()[:5000])


def encrypted(path: Path) -> None:
    ooxml = pytest.importorskip("msoffcrypto.format.ooxml")
    with PROJECT.open("rb") as plain, path.open("wb") as locked:
        ooxml.OOXMLFile(plain).encrypt("secret", locked)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def web_page(path: Path) -> None:
    path.write_text("<html><table></table></html>", encoding="utf-8")


def lock_file(path: Path) -> None:
    path.write_bytes(b"\x05clerk" + bytes(160))


def no_form(path: Path) -> None:
    shutil.copyfile(NO_FORM, path)


CASES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "文档.xlsx": (docx, "failed", "B10"),
    "断.xlsx": (truncated, "failed", "B16"),
    "密.xlsx": (encrypted, "failed", "B06"),
    "空.xlsx": (empty, "failed", "B03"),
    "网页.xls": (web_page, "failed", "B12"),
    "~$锁.xlsx": (lock_file, "skipped", "B05"),
    "清单.xlsx": (no_form, "skipped", "R01"),
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A file of every bad kind."""
    folder = tmp_path_factory.mktemp("bad")
    for name, (make, *_) in CASES.items():
        make(folder / name)
    return [folder / name for name in CASES]


@pytest.fixture(scope="module")
def scored(bad: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, dict[str, Any], Path]:
    """One run over all of them and a good one: the command, its objects by file, its output folder."""
    out = tmp_path_factory.mktemp("out")
    good = put(PROJECT, tmp_path_factory.mktemp("good") / "好.xlsx")
    done = perfeval("score", *bad, good, "-o", out, "--json")
    return done, {Path(value["path"]).name: value for value in map(json.loads, done.out.splitlines())}, out


def test_the_run_goes_on_over_bad_files(scored: tuple[Done, dict[str, Any], Path]) -> None:
    done, objects, out = scored
    assert (done.code, set(objects)) == (1, {*CASES, "好.xlsx"})
    assert (objects["好.xlsx"]["status"], (out / objects["好.xlsx"]["copy"]).exists()) == ("scored", True)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_named_with_what_to_do(name: str, scored: tuple[Done, dict[str, Any], Path]) -> None:
    done, objects, _ = scored
    _, status, code = CASES[name]
    result = objects[name]
    assert (result["status"], result["sheet"], result["form"], result["copy"]) == (status, None, None, None)
    (finding,) = result["findings"]
    assert (finding["code"], bool(finding["message"]), bool(finding["suggestion"])) == (code, True, True)
    if status == "failed":
        assert name in done.err
        assert finding["suggestion"] in done.err


def test_what_is_skipped_is_no_failure(bad: list[Path], tmp_path: Path) -> None:
    skipped = [path for path in bad if CASES[path.name][1] == "skipped"]
    assert perfeval("score", *skipped, "-o", tmp_path, "-q").code == 0


def test_read_names_every_bad_file(bad: list[Path]) -> None:
    done = perfeval("read", *bad, "--json")
    assert (done.code, done.out) == (1, "")
    for name in CASES:
        assert name in done.err


@pytest.mark.parametrize("name", ["文档.xlsx", "清单.xlsx"])
def test_explain_says_why_there_is_nothing_to_explain(name: str, bad: list[Path]) -> None:
    done = perfeval("explain", next(path for path in bad if path.name == name), "总分")
    assert (done.code, done.out, bool(done.err)) == (1, "", True)


def test_a_missing_path_fails_alone(tmp_path: Path) -> None:
    done = perfeval("score", tmp_path / "没有.xlsx", SEED, "-o", tmp_path / "out")
    assert done.code == 1
    assert "没有.xlsx" in done.err
    assert "99" in done.err


@pytest.mark.parametrize("options", [["-o", "out"], ["--json"]])
@pytest.mark.parametrize("command", ["score", "audit"])
def test_where_no_path_exists_there_is_nothing_to_read(tmp_path: Path, command: str, options: list[str]) -> None:
    options = [option.replace("out", str(tmp_path / "out")) for option in options]
    done = perfeval(command, tmp_path / "没有.xlsx", *options)
    assert (done.code, (tmp_path / "out").exists()) == (3, False)
    assert "没有.xlsx" in done.err
    assert done.out.count('"status":"failed"') == options.count("--json")


@pytest.mark.parametrize("command", ["score", "read", "audit"])
def test_nothing_to_read_has_code_3(tmp_path: Path, command: str) -> None:
    (tmp_path / "空").mkdir()
    options = [] if command == "read" else ["-o", tmp_path / "out"]
    done = perfeval(command, tmp_path / "空", *options)
    assert (done.code, done.out, (tmp_path / "out").exists()) == (3, "", False)
    assert "空" in done.err
    assert ".xlsx" in done.err


def test_a_protected_sheet_is_scored_like_any_other(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(SEED)
    sheet: Any = book.active
    sheet.protection.set_password("secret")
    book.save(tmp_path / "保护.xlsx")
    done = perfeval("score", tmp_path / "保护.xlsx", "-o", tmp_path / "out", "--json", "-q")
    value = json.loads(done.out)
    assert (done.code, value["total"]) == (0, "99")
    copied: Any = openpyxl.load_workbook(tmp_path / "out" / value["copy"]).active
    assert copied.protection.sheet


def test_the_output_folder_may_lie_in_the_input_folder(tmp_path: Path) -> None:
    source, out = tmp_path / "报送", tmp_path / "报送" / "结果"
    put(SEED, source / "甲" / "表.xlsx")
    put(PROJECT, source / "乙" / "表.xlsx")
    first = perfeval("score", source, "-o", out, "--json", "-q")
    before = content(out)
    second = perfeval("score", source, "-o", out, "--json", "-q")
    assert (first.code, second.code, first.out) == (0, 0, second.out)
    assert len(first.out.splitlines()) == 2
    assert content(out) == before
    assert {path.relative_to(out / "scored").as_posix() for path in (out / "scored").rglob("*.xlsx")} == {
        "甲/表.xlsx", "乙/表.xlsx",
    }  # fmt: skip


def test_the_output_folder_may_be_the_input_folder(tmp_path: Path) -> None:
    put(SEED, tmp_path / "表.xlsx")
    runs = [perfeval("score", tmp_path, "-o", tmp_path, "--json", "-q") for _ in range(2)]
    assert [len(done.out.splitlines()) for done in runs] == [1, 1]
    assert (tmp_path / "表.xlsx").read_bytes() == SEED.read_bytes()


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    done = perfeval("score", SEED, "-o", tmp_path / "out")
    assert (done.code, "无法写入" in done.err) == (1, True)
