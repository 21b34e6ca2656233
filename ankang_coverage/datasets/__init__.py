"""The built-in region of Ankang: facts from ``data/``, all else made from a seed at run time."""

from ankang_coverage.datasets.builtin import ankang
from ankang_coverage.datasets.facts import ankang_register
from ankang_coverage.datasets.network import ankang_network

__all__ = ["ankang", "ankang_network", "ankang_register"]
