"""Errors: each says what kind of mistake it is, and a swapped argument gets a sentence."""

import re

import pytest

import ankang_coverage as ac
from ankang_coverage import errors
from ankang_coverage.errors import (
    AnkangCoverageError,
    ArgumentTypeError,
    FileError,
    MissingFileError,
    UnknownNameError,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_of_the_library_and_a_value_error(kind: type[Exception]) -> None:
    assert issubclass(kind, AnkangCoverageError)
    assert issubclass(kind, ValueError)
    assert kind.__doc__


@pytest.mark.parametrize(
    ("kind", "python"),
    [
        (MissingFileError, FileNotFoundError),
        (MissingFileError, FileError),
        (UnknownNameError, LookupError),
        (ArgumentTypeError, TypeError),
    ],
)
def test_an_error_is_what_python_calls_such_a_mistake(
    kind: type[Exception], python: type[Exception]
) -> None:
    assert issubclass(kind, python)
    with pytest.raises(python, match="why"):
        raise kind("why")


def test_a_missing_file_is_caught_as_one(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot read .*none\.csv: there is no such file"):
        ac.read_sites(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match=r"none\.toml"):
        ac.Scenario.from_toml(tmp_path / "none.toml")


def test_an_unknown_language_is_caught_as_a_wrong_name(small_network) -> None:
    with pytest.raises(LookupError, match="lang 'fr' is not available: choose 'zh' or 'en'"):
        ac.explore(small_network, lang="fr")


PROGRAMME = ac.Programme(
    targets=(
        ac.MicroTarget(
            id="t", number=1, service="4g", radio_layers=("lte-b8",), minimum_spacing_m=0
        ),
    )
)


@pytest.mark.parametrize(
    ("swapped", "says"),
    [
        (
            lambda region, network: ac.predict(network, region),
            "region must be a Region, not a Network: predict(region, network, service)",
        ),
        (
            lambda region, _: ac.predict(region, region),
            "network must be a Network, not a Region: predict(region, network, service)",
        ),
        (
            lambda region, network: ac.plan(network, region, PROGRAMME),
            "region must be a Region, not a Network: plan(region, network, programme)",
        ),
        (
            lambda region, network: ac.plan(region, PROGRAMME, network),
            "network must be a Network, not a Programme: plan(region, network, programme)",
        ),
        (
            lambda region, network: ac.plan(region, network, "programme.toml"),
            "programme must be a Programme, not a str: plan(region, network, programme)",
        ),
    ],
)
def test_swapped_arguments_get_a_sentence(small_region, small_network, swapped, says) -> None:
    with pytest.raises(ArgumentTypeError, match=f"^{re.escape(says)}$"):
        swapped(small_region, small_network)
