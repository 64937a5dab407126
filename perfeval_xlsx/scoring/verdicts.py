"""What the rules say of each row: the first rule that reaches a row decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perfeval_xlsx.scoring.columns import Bools, Codes, Floats, Objects

STATES = ("", "ruled", "judged", "unscorable", "unweighted")


@dataclass(slots=True)
class Verdicts:
    """What the rules say of each row.

    Attributes:
        states: Position in ``STATES``; ``rules`` position in ``names``.
        names: The methods used, keys of ``data/methods.toml``, with their position.
        top, bottom: The score is points × top / bottom, in the figures as written (for exact rounding).
        low, high: What a reviewer may give, as fractions of the points; ``open_top``: ``high`` itself is excluded.
        default: Fraction a judged row gets when no score is typed, NaN to leave it blank.
        ratio: Actual against target, 1 = reached. ``detail``: days late, tier or word, for the sentence.
        open: Rows that no rule has reached yet.
    """

    states: Codes
    rules: Codes
    names: dict[str, int]
    top: Floats
    bottom: Floats
    low: Floats
    high: Floats
    open_top: Bools
    default: Floats
    ratio: Floats
    detail: Objects
    open: Bools

    @classmethod
    def blank(cls, size: int) -> Verdicts:
        """Nothing decided yet: unscorable, unreadable, anything possible."""
        return cls(
            states=np.zeros(size, dtype=np.int64),
            rules=np.zeros(size, dtype=np.int64),
            names={"": 0},
            top=np.zeros(size),
            bottom=np.ones(size),
            low=np.zeros(size),
            high=np.ones(size),
            open_top=np.zeros(size, dtype=np.bool_),
            default=np.full(size, np.nan),
            ratio=np.full(size, np.nan),
            detail=np.full(size, "", dtype=object),
            open=np.ones(size, dtype=np.bool_),
        )

    @property
    def status(self) -> Objects:
        """By row, the status: ruled, judged, unscorable, unweighted."""
        return np.array(STATES, dtype=object)[self.states]

    @property
    def method(self) -> Objects:
        """By row, the method."""
        return np.array(list(self.names), dtype=object)[self.rules]

    def are(self, status: str) -> Bools:
        """Rows of a status."""
        return np.asarray(self.states == STATES.index(status), dtype=np.bool_)

    def by(self, *methods: str) -> Bools:
        """Rows that one of some methods decides."""
        rows = np.zeros(len(self.rules), dtype=np.bool_)
        for method in methods:
            if method in self.names:
                rows |= self.rules == self.names[method]
        return rows

    def settle(self, rows: Bools, status: str, method: str) -> None:
        """Give ``rows`` a status and a method, whatever was decided of them."""
        self.states[rows] = STATES.index(status)
        self.rules[rows] = self.names.setdefault(method, len(self.names))

    def _take(self, rows: Bools, status: str, method: str) -> Bools:
        free: Bools = rows & self.open
        if free.any():
            self.open &= ~free
            self.settle(free, status, method)
        return free

    def rule(self, rows: Bools, method: str, top: Floats | float = 1.0, bottom: Floats | float = 1.0) -> None:
        """Arithmetic decides ``rows``: points × top / bottom."""
        free = self._take(rows, "ruled", method)
        if not free.any():
            return
        self.top[free] = np.broadcast_to(top, free.shape)[free]
        self.bottom[free] = np.broadcast_to(bottom, free.shape)[free]

    def judge(
        self,
        rows: Bools,
        method: str,
        low: Floats | float = 0.0,
        high: Floats | float = 1.0,
        default: Floats | float = np.nan,
        *,
        open_top: Bools | bool = False,
    ) -> None:
        """A person weighs ``rows`` between ``low`` and ``high``."""
        free = self._take(rows, "judged", method)
        if not free.any():
            return
        for array, value in ((self.low, low), (self.high, high), (self.default, default), (self.open_top, open_top)):
            array[free] = np.broadcast_to(value, free.shape)[free]

    def abstain(self, rows: Bools, method: str, status: str = "unscorable") -> None:
        """No rule reaches ``rows``."""
        self._take(rows, status, method)

    def withdraw(self, rows: Bools, method: str) -> None:
        """Take back what was decided of ``rows``: something in them cannot be read."""
        taken = rows & ~self.are("unweighted")
        self.settle(taken, "unscorable", method)
        self.low[taken], self.high[taken], self.default[taken] = 0.0, 1.0, np.nan
        self.open_top[taken] = False
