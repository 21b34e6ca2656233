"""Predict the coverage of a network, and prepare several predictions together."""

from collections.abc import Sequence
from typing import Unpack

from ankang_coverage.coverage.coverage import Coverage
from ankang_coverage.coverage.execution.work import SeparateWork, Work, work_of
from ankang_coverage.coverage.loss.path_loss import Propagation
from ankang_coverage.coverage.predictor import Predictor
from ankang_coverage.coverage.signal.cells import cells_of_network
from ankang_coverage.inputs import require_type
from ankang_coverage.region import Region
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Catalogue, Service
from ankang_coverage.sites.operators import usable_by


def predict(
    region: Region,
    network: Network,
    of: str | Service = "4g",
    *,
    operators: str | Sequence[str] | None = None,
    propagation: Propagation | None = None,
    work: Work | None = None,
    **separate: Unpack[SeparateWork],
) -> Coverage:
    """Predict the coverage of a service or radio layer.

    Path losses and tiles that the store holds already are not computed again, so that editing a
    network costs no more than the tiles it touches, and a run that was interrupted goes on.

    Parameters
    ----------
    region : Region
        Where: the tiles of its grid that its villages touch are predicted.
    network : Network
        What is built; candidates count as built, so leave them out to predict without them.
        Indoor sites serve their building only and are left out.
    of : str or Service
        A service (``4g``, ``5g``, or a Service with another rule) or one radio layer
        (``lte-b8``), judged by the rule of the service it belongs to.
    operators : str or sequence of str, optional
        Whose subscribers count: the cells they can use, their own and those shared with them.
        All cells when omitted.
    propagation : Propagation, optional
        Path-loss model and its settings.
    work : Work, optional
        Where path losses and tiles are kept, who computes, and who is shown progress. The result
        does not depend on it.
    **separate
        The parts of `work` as arguments of their own: deprecated.

    Returns
    -------
    Coverage
        Its figures on the region's grid are read from the store tile by tile when they are used.

    Raises
    ------
    CatalogueError
        If `of` is neither a service nor a radio layer, or an operator is unknown.
    NetworkError
        If no site reaches the region.
    OutOfRangeError
        If a carrier's frequency is outside the model's range.
    RasterError
        If the model needs terrain and the region has none.
    StoreError
        If the store cannot be written.
    """
    require_type(region, Region, "region", "predict(region, network, service)")
    require_type(network, Network, "network", "predict(region, network, service)")
    settings = (propagation or Propagation()).resolved()
    predictor = Predictor(region, settings, work_of(work, separate))
    return predict_with(predictor, network, of, operators=operators)


def predict_with(
    predictor: Predictor,
    network: Network,
    of: str | Service,
    *,
    operators: str | Sequence[str] | None = None,
) -> Coverage:
    """Predict as `predict` does, with a region that is ready for it.

    Parameters
    ----------
    predictor : Predictor
        Region, model and work.
    network : Network
        As for `predict`.
    of : str or Service
        As for `predict`.
    operators : str or sequence of str, optional
        As for `predict`.

    Returns
    -------
    Coverage
        As `predict` returns it.
    """
    service = as_service(of, network.catalogue)
    usable = network if operators is None else usable_by(network, operators)
    cells = cells_of_network(usable, service.radio_layers, predictor.region.geobox)
    return Coverage.of(predictor, usable, cells, network.catalogue, service, n_asked=len(cells))


def as_service(of: str | Service, catalogue: Catalogue) -> Service:
    """Return the service of an id, or the one-layer service of a radio layer's id.

    Parameters
    ----------
    of : str or Service
        Id of a service or of a radio layer.
    catalogue : Catalogue
        What there is.

    Returns
    -------
    Service
        A radio layer is judged by the rule of 4g or 5g.

    Raises
    ------
    CatalogueError
        If it is neither.
    """
    if isinstance(of, Service):
        return of
    if of not in catalogue.services and of in catalogue.radio_layers:
        layer = catalogue.radio_layer(of)
        whole = catalogue.service("4g" if layer.technology == "lte" else "5g")
        return whole.model_copy(update={"id": of, "radio_layers": (of,)})
    return catalogue.service(of)
