"""Why a row has its score, in one sentence a clerk can check: facts, rule, typed score, article and its support."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.indicators import STANDS, Scored
from perfeval_xlsx.scoring.rounding import show, show_percent
from perfeval_xlsx.scoring.rulebook import Article, Rulebook

_SILENT = frozenset({"unweighted", "shared", "excluded", "missing_target", "missing_actual", "execution_unweighted"})


def row_sentences(scored: Scored, books: Sequence[Rulebook], code: np.ndarray, lang: Lang = "zh") -> list[str]:
    """One sentence a row of the scored indicators frame."""
    frame, verdicts, measured = scored.frame, scored.verdicts, scored.measured
    columns = zip(
        frame["target"], frame["actual"], frame["sign"], frame["points"].tolist(), frame["typed"].tolist(),
        frame["score"].tolist(), frame["low"].tolist(), frame["high"].tolist(), frame["status"], frame["method"],
        verdicts.ratio.tolist(), verdicts.top.tolist(), verdicts.bottom.tolist(), verdicts.default.tolist(),
        verdicts.detail, measured.direction, measured.assumed.tolist(), measured.target.unit, code.tolist(),
        strict=True,
    )  # fmt: skip
    sentences = []
    for (target, actual, sign, points, typed, score, low, high, status, method,
         ratio, top, bottom, default, detail, direction, assumed, unit, book) in columns:  # fmt: skip
        share = top / bottom if status == "ruled" and bottom else default
        parts = [
            _template("facts", lang, "words").format(target=_cell(target, lang), actual=_cell(actual, lang)),
            _template(method, lang).format(
                target=target, actual=actual, weight=_show(points), score=_show(score), days=detail, tier=detail,
                word=detail, ratio=_percent(share if method.startswith("reverse") else ratio), band=_percent(share),
            ),
        ]  # fmt: skip
        if status == "ruled" and direction and method not in {"on_time", "band"} and ratio != 1:
            parts.append(_template(direction, lang, "direction").format(sign=sign))
        if assumed:
            parts.append(_template("assumed_unit", lang, "note").format(unit=unit))
        parts += _typed(status, typed, score, low, high, lang)
        if method not in _SILENT:
            parts.append(article_words(row_article(books[book], method), lang))
        sentences.append(_template("separator", lang, "words").join(parts))
    return sentences


def execution_sentences(frame: pd.DataFrame, books: Sequence[Rulebook], code: np.ndarray, lang: Lang = "zh") -> list[str]:
    """One sentence a row of the scored execution frame."""
    sentences = []
    for row, book in zip(frame.to_dict("records"), code, strict=True):
        share = row["score"] / row["points"] if row["status"] == "ruled" and row["points"] else float("nan")
        parts = [
            _template(str(row["method"]), lang).format(
                budget=row["budget_text"], executed=row["executed"], ratio=_percent(row["rate"]),
                weight=_show(row["points"]), band=_percent(share),
            ),
            *_typed(str(row["status"]), row["typed"], row["score"], row["low"], row["high"], lang),
        ]  # fmt: skip
        if row["method"] not in _SILENT:
            parts.append(article_words(books[book].execution.source, lang))
        sentences.append(_template("separator", lang, "words").join(parts))
    return sentences


def row_article(book: Rulebook, method: str) -> Article:
    """The article of ``book`` that decides rows of ``method``."""
    quantitative, qualitative = book.quantitative, book.qualitative
    special = {
        "reverse": quantitative.reverse_source,
        "reverse_linear": quantitative.reverse_source,
        "zero_missed": quantitative.zero_source,
        "on_time": book.deadline.source,
        "late": book.deadline.source,
        "tier": qualitative.source,
        "negative": qualitative.source,
        "claimed": qualitative.source,
        "echo": qualitative.presume_source or qualitative.source,
        "presumed": qualitative.presume_source or qualitative.source,
        "not_presumed": qualitative.presume_source or qualitative.source,
        "band": getattr(getattr(book, "satisfaction", None), "source", None),
    }
    return special.get(method) or quantitative.source


@lru_cache(maxsize=1024)
def article_words(article: Article, lang: Lang) -> str:
    """Article and support in words; a rulebook never claims more than its support."""
    support = load("methods.toml")["support"][article.support][lang]
    return _template("article", lang, "words").format(article=article.article, support=support)


@lru_cache(maxsize=1024)
def _template(key: str, lang: Lang, table: str = "method") -> str:
    return str(load("methods.toml")[table][key][lang])


def _typed(status: str, typed: float, score: float, low: float, high: float, lang: Lang) -> list[str]:
    """How the typed score stands towards the rule's."""
    if status == "judged":
        if np.isnan(typed):
            key = "blank" if np.isnan(score) else "default"
        else:
            key = "stands" if low - STANDS <= typed <= high + STANDS else "outside"
    elif status == "unscorable" and not np.isnan(typed):
        key = "kept"
    else:
        return []
    text = _template(key, lang, "typed")
    return [text.format(self=_show(typed), low=_show(low), high=_show(high), score=_show(score))]


def _show(value: float) -> str:
    return "–" if np.isnan(value) else show(value)


def _percent(ratio: float) -> str:
    return "–" if np.isnan(ratio) else show_percent(ratio)


def _cell(text: str | None, lang: Lang) -> str:
    return text or _template("blank", lang, "words")
