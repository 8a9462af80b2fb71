"""The colours of both themes as figures need them: read from `assets/tokens.css`, where they are stated once."""

from __future__ import annotations

import re
from functools import cache

from app.browser_files import FOLDER

_SHEET = FOLDER / "tokens.css"
_BLOCK = re.compile(r"^(:root|\[data-mantine-color-scheme=\"dark\"\]) \{(.*?)^\}", re.MULTILINE | re.DOTALL)


@cache
def tokens(theme: str) -> dict[str, str]:
    """Colours by name (`text2`, `line`, `acc` ...) as #RRGGBB, of the theme `light` or `dark`."""
    blocks = _BLOCK.findall(_SHEET.read_text("utf-8"))
    names = {":root": "light"}
    found = {
        names.get(selector, "dark"): dict(re.findall(r"--helm-(\w+): (#[0-9A-F]{6})", body))
        for selector, body in reversed(blocks)
    }
    return found[theme]
