"""How this room says no: one finding of the B family, raised to the boundary."""

from __future__ import annotations

from typing import NamedTuple

from perfeval_xlsx.findings import Finding, Lang, PerfevalError, texts

MISSING, DIRECTORY, EMPTY, UNREADABLE, LOCK = "B01", "B02", "B03", "B04", "B05"
ENCRYPTED, LEGACY, XLSB, ODS, OFFICE, PDF, HTML, TEXT, ARCHIVE, UNKNOWN = (
    "B06", "B07", "B08", "B09", "B10", "B11", "B12", "B13", "B14", "B15",
)  # fmt: skip
TRUNCATED, LIMIT, DOCTYPE, MALFORMED, NO_WORKBOOK, NAMES, METHOD, CHECKSUM, SHEET, XML_2003 = (
    "B16", "B17", "B18", "B19", "B20", "B21", "B22", "B23", "B24", "B25",
)  # fmt: skip
NOT_WRITTEN, NOT_VERIFIED, SAME_FILE = "B26", "B27", "B28"
IN_MERGE, IN_ARRAY, METADATA, BAD_VALUE, OUT_OF_RANGE, DISORDER = "B31", "B32", "B33", "B34", "B35", "B36"
DIED, TOO_SLOW, NOT_STARTED = "B37", "B38", "B45"
RELAID, VALUES_ONLY, FORMATS_LOST, WRONG_PASSWORD, NO_CRYPTO, DAMAGED, UNLOCKED = (
    "B61", "B62", "B63", "B64", "B65", "B66", "B67",
)  # fmt: skip


def refuse(code: str, found: str | None = None, expected: str | None = None, **args: str) -> PerfevalError:
    """Wrap a B finding in the error that the caller raises."""
    return PerfevalError(Finding(code, found=found, expected=expected, args=args))


def over(limit: str, found: int, allowed: int) -> PerfevalError:
    """Return the error for a limit that is passed; the message names the limit and both numbers."""
    return refuse(LIMIT, str(found), str(allowed), limit=limit)


class Refusal(NamedTuple):
    """One cell that was not written, and why.

    Attributes:
        sheet: Position of the sheet in the workbook, 0-based.
        row: Row, 1-based.
        column: Column, 1-based.
        reason: Why, in Chinese; ``text("en")`` says it in English.
        code: Finding code of the reason (``B31`` …).
    """

    sheet: int
    row: int
    column: int
    reason: str
    code: str = ""

    def text(self, lang: Lang = "zh") -> str:
        """Return the reason in ``lang``."""
        return texts(self.code)["message"][lang] if self.code else self.reason


def refusal(sheet: int, row: int, column: int, code: str) -> Refusal:
    """Return a Refusal whose reason is the message of ``code``."""
    return Refusal(sheet, row, column, texts(code)["message"]["zh"], code)
