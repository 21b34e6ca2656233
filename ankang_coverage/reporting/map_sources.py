"""Sources, credits and notes on a map."""

import html
from collections.abc import Iterable, Sequence

import geopandas as gpd
import xarray as xr

from ankang_coverage.region.region import Source
from ankang_coverage.reporting.words import Words, percent, translated

_LEAFLET = '<a href="https://leafletjs.com">Leaflet</a>'


def with_sites(sources: Sequence[Source], tables: Iterable[gpd.GeoDataFrame]) -> list[Source]:
    """Add a line for synthetic sites where no source mentions them.

    Parameters
    ----------
    sources : sequence of Source
        Where the data come from.
    tables : iterable of geopandas.GeoDataFrame
        Tables of sites with ``source``.

    Returns
    -------
    list of Source
        The sources, with one more where it is needed.
    """
    has_synthetic = any((table["source"] == "synthetic").any() for table in tables)
    are_named = any("site" in source.what and source.nature == "synthetic" for source in sources)
    extra = [Source("sites", "synthetic", "")] if has_synthetic and not are_named else []
    return [*sources, *extra]


def notes(sources: Sequence[Source], datasets: Sequence[xr.Dataset], words: Words) -> list[str]:
    """Return what the reader must not overlook: synthetic data, missing terrain, the model.

    Parameters
    ----------
    sources : sequence of Source
        Where the data come from.
    datasets : sequence of xarray.Dataset
        Predictions.
    words : Words
        Words of the language.

    Returns
    -------
    list of str
        One note each.
    """
    notes = []
    for nature in ("synthetic", "approximate"):
        what = [translated(source.what, words) for source in sources if source.nature == nature]
        if what:
            listed = words["separator"].join(dict.fromkeys(what))
            notes.append(words[f"{nature}_note"].format(what=listed))
    if any(dataset.attrs.get("terrain") == "none" for dataset in datasets):
        notes.append(words["no_terrain_note"])
    if any(dataset.attrs.get("land_cover") == "default class" for dataset in datasets):
        notes.append(words["default_class_note"])
    models = dict.fromkeys(str(d.attrs["model"]) for d in datasets if "model" in d.attrs)
    if models:
        notes.append(words["model_note"].format(model=", ".join(models)))
    return notes


def source_line(source: Source, words: Words) -> str:
    """Return a source as a line: what it gives, its nature, and whom to credit.

    Parameters
    ----------
    source : Source
        The source.
    words : Words
        Words of the language.

    Returns
    -------
    str
        The line.
    """
    line = f"{translated(source.what, words)} ({words[source.nature]})"
    return f"{line}: {source.credit}" if source.credit else line


def attribution(sources: Sequence[Source]) -> str:
    """Return the credits of measured data as HTML, with the texts escaped.

    Only the first clause of each is taken; the list of sources under the title has the whole text.

    Parameters
    ----------
    sources : sequence of Source
        Where the data come from.

    Returns
    -------
    str
        The credits, separated by bars.
    """
    credits_ = [source.credit.split(";")[0] for source in sources if source.nature == "real"]
    return " | ".join([_LEAFLET, *(html.escape(credit) for credit in dict.fromkeys(credits_))])


def share_line(counties: gpd.GeoDataFrame, service: str, words: Words) -> str:
    """Return the share of the region's people covered by a service, before and after.

    Parameters
    ----------
    counties : geopandas.GeoDataFrame
        Counties with their figures.
    service : str
        Service id.
    words : Words
        Words of the language.

    Returns
    -------
    str
        The line.
    """
    people = counties["people"].sum()
    before, after = (
        percent(counties[f"people_covered_{service}_{state}"].sum() / people)
        for state in ("before", "after")
    )
    return words["share_line"].format(service=service.upper(), before=before, after=after)
