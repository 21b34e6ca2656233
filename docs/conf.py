"""How Sphinx builds these pages: `make docs`, without a network, every warning an error."""

from importlib.metadata import version as version_of

project = "ankang_coverage"
author = "The ankang_coverage contributors"
copyright = "2026, The ankang_coverage contributors"
release = version_of("ankang_coverage")

templates_path = ["_templates"]
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
]
exclude_patterns = ["_templates", "images"]
html_theme = "alabaster"

autodoc_typehints = "signature"
autosummary_generate = True
autosummary_imported_members = True
autosummary_ignore_module_all = False
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
