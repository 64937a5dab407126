"""``汇总.xlsx``: ranking, statistics, rows with their reasons, execution, replaced values, files not scored."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output import parts
from perfeval_xlsx.output.brief import Brief, briefs_of
from perfeval_xlsx.output.form_rows import Cleaned, RowColumns
from perfeval_xlsx.output.links import Links
from perfeval_xlsx.output.sheets import HEAD_ROWS, ROW_LIMIT, Layout, Stream, blocks, cells_of, columns, filled
from perfeval_xlsx.output.style import print_setup
from perfeval_xlsx.output.summary_rows import detail_xml, person_rows
from perfeval_xlsx.output.tally import Tally, add_statistics
from perfeval_xlsx.scoring.result import FormResult

_BLOCK = 64
_FROZEN = {"rank": 2, "detail": 0, "funds": 1, "replaced": 1, "unscored": 1}


def write_summary(
    path: Path,
    heads: Iterable[FormResult | Brief],
    results: Iterable[FormResult | bytes],
    *,
    lang: Lang = "zh",
    links: bool = True,
    row_limit: int = ROW_LIMIT,
    durable: bool = True,
    left: int = 0,
) -> None:
    """Write the summary of a run, in constant memory.

    Args:
        path: The workbook; replaced at once, never half written.
        heads: One result a form or file in rank order; ``indicators`` may be empty (see ``head``). Any may be given as
            its brief, made elsewhere; that one always links.
        results: Full results in path order; any may be given as its ``detail_fragment``, made elsewhere.
        lang: Language of headers and words.
        links: Whether the ranking links to the scored copies (``copy``, relative to the summary's folder).
        row_limit: Rows of a sheet; more continue on a sheet ``指标明细 2`` and so on.
        durable: Flush to disk before replacing.
        left: How many files are still to be read; the sheets' titles and the statistics say so.

    Raises:
        PerfevalError: The workbook cannot be written.
    """
    summary = _Summary(lang, row_limit, links=links)
    try:
        for block in blocks(heads, min(_BLOCK, row_limit - HEAD_ROWS)):
            made = iter(briefs_of([head for head in block if not isinstance(head, Brief)], lang, linked=links))
            summary.add([head if isinstance(head, Brief) else next(made) for head in block])
        for result in results:
            summary.detail.add(result if isinstance(result, bytes) else detail_fragment(result, lang))
        summary.save(path, durable=durable, left=left)
    finally:
        summary.close()


def head(result: FormResult) -> FormResult:
    """A result without its rows but with the number of those for a person, as the ranking needs it."""
    return {**result, "person_rows": person_rows(result), "indicators": []}


def detail_fragment(
    result: FormResult,
    lang: Lang = "zh",
    columns: RowColumns | None = None,
    texts: Mapping[str, Cleaned] | None = None,
    raw: bytes | None = None,
) -> bytes:
    """The rows of one form on the sheet 指标明细, ready to be joined; can be made in any process.

    Args:
        result: A full result; one without indicator rows gives an empty fragment.
        lang: Language of the words.
        columns: The rows' values by key, where they are known already.
        texts: As for ``detail_xml``.
        raw: As for ``detail_xml``.
    """
    rows = result["indicators"]
    return parts.pack(detail_xml(result, lang, columns, texts, raw) if rows else b"", len(rows))


class _Summary:
    """The streams of one workbook, and what joins them."""

    def __init__(self, lang: Lang, row_limit: int, *, links: bool) -> None:
        self.lang, self.linked = lang, links
        self.rank, self.detail, self.funds, self.replaced, self.unscored = self.streams = [
            Stream(name, lang, row_limit) for name in _FROZEN
        ]
        self.links: list[Links] = []
        self.tally = Tally()
        self._seen = self._place = 0
        self._total: str | None = None

    def add(self, briefs: Sequence[Brief]) -> None:
        """Write every row of these forms and files but those of their indicators."""
        forms = [brief for brief in briefs if brief.before]
        self.tally.add([brief.facts for brief in briefs])
        if forms:
            self._add_ranked(forms)
        self._write(self.funds, [brief.funds for brief in forms if brief.funds])
        self._write(self.replaced, [brief.replaced for brief in forms], sum(brief.replaced_rows for brief in forms))
        self._write(self.unscored, [brief.unscored for brief in briefs if brief.unscored])

    def _add_ranked(self, forms: Sequence[Brief]) -> None:
        cells = cells_of(next(column.style for column in columns("rank", self.lang) if column.key == "rank"))
        part, first = self.rank.write(
            b"".join([brief.before + cells[self._rank(brief)] + brief.after for brief in forms]), len(forms)
        )
        while len(self.links) <= part:
            self.links.append(Links())
        copies = [(row, brief.copy) for row, brief in enumerate(forms, first) if brief.copy]
        if self.linked:
            self.links[part].add(len(columns("rank", self.lang)), copies)

    def _rank(self, brief: Brief) -> str | None:
        """The place of the next form: equal totals share one; None without a grade."""
        if brief.facts.status != "scored":
            return None
        self._seen += 1
        if brief.total != self._total:
            self._place, self._total = self._seen, brief.total
        return str(self._place)

    @staticmethod
    def _write(stream: Stream, rows: Sequence[bytes], count: int | None = None) -> None:
        """Append rows, of which each piece has one unless a ``count`` says otherwise."""
        if count is None:
            count = len(rows)
        if count:
            stream.write(b"".join(rows), count)

    def save(self, path: Path, *, durable: bool, left: int) -> None:
        """Lay the workbook out around the streams and write it."""
        layout = Layout(self.lang, left)
        members = [layout.add_table(self.rank, part, self._unmet(), _FROZEN["rank"]) for part in self._parts(self.rank)]
        add_statistics(layout, self.tally)
        for stream in self.streams[1:]:
            members += [layout.add_table(stream, part, frozen=_FROZEN[stream.sheet]) for part in self._parts(stream)]
        _add_notes(layout)
        package = layout.close()
        changed: dict[str, parts.Pieces] = {}
        spools = [(stream, part) for stream in self.streams for part in self._parts(stream)]
        with zipfile.ZipFile(BytesIO(package)) as archive:
            for member, (stream, part) in zip(members, spools, strict=True):
                links = self.links[part] if stream is self.rank and part < len(self.links) else None
                changed |= filled(archive.read(member), member, stream.parts[part], links)
        parts.save(package, changed, path, durable=durable)

    def _unmet(self) -> frozenset[str]:
        """Columns of dimensions that no form has."""
        return frozenset(entry["key"] for entry in load("outputs.toml")["dimension"]) - self.tally.dimensions.keys()

    @staticmethod
    def _parts(stream: Stream) -> range:
        return range(len(stream.parts))

    def close(self) -> None:
        """Remove the temporary files."""
        for stream in self.streams:
            stream.close()
        for links in self.links:
            links.close()


def _add_notes(layout: Layout) -> None:
    """Add the sheet that says what the columns and words mean."""
    notes = load("outputs.toml")["notes"]
    sheet = layout.add_sheet(notes["name"][layout.lang])
    sheet.set_column(0, 0, 4)
    sheet.set_column(1, 1, 110)
    sheet.write_string(0, 0, notes["title"][layout.lang], layout.formats["title"])
    sheet.set_row(0, 30)
    for row, line in enumerate(notes["lines"], start=1):
        sheet.write_number(row, 0, row, layout.formats["note"])
        sheet.write_string(row, 1, line[layout.lang], layout.formats["note"])
        sheet.set_row(row, 36)
    print_setup(sheet, layout.lang, notes["name"][layout.lang])
