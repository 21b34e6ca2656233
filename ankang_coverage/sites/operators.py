"""Operators: whose cells a subscriber can use, and which cells interfere with each other."""

from collections.abc import Sequence

import pandas as pd

from ankang_coverage.errors import NetworkError
from ankang_coverage.sites.catalogue import OPERATORS
from ankang_coverage.sites.network import Network


def usable_by(network: Network, operators: str | Sequence[str]) -> Network:
    """Return the cells that subscribers of operators can use, and the sites they stand on.

    Parameters
    ----------
    network
        Sites and cells of any operators.
    operators
        ``mobile``, ``unicom``, ``telecom`` or ``cbn``, or several of them.

    Returns
    -------
    Network
        Their own cells, those of radio layers that the catalogue says they share, and those
        whose operator is not known.

    Raises
    ------
    NetworkError
        If an operator is none of the four.
    """
    wanted = {operators} if isinstance(operators, str) else set(operators)
    if unknown := wanted - set(OPERATORS):
        raise NetworkError(
            f"there is no operator {min(unknown)!r}; known are {', '.join(OPERATORS)}"
        )
    usable = [not who or not wanted.isdisjoint(who) for who in _owners(network)]
    return network.with_cells(pd.Series(usable, index=network.cells.index, dtype=bool))


def carriers(network: Network) -> "pd.Series[str]":
    """Return the carrier of each cell; cells of one carrier interfere, others do not.

    Parameters
    ----------
    network
        Sites and cells of any operators.

    Returns
    -------
    pandas.Series
        By cell, the radio layer and who runs it: ``lte-b3 mobile``, ``nr-n78 telecom+unicom``
        where several share it, ``lte-b8`` where the operator is not known.
    """
    who = _owners(network).map("+".join)
    return (network.cells["radio_layer"] + " " + who).str.rstrip().rename("carrier")


def _owners(network: Network) -> pd.Series:
    """Return the operators that run each cell as one network; none where that is not known."""
    pairs = network.cells[["radio_layer", "operator"]]
    known = {
        (layer, operator): network.catalogue.partners(layer, operator) if operator else ()
        for layer, operator in pairs.drop_duplicates().itertuples(index=False)
    }
    owners = [known[pair] for pair in pairs.itertuples(index=False, name=None)]
    return pd.Series(owners, index=pairs.index, dtype=object)
