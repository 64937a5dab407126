"""`--rules FILE`: what is refused, with file, line, key and reason; what may be built on what."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.scoring.rulebook import Tier
from perfeval_xlsx.scoring.rulebook_file import load_rulebook
from perfeval_xlsx.scoring.rulebook_text import describe
from perfeval_xlsx.scoring.rulebook_toml import key_lines

DATA = tomllib.loads((Path(__file__).parent / "rulebook" / "refusals.toml").read_text(encoding="utf-8"))
HEAD: str = DATA["head"]
CASES: list[dict[str, Any]] = DATA["case"]


def text_of(case: dict[str, Any]) -> str:
    head = HEAD.replace(*case["swap"]) if "swap" in case else HEAD
    if case.get("whole"):
        return str(case["text"])
    return str(case["text"]) + head if case.get("before") else head + str(case["text"])


def refused(path: str | Path) -> PerfevalError:
    with pytest.raises(PerfevalError) as error:
        load_rulebook(path)
    return error.value


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_wrong_file_is_refused(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("self.toml").write_text(text_of(case), encoding="utf-8")
    finding = refused("self.toml").finding
    assert finding.code == "Q02"
    for lang, start in (("zh", "规则文件 self.toml "), ("en", "Rulebook file self.toml, ")):
        message = finding.text(lang=lang)  # type: ignore[arg-type]
        assert message.startswith(start)
        rest = message.removeprefix(start)
        assert rest.startswith(case[lang]) if case.get("begins") else rest == case[lang]
        assert finding.text("suggestion", lang)  # type: ignore[arg-type]


def test_the_head_alone_is_right(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(HEAD, encoding="utf-8")
    own, national = load_rulebook(path), load_rulebook("national-2020")
    assert (own.id, own.title, own.document, own.extends) == ("own", "自定规则", "某财〔2024〕1号", "national-2020")
    assert (own.grades, own.quantitative, own.deadline) == (national.grades, national.quantitative, national.deadline)
    assert own.path == str(path)
    assert own.provinces == ()
    assert own.effective == (None, None)


BYTES = [
    (HEAD.encode("gbk"), "第 3 行，不是UTF-8编码（像是 GBK）；请在编辑器中另存为UTF-8"),
    (HEAD.encode("utf-16"), "第 1 行，不是UTF-8编码（像是 UTF-16）；请在编辑器中另存为UTF-8"),
    (b"\x81\xff\x00" * 9, "第 1 行，不是UTF-8编码；请在编辑器中另存为UTF-8"),
    ((HEAD + "x = " + "[" * 5000 + "]" * 5000).encode(), "嵌套过深"),
]


@pytest.mark.parametrize(("content", "message"), BYTES)
def test_bytes_that_are_no_toml(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    text = refused(path).finding.text()
    assert str(path) in text
    assert message in text


@pytest.mark.parametrize("content", [HEAD.encode("utf-8-sig"), HEAD.replace("\n", "\r\n").encode()])
def test_what_editors_do_to_a_text_file_is_no_fault(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    assert load_rulebook(path).id == "own"


def test_a_file_too_big_for_a_rulebook(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(HEAD.encode() + b"#" * 1024 * 1024)
    finding = refused(path).finding
    assert finding.code == "Q01"
    assert finding.text() == f"规则“{path}”不能使用：文件超过 1048576 字节，不像规则文件"
    assert finding.text(lang="en") == f"Rulebook {path} cannot be used: is over 1048576 bytes and hardly a rulebook"


def test_neither_an_id_nor_a_file(tmp_path: Path) -> None:
    finding = refused(str(tmp_path / "none.toml")).finding
    assert finding.code == "Q01"
    assert "national-2020, national-2021-core, sichuan-2023" in finding.text()
    assert refused("natoinal-2020").finding.text(lang="en").startswith("Rulebook natoinal-2020 cannot be used: neither")
    assert refused(tmp_path).finding.code == "Q01"


def test_a_circle_of_files_is_named(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        text = HEAD.replace("national-2020", f"{other}.toml")
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    text = refused(tmp_path / "a.toml").finding.text()
    assert (
        text == f"规则文件 {tmp_path / 'c.toml'} 第 7 行，rulebook.extends 循环沿用：a.toml → b.toml → c.toml → a.toml"
    )


def test_a_file_on_a_file_on_a_builtin(tmp_path: Path) -> None:
    """Sections are inherited key by key, the head never; a key's whole value is replaced."""
    province, city = tmp_path / "province.toml", tmp_path / "city.toml"
    province.write_text(
        HEAD.replace("own", "province").replace("national-2020", "hubei-2020")
        + 'provinces = ["湖北"]\n[execution]\nreason_below = 0.8\narticle = "省"\nsupport = "filed"\n',
        encoding="utf-8",
    )
    city.write_text(
        HEAD.replace("own", "city").replace("national-2020", "province.toml")
        + '[qualitative.default]\npartial = 0.5\narticle = "市"\nsupport = "judgement"\n',
        encoding="utf-8",
    )
    book = load_rulebook(city)
    assert (book.execution.points, book.execution.reason_below, book.execution.source.article) == (20, 0.8, "省")
    assert book.qualitative.tiers[1] == Tier("partial", "部分达成预期指标并具有一定效果", 0.5, 0.8, 0.5)
    assert book.qualitative.default_source is not None
    assert book.qualitative.default_source.article == "市"
    assert book.provinces == ()
    assert book.quantitative == load_rulebook("hubei-2020").quantitative


