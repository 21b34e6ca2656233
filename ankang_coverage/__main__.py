"""``python -m ankang_coverage`` is the command ``ankang-coverage``."""

from ankang_coverage.cli import main

if __name__ == "__main__":
    main()
