"""What a run keeps of a file: a small packed record that travels from a worker and lies in the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from perfeval_xlsx.batch.lines import Lines, lines_of
from perfeval_xlsx.batch.presets import USUAL_BRIEF, USUAL_HEAD
from perfeval_xlsx.data import load
from perfeval_xlsx.deflate import squeeze, unsqueeze
from perfeval_xlsx.findings import Finding, Lang
from perfeval_xlsx.jsons import dumps, loads
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.result import ROW_KEYS, FindingResult, FormResult, RowResult, RowResults

if TYPE_CHECKING:
    from perfeval_xlsx.output.brief import Brief
    from perfeval_xlsx.output.form_rows import Cleaned

STANDINGS = ("scored", "pending", "reported", "deleted", "skipped", "duplicate", "failed")
"""Statuses in the order of the ranking."""

_BETWEEN = b"\0"
"""Between the pieces of a head or brief: neither JSON nor XML may hold it."""
_row_values = itemgetter(*ROW_KEYS)


class Packed(NamedTuple):
    """One form's result: what is counted and sorted by, and the rest as compressed JSON.

    Attributes:
        number: Number of the form in its workbook, 0 for a file without a form.
        status: As ``FormResult["status"]``; ``standing`` its place in the ranking.
        total: Points, None without a total.
        grade: Grade or None; ``rulebook`` id of the rulebook, or None.
        judged: Rows a person must weigh or complete; ``errors`` and ``warnings`` findings of that severity;
            ``findings`` all of them; ``replaced`` typed scores the copy shows differently.
        head: The result without its rows, and what the lists say of it (``Told``).
        brief: What the summary says of it beside its rows (``output.brief.Brief``).
        detail: The rows as the summary shows them (``output.summary.detail_fragment``).
        rows: The rows' values key by key, in the order of ``RowResult`` (``_closer``).
    """

    number: int
    status: str
    standing: int
    total: float | None
    grade: str | None
    rulebook: str | None
    judged: int
    errors: int
    warnings: int
    findings: int
    replaced: int
    head: bytes
    brief: bytes
    detail: bytes
    rows: bytes


class Told(NamedTuple):
    """What the lists of all forms say of one.

    Attributes:
        lines: Its lines in ``run.json``.
        department: What is counted even if nothing was found (``scoring.compare.department_of``).
        head: The result without its rows; None where nothing was found.
    """

    lines: Lines
    department: list[object]
    head: FormResult | None


class FileRecord(NamedTuple):
    """One file's outcome.

    Attributes:
        relative: The file's place in the run (``Source.relative``).
        forms: One entry a form, or one for the file as a whole.
        digest: SHA-256 of the bytes that were read, "" where nothing could be read.
        rulebooks: Digest by id of the rulebooks its forms were scored by, if any were.
        copy: Path of the copy below the output folder, POSIX, None without one.
        again: Whether the next run should try once more although nothing has changed: 1 yes, 2 if it has passwords.
        twin: Key of the file before it that has the same bytes, None without one.
        written: Size and time of the copy as it was written, where that was not just now.
    """

    relative: str
    forms: list[Packed]
    digest: str = ""
    rulebooks: Mapping[str, str] | None = None
    copy: str | None = None
    again: int = 0
    twin: str | None = None
    written: tuple[int, int] | None = None


def pack(result: FormResult, lang: Lang = "zh") -> Packed:
    """Pack one result; ``lang`` is the language of the summary's words."""
    return pack_all([result], lang)[0]


def pack_all(results: Sequence[FormResult], lang: Lang = "zh") -> list[Packed]:
    """Pack some results, in order; each step is taken for all of them before the next."""
    # not needed where all is up to date
    from perfeval_xlsx.output.form_rows import cleaned_all
    from perfeval_xlsx.output.summary import head
    from perfeval_xlsx.output.summary_rows import whose
    from perfeval_xlsx.scoring.compare import indicator_of

    texts = cleaned_all([whose(result) for result in results], lang)
    rows = _packed_rows(results, lang, texts)
    heads: list[FormResult] = []
    for result in results:
        named = [{**finding, "indicator": indicator_of(result, finding)} for finding in result["findings"]]
        own = head(result)
        own["findings"] = named  # type: ignore[typeddict-item]
        heads.append(own)
    both = zip(_packed_heads(heads), _packed_briefs(heads, lang, texts), strict=True)
    return [_counted(*form) for form in zip(heads, both, rows, strict=True)]


def _counted(head: FormResult, told: tuple[bytes, bytes], rows: tuple[bytes, bytes]) -> Packed:
    severities = [finding["severity"] for finding in head["findings"]]
    return Packed(
        number=head["form"] or 0,
        status=head["status"],
        standing=STANDINGS.index(head["status"]),
        total=None if head["total"] is None else float(head["total"]),
        grade=head["grade"],
        rulebook=head["rulebook"],
        judged=head["person_rows"],
        errors=severities.count("error"),
        warnings=severities.count("warning"),
        findings=len(severities),
        replaced=sum(entry["field"] == "score" for entry in head["replaced"]),
        head=told[0],
        brief=told[1],
        detail=rows[0],
        rows=rows[1],
    )


def _packed_rows(
    results: Sequence[FormResult], lang: Lang, texts: Sequence[Mapping[str, Cleaned]]
) -> list[tuple[bytes, bytes]]:
    """The rows of each result as the summary shows them, and as they are."""
    from perfeval_xlsx.output.summary import detail_fragment

    packed = []
    for result, common in zip(results, texts, strict=True):
        columns = _columns(result["indicators"])
        raw = dumps(_closer(columns))
        packed.append((detail_fragment(result, lang, columns, common, raw), squeeze(raw)))
    return packed


