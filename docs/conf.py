"""Sphinx configuration. API pages come from the public lists of the packages, the README figure from the README's code."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

import geminga

project = "Geminga"
author = "The Geminga developers"
copyright = author
version = release = geminga.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "design", "examples/README.rst", "api/templates"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_theme_options = {"show_toc_level": 2}
html_show_sourcelink = False
# The gallery's settings hold functions, which cannot be pickled.
suppress_warnings = ["config.cache"]

autosummary_imported_members = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Packages in the order of the data: what to read first comes first.
PACKAGES = (
    *("maps", "irf", "data", "makers", "makers.utils", "datasets", "estimators", "estimators.utils"),
    *("modeling", "modeling.models", "stats", "analysis", "visualization", "errors"),
)
# The pages by name: Sphinx would otherwise make stubs for those pages only that an earlier build knew.
autosummary_generate = [f"api/generated/geminga.{package}.rst" for package in PACKAGES]


def write_api_pages() -> None:
    """Write one page for each package, with a summary of every public name; pages of names that are gone are removed."""
    folder = DOCS / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for package in PACKAGES:
        module = importlib.import_module(f"geminga.{package}")
        summary = (module.__doc__ or "").strip().splitlines()[0]
        title = f"geminga.{package}"
        lines = [title, "=" * len(title), "", summary, "", f".. currentmodule:: geminga.{package}", ""]
        names = [name for name in sorted(module.__all__) if is_documented(getattr(module, name))]
        lines += [".. autosummary::", "   :toctree: objects", "   :nosignatures:", "", *(f"   {name}" for name in names), ""]
        write_if_changed(folder / f"{title}.rst", "\n".join(lines))
        wanted |= {f"{title}.rst", *(f"objects/{title}.{name}.rst" for name in names)}
    for page in folder.rglob("*.rst"):
        if page.relative_to(folder).as_posix() not in wanted:
            page.unlink()


def is_documented(value: object) -> bool:
    """Classes and functions get a page; registries and tables do not."""
    return isinstance(value, type) or callable(value)


def write_if_changed(path: Path, text: str) -> None:
    """Leave a page alone that is already right, so that it is not built again."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def warnings_are_errors(gallery_conf: object, name: str) -> None:
    """Before each example: a warning fails the build."""
    warnings.simplefilter("error")


# Examples on real data are shown without being run where the data are not.
needs_data = ("plot_joint_crab", "plot_systematic_errors")
has_data = (Path(os.environ.get("GAMMAPY_DATA", "/nonexistent")) / "joint-crab").is_dir()

sphinx_gallery_conf = {
    "filename_pattern": "/plot_" if has_data else f"/plot_(?!{'|'.join(name.removeprefix('plot_') for name in needs_data)})",
    "examples_dirs": ["examples"],
    "gallery_dirs": ["auto_examples"],
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib", warnings_are_errors),
    "download_all_examples": False,
    "show_signature": False,
    "within_subsection_order": "FileNameSortKey",
    "plot_gallery": True,
}

write_api_pages()


def setup(app: object) -> None:
    """Draw the README figure."""
    from readme_figure import draw

    draw(DOCS.parent / "README.md", DOCS / "_static" / "readme.png")
