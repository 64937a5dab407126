"""Rulebooks from TOML files: the built-in ones, a bureau's own, and which one a form is scored by."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from perfeval_xlsx import data
from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_build import build, cap_support, overlay
from perfeval_xlsx.scoring.rulebook_meaning import meaning_problems, strength_problems
from perfeval_xlsx.scoring.rulebook_schema import missing_problems, shape_problems
from perfeval_xlsx.scoring.rulebook_toml import Document, KeyPath, Problem, read_document, refusal, show_value

__all__ = ["DEFAULT", "builtin_rulebooks", "choose_rulebook", "load_rulebook"]

DEFAULT = "national-2020"
"""The rulebook of a form that no other one claims."""


def load_rulebook(id_or_path: str | Path) -> Rulebook:
    """Load a rulebook by its built-in id or from a TOML file.

    Args:
        id_or_path: ``"national-2020"``, or the path of a file; a string that is a built-in id is never a path.

    Raises:
        PerfevalError: There is no such rulebook, or the file is wrong; names file, line, key and what is allowed.
    """
    if isinstance(id_or_path, str) and id_or_path.strip() in _builtin_files():
        return _builtin(id_or_path.strip())
    path = Path(id_or_path)
    if not path.exists():
        allowed = ", ".join(sorted(_builtin_files()))
        raise refusal([Problem("not_found", values={"allowed": allowed})], name=str(id_or_path))
    document = _resolved(_file(path), (_identity(path),))
    _refuse_taken_id(document)
    return build(document)


def builtin_rulebooks() -> list[Rulebook]:
    """The rulebooks that come with the package, sorted by id."""
    return [_builtin(name) for name in sorted(_builtin_files())]


def choose_rulebook(kind: str, province: str | None, year: int | None, extra: Sequence[Rulebook] = ()) -> Rulebook:
    """Choose the rulebook of a form that names none.

    A rulebook is a candidate when its provinces and kinds admit the form and it was in force in some part of the form's
    year. The longest matching province decides, then a matching kind, then ``extra`` before built-in, then the later
    start, then the id; advisory rulebooks are never chosen. ``national-2020`` serves where nothing matches.

    Args:
        kind: ``department``, ``project`` or ``transfer``.
        province: Place as the form gives it (``湖北省``, ``北京市海淀区``), None unknown.
        year: Year of the form, None unknown (then only rulebooks still in force are candidates).
        extra: A bureau's own rulebooks.
    """
    place = _place(province or "")
    ranked = [
        (_rank(book, kind, place, year), own, book.effective[0] or date.min, book)
        for own, books in ((False, builtin_rulebooks()), (True, list(extra)))
        for book in books
    ]
    candidates = [(rank, own, start, book) for rank, own, start, book in ranked if rank is not None]
    candidates.sort(key=lambda item: item[3].id)
    return max(candidates, key=lambda item: item[:3])[3] if candidates else load_rulebook(DEFAULT)


def _rank(book: Rulebook, kind: str, place: str, year: int | None) -> tuple[int, int] | None:
    """How specifically a book claims a form: length of the matching province, kind matched; None when it does not."""
    scopes = [_place(name) for name in book.provinces]
    matching = [len(scope) for scope in scopes if scope and place.startswith(scope)]
    if book.advisory or (scopes and not matching) or (book.kinds and kind not in book.kinds):
        return None
    return (max(matching, default=0), int(bool(book.kinds))) if _in_force(book, year) else None


def _in_force(book: Rulebook, year: int | None) -> bool:
    start, end = book.effective
    if year is None:
        return end is None
    return (start is None or start.year <= year) and (end is None or year <= end.year)


@lru_cache(maxsize=4096)
def _place(name: str) -> str:
    """``北京市海淀区`` → ``北京海淀``: without white space and the words for the kind of place."""
    plain = "".join(unicodedata.normalize("NFKC", name).split())
    for word in load("rulebook_words.toml")["province"]["off"]:
        plain = plain.replace(word, "")
    return plain


@cache
def _builtin_files() -> Mapping[str, Path]:
    folder = Path(*data.__path__, "rules")
    return {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}


@cache
def _builtin(name: str) -> Rulebook:
    return build(_builtin_document(name))


_documents: dict[str, Document] = {}


def _builtin_document(name: str, chain: tuple[str, ...] = ()) -> Document:
    """A built-in file over what it extends; read once, whoever extends it."""
    if name not in _documents:
        label = f"perfeval_xlsx/data/rules/{name}.toml"
        _documents[name] = _resolved(read_document(_builtin_files()[name], label), (*chain, name))
    return _documents[name]


def _file(path: Path) -> Document:
    return read_document(path, str(path), path.parent)


def _identity(path: Path) -> str:
    return str(path.resolve())


def _resolved(document: Document, chain: tuple[str, ...]) -> Document:
    """Check one file, lay it over what it extends, and check the whole.

    Args:
        document: The file as parsed.
        chain: Ids and resolved paths from the first file down to this one, against circles.
    """
    _lift_extends(document)
    _refuse(shape_problems(document.data), document)
    head = {name: document.data[name] for name in ("rulebook",) if name in document.data}
    _refuse([p for p in missing_problems(head) if p.path[0] == "rulebook"], document)
    _refuse(strength_problems(document.data), document)
    parent = document.data["rulebook"].get("extends")
    whole = overlay(_parent(parent, document, chain), document) if parent else document
    cap_support(whole.data)
    _refuse(missing_problems(whole.data), whole)
    _refuse(meaning_problems(whole.data), whole)
    return whole


def _lift_extends(document: Document) -> None:
    """``extends`` may stand at the top of the file or in ``[rulebook]``, not in both."""
    data = document.data
    head = data.get("rulebook")
    if "extends" not in data or not isinstance(head, dict):
        return
    if "extends" in head:
        _refuse([Problem("extends_twice", ("rulebook", "extends"))], document)
    head["extends"] = data.pop("extends")
    document.lines["rulebook", "extends"] = document.lines.pop(("extends",))


def _parent(name: str, document: Document, chain: tuple[str, ...]) -> Document:
    """The document that ``document`` extends: a built-in id, or a path relative to the file."""
    key: KeyPath = ("rulebook", "extends")
    path = document.base / name if document.base is not None else None
    builtin = name in _builtin_files()
    if not builtin and (path is None or not path.is_file()):
        allowed = ", ".join(sorted(_builtin_files()))
        _refuse([Problem("extends_unknown", key, {"found": show_value(name), "allowed": allowed})], document)
    identity = name if builtin or path is None else _identity(path)
    if identity in chain:
        circle = " → ".join(Path(part).name for part in (*chain, identity))
        _refuse([Problem("extends_cycle", key, {"found": circle})], document)
    if builtin or path is None:
        return _builtin_document(name, chain if document.base is None else ())
    return _resolved(_file(path), (*chain, identity))


def _refuse(problems: list[Problem], document: Document) -> None:
    if problems:
        raise refusal(problems, document)


def _refuse_taken_id(document: Document) -> None:
    """A file with a built-in's id would pass for it in every report, unless it is that very file."""
    name = document.data["rulebook"]["id"]
    if name in _builtin_files() and _builtin(name).digest != document.digest:
        _refuse([Problem("id_taken", ("rulebook", "id"), {"found": show_value(name)})], document)
