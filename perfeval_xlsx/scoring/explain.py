"""Why a row has its score, in one sentence a clerk can check: facts, rule, typed score, article and its support.

Sentences are put together column by column: one template for all rows of a method, one text for each distinct figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import repeat
from string import Formatter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.columns import Bools, Codes, Column, Floats, Objects, alike, by_book, each, fill, texts_of
from perfeval_xlsx.scoring.execution import METHODS, POINTS_FROM, Executed
from perfeval_xlsx.scoring.figures import show
from perfeval_xlsx.scoring.indicators import Scored, stands
from perfeval_xlsx.scoring.measure import DIRECTIONS
from perfeval_xlsx.scoring.rounding import show_figures, show_percents
from perfeval_xlsx.scoring.rulebook import Article, Rulebook

_SILENT = frozenset({"unweighted", "shared", "excluded", "missing_target", "missing_actual", "execution_unweighted"})
_PROPORTIONAL = frozenset({"execution", "execution_missing"})
_UNDIRECTED = ("on_time", "band")
_EVERY = slice(None)
"""All rows."""


_Pieces = tuple[tuple[str, str | None], ...]


class _Part(NamedTuple):
    """A part of the sentences: its templates, "" where nothing is said, and by row the position of its template."""

    templates: Sequence[str]
    codes: Codes


def row_sentences(scored: Scored, books: Sequence[Rulebook], code: Codes, lang: Lang = "zh") -> Objects:
    """One sentence a row of the scored indicators: its facts, stated alike in all rows, and what follows from them."""
    methods = list(scored.verdicts.names), scored.verdicts.rules
    directed = np.where(_directed(scored), scored.measured.directions, 0)
    parts = [
        _part(methods, "method", lang),
        _part((DIRECTIONS, directed), "direction", lang),
        _Part(["", _template("assumed_unit", lang, "note")], scored.measured.assumed.astype(np.int64)),
        _Part(["", _template("deducted", lang, "note")], (scored.deducted > 0).astype(np.int64)),
        _typed_part(scored.figures, _weighed(scored), lang),
        _articles(methods, books, code, lang, row_article),
    ]
    columns = _row_columns(scored, lang)
    facts = _pieces(_template("facts", lang, "words") + "{rest}")
    shown = {name: columns[name](_EVERY) for _, name in facts if name and name != "rest"}
    shown["rest"] = _sentences(parts, columns, lang, _template("separator", lang, "words")).tolist()
    return np.fromiter(_told(facts, shown, len(directed)), dtype=object, count=len(directed))


def execution_sentences(executed: Executed, books: Sequence[Rulebook], code: Codes, lang: Lang = "zh") -> Objects:
    """One sentence a total row; ``code`` is by row the position of its rulebook."""
    figures, words = executed.figures, executed.words
    columns = {
        **_figures(figures),
        "budget": _cells(lambda: texts_of(words["budget_text"]), lang),
        "executed": _cells(lambda: executed.rows.texts("executed"), lang),
        "ratio": _percents(figures["rate"]),
        "band": _texts(figures["share"], _share),
    }
    parts = [
        _part((METHODS, executed.methods), "method", lang),
        _part((POINTS_FROM, executed.points_from), "note", lang),
        _typed_part(figures, (words["status"] == "judged", words["status"] == "unscorable"), lang),
        _articles(_supported(executed, books, code), books, code, lang, lambda book, _: book.execution.source),
    ]
    return _sentences(parts, columns, lang)


def _supported(executed: Executed, books: Sequence[Rulebook], code: Codes) -> _Keys:
    """The methods, "" where points × rate is of points that the form states and the rulebook's article does not."""
    usual = by_book(books, code, lambda book: book.execution.points)
    own = (executed.points_from > 0) & (executed.figures["points"] != usual)
    proportional = np.array([method in _PROPORTIONAL for method in METHODS])[executed.methods]
    return (*METHODS, ""), np.where(proportional & own, len(METHODS), executed.methods)


def method_words(scored: Scored, at: int, lang: Lang = "zh") -> str:
    """What the rule says of the row at position ``at``, without facts, typed score and article."""
    method = str(scored.words["method"][at])
    return str(fill(_template(method, lang), _row_columns(scored, lang), np.array([at]))[0])


