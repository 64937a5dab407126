"""The work list: what is read, in which order, and where its copy goes."""

from __future__ import annotations

import os
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.batch.discover import copy_name, digest_of, discover, sort_key
from perfeval_xlsx.data import load

OUTPUTS = load("run.toml")["outputs"]


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"PK")


def relatives(paths: list[Path], out: Path | None = None) -> list[str]:
    return [source.relative for source in sorted(discover(paths, out), key=lambda source: source.key)]


def test_a_folder_is_searched_throughout_in_the_order_of_a_person(tmp_path: Path) -> None:
    names = ["表10.xlsx", "表2.XLSX", "乡镇/表1.xlsm", "乡镇/深/表.xls", "表1.et", "b.ods"]
    touch(*(tmp_path / name for name in names))
    assert relatives([tmp_path]) == ["b.ods", "乡镇/深/表.xls", "乡镇/表1.xlsm", "表1.et", "表2.XLSX", "表10.xlsx"]


def test_what_is_no_input_is_left_out_without_a_word(tmp_path: Path) -> None:
    touch(
        *(tmp_path / name for name in ("~$表.xlsx", ".隐藏.xlsx", ".git/表.xlsx", "说明.docx", "表.xlsx", "数据.csv"))
    )
    assert relatives([tmp_path]) == ["表.xlsx"]


def test_a_named_file_is_always_listed(tmp_path: Path) -> None:
    named = [tmp_path / "说明.docx", tmp_path / "~$表.xlsx"]
    touch(*named)
    assert relatives(named) == ["~$表.xlsx", "说明.docx"]


def test_our_own_outputs_are_never_inputs(tmp_path: Path) -> None:
    out = tmp_path / "结果"
    touch(tmp_path / "表.xlsx", out / "scored" / "表.xlsx", out / OUTPUTS["summary"], out / OUTPUTS["findings"])
    assert relatives([tmp_path], out) == ["表.xlsx"]
    assert len(relatives([tmp_path])) == 4, "without a marker a folder of that name is like any other"
    touch(out / OUTPUTS["manifest"])
    assert relatives([tmp_path]) == ["表.xlsx"]
    touch(tmp_path / OUTPUTS["manifest"], tmp_path / "scored" / "表.xlsx", tmp_path / OUTPUTS["reviews"])
    assert relatives([tmp_path], tmp_path) == ["表.xlsx"], "the output folder may be the input folder"


def test_equal_names_do_not_collide(tmp_path: Path) -> None:
    first, second = tmp_path / "甲" / "表.xlsx", tmp_path / "乙" / "表.xlsx"
    touch(first, second)
    assert relatives([tmp_path]) == ["乙/表.xlsx", "甲/表.xlsx"]
    assert sorted(relatives([first, second])) == ["表 (2).xlsx", "表.xlsx"]
    assert relatives([tmp_path / "甲", tmp_path / "乙"]) == ["乙/表.xlsx", "甲/表.xlsx"]
    touch(tmp_path / "丙" / "甲" / "表.xlsx")
    assert sorted(relatives([tmp_path / "甲", tmp_path / "丙" / "甲"])) == ["甲 (2)/表.xlsx", "甲/表.xlsx"]


def test_the_same_file_is_listed_once(tmp_path: Path) -> None:
    touch(tmp_path / "表.xlsx")
    assert relatives([tmp_path, tmp_path / "表.xlsx", tmp_path]) == [f"{tmp_path.name}/表.xlsx"]


def test_a_missing_path_is_a_problem_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "表.xlsx")
    sources = list(discover([tmp_path / "没有.xlsx", tmp_path / "表.xlsx"]))
    assert [source.problem and source.problem.code for source in sources] == ["B01", None]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind neither Windows nor root")
def test_a_folder_that_may_not_be_listed_is_a_problem_of_its_own(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    touch(tmp_path / "表.xlsx", closed / "表.xlsx")
    closed.chmod(0)
    try:
        assert [source.problem and source.problem.code for source in discover([tmp_path])] == ["B04", None]
    finally:
        closed.chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="Windows names are text")
def test_a_name_of_undecodable_bytes_is_read_and_shown(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.xlsx"))).write_bytes(b"PK")
    (source,) = discover([tmp_path])
    source.relative.encode("utf-8")
    source.shown.encode("utf-8")
    assert Path(source.path).exists()


@pytest.mark.parametrize(
    ("name", "copy"), [("表.xlsx", "表.xlsx"), ("a/表.XLSM", "a/表.XLSM"), ("表.et", "表.et.xlsx")]
)
def test_a_copy_keeps_its_name_where_the_format_can_be_kept(name: str, copy: str) -> None:
    assert copy_name(name) == copy


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), unique=True, min_size=2, max_size=6))
def test_different_paths_have_different_keys(paths: list[str]) -> None:
    assert len({sort_key(path) for path in paths}) == len(paths)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_in_names_sort_by_value(first: int, second: int) -> None:
    if first != second:
        assert (sort_key(f"表{first}.xlsx") < sort_key(f"表{second}.xlsx")) == (first < second)


def test_a_digest_takes_no_memory_whatever_the_size_of_the_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 80_000
    (tmp_path / "汇总.xlsx").write_bytes(content)
    tracemalloc.start()
    try:
        found = digest_of(tmp_path / "汇总.xlsx")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == sha256(content).hexdigest()
    assert most < 1 << 20
    assert digest_of(tmp_path / "没有.xlsx") == ""
