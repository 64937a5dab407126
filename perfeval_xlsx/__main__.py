"""The command ``perfeval`` and ``python -m perfeval_xlsx``."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

from perfeval_xlsx.batch.nursery import ALONE

_KEEPS = 200_000
"""New objects between two looks for cycles: what starting up makes, pandas included, stays, and looking costs 30 ms."""


def main() -> NoReturn:
    """Run the command line; the process ends with the command's exit code.

    It ends without taking apart, one by one, the modules it has: with pandas that would be 60 ms, and by now every
    file is closed and every worker gone.
    """
    gc.set_threshold(_KEEPS)
    os.environ.setdefault(*ALONE)
    from perfeval_xlsx.cli import main as run

    try:
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
