"""What the summary says of one form beside its indicators: made where it is scored, joined where all come together.

Who joins thousands of briefs neither reads a result nor makes a row again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.jsons import dumps, loads
from perfeval_xlsx.output.form_rows import Cleaned, FormRows, cleaned, row_xml
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


def brief_of(
    result: FormResult, lang: Lang = "zh", texts: Mapping[str, Cleaned] | None = None, *, linked: bool = True
) -> Brief:
    """Make the brief of a result.

    Args:
        result: Its rows are not needed.
        lang: Language of the words.
        texts: What all rows of the form have (``whose``) cleaned, where that is known already.
        linked: Whether the ranking links to the copy.
    """
    facts = facts_of(result), result["total"], result["copy"], len(result["replaced"])
    if result["status"] not in FORMS:
        row = unscored_row(result, lang)
        alone = cleaned({key: row[key] for key in ("path", "reason", "advice")}, lang)
        return Brief(*facts, b"", b"", b"", b"", row_xml("unscored", row, lang, alone))
    texts = cleaned(whose(result), lang) if texts is None else texts
    rank = row_xml("rank", rank_row(result, lang, linked=linked), lang, texts, "rank")
    before, _, after = rank.partition(b"\0")
    return Brief(*facts, before, after, _funds_xml(result, lang, texts), _replaced_xml(result, lang, texts), b"")


def pieces_of(brief: Brief) -> list[bytes]:
    """A brief as pieces of bytes without NUL."""
    facts = dumps([tuple(brief.facts), brief.total, brief.copy, brief.replaced_rows])
    return [facts, brief.before, brief.after, brief.funds, brief.replaced, brief.unscored]


def brief_from(pieces: Sequence[bytes]) -> Brief:
    """The brief that pieces were made of."""
    facts, *others = loads(pieces[0])
    return Brief(Facts(*facts), *others, *pieces[1:])


def _funds_xml(result: FormResult, lang: Lang, texts: Mapping[str, Cleaned]) -> bytes:
    execution = result["execution"]
    if execution is None:
        return b""
    row = fund_row(result, execution, lang)
    return row_xml("funds", row, lang, {**texts, **cleaned({"basis": row["basis"]}, lang)})


def _replaced_xml(result: FormResult, lang: Lang, texts: Mapping[str, Cleaned]) -> bytes:
    if not result["replaced"]:
        return b""
    return _replaced_rows(lang).xml(replaced_columns(result, lang), texts)


@cache
def _replaced_rows(lang: Lang) -> FormRows:
    return FormRows("replaced", lang, ("org", "title", "sheet", "path"), tall=True)
