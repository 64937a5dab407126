"""Streams packed by either library are read by the other, and broken ones are refused by both."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx import deflate as chosen


def without_isal() -> ModuleType:
    """The module as it is where ISA-L cannot be imported."""
    spec = importlib.util.spec_from_file_location("deflate_by_zlib", chosen.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "isal", None)
        spec.loader.exec_module(module)
    return module


PLAIN = without_isal()
BOTH = pytest.mark.parametrize("module", [chosen, PLAIN], ids=["chosen", "zlib"])
TEXT = b'<c r="A1" s="2"><v>0.95</v></c>' * 400


def test_zlib_packs_where_isal_is_missing() -> None:
    assert PLAIN.library is zlib


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=20).map(lambda piece: piece * 500)), st.integers(1, 6))
def test_either_reads_what_the_other_packed(content: bytes, level: int) -> None:
    for one, other in ((chosen, PLAIN), (PLAIN, chosen)):
        assert other.inflate(one.deflate(content, level), len(content)) == content
        assert other.unsqueeze(one.squeeze(content)) == content
        assert other.unsqueeze(one.squeeze(content, TEXT), TEXT) == content
        assert one.crc32(content) == other.crc32(content)
        assert one.deflate(content, level) == one.deflate(content, level)
        joined = one.deflate(content, level, last=False) + other.deflate(content, level)
        assert other.inflate(joined, 2 * len(content)) == content * 2


@BOTH
def test_what_stands_behind_the_stream_is_left_alone(module: ModuleType) -> None:
    assert module.inflate(module.deflate(TEXT, 4) + b"behind", len(TEXT)) == TEXT


@BOTH
@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff\xff\xff",
        chosen.deflate(TEXT, 4)[:-1],
        chosen.deflate(TEXT, 4, last=False),
        chosen.deflate(TEXT + b"1", 4),
    ],
    ids=["empty", "broken", "cut", "open", "long"],
)
def test_broken_streams_are_refused(module: ModuleType, damaged: bytes) -> None:
    with pytest.raises(module.DeflateError):
        module.inflate(damaged, len(TEXT))


@BOTH
def test_no_more_is_inflated_than_was_announced(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = module.deflate(bytes(50_000_000), 4)
    made: list[int] = []
    library = module.library

    class Watched:
        error = library.error

        @staticmethod
        def decompressobj(bits: int) -> object:
            stream = library.decompressobj(bits)

            class Stream:
                eof = False

                def decompress(self, packed: bytes, most: int) -> bytes:
                    content: bytes = stream.decompress(packed, most)
                    made.append(len(content))
                    self.eof = stream.eof
                    return content

            return Stream()

    monkeypatch.setattr(module, "library", Watched)
    for size in (1_000, 100_000):
        with pytest.raises(module.DeflateError):
            module.inflate(bomb, size)
    assert made == [1 << 16, 100_001]
