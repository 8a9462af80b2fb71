"""Where the files for the browser lie: beside the package in a checkout, inside it once it is installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

FOLDER = next(
    folder for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if (folder / "tokens.css").exists()
)
"""The folder of style sheets and scripts."""
