"""A form's own footnote about tiers, points and grades: read only where it is complete and without contradiction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.rulebook import Article, Grade, Rulebook, Tier, grade_alias

_GAP = re.compile(r"[^0-9]{0,40}(?:\d{1,2}[.、)](?!\d)[^0-9]{0,40})?")
_CLOSE = 1e-9
_LONGEST = 20_000
"""Notes beyond this are no footnote."""


@dataclass(frozen=True)
class Footnote:
    """What a form's notes lay down; None or empty where they say nothing complete.

    Attributes:
        tiers: Qualitative tiers from best to worst, as fractions of the weight.
        weights: Points by dimension (``产出``, ``效益``, ``满意度``, ``成本``, ``执行``); they add up to 100.
        grades: Grades from best to worst, named as in the note.
        texts: The sentences it was read from.
    """

    tiers: tuple[Tier, ...] | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    grades: tuple[Grade, ...] | None = None
    texts: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.tiers, tuple(self.weights.items()), self.grades, self.texts))


class Span(NamedTuple):
    """A range in the text: bounds as written, whether each is included (None: not said), unit, place."""

    low: float
    high: float
    low_in: bool | None
    high_in: bool | None
    unit: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def read_footnote(notes: tuple[str, ...]) -> Footnote:
    """Read the notes of one form (``Form.notes``); never fails, and returns nothing where the notes are unclear."""
    text = _plain("\n".join(note for note in notes if note))
    if not any(char.isdigit() for char in text) or len(text) > _LONGEST:
        return Footnote()
    chains = list(_chains(_spans(text), text))
    tiers, tiers_at = _agreed([stated for chain in chains if (stated := _tiers(chain, text))])
    grades, grades_at = _agreed([graded for chain in chains if (graded := _grades(chain, text))])
    weights, weights_text = _weights(text)
    found = [_sentence(text, place) for place in (tiers_at, grades_at) if place is not None]
    texts = dict.fromkeys([*found, *weights_text])
    return Footnote(tiers, MappingProxyType(weights), grades, tuple(texts))


def with_footnote(rulebook: Rulebook, footnote: Footnote, lang: Lang = "zh") -> tuple[Rulebook, list[str]]:
    """Let a form's footnote override the rulebook's tiers, points and grades.

    Args:
        rulebook: The form's rulebook.
        footnote: What its notes lay down.
        lang: Language of the differences.

    Returns:
        The rulebook for this form (the same object where nothing changes; the same new one for the same footnote), and
        what differs, one text each.
    """
    changed, differences = _applied(rulebook, footnote, lang)
    return changed, list(differences)


@lru_cache(maxsize=1024)
def _applied(rulebook: Rulebook, footnote: Footnote, lang: Lang) -> tuple[Rulebook, tuple[str, ...]]:
    differences: list[str] = []
    book = rulebook
    for apply in (_with_tiers, _with_weights, _with_grades):
        book, own, usual = apply(book, footnote)
        if own != usual:
            template = load("rulebook_words.toml")["footnote"][apply.__name__.removeprefix("_with_")][lang]
            differences.append(template.format(own=own, usual=usual))
    return book, tuple(differences)


def _source() -> Article:
    return Article(load("rulebook_words.toml")["footnote"]["article"]["zh"], "filed")


def _with_tiers(book: Rulebook, footnote: Footnote) -> tuple[Rulebook, str, str]:
    """The footnote's cuts under the rulebook's names; a default keeps its place within the band."""
    usual = book.qualitative.tiers
    if footnote.tiers is None or _cuts(footnote.tiers) == _cuts(usual):
        return book, "", ""
    by_id = {tier.id: tier for tier in usual}
    tiers = tuple(_moved(by_id[tier.id], tier) for tier in footnote.tiers)
    qualitative = replace(book.qualitative, source=_source(), tiers=tiers)
    return replace(book, qualitative=qualitative), _show_tiers(tiers), _show_tiers(usual)


def _moved(usual: Tier, own: Tier) -> Tier:
    share = (usual.default - usual.low) / (usual.high - usual.low)
    return replace(usual, low=own.low, high=own.high, default=round(own.low + share * (own.high - own.low), 6))


def _cuts(tiers: Sequence[Tier]) -> list[tuple[float, float]]:
    return [(tier.low, tier.high) for tier in tiers]


def _show_tiers(tiers: Sequence[Tier]) -> str:
    return "、".join(f"{tier.high * 100:g}–{tier.low * 100:g}%" for tier in tiers)


def _with_weights(book: Rulebook, footnote: Footnote) -> tuple[Rulebook, str, str]:
    own, usual = dict(footnote.weights), book.weights
    if not own or own == usual:
        return book, "", ""
    execution = book.execution
    points = own.get(load("rulebook_words.toml")["weights"]["execution"])
    if points is not None and points != execution.points:
        execution = replace(execution, points=points)
    book = replace(book, weights=own, weights_source=_source(), weights_alternatives=(), execution=execution)
    shared = [name for name in own if name in usual]
    if len(shared) == len(usual) and all(own[name] == usual[name] for name in shared):
        return book, "", ""
    return book, _show_points(own), _show_points(usual)


def _show_points(points: Mapping[str, float]) -> str:
    return "、".join(f"{name}{value:g}" for name, value in points.items())


def _with_grades(book: Rulebook, footnote: Footnote) -> tuple[Rulebook, str, str]:
    """The footnote's cuts; the rulebook's names stay where each of the footnote's is one of them."""
    own, usual = footnote.grades, book.grades
    if own is None:
        return book, "", ""
    names = [grade_alias(grade.name, book) for grade in own]
    if names == [grade.name for grade in usual]:
        own = tuple(replace(known, floor=grade.floor) for known, grade in zip(usual, own, strict=True))
    if own == usual:
        return book, "", ""
    return replace(book, grades=own, grades_source=_source()), _show_grades(own), _show_grades(usual)


