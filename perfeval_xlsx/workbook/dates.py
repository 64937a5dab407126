"""Dates and times under a date section: 1900 system with its leap-day bug, 1904 system, Chinese names."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from perfeval_xlsx.workbook.formats import Section, Token
from perfeval_xlsx.workbook.numerals import digitwise, of_date

_DAY = 86_400
_LAST = {False: 2_958_465, True: 2_957_003}
_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月")
_DAYS = "一二三四五六日"
_CHINESE = {"804", "404", "C04", "1004", "1404", "4"}


class Moment(NamedTuple):
    """A serial taken apart; ``seconds`` counts all seconds since serial 0, ``part`` is their fraction in units."""

    year: int
    month: int
    day: int
    weekday: int
    seconds: int
    part: int


def moment(serial: float, date1904: bool, places: int) -> Moment | None:
    """Take a serial apart, rounded to ``places`` decimals of a second; None where it is no date."""
    if serial < 0 or serial >= _LAST[date1904] + 1:
        return None
    unit = 10**places
    ticks = int((Decimal(repr(serial)) * _DAY * unit).quantize(Decimal(1), ROUND_HALF_UP))
    seconds, part = divmod(ticks, unit)
    days = seconds // _DAY
    if days > _LAST[date1904]:
        return None
    if date1904:
        day = date(1904, 1, 1) + timedelta(days)
        return Moment(day.year, day.month, day.day, day.weekday(), seconds, part)
    if days in {0, 60}:
        month, of_month = (1, 0) if days == 0 else (2, 29)
        return Moment(1900, month, of_month, (days + 5) % 7, seconds, part)
    day = date(1899, 12, 31 if days < 60 else 30) + timedelta(days)
    return Moment(day.year, day.month, day.day, (days + 5) % 7, seconds, part)


def show_date(section: Section, serial: float, date1904: bool) -> str | None:
    """Return a serial under a date section, or None where it is no date."""
    places = sum(token.kind == "digit" for token in section.tokens)
    now = moment(serial, date1904, places)
    if now is None:
        return None
    noon = any(token.kind == "noon" for token in section.tokens)
    pieces: list[str] = []
    fraction = f"{now.part:0{places}d}" if places else ""
    for index, token in enumerate(section.tokens):
        if token.kind == "digit":
            pieces.append(fraction[:1])
            fraction = fraction[1:]
        elif token.kind == "date":
            minutes = token.text[0] in "mM" and len(token.text) < 3 and _is_minutes(section.tokens, index)
            pieces.append(_piece(token.text.lower(), minutes, now, section, noon))
        elif token.kind == "elapsed":
            pieces.append(_elapsed(token.text, now.seconds))
        elif token.kind == "noon":
            pieces.append(_noon(token.text, now, section))
        else:
            pieces.append(token.text)
    return "".join(pieces)


def _is_minutes(tokens: tuple[Token, ...], index: int) -> bool:
    """``m`` means minutes behind hours and before seconds."""
    timed = [(i, t.text[0].lower()) for i, t in enumerate(tokens) if t.kind in {"date", "elapsed"}]
    place = [i for i, _ in timed].index(index)
    before = timed[place - 1][1] if place else ""
    after = timed[place + 1][1] if place + 1 < len(timed) else ""
    return before == "h" or after == "s"


def _piece(text: str, minutes: bool, now: Moment, section: Section, noon: bool) -> str:
    """Return what one date token shows."""
    letter = text[0]
    if letter in "yeg":
        return _year(text, now, section)
    if letter in "da" and len(text) > 2:
        return _weekday(text, now, section)
    if letter == "m" and len(text) > 2:
        return _month(text, now, section)
    hour = now.seconds // 3600 % 24
    number = {
        "d": now.day,
        "m": now.seconds // 60 % 60 if minutes else now.month,
        "h": (hour % 12 or 12) if noon else hour,
        "s": now.seconds % 60,
    }[letter]
    if section.numerals:
        return of_date(number, section.numerals)
    return f"{number:02d}" if len(text) > 1 else str(number)


def _year(text: str, now: Moment, section: Section) -> str:
    if text[0] == "g":
        return ""
    year = now.year - 1911 if text[0] == "e" and section.locale == "404" else now.year
    shown = f"{year % 100:02d}" if text in {"y", "yy"} else str(year)
    return digitwise(shown, section.numerals) if section.numerals else shown


def _month(text: str, now: Moment, section: Section) -> str:
    if section.locale in _CHINESE:
        return _MONTHS[now.month - 1]
    name = _ENGLISH_MONTHS[now.month - 1]
    return {3: name[:3], 4: name}.get(len(text), name[:1])


def _weekday(text: str, now: Moment, section: Section) -> str:
    if text[0] == "a" or section.locale in _CHINESE:
        return _DAYS[now.weekday] if text == "aaa" else ("周" if len(text) == 3 else "星期") + _DAYS[now.weekday]
    name = _ENGLISH_DAYS[now.weekday]
    return name[:3] if len(text) == 3 else name


def _elapsed(text: str, seconds: int) -> str:
    total = seconds // {"h": 3600, "m": 60, "s": 1}[text[0]]
    return f"{total:0{len(text)}d}"


def _noon(text: str, now: Moment, section: Section) -> str:
    late = now.seconds // 3600 % 24 >= 12
    if "/" in text and text[0] not in "aA":
        return text.split("/")[late]
    if section.locale in _CHINESE:
        return ("上午", "下午")[late]
    return (("A", "P") if len(text) == 3 else ("AM", "PM"))[late]


def serial_of(text: str, date1904: bool) -> float | None:
    """Return the serial of an ISO 8601 date, time or both (cells of type ``d``), or None where it is none."""
    try:
        if "-" not in text:
            clock = time.fromisoformat(text.strip().removeprefix("T"))
            return (clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6) / _DAY
        when = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return None
    days = (when - datetime(1904, 1, 1)) if date1904 else (when - datetime(1899, 12, 30))
    serial = days.total_seconds() / _DAY
    return serial if date1904 or serial >= 61 else serial - 1
