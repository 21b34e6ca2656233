"""What a map says of its data: sources, credits, and what the reader must not overlook."""

import html
from collections.abc import Iterable, Sequence

import geopandas as gpd
import xarray as xr

from ankang_coverage.region.region import Source
from ankang_coverage.reporting.words import Words, percent, translated

_LEAFLET = '<a href="https://leafletjs.com">Leaflet</a>'


def with_sites(sources: Sequence[Source], tables: Iterable[gpd.GeoDataFrame]) -> list[Source]:
    """Add a line for made-up sites where no source speaks of them."""
    made_up = any((table["source"] == "synthetic").any() for table in tables)
    are_named = any("site" in source.what and source.nature == "synthetic" for source in sources)
    extra = [Source("sites", "synthetic", "")] if made_up and not are_named else []
    return [*sources, *extra]


def notes(sources: Sequence[Source], datasets: Sequence[xr.Dataset], words: Words) -> list[str]:
    """Return what the reader must not overlook."""
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
    """Return what a source gives, of what nature, and whom to credit."""
    line = f"{translated(source.what, words)} ({words[source.nature]})"
    return f"{line}: {source.credit}" if source.credit else line


def attribution(sources: Sequence[Source]) -> str:
    """Return whom to credit for what was measured, as markup with the sources' words escaped.

    Only the first clause of each: the list of sources under the title has it all.
    """
    credits_ = [source.credit.split(";")[0] for source in sources if source.nature == "real"]
    return " | ".join([_LEAFLET, *(html.escape(credit) for credit in dict.fromkeys(credits_))])


def share_line(counties: gpd.GeoDataFrame, service: str, words: Words) -> str:
    """Return the share of the region's people that a service covers, before and after."""
    people = counties["people"].sum()
    before, after = (
        percent(counties[f"people_covered_{service}_{state}"].sum() / people)
        for state in ("before", "after")
    )
    return words["share_line"].format(service=service.upper(), before=before, after=after)
