"""Why a row has its score, in one sentence a clerk can check: facts, rule, typed score, article and its support.

Sentences are put together column by column: one template for all rows of a method, one text for each distinct figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.columns import Bools, Codes, Column, Objects, each, fill, one_of
from perfeval_xlsx.scoring.indicators import Scored, stands
from perfeval_xlsx.scoring.rounding import show, show_percent
from perfeval_xlsx.scoring.rulebook import Article, Rulebook

_SILENT = frozenset({"unweighted", "shared", "excluded", "missing_target", "missing_actual", "execution_unweighted"})
_PROPORTIONAL = frozenset({"execution", "execution_missing"})
_UNDIRECTED = ("on_time", "band")


def row_sentences(scored: Scored, books: Sequence[Rulebook], code: Codes, lang: Lang = "zh") -> list[str]:
    """One sentence a row of the scored indicators frame."""
    columns = _row_columns(scored, lang)
    rows = np.arange(len(scored.frame))
    sentences = fill(_template("facts", lang, "words"), columns, rows)
    add = _Adder(sentences, lang)
    add.by(scored.frame["method"], lambda method, mine: fill(_template(method, lang), columns, mine))
    directed = _directed(scored)
    add.by(
        np.where(directed, scored.measured.direction, ""),
        lambda key, mine: fill(_template(key, lang, "direction"), columns, mine),
    )
    for key, those in (("assumed_unit", scored.measured.assumed), ("deducted", scored.deducted > 0)):
        add.by(np.where(those, key, ""), lambda name, mine: fill(_template(name, lang, "note"), columns, mine))
    add.by(_typed(scored.frame), lambda key, mine: fill(_template(key, lang, "typed"), columns, mine))
    _add_articles(add, scored.frame["method"], books, code, row_article)
    return [str(text) for text in sentences]


def execution_sentences(frame: pd.DataFrame, books: Sequence[Rulebook], code: Codes, lang: Lang = "zh") -> list[str]:
    """One sentence a row of the scored execution frame."""
    columns = {
        **_figures(frame),
        "budget": _cells(frame["budget_text"], lang),
        "executed": _cells(frame["executed"], lang),
        "ratio": _texts(frame["rate"], _percent),
        "band": _texts(frame["share"], _share),
    }
    sentences = np.full(len(frame), "", dtype=object)
    add = _Adder(sentences, lang)
    add.by(frame["method"], lambda method, mine: fill(_template(method, lang), columns, mine))
    add.by(frame["points_from"], lambda key, mine: fill(_template(key, lang, "note"), columns, mine))
    add.by(_typed(frame), lambda key, mine: fill(_template(key, lang, "typed"), columns, mine))
    _add_articles(add, _supported(frame, books, code), books, code, lambda book, _: book.execution.source)
    return [str(text) for text in sentences]


def _supported(frame: pd.DataFrame, books: Sequence[Rulebook], code: Codes) -> Objects:
    """The methods, "" where points × rate is of points that the form states and the rulebook's article does not."""
    usual = np.array([book.execution.points for book in books])[code]
    proportional = one_of(frame["method"].to_numpy(dtype=object), _PROPORTIONAL)
    own = (frame["points_from"] != "").to_numpy() & (frame["points"].to_numpy(dtype=float) != usual)
    return np.where(proportional & own, "", frame["method"].to_numpy(dtype=object))


def method_words(scored: Scored, at: int, lang: Lang = "zh") -> str:
    """What the rule says of the row at position ``at``, without facts, typed score and article."""
    method = str(scored.frame["method"].iloc[at])
    return str(fill(_template(method, lang), _row_columns(scored, lang), np.array([at]))[0])


def typed_words(scored: Scored, at: int, lang: Lang = "zh") -> list[str]:
    """How the typed score of the row at ``at`` stands towards the rule's; nothing where the rule alone decides."""
    key = str(_typed(scored.frame)[at])
    return [str(fill(_template(key, lang, "typed"), _row_columns(scored, lang), np.array([at]))[0])] if key else []


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


