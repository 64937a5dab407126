"""What is said of a mistyped command line: in the person's language, what is wrong, what it takes, where to look."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

MISTYPED = [
    ("score", "缺少 <paths>。用法见：perfeval score -h"),
    ("template", "缺少 --out/-o。用法见：perfeval template -h"),
    ("scor x", "没有“scor”这个命令，是否想用：score。全部命令见：perfeval -h"),
    ("rules shw", "没有“shw”这个命令，是否想用：show。全部命令见：perfeval rules -h"),
    ("xyz", "没有“xyz”这个命令。全部命令见：perfeval -h"),
    ("--bogus", "没有 --bogus 这个选项。全部选项见：perfeval -h"),
    ("score x --dry-runn", "没有 --dry-runn 这个选项，是否想用：--dry-run。全部选项见：perfeval score -h"),
    ("score x --jobs a", "--jobs/-j 的值不能用：须为不小于 0 的整数。用法见：perfeval score -h"),
    ("score x --jobs -1", "--jobs/-j 的值不能用：须为不小于 0 的整数。用法见：perfeval score -h"),
    ("watch in -o out --interval 0", "--interval 的值不能用：须为不小于 0.2 的数。用法见：perfeval watch -h"),
    ("template -o x --year abc", "--year 的值不能用：须为整数。用法见：perfeval template -h"),
    ("score x --lang fr", "--lang 的值不能用：只能是 zh, en。用法见：perfeval score -h"),
    ("audit --lang en", "<paths> is missing. See perfeval audit -h"),
    (
        "audit x --lang en --jobs a",
        "--jobs/-j cannot have this value: it is a whole number of 0 or more. See perfeval audit -h",
    ),
]


def perfeval(arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perfeval_xlsx", *arguments.split()]
    plain = {name: value for name, value in os.environ.items() if name != "PERFEVAL_LANG"}
    return subprocess.run(command, capture_output=True, encoding="utf-8", env={**plain, "PYTHONUTF8": "1"}, check=False)


@pytest.mark.parametrize(("arguments", "said"), MISTYPED)
def test_a_mistyped_command_line_is_told_in_words(arguments: str, said: str) -> None:
    done = perfeval(arguments)
    told = done.stderr.strip().replace("python -m perfeval_xlsx", "perfeval")
    assert (done.returncode, done.stdout, told) == (2, "", said)


@pytest.mark.parametrize("arguments", ["score x -o", "score x --keep=3"])
def test_an_option_with_too_much_or_too_little_is_named(arguments: str) -> None:
    done = perfeval(arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"选项 {arguments.split()[2].split('=')[0]} 后面少了值，或多了值")


def test_a_name_with_a_space_and_no_quotes_is_recognised() -> None:
    done = perfeval("explain 一 表.xlsx H39")
    assert done.returncode == 2
    assert "含空格的文件名要加引号" in done.stderr


def test_events_stay_events() -> None:
    done = perfeval("score x --json-log --jobs a")
    assert json.loads(done.stderr)["code"] == "U05"


@pytest.mark.parametrize("arguments", ["--help", "--version", "rules -h"])
def test_what_is_asked_for_is_no_mistake(arguments: str) -> None:
    done = perfeval(arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