def _packed_heads(heads: Sequence[FormResult]) -> list[bytes]:
    """Results without their rows, and what the lists say of each."""
    from perfeval_xlsx.scoring.compare import department_of

    return [
        squeeze(_BETWEEN.join([dumps(head), dumps(department_of(head)), *lines_of(head)]), USUAL_HEAD) for head in heads
    ]


def _packed_briefs(heads: Sequence[FormResult], lang: Lang, texts: Sequence[Mapping[str, Cleaned]]) -> list[bytes]:
    """What the summary says of each form beside its rows."""
    from perfeval_xlsx.output.brief import briefs_of, pieces_of

    return [squeeze(_BETWEEN.join(pieces_of(brief)), USUAL_BRIEF) for brief in briefs_of(heads, lang, texts)]


def in_summary(brief: bytes) -> Brief:
    """What the summary says of a form, by its packed ``brief``."""
    from perfeval_xlsx.output.brief import brief_from

    return brief_from(unsqueeze(brief, USUAL_BRIEF).split(_BETWEEN))


def in_lists(head: bytes, *, sound: bool) -> Told:
    """What the lists of all forms say of a form, by its packed ``head``; ``sound`` where nothing was found in it."""
    result, department, *lines = unsqueeze(head, USUAL_HEAD).split(_BETWEEN)
    return Told(Lines(*lines), loads(department), None if sound else loads(result))


def told(head: FormResult) -> Told:
    """What the lists of all forms say of a result."""
    from perfeval_xlsx.scoring.compare import department_of

    return Told(lines_of(head), department_of(head), head)


def unpack(head: bytes, rows: bytes | None = None) -> FormResult:
    """Return a packed result.

    Without ``rows`` its list of indicators is empty, but their number for a person is there (``person_rows``), and each
    finding names the ``indicator`` of its row.
    """
    result: dict[str, Any] = loads(unsqueeze(head, USUAL_HEAD).split(_BETWEEN, 1)[0])
    if rows is not None:
        del result["person_rows"]
        for finding in result["findings"]:
            del finding["indicator"]
    result["indicators"] = [] if rows is None else _rows(loads(unsqueeze(rows)))
    return result  # type: ignore[return-value]


def _columns(rows: Sequence[RowResult]) -> dict[str, Sequence[Any]]:
    """The values of rows by key; none of ``sheet`` where no row has one."""
    if not rows:
        return {}
    if isinstance(rows, RowResults):
        return dict(rows.columns)
    columns: dict[str, Sequence[Any]] = dict(zip(ROW_KEYS, zip(*map(_row_values, rows), strict=True), strict=True))
    if any("sheet" in row for row in rows):
        columns["sheet"] = [row.get("sheet") for row in rows]
    return columns


def _closer(columns: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Columns as they are kept: the numbers of rows that follow each other by the first of them."""
    if not columns:
        return []
    numbers, *others = columns.values()
    follows = list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))
    return [numbers[0] if follows else numbers, *others]


def _rows(columns: list[Any]) -> list[dict[str, Any]]:
    if columns and isinstance(columns[0], int):
        columns[0] = range(columns[0], columns[0] + len(columns[1]))
    rows = [dict(zip((*ROW_KEYS, "sheet"), row, strict=False)) for row in zip(*columns, strict=True)]
    if len(columns) > len(ROW_KEYS):
        for row in rows:
            if row["sheet"] is None:
                del row["sheet"]
    return rows


def file_record(
    relative: str, result: FormResult, digest: str = "", twin: str | None = None, lang: Lang = "zh"
) -> FileRecord:
    """The record of a file without forms: skipped, failed or a duplicate."""
    again = _again(result["findings"])
    return FileRecord(relative, [pack(result, lang)], digest, again=again, twin=twin)


def form_record(
    relative: str,
    results: Sequence[FormResult],
    digest: str,
    rulebooks: dict[str, str],
    copy: str | None,
    lang: Lang = "zh",
    packed: list[Packed] | None = None,
) -> FileRecord:
    """The record of a file with forms; ``packed`` are its results where they are packed already."""
    again = max(_again(result["findings"]) for result in results)
    return FileRecord(relative, packed or pack_all(results, lang), digest, rulebooks, copy, again)


def kept_back(record: FileRecord, old: str, finding: Finding, lang: Lang) -> FileRecord:
    """A record whose file has an old copy that cannot be removed now: it says so, and the next run tries again.

    Args:
        record: The new record; one whose own copy could not be written says all there is to say already.
        old: The old copy.
        finding: Why it is still there.
        lang: Language of the words.
    """
    held = record._replace(copy=old, again=1)
    if record.again == 1:
        return held
    first = unpack(record.forms[0].head, record.forms[0].rows)
    first["findings"].append(finding_result(finding, lang))
    return held._replace(forms=[pack(first, lang), *record.forms[1:]])


def _again(findings: Sequence[FindingResult]) -> int:
    """Whether the cause may lie outside the file: 1 for a lock or a full disk, 2 for a missing password."""
    codes = {finding["code"] for finding in findings}
    again = load("run.toml")["again"]
    return 1 if not codes.isdisjoint(again["codes"]) else 2 * (not codes.isdisjoint(again["locked"]))
