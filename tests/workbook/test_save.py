"""The copy appears whole or not at all, and the input is never touched."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.workbook import open_workbook, save, save_copy
from perfeval_xlsx.workbook.repack import rebuild

from .make import members_of, opened, pack, parts, sheet_xml, texts

ROWS = '<row r="1"><c r="A1"><v>1</v></c></row>'
DATA = pack(parts(sheet_xml(ROWS)) | {"xl/media/image1.png": os.urandom(200_000)})
SAMPLES = sorted((Path(__file__).parents[2] / "sample_workbooks").rglob("*.xlsx"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "自评表.xlsx"
    path.write_bytes(DATA)
    return path


def refused_code(source: Path, target: Path) -> tuple[str, str | None]:
    with pytest.raises(PerfevalError) as refused:
        save_copy(open_workbook(source), {0: {(1, 1): 2}}, target)
    return refused.value.finding.code, refused.value.finding.found


def test_the_copy_replaces_an_older_one_and_leaves_no_other_file(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "新文件夹" / "深" / "自评表.xlsx"
    for value in (2, 3):
        assert save_copy(open_workbook(source), {0: {(1, 1): value}}, target) == []
        assert texts(open_workbook(target).sheet(0)) == {(1, 1): str(value)}
    assert [path.name for path in target.parent.iterdir()] == ["自评表.xlsx"]
    assert source.read_bytes() == DATA


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_copied_with_every_other_member_as_it_was(sample: Path, tmp_path: Path) -> None:
    book = open_workbook(sample)
    assert book.digest == sha256(sample.read_bytes()).hexdigest()
    edits = {index: {(3, 2): 1.5} for index in range(len(book.sheet_names))}
    save_copy(book, edits, tmp_path / "copy.xlsx", durable=False)
    before, after = members_of(sample.read_bytes()), members_of((tmp_path / "copy.xlsx").read_bytes())
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"xl/workbook.xml", *(name for name in before if name.startswith("xl/worksheets/sheet"))}


def test_the_input_itself_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    assert refused_code(source, source) == ("B28", "自评表.xlsx")
    assert refused_code(source, tmp_path / "." / "x" / ".." / "自评表.xlsx") == ("B28", "自评表.xlsx")
    link = tmp_path / "link.xlsx"
    try:
        link.symlink_to(source)
    except OSError:
        pytest.skip("this system makes no links")
    assert refused_code(source, link) == ("B28", "link.xlsx")
    assert source.read_bytes() == DATA


def test_a_target_that_is_a_folder_or_below_a_file_is_a_finding(source: Path, tmp_path: Path) -> None:
    (tmp_path / "夹.xlsx").mkdir()
    assert refused_code(source, tmp_path / "夹.xlsx") == ("B26", "夹.xlsx")
    assert refused_code(source, source / "copy.xlsx") == ("B26", "copy.xlsx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["夹.xlsx", "自评表.xlsx"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_finding(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "只读"
    folder.mkdir()
    folder.chmod(0o500)
    assert refused_code(source, folder / "copy.xlsx") == ("B26", "copy.xlsx")
    assert list(folder.iterdir()) == []


def few_bytes(file: int, content: Any, *, write: Any = os.write) -> int:
    """``os.write`` of a file that takes a few bytes at a time."""
    return int(write(file, bytes(content)[:100]))


def no_space(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def filling_up(file: int, content: Any) -> int:
    """``os.write`` on a disk that fills up."""
    if os.fstat(file).st_size:
        no_space()
    return few_bytes(file, content)


def test_a_file_that_takes_a_few_bytes_at_a_time_is_written_whole(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = open_workbook(source)
    save_copy(book, {0: {(1, 1): 2}}, tmp_path / "usual.xlsx")
    monkeypatch.setattr(save.os, "write", few_bytes)
    save_copy(book, {0: {(1, 1): 2}}, tmp_path / "slow.xlsx")
    monkeypatch.undo()
    assert (tmp_path / "slow.xlsx").read_bytes() == (tmp_path / "usual.xlsx").read_bytes()


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
def test_a_failing_step_leaves_the_older_copy_and_no_other_file(
    step: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "copy.xlsx"
    save_copy(open_workbook(source), {0: {(1, 1): 2}}, target)
    old = target.read_bytes()
    book = opened(DATA)
    monkeypatch.setattr(save.os, step, filling_up if step == "write" else no_space)
    with pytest.raises(PerfevalError) as refused:
        save_copy(book, {0: {(1, 1): 3}}, target)
    monkeypatch.undo()
    assert refused.value.finding.code == "B26"
    assert "磁盘空间已满" in refused.value.finding.text()
    assert target.read_bytes() == old
    assert [path.name for path in target.parent.iterdir()] == ["copy.xlsx"]


def test_a_copy_that_does_not_verify_is_not_kept(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(package: object, replaced: dict[str, bytes]) -> bytes:
        return rebuild(package, {name: part.replace(b"<v>2</v>", b"<v>5</v>") for name, part in replaced.items()})  # type: ignore[arg-type]

    monkeypatch.setattr(save, "rebuild", wrong)
    assert refused_code(source, tmp_path / "copy.xlsx")[0] == "B27"
    assert [path.name for path in tmp_path.iterdir()] == ["自评表.xlsx"]


def test_what_is_checked_is_what_the_disk_gives_back(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = open_workbook(source)

    def garbled(file: int, size: int, *, read: Any = os.read) -> bytes:
        return bytes(read(file, size)).replace(b"PK\3\4", b"PK\3\5", 1)

    monkeypatch.setattr(save.os, "read", garbled)
    with pytest.raises(PerfevalError) as refused:
        save_copy(book, {0: {(1, 1): 2}}, tmp_path / "copy.xlsx")
    monkeypatch.undo()
    assert refused.value.finding.code == "B27"
    assert [path.name for path in tmp_path.iterdir()] == ["自评表.xlsx"]


@pytest.mark.parametrize("damage", ["member", "cell lost", "cell gained", "not xml"])
def test_verification_finds_every_kind_of_damage(damage: str) -> None:
    book = opened(DATA)
    sheet = "xl/worksheets/sheet1.xml"
    part = members_of(DATA)[sheet].replace(b"<v>1</v>", b"<v>2</v>")
    more = {
        "member": {"xl/media/image1.png": b"other"},
        "cell lost": {sheet: part.replace(b'r="A1"', b'r="B1"')},
        "cell gained": {sheet: part.replace(b"</c>", b'</c><c r="B1"><v>1</v></c>')},
        "not xml": {sheet: part[:-1]},
    }[damage]
    content = rebuild(book.package, {sheet: part} | more)
    with pytest.raises(PerfevalError) as refused:
        save.verify(book, content, {0: {(1, 1): 2}}, {sheet: part})
    assert refused.value.finding.code == "B27"
    save.verify(book, rebuild(book.package, {sheet: part}), {0: {(1, 1): 2}}, {sheet: part})


@pytest.mark.parametrize("field", [16, 20, 24])
def test_a_directory_that_tells_another_checksum_or_size_of_a_member_is_found(field: int) -> None:
    book = opened(DATA)
    sheet = "xl/worksheets/sheet1.xml"
    part = members_of(DATA)[sheet].replace(b"<v>1</v>", b"<v>2</v>")
    content = rebuild(book.package, {sheet: part})
    place = content.rindex(b"xl/media/image1.png") - 46 + field
    damaged = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    with pytest.raises(PerfevalError) as refused:
        save.verify(book, damaged, {0: {(1, 1): 2}}, {sheet: part})
    assert refused.value.finding.code == "B27"


KILLED = """
    import sys
    from perfeval_xlsx.workbook import open_workbook, save_copy
    book = open_workbook(sys.argv[1])
    print("ready", flush=True)
    value = 10
    while True:
        value += 1
        save_copy(book, {0: {(1, 1): value}}, sys.argv[2])
"""


@pytest.mark.slow
def test_a_process_killed_while_it_saves_leaves_the_old_copy_or_the_new_one(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "copy.xlsx"
    save_copy(open_workbook(source), {0: {(1, 1): 2}}, target)
    seen = set()
    for kill in range(8):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(source), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == b"ready"
            time.sleep(0.004 * kill)
            process.kill()
        copy = open_workbook(target)
        seen.add(copy.sheet(0).cells[1, 1].text)
        assert members_of(target.read_bytes())["xl/media/image1.png"] == members_of(DATA)["xl/media/image1.png"]
        left = [path.name for path in target.parent.iterdir() if path != target]
        assert all(name.startswith(".") and name.endswith(".tmp") for name in left)
    assert len(seen) > 1
    assert source.read_bytes() == DATA
