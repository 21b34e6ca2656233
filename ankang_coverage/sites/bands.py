"""What operators call a radio layer: band numbers, nicknames and channel numbers."""

import re
import unicodedata

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import quoted
from ankang_coverage.sites.catalogue import Catalogue, builtin_catalogue

LTE, NR = "lte", "nr"

# "3.5G" is a frequency, "5G" a technology; "tdlte" comes before the "lte" in it.
TECHNOLOGY = re.compile(r"tdlte|fddlte|lte|fdd|tdd|nr|(?<![\d.])[45]g(?!hz)")
_ASIDE = re.compile(r"\(.*?\)|[\s_-]|频段|频")
BAND_OF_MHZ = {
    700: 28,
    800: 5,
    850: 5,
    900: 8,
    1800: 3,
    1900: 39,
    2100: 1,
    2300: 40,
    2600: 41,
    3500: 78,
    4900: 79,
}
"""Bands by the frequency operators in China call them by."""
BAND_OF_LETTER = {"a": 34, "d": 41, "e": 40, "f": 39}
"""Letters of China Mobile's TDD bands; a digit after it numbers the carrier."""
DOWNLINK_CHANNELS = (
    (LTE, 1, 0, 599),
    (LTE, 3, 1200, 1949),
    (LTE, 5, 2400, 2649),
    (LTE, 8, 3450, 3799),
    (LTE, 34, 36200, 36349),
    (LTE, 39, 38250, 38649),
    (LTE, 40, 38650, 39649),
    (LTE, 41, 39650, 41589),
    (NR, 28, 151600, 160600),
    (NR, 5, 173800, 178800),
    (NR, 8, 185000, 192000),
    (NR, 3, 361000, 376000),
    (NR, 1, 422000, 434000),
    (NR, 41, 499200, 537999),
    (NR, 78, 620000, 653333),
    (NR, 79, 693334, 733333),
)
"""Technology, band, first and last channel number: 3GPP TS 36.101 table 5.7.3-1 and TS 38.104
table 5.4.2.3-1, the bands in use in China."""


def find_radio_layer(
    radio_layer: str = "",
    band: str = "",
    technology: str = "",
    channel: str = "",
    *,
    catalogue: Catalogue | None = None,
) -> str:
    """Find the radio layer of the catalogue that a row of a table means.

    Parameters
    ----------
    radio_layer : str
        Id of a radio layer; when given, it alone decides.
    band : str
        Band: ``B8``, ``n78``, ``FDD900``, ``900M``, ``3.5G``, ``D频段``, ``8`` …; a B without
        another word means LTE.
    technology : str
        ``LTE``, ``4G``, ``TDD`` … or ``NR``, ``5G`` …
    channel : str
        Downlink channel number; it decides where the band does not.
    catalogue : Catalogue, optional
        Where the radio layers stand; the built-in one when omitted.

    Returns
    -------
    str
        Id of the radio layer.

    Raises
    ------
    NetworkError
        If the words mean nothing, no radio layer of the catalogue, or several.

    Examples
    --------
    >>> find_radio_layer(band="FDD900"), find_radio_layer(band="2.6G", technology="5G")
    ('lte-b8', 'nr-n41')
    """
    layers = (catalogue or builtin_catalogue()).radio_layers
    if radio_layer:
        if radio_layer.lower() in layers:
            return radio_layer.lower()
        raise NetworkError(
            f"radio layer {quoted(radio_layer)} is not in the catalogue: use one of "
            f"{', '.join(layers)}"
        )
    if not (band or channel):
        raise NetworkError("nothing tells the radio layer: give it, the band or the channel")
    technologies = _technologies(technology)
    possible = {
        layer.id: (layer.technology, layer.band)
        for layer in layers.values()
        if layer.technology in technologies
    }
    if band:
        meant = _bands(band, technology)
        possible = {id_: pair for id_, pair in possible.items() if pair in meant}
    if channel and len(possible) != 1:
        meant = _bands_of_channel(channel)
        possible = {id_: pair for id_, pair in possible.items() if pair in meant}
    if len(possible) != 1:
        said = " ".join(word for word in (technology, band, channel) if word)
        if possible:
            choice = " or ".join(possible)
            raise NetworkError(
                f"{quoted(said)} may be {choice}: write B or n before the band's number"
            )
        raise NetworkError(
            f"{quoted(said)} is no radio layer of the catalogue ({', '.join(layers)})"
        )
    return next(iter(possible))


def _technologies(text: str) -> set[str]:
    """Return the technologies a column leaves open; both when it is blank."""
    named = _named_technologies(_plain(text))
    if text and not named:
        raise NetworkError(f"technology {quoted(text)} is neither LTE (4G) nor NR (5G)")
    return named or {LTE, NR}


def _bands(text: str, technology: str) -> set[tuple[str, int]]:
    """Return every technology and number of a band that a text may mean."""
    plain = _plain(text)
    named = _named_technologies(plain)
    technologies = named or {LTE, NR}
    rest = TECHNOLOGY.sub("", plain)
    if numbered := re.fullmatch(r"(band|b|n|)(\d{1,3})", rest):
        letter, number = numbered.groups()
        band = BAND_OF_MHZ.get(int(number), int(number))
        if letter == "n":
            technologies &= {NR}
        elif letter == "b" and not (technology or named):
            technologies = {LTE}
    elif in_mhz := re.fullmatch(r"(\d{3,4})(m|mhz)?", rest):
        band = BAND_OF_MHZ.get(int(in_mhz.group(1)), 0)
    elif in_ghz := re.fullmatch(r"(\d\.\d+)(g|ghz)", rest):
        band = BAND_OF_MHZ.get(round(float(in_ghz.group(1)) * 1000), 0)
    elif lettered := re.fullmatch(r"([a-z])\d?", rest):
        band = BAND_OF_LETTER.get(lettered.group(1), 0)
    else:
        return set()
    return {(name, band) for name in technologies}


def _bands_of_channel(text: str) -> set[tuple[str, int]]:
    try:
        channel = float(unicodedata.normalize("NFKC", text))
    except ValueError:
        return set()
    return {
        (technology, band)
        for technology, band, first, last in DOWNLINK_CHANNELS
        if first <= channel <= last
    }


def _named_technologies(plain: str) -> set[str]:
    return {NR if word in {"nr", "5g"} else LTE for word in TECHNOLOGY.findall(plain)}


def _plain(text: str) -> str:
    return _ASIDE.sub("", unicodedata.normalize("NFKC", text).lower())
