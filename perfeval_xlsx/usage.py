"""What was mistyped on the command line, as a finding: the command line's library says it in English alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding

_CODES = {
    "MissingParameter": "U01",
    "NoSuchCommand": "U02",
    "NoSuchOption": "U03",
    "BadOptionUsage": "U04",
    "BadParameter": "U05",
    "UsageError": "U06",
}
_NOTHING = {"zh": "", "en": ""}
_NAMED = re.compile("'([^']*)'")
"""Code by the library's class of error; its classes are told by name, since typer brings its own copy of click."""


def usage_finding(error: Exception) -> Finding | None:
    """The finding of a mistyped command line; None for any other error.

    Args:
        error: What the command line's library raised.
    """
    kinds = (kind.__name__ for kind in type(error).__mro__)
    code = next((_CODES[kind] for kind in kinds if kind in _CODES), None)
    if code is None:
        return None
    told: Any = error
    context, parameter = getattr(told, "ctx", None), getattr(told, "param", None)
    found, near = _name(told, parameter), getattr(told, "possibilities", None) or ()
    known = getattr(getattr(context, "command", None), "commands", None)
    if code == "U06" and known and (named := _NAMED.search(found)):  # a group says no more than this
        code, found = "U02", named[1]
        near = get_close_matches(found, known)
    args = {"command": "perfeval" if context is None else context.command_path}
    for lang, wanted in _wanted(parameter).items():
        args[f"wanted_{lang}"] = wanted
    for lang, words in _near(near).items():
        args[f"near_{lang}"] = words
    return Finding(code, found=found, args=args)


def _name(error: Any, parameter: Any) -> str:
    """What was mistyped: an option, an argument, a command; else what the library says of it."""
    if parameter is not None:
        return "/".join(parameter.opts) if parameter.param_type_name == "option" else f"<{parameter.name}>"
    for name in ("option_name", "command_name"):
        if getattr(error, name, None):
            return str(getattr(error, name))
    return str(error.message)


def _wanted(parameter: Any) -> dict[str, str]:
    """What a parameter takes, by language (``[takes]`` in the data); empty where its kind says nothing."""
    kind = getattr(parameter, "type", None)
    facts = {"choices": ", ".join(map(str, getattr(kind, "choices", ()))), "least": getattr(kind, "min", None)}
    words: Mapping[str, str] = load("console.toml")["takes"].get(getattr(kind, "name", ""), _NOTHING)
    return {lang: text.format(**facts) for lang, text in words.items()}


def _near(names: Sequence[str]) -> dict[str, str]:
    """What may have been meant, by language."""
    words: Mapping[str, str] = load("console.toml")["takes"]["near"] if names else _NOTHING
    return {lang: text.format(names=", ".join(names)) for lang, text in words.items()}
