"""The command ``perfeval`` and ``python -m perfeval_xlsx``.

Worker processes import this module again on their way up, so the command line itself is imported only where it runs.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    from perfeval_xlsx.cli import main as run

    run()


if __name__ == "__main__":
    main()
