"""The styles part: which number format a cell's style index stands for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock

from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook.display import Format, compiled
from perfeval_xlsx.workbook.xml import local, parse

BUILTIN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: '"¥"#,##0;"¥"-#,##0', 6: '"¥"#,##0;[Red]"¥"-#,##0',
    7: '"¥"#,##0.00;"¥"-#,##0.00', 8: '"¥"#,##0.00;[Red]"¥"-#,##0.00',
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy/m/d", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy/m/d h:mm",
    23: "General", 24: "General", 25: "General", 26: "General",
    27: 'yyyy"年"m"月"', 28: 'm"月"d"日"', 29: 'm"月"d"日"', 30: "m/d/yy", 31: 'yyyy"年"m"月"d"日"',
    32: 'h"时"mm"分"', 33: 'h"时"mm"分"ss"秒"', 34: '上午/下午h"时"mm"分"', 35: '上午/下午h"时"mm"分"ss"秒"',
    36: 'yyyy"年"m"月"', 37: "#,##0;-#,##0", 38: "#,##0;[Red]-#,##0", 39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;[Red]-#,##0.00", 41: '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ',
    42: '_ "¥"* #,##0_ ;_ "¥"* -#,##0_ ;_ "¥"* "-"_ ;_ @_ ',
    43: '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ',
    44: '_ "¥"* #,##0.00_ ;_ "¥"* -#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    50: 'yyyy"年"m"月"', 51: 'm"月"d"日"', 52: 'yyyy"年"m"月"', 53: 'm"月"d"日"', 54: 'm"月"d"日"',
    55: '上午/下午h"时"mm"分"', 56: '上午/下午h"时"mm"分"ss"秒"', 57: 'yyyy"年"m"月"', 58: 'm"月"d"日"',
}  # fmt: skip
"""Format codes that files leave unwritten, as Excel shows them in Chinese (ECMA-376 part 1, 18.8.30)."""

_FIXED_DATES = range(14, 23)
_KEPT = 64
_SHORT = 16_384
"""A part of so many bytes is told by itself, a longer one by its digest."""
_cache: OrderedDict[bytes, tuple[Format, ...]] = OrderedDict()
_lock = Lock()


def read_styles(part: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> tuple[Format, ...]:
    """Return the compiled number format of each cell style; hundreds of forms share one part, so a few are kept.

    Args:
        part: Bytes of the styles part.
        name: Its name, for messages.
        limits: Bound on nesting.

    Raises:
        PerfevalError: Not well-formed or nested too deep.
    """
    key = part if len(part) <= _SHORT else sha256(part).digest()
    with _lock:
        known = _cache.get(key)
        if known is not None:
            _cache.move_to_end(key)
            return known
    reader = _Styles()
    parse(part, name, limits.xml_depth, reader.start, reader.end)
    codes = {id_: _code(id_, reader.codes) for id_ in set(reader.ids)}
    formats = tuple(compiled(codes[id_]) for id_ in reader.ids)
    with _lock:
        _cache[key] = formats
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return formats


def _code(id_: int, own: Mapping[int, str]) -> str:
    """Return a format's code: the file's own, but a built-in date stays a date whatever a careless writer declares."""
    builtin = BUILTIN.get(id_, "General")
    code = own.get(id_, builtin)
    return builtin if id_ in _FIXED_DATES and not compiled(code).date else code


class _Styles:
    """Collects ``numFmt`` codes and the format ids of ``cellXfs``."""

    __slots__ = ("codes", "ids", "inside")

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.ids: list[int] = []
        self.inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        if tag == "cellXfs":
            self.inside = True
        elif tag == "xf" and self.inside:
            self.ids.append(_whole(attributes.get("numFmtId")))
        elif tag == "numFmt":
            self.codes.setdefault(_whole(attributes.get("numFmtId")), attributes.get("formatCode", "General"))

    def end(self, name: str) -> None:
        if local(name) == "cellXfs":
            self.inside = False


def _whole(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
