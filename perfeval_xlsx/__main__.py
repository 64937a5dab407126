"""``python -m perfeval_xlsx``: the same as the command ``perfeval``."""

from perfeval_xlsx.cli import main

if __name__ == "__main__":
    main()