class _Adder:
    """Adds a part to the sentences of some rows, with the separator where there is something before it."""

    def __init__(self, sentences: Objects, lang: Lang) -> None:
        self.sentences, self.lang = sentences, lang
        self.separator = _template("separator", lang, "words")

    def by(self, keys: Any, part: Callable[[Any, Codes], Objects | str]) -> None:
        """Add ``part(key, rows)`` to the rows of each distinct key; "" adds nothing."""
        codes, distinct = pd.factorize(np.asarray(keys, dtype=object))
        for number, key in enumerate(distinct):
            if key != "":
                rows = np.flatnonzero(codes == number)
                joint = np.where(self.sentences[rows] == "", "", self.separator).astype(object)
                self.sentences[rows] = self.sentences[rows] + joint + part(key, rows)


def _add_articles(
    add: _Adder, methods: Any, books: Sequence[Rulebook], code: Codes, source: Callable[[Rulebook, str], Article]
) -> None:
    names = np.asarray(methods, dtype=object)
    for number, book in enumerate(books):
        mine = np.where((code == number) & ~one_of(names, _SILENT), names, "")
        add.by(mine, lambda method, _, book=book: article_words(source(book, method), add.lang))  # type: ignore[misc]


def _row_columns(scored: Scored, lang: Lang) -> dict[str, Column]:
    """Every column a template of a row may name."""
    frame, verdicts, measured = scored.frame, scored.verdicts, scored.measured
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(verdicts.status == "ruled", verdicts.top / verdicts.bottom, verdicts.default)
    ratio = np.where(one_of(verdicts.method, ("reverse", "reverse_linear")), share, verdicts.ratio)
    low, high = _texts(verdicts.low, _share), _texts(verdicts.high, _share)
    return {
        **_figures(frame),
        **{name: _cells(frame[name], lang) for name in ("target", "actual", "sign")},
        **dict.fromkeys(("days", "tier", "word", "detail"), _texts(verdicts.detail, str)),
        "unit": _texts(measured.target.unit, str),
        "ratio": _texts(ratio, _percent),
        "band": _texts(share, _share),
        "span": lambda rows: low(rows) + "–" + high(rows),
        "deducted": _texts(scored.deducted, show),
    }


def _figures(frame: pd.DataFrame) -> dict[str, Column]:
    names = {"weight": "points", "self": "typed", "score": "score", "low": "low", "high": "high"}
    return {name: _texts(frame[column], _show) for name, column in names.items()}


def _texts(values: Any, shown: Callable[[Any], str]) -> Column:
    """A column of values as they are shown."""
    column = np.asarray(values)
    return lambda rows: each(column[rows], shown)


def _directed(scored: Scored) -> Bools:
    """Rows whose direction decided something: a number that is not exactly at its target."""
    unread = one_of(scored.verdicts.method, _UNDIRECTED)
    return np.asarray((scored.verdicts.status == "ruled") & ~unread & (scored.verdicts.ratio != 1), dtype=np.bool_)


def _typed(frame: pd.DataFrame) -> Objects:
    """By row, the key of the words on how the typed score stands; "" where the rule alone decides."""
    typed, score, low, high = (frame[name].to_numpy(dtype=float) for name in ("typed", "score", "low", "high"))
    judged, unscorable = frame["status"].to_numpy() == "judged", frame["status"].to_numpy() == "unscorable"
    none, inside = np.isnan(typed), stands(typed, low, high)
    return np.select(
        [
            judged & none & np.isnan(score), judged & none, judged & inside, judged & np.isnan(score), judged,
            unscorable & inside, unscorable & ~none,
        ],
        ["blank", "default", "stands", "outside_open", "outside", "kept", "impossible"],
        "",
    ).astype(object)  # fmt: skip


@lru_cache(maxsize=1024)
def _template(key: str, lang: Lang, table: str = "method") -> str:
    return str(load("methods.toml")[table][key][lang])


def _show(value: float) -> str:
    return "–" if np.isnan(value) else show(value)


def _percent(ratio: float) -> str:
    return "–" if np.isnan(ratio) else show_percent(ratio)


def _share(share: float) -> str:
    return "–" if np.isnan(share) else f"{show(share * 100)}%"


def _cells(texts: Any, lang: Lang) -> Column:
    blank = _template("blank", lang, "words")
    return _texts(np.asarray(texts, dtype=object), lambda text: text if isinstance(text, str) and text else blank)
