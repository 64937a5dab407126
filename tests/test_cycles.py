"""What a chunk makes goes by itself: nothing of it waits for the collector of cycles, which workers seldom run."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from perfeval_xlsx.batch.chunk import score_chunk
from perfeval_xlsx.batch.discover import discover
from perfeval_xlsx.batch.options import Options

SAMPLES = Path(__file__).parent.parent / "sample_workbooks"


@pytest.mark.parametrize("options", [Options(durable=False), Options(durable=False, audit=True, annotate=True)])
def test_a_chunk_leaves_no_cycles(options: Options, tmp_path: Path) -> None:
    sources = sorted(discover([str(SAMPLES)]), key=lambda source: source.key)
    score_chunk(sources, options, tmp_path / "first")  # fills the caches
    gc.collect()
    gc.disable()
    try:
        score_chunk(sources, options, tmp_path / "second")
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = {type(item).__name__ for item in gc.garbage if type(item).__module__.startswith(("perfeval", "pyexpat"))}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == set()
