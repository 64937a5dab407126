"""A rulebook's TOML text: strictly UTF-8, with the line of every key; what is wrong is a value with its place."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError, cause_text

KeyPath = tuple[str | int, ...]
MAX_BYTES = 1024 * 1024
"""A rulebook is a page or two; anything beyond this is another file."""

_WIDE = "“”‘’＝，［］｛｝＂＇．"
_SKIP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_STRING_OR_COMMENT = re.compile(r'"[^"]*"|#.*')
_CHINESE_KEY = re.compile(r"([\u3400-\u9fff][\w\u3400-\u9fff]*)[ \t]*=")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL),
    re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a rulebook file.

    Attributes:
        reason: Key of ``data/rulebook_words.toml [reason]``.
        path: Keys down to the place, array positions 0-based.
        values: Values of the reason's template; a mapping is a text by language.
        place: File and line where no path tells it.
        also: Other keys involved; the one in the file itself is named rather than an inherited one.
    """

    reason: str
    path: KeyPath = ()
    values: Mapping[str, object] = field(default_factory=dict)
    place: tuple[str, int] | None = None
    also: tuple[KeyPath, ...] = ()


@dataclass(slots=True)
class Document:
    """A parsed rulebook file.

    Attributes:
        name: What messages call the file.
        data: The parsed tables.
        lines: File and line of every key and array item, by path.
        digest: SHA-256 of the bytes.
        base: Folder for relative ``extends``, None for a built-in.
    """

    name: str
    data: dict[str, Any]
    lines: dict[KeyPath, tuple[str, int]]
    digest: str
    base: Path | None = None

    def place(self, path: KeyPath) -> tuple[str, int]:
        """File and line of ``path``, or of the nearest key above it (line 0: nothing of it is written)."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return self.name, 0


def read_document(source: Path, name: str, base: Path | None = None) -> Document:
    """Read and parse one file.

    Raises:
        PerfevalError: The file cannot be opened, is not UTF-8, or is not TOML; names file, line and reason.
    """
    content = _content(source, name)
    text = _decode(content, name)
    data = _parse(text, name)
    lines = {path: (name, line) for path, line in key_lines(text).items()}
    return Document(name, data, lines, hashlib.sha256(content).hexdigest(), base)


def refusal(problems: list[Problem], document: Document | None = None, name: str = "") -> PerfevalError:
    """The error that refuses a file: its first problem by line, and how many more there are."""
    own = document.name if document else name
    placed = [(*_place(problem, document, own), problem) for problem in problems]
    file, line, path, first = min(placed, key=lambda item: (item[0] != own, item[1]))
    args = {"file": file, "line": str(line), "key": show_path(path)}
    for lang in _LANGS:
        args[f"reason_{lang}"] = reason_text(first, lang)
        args[f"line_{lang}"] = _words("line", lang).format(line=line) if line else ""
        args[f"key_{lang}"] = (args["key"] + " " if lang == "zh" else args["key"] + ": ") if args["key"] else ""
        args[f"more_{lang}"] = _words("more", lang).format(count=len(problems) - 1) if len(problems) > 1 else ""
    code = {"not_found": "Q01", "unreadable": "Q01", "too_big": "Q01"}.get(first.reason, "Q02")
    return PerfevalError(Finding(code, field=args["key"] or None, found=_found(first), args=args))


def _place(problem: Problem, document: Document | None, own: str) -> tuple[str, int, KeyPath]:
    """File, line and key of a problem: of the keys involved, one that stands in the file itself."""
    if problem.place is not None or document is None:
        return *(problem.place or (own, 0)), problem.path
    paths = (problem.path, *problem.also)
    path = next((path for path in paths if document.place(path)[0] == own and document.place(path)[1]), problem.path)
    return *document.place(path), path


_LANGS: tuple[Lang, Lang] = ("zh", "en")


def reason_text(problem: Problem, lang: Lang) -> str:
    """The reason in ``lang``, with its values."""
    values = {key: value[lang] if isinstance(value, Mapping) else value for key, value in problem.values.items()}
    return _words(problem.reason, lang).format_map(values)


def show_path(path: KeyPath) -> str:
    """``("grades", "levels", 1, "from")`` as a person reads it: ``grades.levels[2].from``, positions from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else ("." if text else "") + part
    return text


