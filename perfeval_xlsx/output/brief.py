"""What the summary says of one form beside its indicators: made where it is scored, joined where all come together.

Who joins thousands of briefs neither reads a result nor makes a row again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.jsons import dumps, loads
from perfeval_xlsx.output.form_rows import Cleaned, FormRows, cleaned, cleaned_all, row_xml
from perfeval_xlsx.output.summary_rows import fund_row, rank_row, replaced_columns, unscored_row, whose
from perfeval_xlsx.output.tally import Facts, facts_of
from perfeval_xlsx.scoring.result import FormResult

FORMS = frozenset({"scored", "pending", "reported", "deleted"})
"""Statuses of forms; anything else is a file without one."""


class Brief(NamedTuple):
    """One form or file.

    Attributes:
        facts: What is counted; ``total`` the points as they are shown, ``copy`` its path below the summary's folder.
        replaced_rows: Rows in ``replaced``.
        before: Its row on the ranking up to the cell of its place, empty for a file without a form; ``after`` the rest.
        funds: Its row of execution; ``replaced`` of each replaced value; ``unscored`` of a file without a form.
    """

    facts: Facts
    total: str | None
    copy: str | None
    replaced_rows: int
    before: bytes
    after: bytes
    funds: bytes
    replaced: bytes
    unscored: bytes


def brief_of(result: FormResult, lang: Lang = "zh", *, linked: bool = True) -> Brief:
    """Make the brief of a result.

    Args:
        result: Its rows are not needed.
        lang: Language of the words.
        linked: Whether the ranking links to the copy.
    """
    return briefs_of([result], lang, [cleaned(whose(result), lang)], linked=linked)[0]


def briefs_of(
    results: Sequence[FormResult], lang: Lang, texts: Sequence[Mapping[str, Cleaned]], *, linked: bool = True
) -> list[Brief]:
    """Make the briefs of some results, each step for all of them before the next.

    Args:
        results: Their rows are not needed.
        lang: Language of the words.
        texts: What all rows of each form have (``whose``), cleaned.
        linked: Whether the ranking links to the copies.
    """
    facts = [facts_of(result) for result in results]
    both = list(zip(results, texts, strict=True))
    ranks = [_rank_xml(result, lang, text, linked=linked) for result, text in both]
    funds = _funds_xml(results, lang, texts)
    replaced = [_replaced_xml(result, lang, text) for result, text in both]
    unscored = [_unscored_xml(result, lang) for result in results]
    return [
        Brief(fact, result["total"], result["copy"], len(result["replaced"]), *rank, *pieces)
        for result, fact, rank, *pieces in zip(results, facts, ranks, funds, replaced, unscored, strict=True)
    ]


def pieces_of(brief: Brief) -> list[bytes]:
    """A brief as pieces of bytes without NUL."""
    facts = dumps([tuple(brief.facts), brief.total, brief.copy, brief.replaced_rows])
    return [facts, brief.before, brief.after, brief.funds, brief.replaced, brief.unscored]


def brief_from(pieces: Sequence[bytes]) -> Brief:
    """The brief that pieces were made of."""
    facts, *others = loads(pieces[0])
    return Brief(Facts(*facts), *others, *pieces[1:])


def _rank_xml(result: FormResult, lang: Lang, texts: Mapping[str, Cleaned], *, linked: bool) -> tuple[bytes, bytes]:
    """Its row up to the cell of its place, and the rest."""
    if result["status"] not in FORMS:
        return b"", b""
    before, _, after = row_xml("rank", rank_row(result, lang, linked=linked), lang, texts, "rank").partition(b"\0")
    return before, after


def _unscored_xml(result: FormResult, lang: Lang) -> bytes:
    if result["status"] in FORMS:
        return b""
    row = unscored_row(result, lang)
    return row_xml("unscored", row, lang, cleaned({key: row[key] for key in ("path", "reason", "advice")}, lang))


def _funds_xml(results: Sequence[FormResult], lang: Lang, texts: Sequence[Mapping[str, Cleaned]]) -> list[bytes]:
    """Their rows of execution, empty for those without one."""
    rows = [
        fund_row(result, execution, lang)
        if (execution := result["execution"]) is not None and result["status"] in FORMS
        else None
        for result in results
    ]
    bases = iter(cleaned_all([{"basis": row["basis"]} for row in rows if row is not None], lang))
    return [
        b"" if row is None else row_xml("funds", row, lang, {**own, **next(bases)})
        for row, own in zip(rows, texts, strict=True)
    ]


def _replaced_xml(result: FormResult, lang: Lang, texts: Mapping[str, Cleaned]) -> bytes:
    if not result["replaced"] or result["status"] not in FORMS:
        return b""
    return _replaced_rows(lang).xml(replaced_columns(result, lang), texts)


@cache
def _replaced_rows(lang: Lang) -> FormRows:
    return FormRows("replaced", lang, ("org", "title", "sheet", "path"), tall=True)
