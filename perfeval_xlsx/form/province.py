"""Which province a form comes from, by the places its texts name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from perfeval_xlsx.data import load

_CHINESE = "\u3400-\u9fff"
_MARKET = "场"


def province_of(*texts: str | None) -> str | None:
    """Return the short name of the one province the texts name (``株洲市教育局`` → ``湖南``).

    Args:
        texts: Organisation, title, file name … in any order; None and empty texts are passed over.

    Returns:
        ``湖南``, ``内蒙古``, ``重庆`` …; None where no place is named, or places of two provinces are. Counties and
        districts alone name no province: their names repeat across the country.
    """
    found = {province for text in texts if text for province, _ in _places(text)}
    return found.pop() if len(found) == 1 else None


def place_of(*texts: str | None) -> str | None:
    """Return the province, and behind it the district where the text names one right after it (``北京海淀区``).

    Rulebooks may be a district's own; ``choose_rulebook`` takes such a place as well as a province.
    """
    province = province_of(*texts)
    if province is None:
        return None
    districts = {district for text in texts if text for _, district in _places(text) if district}
    return province + districts.pop() if len(districts) == 1 else province


@lru_cache(maxsize=2048)
def _places(text: str) -> tuple[tuple[str, str], ...]:
    """Every place in a text: its province, and the district named right behind a municipality or province."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return () if _first_pairs().isdisjoint(pairwise(plain)) else tuple(_found(plain))


@cache
def _first_pairs() -> frozenset[tuple[str, str]]:
    """What names begin with: a text without any such pair of characters, as most are, names no place."""
    return frozenset((begins[0], begins[1]) for begins in _by_start())


def _found(text: str) -> Iterator[tuple[str, str]]:
    names, follows = _names(), 0
    for at, name in _named(text):
        full = name in names["full"]
        if not full and not (at == follows or _opens(text, at)):
            continue
        follows = at + len(name)
        province = names["full" if full else "short"][name]
        district = _DISTRICT.match(text, follows) if name.startswith(province) else None
        yield province, district[0] if district else ""


def _opens(text: str, at: int) -> bool:
    """Whether a short name may stand at ``at``: at the start, behind other than Chinese, behind a lead word."""
    return _BOUNDARY.match(text[at - 1 : at]) is not None or text.endswith(tuple(load("provinces.toml")["lead"]), 0, at)


_BOUNDARY = re.compile(f"[^{_CHINESE}]|$")
_DISTRICT = re.compile(f"[{_CHINESE}]{{2,4}}?区")


@cache
def _names() -> dict[str, dict[str, str]]:
    """Full and short names of places, each with its province."""
    data = load("provinces.toml")
    full: dict[str, str] = {}
    short: dict[str, str] = {}
    for province, entry in data["province"].items():
        _add(full, province, *(province + ending for ending in _endings(entry["suffix"], "自治区")))
        _add(full, province, *(city + "市" for city in entry.get("cities", ())), *entry.get("others", ()))
        for area, ending in entry.get("areas", {}).items():
            _add(full, province, area + "市", *(area + tail for tail in _endings(ending, "自治州", "州")))
        plain = [name for name in (*entry.get("cities", ()), *entry.get("areas", {})) if name not in data["full_only"]]
        _add(short, province, province, *plain)
    return {"full": full, "short": short}


def _add(names: dict[str, str], province: str, *places: str) -> None:
    names.update(dict.fromkeys(places, province))


def _endings(whole: str, *short: str) -> tuple[str, ...]:
    """``壮族自治区`` also stands as ``自治区``."""
    return (whole, *short) if whole.endswith(short[0]) else (whole,)


@cache
def _by_start() -> dict[str, list[str]]:
    """Every name by its first two characters, the longest first; one expression of all takes 60 ms to compile."""
    found: dict[str, list[str]] = {}
    for name in sorted({*_names()["full"], *_names()["short"]}, key=lambda name: -len(name)):
        found.setdefault(name[:2], []).append(name)
    return found


def _named(text: str) -> Iterator[tuple[int, str]]:
    """Place and name of every name in a text, from the left, none within another."""
    at, starts = 0, _by_start()
    while at < len(text) - 1:
        name = next((name for name in starts.get(text[at : at + 2], ()) if _stands(name, text, at)), None)
        if name is not None:
            yield at, name
        at += len(name) if name is not None else 1


def _stands(name: str, text: str, at: int) -> bool:
    """Whether a name stands at a place and is not the beginning of another word (``上海市场``, ``海南路``)."""
    if not text.startswith(name, at):
        return False
    end = at + len(name)
    if name in _names()["full"]:
        return not (name.endswith("市") and text.startswith(_MARKET, end))
    return _not_before().match(text, end) is None


@cache
def _not_before() -> re.Pattern[str]:
    return re.compile(load("provinces.toml")["not_before"])