def typed_words(scored: Scored, at: int, lang: Lang = "zh") -> list[str]:
    """How the typed score of the row at ``at`` stands towards the rule's; nothing where the rule alone decides."""
    templates, codes = _typed_part(scored.figures, _weighed(scored), lang)
    template = templates[codes[at]]
    return [str(fill(template, _row_columns(scored, lang), np.array([at]))[0])] if template else []


def row_article(book: Rulebook, method: str) -> Article:
    """The article of ``book`` that decides rows of ``method``."""
    quantitative, qualitative = book.quantitative, book.qualitative
    special = {
        "reverse": quantitative.reverse_source,
        "reverse_linear": quantitative.reverse_source,
        "zero_missed": quantitative.zero_source,
        "deduction_unreadable": quantitative.deduction_source,
        "on_time": book.deadline.source,
        "late": book.deadline.source,
        "direct_met": qualitative.direct_source,
        "direct_missed": qualitative.direct_source,
        "tier": qualitative.source,
        "negative": qualitative.source,
        "claimed": qualitative.source,
        "figure": qualitative.source,
        "echo": qualitative.presume_source or qualitative.source,
        "presumed": qualitative.presume_source or qualitative.source,
        "not_presumed": qualitative.presume_source or qualitative.source,
        "band": book.satisfaction.source if book.satisfaction else None,
        "no_cost": book.cost.source if book.cost else None,
    }
    return special.get(method) or quantitative.source


@lru_cache(maxsize=1024)
def article_words(article: Article, lang: Lang) -> str:
    """Article and support in words; a rulebook never claims more than its support."""
    support = load("methods.toml")["support"][article.support][lang]
    return _template("article", lang, "words").format(article=article.article, support=support)


_Keys = tuple[Sequence[str], Codes]
"""Keys of ``data/methods.toml``, and by row the position of its own."""


def _part(keys: _Keys, table: str, lang: Lang) -> _Part:
    """The part that a key stands for; "" says nothing."""
    return _Part([_template(key, lang, table) if key else "" for key in keys[0]], keys[1])


def _articles(
    methods: _Keys, books: Sequence[Rulebook], code: Codes, lang: Lang, source: Callable[[Rulebook, str], Article]
) -> _Part:
    """By row, the article of its rulebook that its method rests on."""
    templates = [
        "" if method in _SILENT or not method else _literal(article_words(source(book, method), lang))
        for book in books
        for method in methods[0]
    ]
    return _Part(templates, code * len(methods[0]) + methods[1])


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _sentences(parts: Sequence[_Part], columns: Mapping[str, Column], lang: Lang, lead: str = "") -> Objects:
    """Join the parts of every row, rows of the same templates together; each column is asked once for all its rows.

    ``lead`` stands before what is not empty.
    """
    separator = _template("separator", lang, "words")
    first, kinds = alike([part.codes for part in parts])
    rows_of = np.split(np.argsort(kinds, kind="stable"), np.cumsum(np.bincount(kinds, minlength=len(first)))[:-1])
    said = (separator.join(filter(None, (part.templates[part.codes[row]] for part in parts))) for row in first.tolist())
    templates = [_pieces(lead + text if text else "") for text in said]
    named = [{field for _, field in pieces if field} for pieces in templates]
    shown: list[dict[str, list[str]]] = [{} for _ in templates]
    for name in set().union(*named):
        wanted = [place for place, fields in enumerate(named) if name in fields]
        texts, start = columns[name](np.concatenate([rows_of[place] for place in wanted])), 0
        for place in wanted:
            end = start + len(rows_of[place])
            shown[place][name], start = texts[start:end], end
    sentences = np.empty(len(kinds), dtype=object)
    for rows, pieces, own in zip(rows_of, templates, shown, strict=False):
        if own:
            sentences[rows] = np.fromiter(_told(pieces, own, len(rows)), dtype=object, count=len(rows))
        else:
            sentences[rows] = "".join([literal for literal, _ in pieces])
    return sentences


def _told(pieces: _Pieces, shown: Mapping[str, list[str]], size: int) -> Iterable[str]:
    """The sentences of ``size`` rows of one template; joined they are told twice as fast as filled in."""
    columns: list[Iterable[str]] = []
    for literal, field in pieces:
        columns += [repeat(literal, size), *([shown[field]] if field else [])]
    return map("".join, zip(*columns, strict=True))


@lru_cache(maxsize=1024)
def _pieces(template: str) -> _Pieces:
    """The words of a ``str.format`` template, each with the field behind it, None where there is none."""
    return tuple((literal, field) for literal, field, _, _ in Formatter().parse(template))


