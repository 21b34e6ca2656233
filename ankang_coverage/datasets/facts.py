"""The facts that come with the project: their files and tables."""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from ankang_coverage.errors import FileError

CRS = "EPSG:32649"
"""The projected CRS of the built-in region, x east and y north in metres."""

PACKAGE = Path(__file__).resolve().parents[1]


def fact_path(name: str) -> Path:
    """Return the path of a file of facts, in the installed package or in the repository.

    Parameters
    ----------
    name : str
        Path below ``data``, such as ``boundaries/townships.csv``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileError
        If it is in neither place.
    """
    places = [PACKAGE / "data" / name, PACKAGE.parent / "data" / name]
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(map(str, places))
    raise FileError(f"the built-in file {name} is missing (looked at {looked}): reinstall")


def county_facts() -> gpd.GeoDataFrame:
    """Return the 10 counties.

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by code: ``name``, ``people`` (2020 census) and generalised polygon in `CRS`.
    """
    polygons = gpd.read_file(fact_path("boundaries/counties.geojson"))
    polygons = polygons.set_index("code")[["name", "geometry"]].to_crs(CRS).sort_index()
    census = _table("boundaries/census_counties_2020.csv").set_index("code")
    polygons.insert(1, "people", census["population_2020"].astype("int64"))
    return polygons


def township_facts() -> pd.DataFrame:
    """Return the 139 townships, indexed by code, in order.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``kind``, ``county``; ``people`` (2020 census) for the 28 known, else missing;
        ``longitude`` and ``latitude`` of the middle of the 88 known extents [degrees, WGS-84],
        else NaN.
    """
    register = _table("boundaries/townships.csv").set_index("township_code").sort_index()
    census = _table("boundaries/census_townships_2020_partial.csv").set_index("township_code")
    extent = _table("boundaries/township_extents.csv").set_index("township_code")
    edges = extent[["west", "south", "east", "north"]].astype("float64")
    return pd.DataFrame(
        {
            "name": register["township"],
            "kind": register["kind"],
            "county": register["county_code"],
            "people": census["population_2020"].reindex(register.index).astype("Int64"),
            "longitude": ((edges["west"] + edges["east"]) / 2.0).reindex(register.index),
            "latitude": ((edges["south"] + edges["north"]) / 2.0).reindex(register.index),
        }
    ).rename_axis("code")


def seat_facts() -> gpd.GeoSeries:
    """Return the county seats.

    Returns
    -------
    geopandas.GeoSeries
        Points in `CRS`, indexed by the county's code.
    """
    seats = _table("boundaries/seats.csv").set_index("county_code")
    points = gpd.points_from_xy(
        seats["longitude"].astype(float), seats["latitude"].astype(float), crs="EPSG:4326"
    )
    return gpd.GeoSeries(points, index=seats.index).to_crs(CRS)


def ankang_register() -> pd.DataFrame:
    """Return the register of the 1,924 village-level units of Ankang, without geometry.

    Returns
    -------
    pandas.DataFrame
        Indexed by the 12-digit code: ``name``; ``kind`` (village for 行政村, community for 社区);
        ``township`` and ``county`` (codes), ``township_name`` and ``county_name``.

    References
    ----------
    National Bureau of Statistics of China, division codes, cut-off 2023-06-30.

    Examples
    --------
    >>> register = ankang_register()
    >>> len(register), int((register["kind"] == "community").sum())
    (1924, 303)
    """
    register = _table("boundaries/villages.csv").sort_values("village_code")
    return pd.DataFrame(
        {
            "name": register["village"].to_numpy(),
            "kind": register["kind"].to_numpy(),
            "township": register["township_code"].to_numpy(),
            "township_name": register["township"].to_numpy(),
            "county": register["county_code"].to_numpy(),
            "county_name": register["county"].to_numpy(),
        },
        index=pd.Index(register["village_code"].to_numpy(), name="code"),
    )


def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(fact_path(name), dtype=str)
