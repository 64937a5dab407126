"""What the summary says of one form beside its indicators: made where it is scored, joined where all come together.

Who joins thousands of briefs neither reads a result nor makes a row again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.jsons import dumps, loads
from perfeval_xlsx.output.form_rows import Cleaned, FormRows, cleaned, cleaned_all
from perfeval_xlsx.output.single_rows import GAP, row_xml, rows_xml
from perfeval_xlsx.output.summary_rows import fund_columns, rank_columns, replaced_columns, unscored_row, whose
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


def briefs_of(
    results: Sequence[FormResult],
    lang: Lang = "zh",
    texts: Sequence[Mapping[str, Cleaned]] | None = None,
    *,
    linked: bool = True,
) -> list[Brief]:
    """Make the briefs of some results, each step for all of them before the next.

    Args:
        results: Their rows are not needed.
        lang: Language of the words.
        texts: What all rows of each form have (``whose``) cleaned, where that is known already.
        linked: Whether the ranking links to the copies.
    """
    texts = cleaned_all([whose(result) for result in results], lang) if texts is None else texts
    forms = [place for place, result in enumerate(results) if result["status"] in FORMS]
    ranks = dict(zip(forms, _rank_xml(*_chosen(forms, results, texts), lang, linked=linked), strict=True))
    paid = [place for place in forms if results[place]["execution"] is not None]
    funds = dict(zip(paid, _funds_xml(*_chosen(paid, results, texts), lang), strict=True))
    facts = [facts_of(result) for result in results]
    return [
        Brief(
            facts[place], result["total"], result["copy"], len(result["replaced"]), *ranks.get(place, (b"", b"")),
            funds.get(place, b""), _replaced_xml(result, lang, texts[place]), _unscored_xml(result, lang),
        )
        for place, result in enumerate(results)
    ]  # fmt: skip


def _chosen(
    places: Sequence[int], results: Sequence[FormResult], texts: Sequence[Mapping[str, Cleaned]]
) -> tuple[list[FormResult], list[Mapping[str, Cleaned]]]:
    return [results[place] for place in places], [texts[place] for place in places]


def pieces_of(brief: Brief) -> list[bytes]:
    """A brief as pieces of bytes without NUL."""
    facts = dumps([tuple(brief.facts), brief.total, brief.copy, brief.replaced_rows])
    return [facts, brief.before, brief.after, brief.funds, brief.replaced, brief.unscored]


def brief_from(pieces: Sequence[bytes]) -> Brief:
    """The brief that pieces were made of."""
    facts, *others = loads(pieces[0])
    return Brief(Facts(*facts), *others, *pieces[1:])


def _rank_xml(
    results: Sequence[FormResult], texts: Sequence[Mapping[str, Cleaned]], lang: Lang, *, linked: bool
) -> list[tuple[bytes, bytes]]:
    """Each form's row up to the cell of its place, and the rest."""
    rows = rows_xml("rank", rank_columns(results, lang, linked=linked), lang, texts, gap="rank")
    return [(before, after) for before, _, after in (row.partition(GAP) for row in rows)]


def _funds_xml(results: Sequence[FormResult], texts: Sequence[Mapping[str, Cleaned]], lang: Lang) -> list[bytes]:
    """Each form's row of execution."""
    executions = [execution for result in results if (execution := result["execution"]) is not None]
    bases = cleaned_all([{"basis": execution["basis"]} for execution in executions], lang)
    own = [{**text, **basis} for text, basis in zip(texts, bases, strict=True)]
    return rows_xml("funds", fund_columns(results, executions, lang), lang, own)


def _unscored_xml(result: FormResult, lang: Lang) -> bytes:
    if result["status"] in FORMS:
        return b""
    row = unscored_row(result, lang)
    return row_xml("unscored", row, lang, cleaned({key: row[key] for key in ("path", "reason", "advice")}, lang))


def _replaced_xml(result: FormResult, lang: Lang, texts: Mapping[str, Cleaned]) -> bytes:
    if not result["replaced"] or result["status"] not in FORMS:
        return b""
    return _replaced_rows(lang).xml(replaced_columns(result, lang), texts)


@cache
def _replaced_rows(lang: Lang) -> FormRows:
    return FormRows("replaced", lang, ("org", "title", "sheet", "path"), tall=True)