def _show_grades(grades: Sequence[Grade]) -> str:
    return "、".join(f"{grade.name}≥{grade.floor:g}" for grade in grades)


def _agreed(found: Sequence[tuple[Any, int]]) -> tuple[Any, int | None]:
    """What every statement says; nothing where two of them differ."""
    if not found or any(item != found[0][0] for item, _ in found[1:]):
        return None, None
    return found[0]


def _plain(text: str) -> str:
    listed = _pattern("parts", "circled").sub(";", text)
    folded = unicodedata.normalize("NFKC", listed).replace("〔", "(").replace("〕", ")")
    lines = ["".join(line.split()) for line in folded.split("\n")]
    return _pattern("parts", "dash").sub("-", "\n".join(line for line in lines if line))


@cache
def _pattern(section: str, key: str) -> re.Pattern[str]:
    """A pattern of ``data/footnotes.toml`` with its parts filled in."""
    data = load("footnotes.toml")
    text = str(data[section][key])
    for name, part in (("marker", data["parts"]["marker"]), ("number", data["parts"]["number"])):
        text = text.replace("{" + name + "}", part)
    return re.compile(text.replace("{words}", data["grades"]["words"]))


def _spans(text: str) -> list[Span]:
    """Every range in the text, in order; where two readings start together, the longer."""
    found: list[Span] = []
    for key in load("footnotes.toml")["ranges"]:
        found += [span for match in _pattern("ranges", key).finditer(text) if (span := _span(key, match))]
    found.sort(key=lambda span: (span.start, -span.end))
    spans: list[Span] = []
    for span in found:
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return spans


def _span(key: str, match: re.Match[str]) -> Span | None:
    groups = match.groupdict()
    unit = groups.get("unit1") or groups.get("unit2") or ""
    first, second = (None if groups.get(name) is None else float(groups[name]) for name in "ab")
    low, high = (first, second) if first is None or second is None else (min(first, second), max(first, second))
    low_in, high_in = _inclusions(key, groups, low, high, swapped=first is not None and first == high)
    if low is None:
        low, low_in = 0.0, None
    if high is None:
        high, high_in = 100.0, None
    return Span(low, high, low_in, high_in, unit, match.start(), match.end()) if low < high <= 100 else None


