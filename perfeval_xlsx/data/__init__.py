"""Data files: labels, words, rulebooks and messages. No code lives here; ``load`` reads them.

A new label, rule, parameter or message is a line in a file of this folder.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import tomli

_loader: Any = globals()["__loader__"]
"""Who read this module; ``importlib.resources`` asks it as well, but takes longer to import than a file to read."""


@cache
def load(name: str) -> dict[str, Any]:
    """Return the parsed TOML file ``name`` (for example ``"labels.toml"``) of this folder; read once per process."""
    return tomli.loads(_loader.get_data(os.path.join(*__path__, name)).decode())  # noqa: PTH118
