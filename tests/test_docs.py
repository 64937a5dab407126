"""What the documents say is what the project does: commands, names, keys, links."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.main import get_command

import perfeval_xlsx as pe
from perfeval_xlsx.cli import app
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.scoring import result
from perfeval_xlsx.scoring.rulebook_file import load_rulebook

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "perfeval_xlsx"
DOCS = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCS += [ROOT / "benchmarks" / "README.md", ROOT / "scripts" / "samples" / "README.md"]
OF_SCRIPTS = {"--baseline", "--forms", "--rows", "--seed", "--jobs", "--repeat", "--dpi"}
BINARY = {".xlsx", ".png", ".xls", ".ods", ".xlsb", ".zip"}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def fences(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(path), re.M | re.S)


def tracked() -> list[Path]:
    """Every file of the project: what git knows, or everything where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode == 0:
        return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    kept = {".ci", ".gitignore"}
    files = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
    shown = [
        path for path in files if all(part in kept or not part.startswith((".", "__pycache__")) for part in path.parts)
    ]
    return [ROOT / path for path in shown if path.parts[0] not in {"scored", "build", "dist"}]


# The two commands.


def test_the_readme_starts_with_two_commands_each_one_line() -> None:
    score, tests = (block.strip() for block in fences(ROOT / "README.md", "sh")[:2])
    assert "\n" not in score
    assert "\n" not in tests
    assert score.endswith("perfeval score sample_workbooks -o scored")
    assert tests.endswith("pytest -n 2")
    assert text(ROOT / "README.md").index(tests) < 2_000, "the second command is beyond the first screen"


def test_both_languages_give_the_same_commands() -> None:
    for language in ("sh", "powershell", "python"):
        assert fences(ROOT / "README.md", language) == fences(ROOT / "README.zh.md", language)


@pytest.mark.skipif(sys.platform == "win32", reason="the gate is a bash script")
def test_the_gate_runs_the_readme_word_for_word() -> None:
    script = text(ROOT / ".ci" / "run")
    function = re.search(r"^readme_command\(\) \{.*?^\}", script, re.M | re.S)
    assert function is not None
    for number, block in enumerate(fences(ROOT / "README.md", "sh")[:2], 1):
        shell = ["bash", "-c", f"{function[0]}\nreadme_command {number}"]
        found = subprocess.run(shell, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
        assert found.stdout == block
        assert f'-c "$(readme_command {number})"' in script


def test_the_readme_s_python_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = fences(ROOT / "README.md", "python")
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["株洲市教育局 44", "99 优"]


def test_everything_that_is_installed_has_one_exact_version() -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    wanted = [name for names in ([project["dependencies"]], extras.values()) for each in names for name in each]
    lines = [line for line in text(ROOT / "constraints.txt").splitlines() if not line.startswith("#")]
    pinned = {plain_name(line) for line in lines}
    assert {plain_name(name) for name in wanted} <= pinned
    assert len(pinned) == len(lines)
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; sys_platform == \"win32\")?", line) for line in lines)


def plain_name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


# Commands, names and keys.


def commands() -> list[str]:
    return sorted(get_command(app).commands)


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_every_command_is_in_the_readme_and_no_other(readme: str) -> None:
    named = set(re.findall(r"^\| `perfeval (\w+)", text(ROOT / readme), re.M))
    assert named == set(commands())


def test_every_option_the_documents_use_exists() -> None:
    known: dict[str, set[str]] = {}
    for name, command in get_command(app).commands.items():
        known[name] = {option for parameter in command.params for option in parameter.opts}
    everywhere = set().union(*known.values()) | {"--help"}
    for path in DOCS:
        for inline in re.findall(r"`(perfeval [^`]*)`", text(path)) + fences(path, "sh"):
            for name, rest in re.findall(r"perfeval (\w+)([^|&\n]*)", inline):
                used = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest))
                assert used <= known.get(name, everywhere) | {"--help"}, f"{path.name}: perfeval {name}{rest}"
        for option in re.findall(r"`(--[a-z-]+)[ `]", text(path)):
            assert option in everywhere | OF_SCRIPTS, f"{path.name}: {option}"


def test_every_public_name_is_documented() -> None:
    documented = "\n".join(text(path) for path in DOCS)
    for name in pe.__all__:
        if name != "__version__":
            assert re.search(rf"\bpe\.{name}\b|`{name}`", documented), name
            assert getattr(pe, name).__doc__, name


def test_the_interface_documents_every_key() -> None:
    documented = set(re.findall(r"`([a-z_0-9]+)`", text(ROOT / "docs" / "interface.md")))
    shapes = [result.FormResult, result.RowResult, result.ExecutionResult, result.LevelResult]
    shapes += [result.Replaced, result.FindingResult]
    for shape in shapes:
        assert set(get_type_hints(shape)) <= documented, shape.__name__


# Rulebooks.


def test_the_example_rulebook_loads(tmp_path: Path) -> None:
    (example,) = fences(ROOT / "docs" / "rules.md", "toml")
    path = tmp_path / "linjiang.toml"
    path.write_text(example, encoding="utf-8")
    book = load_rulebook(path)
    assert (book.id, book.execution.reason_below, book.quantitative.over_reason) == ("linjiang-2024", 0.9, 1.5)
    assert [tier.low for tier in book.qualitative.tiers] == [0.8, 0.5, 0.0]
    assert book.checks["F06"] == {"enabled": False}


def test_an_unknown_key_is_refused_as_the_document_says(tmp_path: Path) -> None:
    (example,) = fences(ROOT / "docs" / "rules.md", "toml")
    path = tmp_path / "wrong.toml"
    path.write_text(example.replace("reason_below", "reason_under"), encoding="utf-8")
    with pytest.raises(PerfevalError, match=r"wrong\.toml 第 15 行，execution\.reason_under"):
        load_rulebook(path)


def test_every_section_and_key_of_a_rulebook_is_documented() -> None:
    rows = re.findall(r"^\| `\[([\w.]+)\]` \| (.*) \|$", text(ROOT / "docs" / "rules.md"), re.M)
    documented = {name: set(re.findall(r"`(\w+)`", keys)) for name, keys in rows}
    for name, section in load("rulebook_schema.toml")["section"].items():
        assert set(section.get("key", {})) <= documented.get(name, documented.get(f"{name}.CODE", set())), name


# The street of rooms.

STREET = [
    "data", "findings", "deflate", "jsons", "limits", "workbook", "form", "scoring", "output", "batch", "console", "closing", "usage", "commands", "cli",
]  # fmt: skip
FREE = {"__init__", "__main__", "api"}
"""Modules at the end of the street that put everything together."""


def imports(path: Path) -> Iterator[str]:
    """The rooms ``path`` imports from."""
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "perfeval_xlsx" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_room_imports_from_a_later_one(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room in FREE:
        return
    allowed = STREET[: max(STREET.index(room), STREET.index("limits")) + 1]
    assert {name for name in imports(path) if name in STREET} <= set(allowed)


# Links and places.


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(path)):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_no_file_names_a_place_of_one_machine() -> None:
    """Index hosts and absolute paths make an install depend on where it was written."""
    places = ["pypi" + ".org", "pythonhosted" + ".org", "index" + "-url", "/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"]
    for path in tracked():
        if path.suffix not in BINARY:
            content = text(path)
            assert [place for place in places if place in content] == [], path