def show_value(value: object) -> str:
    """A value as it would be written in the file, cut to a readable length."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    text = f'"{text}"' if isinstance(value, str) else text
    return text if len(text) <= 60 else text[:57] + "…"


def _found(problem: Problem) -> str | None:
    found = problem.values.get("found")
    return None if found is None else str(found)


def _words(key: str, lang: Lang) -> str:
    return str(load("rulebook_words.toml")["reason"][key][lang])


def _content(source: Path, name: str) -> bytes:
    try:
        with source.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        detail = {lang: cause_text(error, lang) for lang in _LANGS}
        raise refusal([Problem("unreadable", values={"detail": detail})], name=name) from error
    if len(content) > MAX_BYTES:
        raise refusal([Problem("too_big", values={"high": MAX_BYTES})], name=name)
    return content


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        guess = _guess(content)
        shown = {lang: _words("guess", lang).format(name=guess) if guess else "" for lang in _LANGS}
        line = content.count(b"\n", 0, error.start) + 1
        raise refusal([Problem("not_utf8", values={"guess": shown}, place=(name, line))], name=name) from error


def _guess(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "GBK"


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise refusal([Problem("too_deep", place=(name, 1))], name=name) from error
    except ValueError as error:
        raise refusal([_syntax(text, name, str(error))], name=name) from error


def _syntax(text: str, name: str, detail: str) -> Problem:
    """The decoder's complaint with its line; full-width punctuation is the usual cause, so it is named."""
    at = re.search(r"\(at line (\d+), column \d+\)", detail)
    line = int(at[1]) if at else text.count("\n") + (not text.endswith("\n"))
    rows = text.split("\n")
    code = _STRING_OR_COMMENT.sub("", rows[line - 1]) if line <= len(rows) else ""
    wide = sorted({char for char in code if char in _WIDE})
    if wide:
        return Problem("syntax_wide", values={"found": " ".join(wide)}, place=(name, line))
    key = _CHINESE_KEY.search(code)
    if key:
        return Problem("syntax_key", values={"found": key[1]}, place=(name, line))
    return Problem("syntax", values={"detail": detail}, place=(name, line))


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the 1-based line of every table, key and array item of a valid TOML text, by path."""
    return _Lines(text).run()


class _Lines:
    """A scanner over text that the decoder has accepted: it only has to find the keys, not to judge them."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[KeyPath, int] = {}
        self.arrays: dict[KeyPath, int] = {}
        self.counted, self.line = 0, 1

    def run(self) -> dict[KeyPath, int]:
        prefix: KeyPath = ()
        self.skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                prefix = self.header()
            else:
                self.pair(prefix)
            self.skip()
        return self.lines

    def skip(self) -> None:
        match = _SKIP.match(self.text, self.at)
        assert match
        self.at = match.end()

    def note(self, path: KeyPath) -> None:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], self.line)

    def header(self) -> KeyPath:
        start, double = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        keys = self.keys()
        path = (*self.resolve(keys[:-1]), keys[-1])
        if double:
            self.arrays[path] = self.arrays.get(path, -1) + 1
        after, self.at = self.at, start
        path = self.resolve((path[-1],), path[:-1])
        self.lines.pop(path, None)
        self.note(path)
        self.at = self.text.index("]", after) + (2 if double else 1)
        return path

    def resolve(self, keys: KeyPath, path: KeyPath = ()) -> KeyPath:
        for key in keys:
            path += (key,)
            if path in self.arrays:
                path += (self.arrays[path],)
        return path

    def keys(self) -> KeyPath:
        keys: list[str] = []
        while True:
            self.at = _end(_BLANK, self.text, self.at)
            match = _KEY.match(self.text, self.at)
            assert match
            keys.append(_plain(match[0]))
            self.at = _end(_BLANK, self.text, match.end())
            if not self.text.startswith(".", self.at):
                return tuple(keys)
            self.at += 1

    def pair(self, prefix: KeyPath) -> None:
        start = self.at
        keys = self.keys()
        after, self.at = self.at, start
        self.note(prefix + keys)
        self.at = self.text.index("=", after) + 1
        self.value(prefix + keys)

    def value(self, path: KeyPath) -> None:
        self.at = _end(_BLANK, self.text, self.at)
        opening = self.text[self.at]
        if opening in "[{":
            self.at += 1
            self.items(path, "]" if opening == "[" else "}")
            return
        strings = (pattern.match(self.text, self.at) for pattern in _STRINGS)
        found = next((match for match in strings if match), None)
        self.at = found.end() if found else _end(_BARE_VALUE, self.text, self.at)

    def items(self, path: KeyPath, closing: str) -> None:
        position = 0
        self.skip()
        while self.text[self.at] != closing:
            if closing == "]":
                self.note((*path, position))
                self.value((*path, position))
                position += 1
            else:
                self.pair(path)
            self.skip()
            if self.text[self.at] == ",":
                self.at += 1
                self.skip()
        self.at += 1


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _plain(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] == '"':
        return str(next(iter(tomllib.loads(f"{key} = 0"))))
    return key
