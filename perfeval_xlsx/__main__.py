"""The command ``perfeval`` and ``python -m perfeval_xlsx``.

Worker processes import this module again on their way up, so the command line itself is imported only where it runs.
"""

from __future__ import annotations

import gc

_KEEPS = 50_000
"""New objects between two looks for cycles: nearly all of what starting up makes stays, and looking costs 40 ms."""


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    gc.set_threshold(_KEEPS)
    from perfeval_xlsx.cli import main as run

    run()


if __name__ == "__main__":
    main()
