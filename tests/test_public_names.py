"""The public names: typed for editors and checkers, loaded when first used."""

import ast
from pathlib import Path

import pytest

import ankang_coverage

SOURCE = Path(ankang_coverage.__file__)


def test_types_and_values_name_the_same() -> None:
    """A name of the run-time table that type checkers do not see, or the reverse, is a mistake."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    typed = {
        alias.name: node.module
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    of_packages = dict.fromkeys(ankang_coverage._PACKAGES, "ankang_coverage")
    at_run_time = {n: f"ankang_coverage.{module}" for n, module in ankang_coverage._PUBLIC.items()}
    assert typed == of_packages | at_run_time


@pytest.mark.parametrize("name", ankang_coverage.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(ankang_coverage, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'predikt'"):
        ankang_coverage.predikt  # noqa: B018