def _row_columns(scored: Scored, lang: Lang) -> dict[str, Column]:
    """Every column a template of a row may name."""
    verdicts, measured = scored.verdicts, scored.measured
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(verdicts.are("ruled"), verdicts.top / verdicts.bottom, verdicts.default)
    ratio = np.where(verdicts.by("reverse", "reverse_linear"), share, verdicts.ratio)
    low, high = _texts(verdicts.low, _share), _texts(verdicts.high, _share)
    return {
        **_figures(scored.figures),
        **{name: _cells(partial(scored.rows.texts, name), lang) for name in ("target", "actual", "sign")},
        **dict.fromkeys(("days", "tier", "word", "detail"), _texts(verdicts.detail, str)),
        "unit": _texts(measured.target.unit, str),
        "ratio": _percents(ratio),
        "band": _texts(share, _share),
        "span": lambda rows: list(map("{}–{}".format, low(rows), high(rows))),
        "deducted": _shown(scored.deducted),
    }


def _figures(figures: Mapping[str, Floats]) -> dict[str, Column]:
    names = {"weight": "points", "self": "typed", "score": "score", "low": "low", "high": "high"}
    return {name: _shown(figures[column]) for name, column in names.items()}


def _shown(figures: Floats) -> Column:
    """A column of figures."""
    return lambda rows: _or_dash(show_figures(figures[rows]).tolist())


def _or_dash(texts: list[str | None]) -> list[str]:
    return [text or "–" for text in texts] if None in texts else texts  # type: ignore[return-value]


def _texts(values: Any, shown: Callable[[Any], str]) -> Column:
    """A column of values as they are shown."""
    column = np.asarray(values)
    return lambda rows: each(column[rows], shown).tolist()


def _directed(scored: Scored) -> Bools:
    """Rows whose direction decided something: a number that is not exactly at its target."""
    verdicts = scored.verdicts
    directed: Bools = verdicts.are("ruled") & ~verdicts.by(*_UNDIRECTED) & (verdicts.ratio != 1)
    return directed


_TYPED = ("", "blank", "default", "stands", "outside_open", "outside", "kept", "impossible")


def _weighed(scored: Scored) -> tuple[Bools, Bools]:
    """Rows that a person judges, and those that no rule reaches."""
    return scored.verdicts.are("judged"), scored.verdicts.are("unscorable")


def _typed_part(figures: Mapping[str, Floats], weighed: tuple[Bools, Bools], lang: Lang) -> _Part:
    """By row, the words on how the typed score stands; nothing where the rule alone decides."""
    rows = np.flatnonzero(weighed[0] | weighed[1])
    typed, score, low, high = (figures[name][rows] for name in ("typed", "score", "low", "high"))
    judged, none, inside = weighed[0][rows], np.isnan(typed), stands(typed, low, high)
    cases = [
        judged & none & np.isnan(score), judged & none, judged & inside, judged & np.isnan(score), judged,
        inside, ~none,
    ]  # fmt: skip
    codes = np.zeros(len(weighed[0]), dtype=np.int64)
    if len(rows):
        codes[rows] = np.select(cases, range(1, len(_TYPED)), 0)
    return _Part([key and _template(key, lang, "typed") for key in _TYPED], codes)


@lru_cache(maxsize=1024)
def _template(key: str, lang: Lang, table: str = "method") -> str:
    return str(load("methods.toml")[table][key][lang])


def _percents(ratios: Floats) -> Column:
    """A column of ratios as percentages, each distinct one once."""

    def shown(rows: Codes | slice) -> list[str]:
        codes, distinct = pd.factorize(ratios[rows], use_na_sentinel=False)
        texts: list[str] = np.array(_or_dash(show_percents(distinct)), dtype=object)[codes].tolist()
        return texts

    return shown


def _share(share: float) -> str:
    return "–" if np.isnan(share) else f"{show(share * 100)}%"


def _cells(column: Callable[[], list[str | None]], lang: Lang) -> Column:
    """A column of texts, with a word where there is none."""
    blank = _template("blank", lang, "words")

    def shown(rows: Codes | slice) -> list[str]:
        written = column()
        texts = written if isinstance(rows, slice) else list(map(written.__getitem__, rows.tolist()))
        return texts if all(texts) else [text or blank for text in texts]  # type: ignore[return-value]

    return shown
