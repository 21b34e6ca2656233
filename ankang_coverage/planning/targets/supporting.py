"""5G supporting sites (5G配套站址): existing towers that get a technology they lack."""

from collections.abc import Sequence

from ankang_coverage.planning.candidate_sources.towers import co_location, towers_without
from ankang_coverage.planning.candidates import Candidates, nothing_dropped
from ankang_coverage.planning.costs import UnitPrices
from ankang_coverage.planning.programme import Target
from ankang_coverage.sites import Network


def supporting_candidates(
    network: Network, target: Target, *, also: Sequence[str] = ()
) -> Candidates:
    """Return the macro towers without the target's service, equipped with it.

    New cells take height, azimuths and tilts of the tower's first radio layer, as antennas on one
    frame do.

    Parameters
    ----------
    network
        Existing sites.
    target
        Service and radio layers to add.
    also
        Ids of sites that count as towers although they are not macro, such as those that an
        earlier target builds.

    Returns
    -------
    Candidates
        Sites under their existing ids, with only the new cells.
    """
    prices = UnitPrices.from_yaml(target.candidates.costs)
    lacked = network.catalogue.service(target.service).radio_layers
    towers = towers_without(network, lacked, target.radio_layers, also=also)
    return Candidates(
        network=towers,
        table=co_location(network, towers, target.service, prices),
        dropped=nothing_dropped(),
    )