def test_a_fault_in_the_file_below_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(HEAD + "[execution]\nx = 1\n", encoding="utf-8")
    (tmp_path / "own.toml").write_text(HEAD.replace("national-2020", "base.toml"), encoding="utf-8")
    assert refused(tmp_path / "own.toml").finding.args["file"] == str(tmp_path / "base.toml")


def test_support_is_capped_by_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(HEAD.replace('"filed"', '"unverified"'), encoding="utf-8")
    book = load_rulebook(path)
    assert book.document_support == "unverified"
    assert book.quantitative.source.support == "unverified"
    assert book.deadline.source.support == "judgement"
    assert book.support == "judgement"


def test_digests_follow_every_byte_of_a_file_and_of_what_it_extends(tmp_path: Path) -> None:
    base, own = tmp_path / "base.toml", tmp_path / "own.toml"
    base.write_text(HEAD, encoding="utf-8")
    own.write_text(HEAD.replace("national-2020", "base.toml"), encoding="utf-8")
    first = load_rulebook(own).digest
    assert first == load_rulebook(own).digest
    assert len(first) == 64
    base.write_text(HEAD + "# 注\n", encoding="utf-8")
    second = load_rulebook(own).digest
    own.write_text(HEAD.replace("national-2020", "base.toml") + "\n", encoding="utf-8")
    assert len({first, second, load_rulebook(own).digest}) == 3


def test_a_copy_of_a_builtin_is_that_builtin_and_nothing_else_may_have_its_id(tmp_path: Path) -> None:
    source = Path(__file__).parent.parent / "perfeval_xlsx" / "data" / "rules" / "national-2020.toml"
    copy = tmp_path / "copy.toml"
    copy.write_bytes(source.read_bytes())
    assert load_rulebook(copy).digest == load_rulebook("national-2020").digest
    copy.write_bytes(source.read_bytes() + b"\n")
    assert "national-2020" in refused(copy).finding.text()


def test_the_line_of_every_key() -> None:
    text = 'a = 1\n[b]\nc = [\n  { d = 1 },\n  { d = """x\ny""" },\n]\n[[e]]\nf = 1 # g = 2\n[[e]]\n"名 称" = 2\n'
    lines = key_lines(text)
    assert lines["a",] == 1
    assert lines["b", "c"] == 3
    assert (lines["b", "c", 0, "d"], lines["b", "c", 1, "d"]) == (4, 5)
    assert (lines["e", 0, "f"], lines["e", 1, "名 称"]) == (9, 11)


def test_a_bureau_s_own_switches_are_described(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        HEAD
        + '[cost]\nnone_at_most = 5\narticle = "第5条"\nsupport = "filed"\n'
        + '[quantitative]\npass_line = 0.6\narticle = "第6条"\nsupport = "unverified"\n'
        + '[checks]\narticle = "第7条"\nsupport = "filed"\n[checks.C08]\nrows = 5\n[checks.T04]\nenabled = false\n',
        encoding="utf-8",
    )
    zh, en = (describe(load_rulebook(path), lang) for lang in ("zh", "en"))  # type: ignore[arg-type]
    for line in (
        "  没有设置成本指标的，成本得分最高：5", "  依据：第5条 [已见于实际表格]", "  及格线（低于得0分，0表示不设）：60%",
        "  依据：第6条 [未核对原文]", "  C08 多项指标成倍超额，指标值可能偏低：达到此行数即报告 = 5", "  T04 全部指标满分：停用",
    ):  # fmt: skip
        assert line in zh.split("\n")
    for line in (
        "  points for cost at most where no cost indicator is set: 5", "  Basis: 第6条 [text not verified]",
        "  T04 Everything is full: off",
    ):  # fmt: skip
        assert line in en.split("\n")
