"""Chinese numerals of ``[DBNum1]`` (一二三), ``[DBNum2]`` (壹贰叁) and ``[DBNum3]`` (１２３)."""

from __future__ import annotations

_DIGITS = {1: "〇一二三四五六七八九", 2: "零壹贰叁肆伍陆柒捌玖", 3: "０１２３４５６７８９"}
_UNITS = {1: ("", "十", "百", "千"), 2: ("", "拾", "佰", "仟"), 3: ("", "十", "百", "千")}
_GROUPS = ("", "万", "亿", "万亿")


def digitwise(text: str, numerals: int) -> str:
    """Replace each ASCII digit: ``2021`` → ``二〇二一``."""
    digits = _DIGITS[numerals]
    return "".join(digits[ord(char) - 48] if "0" <= char <= "9" else char for char in text)


def spoken(text: str, numerals: int) -> str:
    """Read a plain decimal number aloud: ``1204.5`` → ``一千二百〇四.五``; anything else digit by digit."""
    whole, point, rest = text.lstrip("-").partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) > 4 * len(_GROUPS):
        return digitwise(text, numerals)
    sign = "-" if text.startswith("-") else ""
    return sign + _whole(int(whole), numerals) + point + digitwise(rest, numerals)


def _whole(number: int, numerals: int) -> str:
    """Read a whole number group by group of four digits."""
    zero = _DIGITS[numerals][0]
    if not number:
        return zero
    said, index, gap = "", 0, False
    while number:
        number, group = divmod(number, 10_000)
        if group:
            said = _group(group, numerals) + _GROUPS[index] + (zero if gap and said else "") + said
            gap = group < 1000
        elif said:
            gap = True
        index += 1
    return said


def _group(group: int, numerals: int) -> str:
    """Read 1 … 9999."""
    digits, units = _DIGITS[numerals], _UNITS[numerals]
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            said += (digits[0] if gap and said else "") + digits[digit] + units[place]
            gap = False
        else:
            gap = True
    return said


def of_date(number: int, numerals: int) -> str:
    """Read a month, day, hour, minute or second: ``12`` → ``十二``, not ``一十二``."""
    said = _whole(number, numerals)
    ten, one = _UNITS[numerals][1], _DIGITS[numerals][1]
    return said[1:] if numerals == 1 and said.startswith(one + ten) else said