def _inclusions(
    key: str, groups: Mapping[str, str | None], low: float | None, high: float | None, *, swapped: bool
) -> tuple[bool | None, bool | None]:
    """Whether the bounds are included: by a marker's own figure, else the bound it follows; None: not said."""
    sides: dict[str, bool | None] = {"low": None, "high": None}
    first, second = ("high", "low") if swapped else ("low", "high")
    if key in {"above", "below"}:
        first = second = "low" if key == "above" else "high"
        sides[first] = True if groups["and"] else None
    for name, side in (("mark1", first), ("mark2", second), ("mark3", second)):
        marker = groups.get(name)
        if marker:
            sides[_marked(marker, low, high) or side] = not _pattern("parts", "excludes").search(marker)
    for name, side in (("left", first), ("right", second)):
        sign = groups.get(name)
        if sign:
            side = {"at_least": "low", "at_most": "high"}.get(key, side)
            sides[side] = sign in {"<=", ">=", "≤", "≥", "≦", "≧"}
    return sides["low"], sides["high"]


def _marked(marker: str, low: float | None, high: float | None) -> Literal["low", "high"] | None:
    figure = _pattern("parts", "number").search(marker)
    if figure and float(figure[0]) == low:
        return "low"
    return "high" if figure and float(figure[0]) == high else None


def _chains(spans: Sequence[Span], text: str) -> Iterator[list[Span]]:
    """Runs of ranges that follow each other with words but no figures between."""
    chain: list[Span] = []
    for span in spans:
        if chain and not _GAP.fullmatch(text, chain[-1].end, span.start):
            yield chain
            chain = []
        chain.append(span)
    if chain:
        yield chain


def _contiguous(spans: Sequence[Span]) -> bool:
    """Ranges from best to worst cover 0 to 100 once; a cut that both or neither of its ranges claims is none."""
    if abs(spans[0].high - 100) > _CLOSE or abs(spans[-1].low) > _CLOSE:
        return False
    steps = load("footnotes.toml")["grades"]["joint"]["steps"]
    for above, below in pairwise(spans):
        step = above.low - below.high
        if abs(step) <= _CLOSE:
            if above.low_in is not None and above.low_in == below.high_in:
                return False
        elif not any(abs(step - allowed) <= _CLOSE for allowed in steps):
            return False
    return True


def _falling(chain: Sequence[Span]) -> list[Span] | None:
    """The chain from best to worst, if it is listed in one direction."""
    lows = [span.low for span in chain]
    if lows == sorted(lows, reverse=True):
        return list(chain)
    return list(reversed(chain)) if lows == sorted(lows) else None


def _tiers(chain: Sequence[Span], text: str) -> tuple[tuple[Tier, ...], int] | None:
    """Three percent ranges that share out the weight among the qualitative tiers."""
    ranked = _falling(chain)
    if len(chain) != 3 or not ranked or not _contiguous(ranked) or any(span.unit == "分" for span in chain):
        return None
    if not _speaks_of_tiers(chain, text, rising=ranked[0] is not chain[0]):
        return None
    names = load("footnotes.toml")["tiers"]["names"]
    cuts = [1.0, ranked[0].low / 100, ranked[1].low / 100, 0.0]
    ids: tuple[Literal["met", "partial", "unmet"], ...] = ("met", "partial", "unmet")
    places = {"met": 1.0, "partial": 0.5, "unmet": 0.0}
    tiers = []
    for tier_id, high, low in zip(ids, cuts[:3], cuts[1:], strict=True):
        default = round(low + places[tier_id] * (high - low), 6)
        tiers.append(Tier(id=tier_id, name=names[tier_id], low=low, high=high, default=default))
    return tuple(tiers), chain[0].start


def _speaks_of_tiers(chain: Sequence[Span], text: str, *, rising: bool) -> bool:
    """The tiers' words around the ranges, in the same order; or the words for qualitative scoring before them."""
    begin = max(0, chain[0].start - 90, text.rfind(_qualitative(), 0, chain[0].start))
    window = text[begin : chain[-1].end + 30]
    found = [_pattern("tiers", key).search(window) for key in ("met", "partial", "unmet")]
    places = [match.start() for match in found if match]
    if len(places) == 3:
        return places == sorted(places, reverse=rising)
    lead = text[begin : chain[0].start]
    return bool(_pattern("tiers", "context").search(lead)) and not _pattern("tiers", "other").search(lead)


