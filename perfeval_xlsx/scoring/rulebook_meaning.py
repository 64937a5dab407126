"""What a complete rulebook must mean: bands without hole or overlap, points that add up, dates in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.rulebook_schema import STRENGTH, tables
from perfeval_xlsx.scoring.rulebook_toml import KeyPath, Problem, show_value

Bands = Sequence[Mapping[str, Any]]
_CLOSE = 1e-9
_TIERS = ("met", "partial", "unmet")


def strength_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Sections of one file that claim more than the file's own ``[rulebook] support``."""
    whole = data["rulebook"]["support"]
    return [
        Problem("too_strong", (*name.split("."), "support"), {"found": table["support"], "above": whole})
        for name, table in tables(data)
        if name != "rulebook" and "support" in table and STRENGTH.index(table["support"]) < STRENGTH.index(whole)
    ]


def meaning_problems(data: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a complete rulebook whose shape is right."""
    return [
        *_dates(data["rulebook"]),
        *_execution(data["execution"]),
        *_rate_bands(data.get("satisfaction", {}).get("bands", ()), ("satisfaction", "bands")),
        *_over(data["quantitative"]["over"]),
        *_tiers(data["qualitative"]),
        *_deadline(data["deadline"]),
        *_grades(data["grades"]["levels"]),
        *_weights(data),
    ]


def tier_default(value: float | str, tier: Mapping[str, Any]) -> float:
    """A tier's default as a fraction: ``"middle"`` is the middle of its band."""
    return round((tier["from"] + tier["to"]) / 2, 6) if value == "middle" else float(value)


def _dates(rulebook: Mapping[str, Any]) -> Iterator[Problem]:
    start, end = rulebook.get("effective_from"), rulebook.get("effective_to")
    if start and end and end < start:
        yield Problem("dates", ("rulebook", "effective_to"), {"found": end, "above": start})


def _execution(section: Mapping[str, Any]) -> Iterator[Problem]:
    bands, path = section.get("bands", ()), ("execution", "bands")
    if section["method"] == "bands" and not bands:
        yield Problem("no_bands", path)
    if section["method"] != "bands" and bands:
        yield Problem("idle_bands", ("execution", "method"), also=(path,))
    yield from _rate_bands(bands, path)


def _over(section: Mapping[str, Any]) -> Iterator[Problem]:
    if section["reason"] < section["hint"]:
        path = ("quantitative", "over")
        values = {"found": section["reason"], "above": section["hint"]}
        yield Problem("over_order", (*path, "reason"), values, also=((*path, "hint"),))


def _tiers(section: Mapping[str, Any]) -> Iterator[Problem]:
    path: KeyPath = ("qualitative", "tiers")
    tiers = section["tiers"]
    if [tier["id"] for tier in tiers] != list(_TIERS):
        yield Problem("all_tiers", path)
        return
    problems = [*_names(tiers, path), *_falling(tiers, path, 1.0)]
    yield from problems
    if problems:
        return
    for tier in tiers:
        default = tier_default(section["default"][tier["id"]], tier)
        if not tier["from"] <= default <= tier["to"]:
            values = {"found": default, "low": tier["from"], "high": tier["to"]}
            yield Problem("outside_tier", ("qualitative", "default", tier["id"]), values, also=(path,))


def _grades(levels: Bands) -> Iterator[Problem]:
    path: KeyPath = ("grades", "levels")
    yield from _names(levels, path)
    yield from _falling(levels, path, 100)


def _names(items: Bands, path: KeyPath) -> Iterator[Problem]:
    """Names and aliases are there once in the whole list."""
    seen: set[str] = set()
    for position, item in enumerate(items):
        places = [((*path, position, "name"), item["name"])]
        places += [((*path, position, "aliases", i), alias) for i, alias in enumerate(item.get("aliases", ()))]
        for place, name in places:
            if name in seen:
                yield Problem("duplicate", place, {"found": show_value(name)})
            seen.add(name)


def _rate_bands(bands: Bands, path: KeyPath) -> Iterator[Problem]:
    """Bands of a rate: the best one may be open upwards, the last starts at 0, fractions do not rise downwards."""
    if not bands:
        return
    for position, band in enumerate(bands[1:], 1):
        if "to" not in band:
            which = load("rulebook_words.toml")["reason"]["first_band"]
            yield Problem("open_end", (*path, position, "to"), {"which": which})
            return
    top = max(1.0, bands[0]["from"] + 1)
    closed = [{**bands[0], "to": top}, *bands[1:]] if bands[0].get("to", 1) >= 1 else list(bands)
    yield from _falling(closed, path, top if closed[0]["to"] == top else 1.0)
    yield from _shares(bands, path)


def _falling(bands: Bands, path: KeyPath, top: float) -> Iterator[Problem]:
    """Bands from high to low, ``[from, to)``: each ends where the one above starts, from ``top`` down to 0."""
    for position, band in enumerate(bands):
        if band["from"] >= band["to"]:
            values = {"low": band["from"], "high": band["to"]}
            yield Problem("reversed", (*path, position, "from"), values)
            return
    if abs(bands[0]["to"] - top) > _CLOSE and bands[0]["to"] == max(band["to"] for band in bands):
        yield Problem("top", (*path, 0, "to"), {"wanted": f"{top:g}", "found": bands[0]["to"]})
    for position in range(1, len(bands)):
        above, band = bands[position - 1], bands[position]
        yield from _joint(above, band, (*path, position, "to"))
    lowest = min(band["from"] for band in bands)
    if bands[-1]["from"] == lowest and lowest != 0:
        yield Problem("bottom", (*path, len(bands) - 1, "from"), {"wanted": 0, "found": lowest})


def _joint(above: Mapping[str, Any], band: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    if band["to"] > above["from"] + _CLOSE:
        if band["from"] >= above["to"] - _CLOSE:
            yield Problem("unsorted", path)
        else:
            values = {"low": max(above["from"], band["from"]), "high": min(above["to"], band["to"])}
            yield Problem("overlap", path, values)
    elif band["to"] < above["from"] - _CLOSE:
        yield Problem("gap", path, {"low": band["to"], "high": above["from"]})


def _shares(bands: Bands, path: KeyPath) -> Iterator[Problem]:
    for position in range(1, len(bands)):
        above, share = bands[position - 1]["fraction"], bands[position]["fraction"]
        if share > above:
            yield Problem("shares", (*path, position, "fraction"), {"found": share, "above": above})


def _deadline(section: Mapping[str, Any]) -> Iterator[Problem]:
    """Bands of whole days late: from 1 on, each starting the day after the one before, the last without end."""
    bands, path = section["bands"], ("deadline", "bands")
    next_day = 1
    for position, band in enumerate(bands):
        last, here = position == len(bands) - 1, (*path, position)
        if band["from"] != next_day:
            yield _day_problem(position, band["from"], next_day, here)
            return
        if last != ("to" not in band):
            which = load("rulebook_words.toml")["reason"]["last_band"]
            yield Problem("last_open", (*here, "to")) if last else Problem("open_end", (*here, "to"), {"which": which})
            return
        if not last and band["to"] < band["from"]:
            yield Problem("reversed", (*here, "from"), {"low": band["from"], "high": band["to"]})
            return
        next_day = band.get("to", 0) + 1
    yield from _shares(bands, path)
    if bands[0]["fraction"] > section["below_weight"]:
        values = {"found": bands[0]["fraction"], "above": section["below_weight"]}
        yield Problem("late_full", (*path, 0, "fraction"), values, also=(("deadline", "below_weight"),))


def _day_problem(position: int, start: int, wanted: int, path: KeyPath) -> Problem:
    if position == 0:
        return Problem("bottom_days", (*path, "from"), {"wanted": wanted, "found": start})
    if start > wanted:
        return Problem("gap", (*path, "from"), {"low": wanted, "high": start - 1})
    return Problem("overlap_days", (*path, "from"), {"found": start, "wanted": wanted})


def _weights(data: Mapping[str, Any]) -> Iterator[Problem]:
    section = data.get("weights")
    if section is None:
        return
    core = load("rulebook_words.toml")["weights"]
    sets: list[tuple[KeyPath, Mapping[str, float]]] = [(("weights", "points"), section["points"])]
    sets += [(("weights", "alternatives", i), points) for i, points in enumerate(section.get("alternatives", ()))]
    for path, points in sets:
        total = round(sum(points.values()), 6)
        if total > 100 or (all(name in points for name in core["complete"]) and total != 100):
            yield Problem("sum", path, {"found": f"{total:g}"})
        execution = points.get(core["execution"])
        if execution is not None and execution != data["execution"]["points"]:
            values = {"found": execution, "above": data["execution"]["points"]}
            yield Problem("execution_points", (*path, core["execution"]), values, also=(("execution", "points"),))
