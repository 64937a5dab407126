"""The command line as a user meets it: real processes, their streams and exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from forms import NO_FORM, PROJECT, SAMPLES, SEED, folder_of, perfeval, put, start, tree
from typer.main import get_command

from perfeval_xlsx import __version__, cli

HEAVY = {"pandas", "numpy", "openpyxl", "xlsxwriter", "python_calamine"}
UNLOADED = "import sys; sys.argv[1:] = {arguments!r}\ntry:\n    from perfeval_xlsx.cli import main; main()\n"
UNLOADED += "finally:\n    print(*(set({heavy!r}) & set(sys.modules)), file=sys.stderr)"


def commands(command: Any, name: str = "perfeval") -> dict[str, Any]:
    """Every command by its full name, groups too."""
    found = {name: command}
    for child, inner in getattr(command, "commands", {}).items():
        found |= commands(inner, f"{name} {child}")
    return found


COMMANDS = commands(get_command(cli.app))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, f"{name} lacks help"
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name}: {parameter.name} lacks help"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_printed_in_both_languages(name: str) -> None:
    arguments = name.split()[1:]
    chinese = perfeval(*arguments, "--help")
    english = perfeval(*arguments, "-h", env={"PERFEVAL_LANG": "en"})
    assert (chinese.code, english.code, chinese.err) == (0, 0, "")
    assert chinese.out != english.out
    assert COMMANDS[name].help[:6] in chinese.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_whole_on_a_narrow_terminal(name: str) -> None:
    done = perfeval(*name.split()[1:], "--help", env={"COLUMNS": "80"})
    words = "".join(done.out.split())
    for parameter in COMMANDS[name].params:
        assert "".join((getattr(parameter, "help", None) or "").split()) in words


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], [], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = UNLOADED.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.decode().split() == []


def test_the_library_loads_nothing_heavy_before_it_is_used() -> None:
    script = f"import sys, perfeval_xlsx as pe; pe.read, pe.score, pe.audit; print(set(sys.modules) & set({HEAVY!r}))"
    assert subprocess.check_output([sys.executable, "-c", script]).strip() == b"set()"


def test_the_driver_of_workers_loads_neither_numpy_nor_the_readers(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 49)  # fewer files start no worker
    heavy = HEAVY - {"xlsxwriter"} | {"perfeval_xlsx.workbook.book", "perfeval_xlsx.batch.chunk"}
    arguments = ["score", str(source), "-o", str(tmp_path / "out"), "--jobs", "2", "--quiet"]
    script = UNLOADED.format(arguments=arguments, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.decode().split() == []
    assert (tmp_path / "out" / "汇总.xlsx").is_file()


def test_without_arguments_it_says_what_there_is() -> None:
    done = perfeval()
    assert (done.code, done.err) == (0, "")
    for command in ("score", "audit", "read", "explain", "rules"):
        assert f"perfeval {command}" in done.out


def test_the_version() -> None:
    assert perfeval("--version").out.strip() == __version__


# score


def test_the_closing_summary_tells_forms_of_one_unit_apart(tmp_path: Path) -> None:
    two = next(SAMPLES.glob("市文化馆_*.xlsx"))
    lines = perfeval("score", two, SEED, "-o", tmp_path).err.splitlines()
    units = [line for line in lines if "临江市文化馆" in line]
    assert [f"{two.name}，第 {number} 张表" in line for number, line in enumerate(units, 1)] == [True, True]
    assert any(line.endswith("株洲市教育局（2 行待判定）") for line in lines)


def test_score_writes_copies_reports_and_a_closing_summary(tmp_path: Path) -> None:
    out, before = tmp_path / "结果", tree(SAMPLES)
    done = perfeval("score", SAMPLES, "-o", out)
    assert (done.code, done.out) == (0, "")
    for part in ("共 12 个文件", "优 7 张", "中 2 张", "需要人工", "临江市民政局", "汇总.xlsx", "run.json"):
        assert part in done.err
    assert {path.name for path in out.iterdir()} >= {"scored", "汇总.xlsx", "问题清单.xlsx", "run.json"}
    assert (out / "scored" / "乡镇上报" / "柳河镇_衔接资金绩效目标自评表.xlsx").exists()
    assert tree(SAMPLES) == before, "the originals stay as they are"


def test_json_is_one_object_a_form_and_nothing_else(tmp_path: Path) -> None:
    done = perfeval("score", SAMPLES, "-o", tmp_path, "--json", env={"PYTHONIOENCODING": "gbk"})
    objects = [json.loads(line) for line in done.raw.decode("utf-8").splitlines()]
    assert len(objects) == 13
    assert [
        json.loads(line) for line in perfeval("score", SAMPLES, "-o", tmp_path, "--json").out.splitlines()
    ] == objects
    for value in objects:
        assert value["schema"] == 1
        if value["copy"]:
            assert (tmp_path / value["copy"]).exists()
    by_status = {value["status"] for value in objects}
    assert by_status == {"scored", "pending", "reported", "skipped"}


def test_json_without_an_output_folder_writes_nothing(tmp_path: Path) -> None:
    done = perfeval("score", SEED, "--json", "--quiet", cwd=tmp_path)
    (value,) = map(json.loads, done.out.splitlines())
    assert (done.code, done.err, value["total"], value["grade"], value["copy"]) == (0, "", "99", "优", None)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_says_that_nothing_was_new_and_loads_no_tables(tmp_path: Path) -> None:
    arguments = ["score", str(SAMPLES), "-o", str(tmp_path), "-q"]
    assert perfeval(*arguments).code == 0
    script = UNLOADED.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.decode().split() == []
    assert "沿用上次结果 12 个" in perfeval(*arguments[:-1]).err


def test_keep_leaves_what_is_typed(tmp_path: Path) -> None:
    source = put(SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx", tmp_path / "表.xlsx")
    assert perfeval("score", source, "-o", tmp_path / "out", "--keep", "-q").code == 0
    before, after = (openpyxl.load_workbook(path).active for path in (source, tmp_path / "out/scored/表.xlsx"))
    assert before is not None
    assert after is not None
    for row in before.iter_rows():
        for cell in row:
            if cell.value is not None:
                assert after[cell.coordinate].value == cell.value
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert (run["options"]["keep"], run["replaced"]) == (True, [])


def test_replaced_scores_are_in_the_report_old_and_new(tmp_path: Path) -> None:
    source = SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
    perfeval("score", source, "-o", tmp_path, "-q")
    replaced = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["replaced"]
    assert {(item["cell"], item["old"], item["new"]) for item in replaced} >= {("H13", "10", "9"), ("H16", "10", "5")}


def test_only_typed_scores_count_as_replaced(tmp_path: Path) -> None:
    source = SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
    done = perfeval("score", source, "-o", tmp_path)
    replaced = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["replaced"]
    scores = sum(item["field"] == "score" for item in replaced)
    assert 0 < scores < len(replaced), "total and grade are in the list and no typed scores"
    assert f"改动自评分 {scores} 处" in done.err


def test_as_many_files_fail_as_are_listed(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    (source / "坏.xlsx").write_bytes(b"PK")
    (out / "scored" / "0组" / "表0.xlsx").mkdir(parents=True)
    told = perfeval("score", source, "-o", out).err.splitlines()
    counts = [line for line in told if line.endswith("（见下）")]
    assert counts == ["失败 1 个文件（见下）", "副本没有写成 1 个文件（见下）"]
    assert sum(line.startswith(str(source)) for line in told) == 2


def test_dry_run_lists_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = perfeval("score", SAMPLES, "-o", out, "--dry-run")
    assert (done.code, len(done.out.splitlines()), out.exists()) == (0, 12, False)
    perfeval("score", SAMPLES, "-o", out, "-q")
    done = perfeval("score", SAMPLES, "-o", out, "--dry-run")
    assert (done.code, done.out) == (0, "")


def test_a_rulebook_of_ones_own(tmp_path: Path) -> None:
    done = perfeval("score", PROJECT, "--json", "-q", "--rules", "sichuan-2023")
    assert json.loads(done.out)["rulebook"] == "sichuan-2023"
    wrong = tmp_path / "错.toml"
    wrong.write_text('[rulebook]\nid = "x"\nextends = "national-2020"\nwhat = 1\n', encoding="utf-8")
    done = perfeval("score", PROJECT, "--json", "-q", "--rules", wrong)
    assert (done.code, done.out) == (2, "")
    assert "错.toml" in done.err
    assert "rulebook.what" in done.err


def test_english(tmp_path: Path) -> None:
    done = perfeval("score", SEED, NO_FORM, "-o", tmp_path, "--lang", "en")
    assert "2 files: 2 processed" in done.err
    assert "For a person" in done.err
    (tmp_path / "empty").mkdir()
    assert "There is no workbook to read" in perfeval("score", tmp_path / "empty", "--json", "--lang", "en").err


def test_usage_errors_have_code_2(tmp_path: Path) -> None:
    for arguments in (["score"], ["score", SEED], ["nonsense"], ["score", SEED, "-o", tmp_path, "--lang", "fr"]):
        done = perfeval(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err


# read, explain, rules


def test_read_shows_how_a_form_was_understood() -> None:
    done = perfeval("read", SAMPLES / "市民政局_养老服务补贴项目支出绩效自评表.xlsx")
    assert done.code == 0
    for part in ("三级指标", "补贴老年人数", "未使用的模板行", "89.5", "万元"):
        assert part in done.out


def test_read_json() -> None:
    done = perfeval("read", SAMPLES, "--json")
    objects = [json.loads(line) for line in done.raw.decode("utf-8").splitlines()]
    assert (done.code, len(objects)) == (0, 12)
    assert "2023年度项目库清单.xlsx" in done.err, "the workbook without a form is named, on stderr"


@pytest.mark.parametrize(
    ("what", "parts"),
    [
        ("H39", ["专项资金拨付时间", "晚76天", "0–1.98"]),
        ("拨付时间", ["H39", "晚76天"]),
        ("总分", ["99", "优"]),
        ("执行率", ["100.00%", "2079.21"]),
    ],
)
def test_explain(what: str, parts: list[str]) -> None:
    done = perfeval("explain", SEED, what)
    assert (done.code, done.err) == (0, "")
    for part in parts:
        assert part in done.out


def test_explain_suggests_what_could_be_meant() -> None:
    done = perfeval("explain", SEED, "专项资金拨款时间")
    assert (done.code, done.out) == (2, "")
    assert "专项资金拨付时间" in done.err
    assert perfeval("explain", SEED, "Z99").code == 2


def test_explain_names_the_form_where_there_are_several() -> None:
    source = SAMPLES / "市文化馆_两个项目支出绩效自评表.xlsx"
    done = perfeval("explain", source, "总分")
    assert done.out.count("等级") >= 2


def test_rules() -> None:
    listed = perfeval("rules")
    assert (listed.code, listed.out) == (0, perfeval("rules", "list").out)
    for name in ("national-2020", "hunan", "hubei-2020", "sichuan-2023"):
        assert name in listed.out
    assert "财预〔2020〕10号" in perfeval("rules", "show", "national-2020").out
    done = perfeval("rules", "show", "没有")
    assert (done.code, "没有" in done.err) == (2, True)
    assert perfeval("rules", "checks").out.count("\n") > 30


# audit


def test_audit_finds_errors_and_writes_no_scores(tmp_path: Path) -> None:
    done = perfeval("audit", SAMPLES, "-o", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert {path.name for path in tmp_path.iterdir()} >= {"问题清单.xlsx", "复核表.xlsx", "run.json"}
    assert not (tmp_path / "scored").exists()
    done = perfeval("audit", SEED, "--json", "-q")
    value = json.loads(done.out)
    assert "copy" not in value
    assert value["total"] == "99"


# Streams and signals


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "gbk"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp437"},
        {"LC_ALL": "C"},
    ],
    ids=["gbk", "ascii", "cp437", "C"],
)
def test_no_code_page_stops_it(env: dict[str, str], tmp_path: Path) -> None:
    put(SEED, tmp_path / "in" / "表格✓𠮷.xlsx")
    for arguments in (["score", tmp_path / "in", "-o", tmp_path / "out"], ["read", tmp_path / "in"], []):
        assert perfeval(*arguments, env=env).code == 0
    if env.get("PYTHONIOENCODING") == "gbk":
        process = start("rules", env=env)
        assert "国" in process.communicate()[0].decode("gbk")


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = start("read", SAMPLES, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read().decode("utf-8", "replace")
    process.stderr.close()
    process.wait()
    assert "Traceback" not in err
    assert "Error" not in err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    source, out = folder_of(tmp_path / "in", 200), tmp_path / "out"
    process = start("score", source, "-o", out, "-j", "2")
    deadline = time.monotonic() + 60
    while not list(out.rglob("*.xlsx")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    text = stderr.decode("utf-8")
    assert (process.returncode, stdout) == (130, b"")
    assert "再运行一次" in text
    assert "Traceback" not in text
    assert list(out.rglob("*.tmp")) == []
    done = perfeval("score", source, "-o", out)
    assert done.code == 0
    assert "沿用上次结果 0 个" not in done.err


def test_two_runs_at_once_the_second_says_so(tmp_path: Path) -> None:
    from perfeval_xlsx.batch.lock import locked

    with locked(tmp_path / "out"):
        done = perfeval("score", SEED, "-o", tmp_path / "out")
    assert (done.code, "另一个任务" in done.err) == (1, True)


def test_the_originals_are_never_written_to(tmp_path: Path) -> None:
    source = put(SEED, tmp_path / "表.xlsx")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert perfeval("score", source, "-o", tmp_path, "-q").code == 0
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest


# template


def test_templates_are_written_and_never_over_a_file(tmp_path: Path) -> None:
    arguments = ["template", "-o", tmp_path, "--kind", "department", "--name", "市教育局", "--year", "2025"]
    done = perfeval(*arguments)
    (path,) = tmp_path.iterdir()
    assert (done.code, done.out.strip()) == (0, str(path))
    assert perfeval("read", path).code == 0
    again = perfeval(*arguments)
    assert (again.code, path.name in again.err) == (1, True)


def test_a_password_file_opens_and_a_missing_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "密码.txt").write_text("一\n二\n", encoding="utf-8")
    assert perfeval("read", SEED, "--password-file", tmp_path / "密码.txt").code == 0
    done = perfeval("read", SEED, "--password-file", tmp_path / "没有.txt")
    assert (done.code, "没有.txt" in done.err) == (2, True)
