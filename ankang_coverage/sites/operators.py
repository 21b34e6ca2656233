"""Operators: whose cells a subscriber can use, and which cells interfere with each other."""

from collections.abc import Sequence

import pandas as pd

from ankang_coverage.sites.network import Network


def usable_by(network: Network, operators: str | Sequence[str]) -> Network:
    """Return ``network.with_operators(operators)``: the cells that subscribers can use.

    Parameters
    ----------
    network : Network
        Sites and cells of any operators.
    operators : str or sequence of str
        ``mobile``, ``unicom``, ``telecom`` or ``cbn``, or several of them.

    Returns
    -------
    Network

    Raises
    ------
    NetworkError
        If an operator is none of the four.
    """
    return network.with_operators(operators)


def carriers(network: Network) -> "pd.Series[str]":
    """Return the carrier of each cell; cells of one carrier interfere, others do not.

    Parameters
    ----------
    network : Network
        Sites and cells of any operators.

    Returns
    -------
    pandas.Series
        By cell, the radio layer and who runs it: ``lte-b3 mobile``, ``nr-n78 telecom+unicom``
        where several share it, ``lte-b8`` where the operator is not known.
    """
    who = network.owners().map("+".join)
    return (network.cells["radio_layer"] + " " + who).str.rstrip().rename("carrier")
