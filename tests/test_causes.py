"""What the system says when it refuses something, in the user's language wherever it is told."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from perfeval_xlsx import workbook
from perfeval_xlsx.batch.copies import removed
from perfeval_xlsx.batch.lock import locked
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError, cause_of, cause_text
from perfeval_xlsx.workbook import open_workbook
from perfeval_xlsx.workbook.refusals import over

NAMES = (
    "ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "ENOENT", "EBUSY", "EIO", "ESTALE", "EFBIG", "ENAMETOOLONG",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_common_causes_have_words_in_both_languages(name: str) -> None:
    number = getattr(errno, name)
    error = OSError(number, os.strerror(number), "文件.xlsx")
    assert cause_of(error) == name
    finding = Finding("B26", found="文件.xlsx", args={"detail": cause_of(error)})
    for lang in ("zh", "en"):
        words = load("terms.toml")["detail"][name][lang]
        assert words in finding.text("message", lang)
        assert cause_text(error, lang) == words
    assert finding.text("message", "zh").isascii() is False
    assert os.strerror(number) not in finding.text("message", "zh")


def test_every_limit_that_is_told_has_words() -> None:
    folder = Path(workbook.__file__).parent
    told = {name for path in folder.glob("*.py") for name in re.findall(r"\bover\(\"(\w+)\"", path.read_text("utf-8"))}
    assert len(told) >= 10
    assert told == set(load("terms.toml")["limit"])
    for name in told:
        finding = over(name, 314584020, 67108864).finding
        for lang in ("zh", "en"):
            assert load("terms.toml")["limit"][name][lang] in finding.text("message", lang)


def test_what_has_no_words_is_told_as_the_system_puts_it() -> None:
    assert cause_of(OSError(errno.ECHILD, "No child processes")) == "No child processes"
    assert cause_of(ValueError("embedded null byte")) == "embedded null byte"


def test_a_file_that_another_program_has_open_on_windows() -> None:
    error = PermissionError(errno.EACCES, "in use")
    error.winerror = 32  # type: ignore[attr-defined,unused-ignore]
    assert cause_text(error, "zh") == load("terms.toml")["detail"]["sharing"]["zh"]


def test_no_message_of_ours_is_half_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "文件").write_bytes(b"")
    with pytest.raises(PerfevalError, match="文件夹") as refused, locked(tmp_path / "文件" / "结果"):
        pass
    assert "directory" not in str(refused.value)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "文件")

    monkeypatch.setattr(Path, "unlink", denied)
    told = removed(tmp_path, "文件")
    assert told is not None
    assert "没有权限" in told.text()
    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(PerfevalError, match="没有权限"):
        open_workbook(tmp_path / "文件")
