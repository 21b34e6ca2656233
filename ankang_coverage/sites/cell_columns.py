"""The columns of ``Network.cells``, read in the order of the schema.

An attribute is read as its type and default say, unless a rule of its own stands in `_RULES`: what
depends on the catalogue, and what may follow from other columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import shortened
from ankang_coverage.limits import limits
from ankang_coverage.sites.bands import find_radio_layer
from ankang_coverage.sites.catalogue import Catalogue, RadioLayer
from ankang_coverage.sites.rows import Numbers, Rows, Texts

CLUES = ("radio_layer", "band", "technology", "channel")
"""Attributes that decide the radio layer, in the order `find_radio_layer` takes them."""
_BY_READER = ("site", "assumed")
"""Columns that are known only when all rows were read."""


def read_cells(rows: Rows, kind: Texts, catalogue: Catalogue) -> pd.DataFrame:
    """Read the columns of ``Network.cells`` but for the site, and what was assumed for them.

    Parameters
    ----------
    rows : Rows
        The table; rows with a fault are rejected in it.
    kind : numpy.ndarray
        Kind of site of each row.
    catalogue : Catalogue
        Radio layers and antennas.

    Returns
    -------
    pandas.DataFrame
        One row for each of the table.
    """
    reading = _Reading(rows, kind, catalogue)
    for about in rows.schema.columns("cells"):
        if about.name in _RULES:
            reading.read[about.name] = _RULES[about.name](reading)
        elif about.name not in _BY_READER:
            reading.read[about.name] = rows.values(about, kind)
    return pd.DataFrame({**reading.read, "assumed": rows.assumed()})


@dataclass(frozen=True)
class _Reading:
    """A table that is being read, and the columns that have been."""

    rows: Rows
    kind: Texts
    catalogue: Catalogue
    read: dict[str, Texts | Numbers] = field(default_factory=dict)

    def usual(self, of: Callable[[RadioLayer, str], object]) -> Texts:
        """Return what the catalogue says of each row's radio layer at its kind of site."""
        pairs = pd.MultiIndex.from_arrays([self.read["radio_layer"], self.kind])
        group, different = pd.factorize(pairs)
        usual = [
            of(self.catalogue.radio_layer(layer_id), "macro" if at == "macro" else "micro")
            if layer_id
            else None
            for layer_id, at in different
        ]
        return np.array(usual, dtype=object)[group]

    def given_or_usual(self, name: str, of: Callable[[RadioLayer, str], object]) -> Numbers:
        """Read numbers, and take what the catalogue says where they are blank."""
        numbers = self.rows.numbers(name)
        blank = np.isnan(numbers)
        self.rows.assume(name, blank)
        return np.where(blank, self.usual(of), numbers).astype(np.float64)

    @cached_property
    def tilts(self) -> tuple[Numbers, Numbers]:
        """Mechanical and electrical tilt; the one not given is what the other leaves of the sum."""
        rows = self.rows
        mechanical_deg = rows.numbers("mechanical_tilt_deg")
        electrical_deg = rows.numbers("electrical_tilt_deg")
        total_deg = rows.numbers("total_tilt_deg")
        rest_deg = total_deg - electrical_deg
        mechanical_deg = np.where(np.isnan(mechanical_deg), rest_deg, mechanical_deg)
        mechanical_deg = rows.filled("mechanical_tilt_deg", mechanical_deg, self.kind)
        rest_deg = total_deg - mechanical_deg
        electrical_deg = np.where(np.isnan(electrical_deg), rest_deg, electrical_deg)
        blank = np.isnan(electrical_deg)
        rows.assume("electrical_tilt_deg", blank)
        own = {id_: a.pattern.electrical_tilt_deg for id_, a in self.catalogue.antennas.items()}
        own_deg = pd.Series(self.read["antenna"]).map(own).to_numpy(np.float64)
        return mechanical_deg, np.where(blank, own_deg, electrical_deg)


def _radio_layers(reading: _Reading) -> Texts:
    """Read the radio layers, blank where rejected; the clues of a table are few different ones."""
    rows, longest = reading.rows, limits().digits
    usable = rows.is_usable()
    clues = pd.DataFrame(
        {
            clue: [shortened(text, longest) for text in np.where(usable, rows.text(clue), "")]
            for clue in CLUES
        }
    )
    group = clues.groupby(list(CLUES), sort=False).ngroup().to_numpy()
    layers, reasons = [], []
    for given in clues.drop_duplicates().to_numpy(object):
        layer, reason = _look_up_radio_layer(reading.catalogue, *given)
        layers.append(layer)
        reasons.append(reason)
    reason_of = np.array(reasons, dtype=object)[group]
    # The clue to blame is the first that a row gives, or else the first that has a column.
    for clue in ("radio_layer", "band", "channel"):
        rows.reject((reason_of != "") & (rows.text(clue) != ""), clue, reason_of)
    for clue in ("radio_layer", "band", "channel"):
        if rows.has(clue):
            rows.reject(reason_of != "", clue, reason_of)
    return np.asarray(np.array(layers, dtype=object)[group])


def _look_up_radio_layer(catalogue: Catalogue, *clues: str) -> tuple[str, str]:
    try:
        return find_radio_layer(*clues, catalogue=catalogue), ""
    except NetworkError as error:
        return "", str(error)


def _antennas(reading: _Reading) -> Texts:
    usual = reading.usual(RadioLayer.antenna_for)
    given = pd.Series(reading.rows.text("antenna")).str.lower().to_numpy(object)
    known = np.isin(given, list(reading.catalogue.antennas))
    reading.rows.assume("antenna", ~known)
    return np.where(known, given, usual)


def _azimuths(reading: _Reading) -> Numbers:
    rows, antennas = reading.rows, reading.catalogue.antennas.values()
    azimuth_deg = rows.numbers("azimuth_deg")
    round_about = [antenna.id for antenna in antennas if antenna.pattern.omnidirectional]
    blank = np.isnan(azimuth_deg)
    needed = blank & ~pd.Series(reading.read["antenna"]).isin(round_about).to_numpy()
    rows.reject(needed, "azimuth_deg", "azimuth_deg is blank, and the antenna is directional")
    return np.where(blank, 0.0, azimuth_deg % 360.0)


_RULES: Mapping[str, Callable[[_Reading], Texts | Numbers]] = {
    "radio_layer": _radio_layers,
    "antenna": _antennas,
    "azimuth_deg": _azimuths,
    "mechanical_tilt_deg": lambda reading: reading.tilts[0],
    "electrical_tilt_deg": lambda reading: reading.tilts[1],
    "re_power_dbm": lambda reading: reading.given_or_usual("re_power_dbm", RadioLayer.re_power_dbm),
    "load": lambda reading: reading.given_or_usual("load", lambda layer, _: layer.load),
}
"""How attributes are read that type and default do not say all of."""
