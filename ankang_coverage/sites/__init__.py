"""WHAT IS BUILT: towers and cells, and the catalogue they are equipped from."""

from ankang_coverage.sites.attributes import Attribute
from ankang_coverage.sites.deprecated import equip
from ankang_coverage.sites.equipment import make_cells
from ankang_coverage.sites.network import Network, no_rejections
from ankang_coverage.sites.operators import carriers, usable_by
from ankang_coverage.sites.readers import read_sites
from ankang_coverage.sites.schema import Schema, builtin_schema

__all__ = [
    "Attribute",
    "Network",
    "Schema",
    "builtin_schema",
    "carriers",
    "equip",
    "make_cells",
    "no_rejections",
    "read_sites",
    "usable_by",
]
