"""The shape of a rulebook file: the sections, keys and types of ``data/rulebook_schema.toml``."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.rulebook_toml import KeyPath, Problem, show_value

SOURCES = ("article", "support")
STRENGTH = ("filed", "unverified", "judgement")
"""Supports from strong to weak."""


def sections() -> dict[str, dict[str, Any]]:
    """The sections a rulebook may have, by dotted path."""
    return dict(load("rulebook_schema.toml")["section"])


def weakest(supports: Iterable[str]) -> str:
    """The weakest of ``supports``."""
    return max(supports, key=STRENGTH.index)


def tables(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every known section of a parsed file that is a table, with its dotted path; checks' own tables left out."""
    for name in sections():
        table: Any = data
        for part in name.split("."):
            table = table.get(part) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping):
            yield name, table


def own_keys(name: str, table: Mapping[str, Any]) -> list[str]:
    """The keys of a section that are neither its source nor a section below it."""
    below = {section.rpartition(".")[2] for section in sections() if section.rpartition(".")[0] == name}
    if name == "checks":
        below |= {key for key, value in table.items() if isinstance(value, Mapping)}
    return [key for key in table if key not in below and key not in SOURCES]


def shape_problems(data: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the shape of one parsed file: unknown names, wrong types, values out of range, no source."""
    found = [*_unknown_sections(data)]
    for name, table in tables(data):
        found += _section(name, table)
    checks = data.get("checks")
    if isinstance(checks, Mapping):
        found += _checks(checks)
    return found


def missing_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Required sections and keys that a complete rulebook lacks."""
    present = dict(tables(data))
    found = []
    for name, section in sections().items():
        path = tuple(name.split("."))
        if name not in present:
            if section.get("required"):
                found.append(Problem("missing_head" if name == "rulebook" else "missing_section", path))
            continue
        for key, spec in section["key"].items():
            if spec.get("required") and key not in present[name]:
                found.append(Problem("missing_key", (*path, key), {"wanted": _wanted(spec["type"])}))
    return found


def _unknown_sections(data: Mapping[str, Any]) -> Iterator[Problem]:
    top = [name for name in sections() if "." not in name]
    for name, value in data.items():
        if name not in top:
            yield Problem("unknown_section", (name,), {"close": close(name, top), "allowed": ", ".join(top)})
        elif not isinstance(value, Mapping):
            yield Problem("wrong_type", (name,), {"found": show_value(value), "wanted": _wanted("table")})


def _section(name: str, table: Mapping[str, Any]) -> Iterator[Problem]:
    path = tuple(name.split("."))
    keys = sections()[name]["key"]
    below = [section.rpartition(".")[2] for section in sections() if section.rpartition(".")[0] == name]
    own = own_keys(name, table)
    for key in own:
        if key in keys:
            yield from value_problems(keys[key], table[key], (*path, key))
        else:
            names = [*keys, *below, *(() if name == "rulebook" else SOURCES)]
            yield Problem("unknown_key", (*path, key), {"close": close(key, names), "allowed": ", ".join(names)})
    for key in below:
        if key in table and not isinstance(table[key], Mapping):
            found = {"found": show_value(table[key]), "wanted": _wanted("table")}
            yield Problem("wrong_type", (*path, key), found)
    if name != "rulebook":
        yield from _source(path, table, needed=bool(own) or ("article" in table) != ("support" in table))


def _source(path: KeyPath, table: Mapping[str, Any], *, needed: bool) -> Iterator[Problem]:
    if "article" in table:
        yield from value_problems({"type": "text"}, table["article"], (*path, "article"))
    if "support" in table:
        yield from value_problems({"type": "support"}, table["support"], (*path, "support"))
    if needed and not all(key in table for key in SOURCES):
        missing = next(key for key in SOURCES if key not in table)
        yield Problem("missing_source", (*path, missing))


def _checks(table: Mapping[str, Any]) -> Iterator[Problem]:
    known = load("checks.toml")["check"]
    for code, params in table.items():
        if not isinstance(params, Mapping):
            continue
        if code not in known:
            yield Problem("unknown_check", ("checks", code), {"found": code, "close": close(code, list(known))})
            continue
        specs = known[code].get("param", {})
        for key, value in params.items():
            path = ("checks", code, key)
            if key == "enabled":
                yield from value_problems({"type": "flag"}, value, path)
            elif key in specs:
                yield from _parameter(specs[key], value, path)
            else:
                names = ["enabled", *specs]
                yield Problem("unknown_key", path, {"close": close(key, names), "allowed": ", ".join(names)})


def _parameter(spec: Mapping[str, Any], value: object, path: KeyPath) -> Iterator[Problem]:
    """A check's parameter must be of the same kind as its default, each item of a list as the default's first."""
    default = spec["default"]
    values = value if isinstance(default, list) and isinstance(value, list) else [value]
    like = default[0] if isinstance(default, list) else default
    alike = all(_alike(item, like) for item in values)
    if isinstance(value, list) != isinstance(default, list) or not values or not alike:
        shown = {lang: text.format(default=show_value(default)) for lang, text in _wanted("param").items()}
        yield Problem("wrong_type", path, {"found": show_value(value), "wanted": shown})
    elif "min" in spec:
        for item in values:
            yield from _range(spec, item, path)


def _alike(value: object, like: object) -> bool:
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(like, bool) and isinstance(value, bool)
    if isinstance(like, (int, float)):
        return _is_number(value)
    return isinstance(value, str) and bool(value.strip())


def close(name: str, names: Iterable[str]) -> dict[str, str]:
    """The hint at a name that is nearly ``name``, by language; empty texts where none is."""
    near = difflib.get_close_matches(name, list(names), 1, 0.6)
    words = load("rulebook_words.toml")["reason"]["close"]
    return {lang: text.format(name=near[0]) if near else "" for lang, text in words.items()}


def value_problems(spec: Mapping[str, Any], value: object, path: KeyPath) -> list[Problem]:
    """What is wrong with one value of the type ``spec`` asks for."""
    kind = str(spec["type"])
    if kind in load("rulebook_schema.toml")["item"]:
        return list(_items(kind, value, path))
    if not _TYPES[kind](value):
        return [Problem("wrong_type", path, {"found": show_value(value), "wanted": _wanted(kind)})]
    return list(_limits(kind, spec, value, path))


def _limits(kind: str, spec: Mapping[str, Any], value: Any, path: KeyPath) -> Iterator[Problem]:
    if kind in {"fraction", "default"} and value != "middle":
        yield from _range({"min": 0, "max": 1}, value, path)
    elif kind in {"number", "integer"} and "min" in spec:
        yield from _range(spec, value, path)
    elif kind in {"text", "points", "tolerances"} and not (value.strip() if kind == "text" else value):
        yield Problem("empty", path)
    elif kind in {"choice", "support"}:
        yield from _choice(spec.get("choices", STRENGTH), value, path)
    elif kind == "texts":
        yield from _texts(spec, value, path)
    elif kind in {"points", "tolerances"}:
        for key, points in value.items():
            yield from _range({"min": 0, "max": 100 if kind == "points" else 1}, points, (*path, key))
    elif kind == "points_list":
        for position, points in enumerate(value):
            yield from value_problems({"type": "points"}, points, (*path, position))


def _texts(spec: Mapping[str, Any], values: list[str], path: KeyPath) -> Iterator[Problem]:
    for position, text in enumerate(values):
        here = (*path, position)
        if not text.strip():
            yield Problem("empty", here)
        elif text in values[:position]:
            yield Problem("duplicate", here, {"found": show_value(text)})
        elif "choices" in spec:
            yield from _choice(spec["choices"], text, here)


def _choice(choices: Iterable[str], value: str, path: KeyPath) -> Iterator[Problem]:
    if value not in choices:
        allowed = ", ".join(show_value(choice) for choice in choices)
        yield Problem("not_a_choice", path, {"found": show_value(value), "allowed": allowed})


def _range(spec: Mapping[str, Any], value: Any, path: KeyPath) -> Iterator[Problem]:
    if not spec["min"] <= value <= spec["max"]:
        values = {"found": show_value(value), "low": spec["min"], "high": spec["max"]}
        yield Problem("out_of_range", path, values)


def _items(kind: str, value: object, path: KeyPath) -> Iterator[Problem]:
    """A list of tables, each with the fields of ``[item.KIND]``."""
    fields = load("rulebook_schema.toml")["item"][kind]
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        yield Problem("wrong_type", path, {"found": show_value(value), "wanted": _wanted(kind)})
        return
    if not value and kind != "rate_bands":
        yield Problem("empty", path)
    for position, item in enumerate(value):
        here = (*path, position)
        for key, content in item.items():
            if key in fields:
                yield from value_problems(fields[key], content, (*here, key))
            else:
                allowed = {"close": close(key, fields), "allowed": ", ".join(fields)}
                yield Problem("unknown_key", (*here, key), allowed)
        for key, spec in fields.items():
            if spec.get("required") and key not in item:
                yield Problem("missing_key", (*here, key), {"wanted": _wanted(spec["type"])})


def _wanted(kind: str) -> dict[str, str]:
    return dict(load("rulebook_words.toml")["type"][kind])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_points(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_number(v) and str(k).strip() for k, v in value.items())


def _is_tolerances(value: object) -> bool:
    return _is_points(value) and all(re.fullmatch("[0-4]", key) for key in dict(value))  # type: ignore[call-overload]


_TYPES: dict[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "texts": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "id": lambda value: isinstance(value, str) and bool(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", value)),
    "number": _is_number,
    "fraction": _is_number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "flag": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, date) and not isinstance(value, datetime),
    "choice": lambda value: isinstance(value, str),
    "support": lambda value: isinstance(value, str),
    "default": lambda value: _is_number(value) or value == "middle",
    "points": _is_points,
    "points_list": lambda value: isinstance(value, list) and all(isinstance(item, Mapping) for item in value),
    "tolerances": _is_tolerances,
}
