"""Texts as the cells of our workbooks can hold them: escaped, cleaned, cut; nearly all need nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.jsons import dumps
from perfeval_xlsx.workbook import strings

_LONGEST = 32_767


def as_bytes(texts: Sequence[str], lang: Lang) -> Sequence[bytes]:
    """Clean texts (``clean``); return them in UTF-8."""
    ready = as_they_stand(texts)
    return ready if ready is not None else [_cleaned(text, lang).encode() for text in texts]


def clean(texts: Sequence[str], lang: Lang = "zh") -> Sequence[str]:
    """Escape texts for XML: what a cell cannot hold is left out, what is too long is cut and says so.

    Args:
        texts: Any texts.
        lang: Language of the words that say so.
    """
    return texts if as_they_stand(texts) is not None else [_cleaned(text, lang) for text in texts]


def as_they_stand(texts: Sequence[str]) -> Sequence[bytes] | None:
    """Texts in UTF-8, where each can be written as it stands; else None.

    Nearly all texts need nothing, and looking at them all at once costs a tenth of looking at each: JSON marks all that
    XML cannot hold, and what stands between two texts occurs in none.
    """
    try:
        raw = dumps(texts)
    except (TypeError, UnicodeEncodeError):
        return None
    if not stand(raw, [texts]):
        return None
    return (raw.replace(b"\\n", b"\n") if b"\\" in raw else raw).split(b'"')[1::2]


def stand(raw: bytes, columns: Collection[Sequence[str]]) -> bool:
    """Whether each of some texts can be written as it stands.

    Args:
        raw: JSON of these texts, and maybe of others.
        columns: The texts.
    """
    if b"\\" in raw:
        raw = raw.replace(b"\\n", b"\n")
    if b"\\" in raw or b"&" in raw or b"<" in raw or b">" in raw:
        return False
    joined, most = "".join(map("".join, columns)), _LONGEST // 2
    if (b"_" in raw and "_x" in joined) or "\ufffe" in joined or "\uffff" in joined:
        return False  # it may look escaped, or hold what no XML may hold
    return len(joined) <= most or all(max(map(len, texts)) <= most for texts in columns)


def _cleaned(text: str, lang: Lang) -> str:
    return strings.escape(_cut(strings.clean(text), lang))


def _cut(text: str, lang: Lang) -> str:
    """Cut a text to what Excel takes, counted as Excel counts (a character beyond U+FFFF is two)."""
    if 2 * len(text) <= _LONGEST or len(raw := text.encode("utf-16-le")) <= 2 * _LONGEST:
        return text
    more = str(load("outputs.toml")["words"]["cut"][lang])
    return raw[: 2 * (_LONGEST - len(more))].decode("utf-16-le", "ignore") + more
