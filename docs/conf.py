"""Sphinx configuration of the documentation."""

project = "Regraft"
author = "The Regraft team"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "Regraft"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
