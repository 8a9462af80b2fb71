"""Templates that users saved, by name."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from nas_core.store._database import Database
from nas_core.store._tables import templates

_LONGEST_NAME = 60  # letters, as many as a template's document may have


class TemplateRecords(Database):
    """Saved templates."""

    def save_template(self, document: Mapping[str, Any], *, replaces: str | None = None) -> str:
        """Keep a template under its name, or under the next free one, `mine 2`, where another template has that.

        Args:
            document: the template.
            replaces: the saved template that this is a later form of; it is replaced, and its name stays.

        Returns:
            The name under which it is kept.
        """
        asked = str(document["name"])[:_LONGEST_NAME]
        later = (f"{asked[: _LONGEST_NAME - 5]} {number}" for number in itertools.count(2))
        with self._writing() as connection:
            rows = connection.execute(select(templates.c.name, templates.c.document))
            held: dict[str, Any] = {name: kept for name, kept in rows}
            name = replaces or next(
                name
                for name in itertools.chain([asked], later)
                if name not in held or held[name] == {**document, "name": name}
            )
            connection.execute(delete(templates).where(templates.c.name == name))
            saved = {"name": name, "document": {**document, "name": name}, "saved": time.time()}
            connection.execute(templates.insert(), saved)
        return name

    def templates(self) -> dict[str, dict[str, Any]]:
        """Saved templates by name, newest first."""
        with self._reading() as connection:
            query = select(templates.c.name, templates.c.document).order_by(templates.c.saved.desc())
            return {name: document for name, document in connection.execute(query)}
