"""Rows that are a form's title, or say that the form goes on from the page before."""

from __future__ import annotations

from functools import lru_cache

from perfeval_xlsx.data import load
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.labels import contains, is_one_of, pattern, plain, plain_row, says_on


def is_continued(grid: Grid, row: int) -> bool:
    """Whether a row says that the form goes on from the page before, by a line of its own or a title."""
    texts = grid.texts(row)
    if not texts or len(texts) > 2 or not says_on(texts[0][1]):
        return False
    line = len(texts) == 1 and pattern("continued", "line").match(plain_row(texts[0][1]))
    return bool(line) or is_title(grid, row)


def is_title(grid: Grid, row: int) -> bool:
    """Whether a row holds a form's title: the only text of its row, or nearly, with a title's word and no sentence."""
    texts = grid.texts(row)
    if not texts or len(texts) > 2:
        return False
    column, text = texts[0] if len(texts) == 1 else max(texts, key=lambda item: len(item[1]))
    if not _announces(text):
        return False
    return grid.right(row, column) > column or len(texts) == 1 or any(map(_numbers_rows, texts))


@lru_cache(maxsize=4096)
def _announces(text: str) -> bool:
    """Whether a text has a title's word and is neither a sentence nor instructions."""
    folded = plain_row(text)
    data = load("labels.toml")["title"]
    if len(folded) > data["longest"] or not contains(text, "title", "words"):
        return False
    return not any(folded.startswith(plain(word)) for word in data["not"])


def _numbers_rows(item: tuple[int, str]) -> bool:
    """Whether a cell heads a column of row numbers (行次)."""
    return is_one_of(item[1], "numbering", "labels")
