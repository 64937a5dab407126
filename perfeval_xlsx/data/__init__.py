"""Data files: labels, words, rulebooks and messages. No code lives here; ``load`` reads them.

A new label, rule, parameter or message is a line in a file of this folder.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import tomli


@cache
def load(name: str) -> dict[str, Any]:
    """Return the parsed TOML file ``name`` (for example ``"labels.toml"``) of this folder; read once per process."""
    return tomli.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))