def _qualitative() -> str:
    return str(load("footnotes.toml")["tiers"]["qualitative"])


def _grades(chain: Sequence[Span], text: str) -> tuple[tuple[Grade, ...], int] | None:
    """Ranges of points, each with a grade's word beside it."""
    ranked = _falling(chain)
    if len(chain) < 2 or not ranked or not _contiguous(ranked) or any(span.unit == "%" for span in chain):
        return None
    for words in (_words_after(ranked, text), _words_before(ranked, text)):
        if words and len(set(words)) == len(words):
            grades = tuple(Grade(word, span.low) for word, span in zip(words, ranked, strict=True))
            return grades, chain[0].start
    return None


def _words_after(spans: Sequence[Span], text: str) -> list[str] | None:
    found = [_pattern("grades", "after").search(text[span.end : span.end + 30]) for span in spans]
    return [match["word"] for match in found if match] if all(found) else None


def _words_before(spans: Sequence[Span], text: str) -> list[str] | None:
    found = [_pattern("grades", "before").search(text[max(0, span.start - 20) : span.start]) for span in spans]
    return [match["word"] for match in found if match] if all(found) else None


def _weights(text: str) -> tuple[dict[str, float], list[str]]:
    """Points by dimension that add up to 100; empty where a dimension has two figures or the sum is another."""
    plain = _pattern("weights", "details").sub("", text)
    for pairs in (_beside(plain, "between", "分"), _listed(plain), _beside(plain, "share", "%")):
        points = _complete(pairs)
        if points:
            return points, [_sentence(plain, min(place for _, _, place in pairs))]
    return {}, []


def _beside(text: str, joint: str, unit: str) -> list[tuple[str, float, int]]:
    """Dimensions with a figure right behind: ``产出指标50分``."""
    pairs = []
    for name in load("footnotes.toml")["weights"]["dimension"]:
        pattern = _beside_pattern(name, joint, unit)
        pairs += [(name, float(match["figure"]), match.start()) for match in pattern.finditer(text)]
    return pairs


@cache
def _beside_pattern(name: str, joint: str, unit: str) -> re.Pattern[str]:
    data = load("footnotes.toml")["weights"]
    return re.compile(rf"(?:{data['dimension'][name]}){data[joint]}(?P<figure>\d{{1,3}}(?:\.\d+)?){unit}")


def _listed(text: str) -> list[tuple[str, float, int]]:
    """Dimensions first, figures after: ``产出、效益、满意度、执行率分别为50、30、10、10分``."""
    match = _pattern("weights", "listed").search(text)
    if not match:
        return []
    lead = re.split(r"[。;\n]", text[: match.start()])[-1][-80:]
    places = sorted(
        (found.start(), name)
        for name in load("footnotes.toml")["weights"]["dimension"]
        for found in re.finditer(load("footnotes.toml")["weights"]["dimension"][name], lead)
    )
    figures = [float(figure) for figure in re.findall(r"\d+(?:\.\d+)?", match["figures"])]
    if len(figures) != len(places):
        return []
    return [(name, figure, match.start()) for (_, name), figure in zip(places, figures, strict=True)]


def _complete(pairs: Sequence[tuple[str, float, int]]) -> dict[str, float]:
    points: dict[str, float] = {}
    for name, figure, _ in pairs:
        if points.setdefault(name, figure) != figure:
            return {}
    cost = load("rulebook_words.toml")["weights"]["cost"]
    if cost in points and abs(sum(points.values()) - points[cost] - 100) < _CLOSE:
        del points[cost]
    needed = load("rulebook_words.toml")["weights"]["complete"]
    whole = abs(sum(points.values()) - 100) < _CLOSE and all(name in points for name in needed)
    return points if whole else {}


def _sentence(text: str, place: int) -> str:
    """The sentence around a place, at most 120 characters of it."""
    begin = max(text.rfind(mark, 0, place) for mark in "。;\n") + 1
    ends = [end for mark in "。;\n" if (end := text.find(mark, place)) >= 0]
    return text[begin : min(ends, default=len(text))][:120]
