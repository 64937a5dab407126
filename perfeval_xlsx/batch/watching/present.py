"""Whether a file that could not be read is still in the inbox: what is away or gone is no fault of a form."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.record import FileRecord
from perfeval_xlsx.batch.register import Register
from perfeval_xlsx.batch.trials import Trials, codes_of
from perfeval_xlsx.batch.watching.inbox import Inbox
from perfeval_xlsx.data import load


class Present(Trials):
    """Looks at the inbox again before a file is recorded as one that cannot be read.

    Args:
        inbox: The inbox.
        register: The records.
        listed: Keys of all files of the inbox that are listed.
        doubted: Keys of those that were said to be missing though they were there (``doubted`` of the round before).

    Attributes:
        doubted: The same of this round.
        dropped: How many files stay as they were on record, or unknown: they were away when they were to be read.
    """

    def __init__(self, inbox: Inbox, register: Register, listed: Collection[str], doubted: Collection[str]) -> None:
        super().__init__(load("watch.toml")["retry"]["deadly"])
        self._inbox, self._register, self._listed, self._before = inbox, register, listed, doubted
        self.doubted: set[str] = set()
        self.dropped = 0

    def taken(
        self, chunk: Sequence[Source], records: Sequence[FileRecord]
    ) -> tuple[Sequence[Source], Sequence[FileRecord]]:
        """As ``Trials.taken``, without those that are away.

        Raises:
            InboxError: The inbox as a whole is.
        """
        away = self._away(chunk, records)
        if away:
            self._register.drop(away)
            self.dropped += len(away)
            kept = [pair for pair in zip(chunk, records, strict=True) if pair[0].key not in away]
            chunk, records = [source for source, _ in kept], [record for _, record in kept]
        return super().taken(chunk, records)

    def _away(self, chunk: Sequence[Source], records: Sequence[FileRecord]) -> set[str]:
        """Keys of the files that could not be read because they were not there."""
        words = load("watch.toml")["retry"]
        unseen = {}
        for source, record in zip(chunk, records, strict=True):
            codes = codes_of(record)
            if not set(words["unseen"]).isdisjoint(codes):
                unseen[source.key] = words["absent"] in codes
        if not unseen:
            return set()
        there = self._inbox.there(self._listed)
        self.doubted |= {key for key, missing in unseen.items() if missing and key in there} - set(self._before)
        return {key for key in unseen if key not in there} | self.doubted & unseen.keys()
