"""JSON that only this program reads again, or reads at once: UTF-8 without spaces, by the fastest there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def _plain_dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


dumps: Callable[[Any], bytes] = _plain_dumps
"""A value as JSON; TypeError or UnicodeEncodeError where a text holds a lone surrogate."""
loads: Callable[[bytes | str], Any] = json.loads
"""The value of a JSON text."""
try:
    import orjson

    dumps, loads = orjson.dumps, orjson.loads
except ImportError:  # no wheel for this processor (loongarch64): the same text, ten times slower
    pass
