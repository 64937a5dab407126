"""Links from rows to files: our own relative paths, percent-encoded, streamed like the rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from perfeval_xlsx.output.parts import Pieces, Spool, pack
from perfeval_xlsx.workbook import a1

_LINKS_A_SHEET = 65_530
_LONGEST_LINK = 2_000
_RESERVED = re.compile(r"""[%#?"<>\\^`{}|\[\] \x00-\x1f\x7f]""")
_OPENING = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
)
_RELATION = (
    '<Relationship Id="link{row}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"'
    ' Target="{target}" TargetMode="External"/>'
)


def link_target(path: str) -> str:
    """A relative path as the target of a link: ``/`` between folders, what a link cannot hold percent-encoded.

    Chinese characters stay as they are, as Excel writes them.
    """
    return _RESERVED.sub(lambda found: quote(found[0], safe=""), path.replace("\\", "/"))


class Links:
    """The links of one sheet: places in the sheet part, targets in its relationships.

    Attributes:
        count: Links so far; Excel takes 65,530 a sheet, further ones are left out.
    """

    def __init__(self) -> None:
        self.count = 0
        self._places, self._targets = Spool(b"<hyperlinks>"), Spool(_OPENING)

    def add(self, column: int, links: Sequence[tuple[int, str]]) -> None:
        """Link cells of ``column`` (1-based), given as row and relative path."""
        targets = [(row, link_target(path)) for row, path in links]
        fit = [(row, target) for row, target in targets if len(target) <= _LONGEST_LINK][: _LINKS_A_SHEET - self.count]
        letters = a1(1, column)[:-1]  # remembered by column: whole addresses would fill its cache
        places = "".join([f'<hyperlink ref="{letters}{row}" r:id="link{row}"/>' for row, _ in fit])
        escaped = escape("\n".join([target for _, target in fit])).split("\n")  # no target holds a line's end
        relations = "".join(
            [_RELATION.format(row=row, target=target) for (row, _), target in zip(fit, escaped, strict=bool(fit))]
        )
        self._places.add(pack(places.encode()))
        self._targets.add(pack(relations.encode("utf-8", "replace")))
        self.count += len(fit)

    def places(self) -> Pieces:
        """The ``hyperlinks`` element of the sheet part; nothing when there is no link."""
        return [self._places, b"</hyperlinks>"] if self.count else []

    def relationships(self) -> Pieces:
        """The sheet's relationships part."""
        return [self._targets, b"</Relationships>"]

    def close(self) -> None:
        """Remove the temporary files."""
        self._places.close()
        self._targets.close()
