"""WHAT IS BUILT: towers and cells, and the catalogue they are equipped from."""

from ankang_coverage.sites.equipment import equip
from ankang_coverage.sites.network import Network, no_rejections
from ankang_coverage.sites.operators import carriers, usable_by
from ankang_coverage.sites.readers import read_sites

__all__ = ["Network", "carriers", "equip", "no_rejections", "read_sites", "usable_by"]
