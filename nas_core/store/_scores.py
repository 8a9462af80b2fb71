"""The score cache: what is known of an architecture's canonical form, whichever run computed it.

A score is known by space, canonical form, proxy and its version, settings with their seed, and what it was computed on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from nas_core import proxies
from nas_core.store._database import Database, portions
from nas_core.store._json import jsonable
from nas_core.store._tables import digest, scores

PROCESSOR = "cpu"
"""What scores are computed on where nothing else is said."""
Found = tuple[str, Mapping[str, float], Mapping[str, float], Mapping[str, list[dict[str, Any]]]]
"""A canonical form with its values, seconds and per-layer tables by score."""


class ScoreCache(Database):
    """The table of scores."""

    def cached(
        self, space: str, canonical: Sequence[str], proxies: Sequence[str], settings: str, *, compute: str = PROCESSOR
    ) -> dict[tuple[str, str], float]:
        """Known values by `(canonical, proxy)`; NaN where a score is known to be undefined."""
        if not proxies:
            return {}
        by_digest = {digest(text): text for text in canonical}
        wanted = or_(*(_is(space, proxy, compute) for proxy in proxies))
        found: dict[tuple[str, str], float] = {}
        with self._reading() as connection:
            for some in portions(list(by_digest)):
                query = select(scores.c.digest, scores.c.proxy, scores.c.value)
                query = query.where(wanted, scores.c.settings == settings, scores.c.digest.in_(some))
                for key, proxy, value in connection.execute(query):
                    found[by_digest[key], proxy] = math.nan if value is None else value
        return found

    def settings(self, space: str, proxy: str, *, compute: str = PROCESSOR) -> dict[str, int]:
        """Settings under which `proxy` is cached, with how many canonical forms each; most first."""
        number = func.count()
        query = select(scores.c.settings, number).where(_is(space, proxy, compute)).group_by(scores.c.settings)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(number.desc(), scores.c.settings))
            return {settings: count for settings, count in rows}

    def scores(self, space: str, proxy: str, settings: str, *, compute: str = PROCESSOR) -> dict[str, float]:
        """Every cached value of `proxy` under `settings` by canonical form; NaN where it is known to be undefined."""
        query = select(scores.c.canonical, scores.c.value)
        query = query.where(_is(space, proxy, compute), scores.c.settings == settings)
        with self._reading() as connection:
            return {text: math.nan if value is None else value for text, value in connection.execute(query)}

    def remember(
        self,
        space: str,
        canonical: str,
        settings: str,
        values: Mapping[str, float],
        seconds: Mapping[str, float],
        layers: Mapping[str, list[dict[str, Any]]] | None = None,
        *,
        compute: str = PROCESSOR,
    ) -> None:
        """Cache the scores of one canonical form; the first writer wins."""
        self.remember_all(space, settings, [(canonical, values, seconds, layers or {})], compute=compute)

    def remember_all(self, space: str, settings: str, found: Sequence[Found], *, compute: str = PROCESSOR) -> None:
        """Cache scores in one transaction, so that others hardly wait; the first writer of a score wins."""
        rows = [
            {
                "space": space,
                "proxy": proxy,
                "version": version(proxy),
                "compute": compute,
                "settings": settings,
                "digest": digest(canonical),
                "canonical": canonical,
                "value": value,
                "seconds": float(seconds.get(proxy, 0.0)),
                "layers": layers.get(proxy),
            }
            for canonical, values, seconds, layers in found
            for proxy, value in jsonable(values).items()
        ]
        if not rows:
            return
        dialect = sqlite if self.backend == "sqlite" else postgresql
        with self._writing() as connection:
            connection.execute(dialect.insert(scores).on_conflict_do_nothing(), rows)

    def layers(
        self, space: str, canonical: str, proxy: str, settings: str, *, compute: str = PROCESSOR
    ) -> pd.DataFrame:
        """The per-layer table of a cached score; empty where none was kept."""
        query = select(scores.c.layers).where(
            _is(space, proxy, compute), scores.c.settings == settings, scores.c.digest == digest(canonical)
        )
        with self._reading() as connection:
            return pd.DataFrame(connection.scalar(query) or [])

    def layers_of(
        self, space: str, canonical: Sequence[str], proxy: str, settings: str, *, compute: str = PROCESSOR
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of the per-layer tables of several canonical forms at once; those without one are left out."""
        by_digest = {digest(text): text for text in canonical}
        found: dict[str, list[dict[str, Any]]] = {}
        with self._reading() as connection:
            for some in portions(list(by_digest)):
                query = select(scores.c.digest, scores.c.layers).where(
                    _is(space, proxy, compute), scores.c.settings == settings, scores.c.digest.in_(some)
                )
                found |= {by_digest[key]: layers for key, layers in connection.execute(query) if layers}
        return found


def version(proxy: str) -> int:
    """The version of a score's formula: scores of another version are other scores.

    What a proxy keeps beside its value, `zico:distributions`, is of its version; what no proxy computes is of 1.
    """
    try:
        return proxies.version(proxy.partition(":")[0])
    except ValueError:
        return 1


def _is(space: str, proxy: str, compute: str) -> ColumnElement[bool]:
    return and_(
        scores.c.space == space,
        scores.c.proxy == proxy,
        scores.c.version == version(proxy),
        scores.c.compute == compute,
    )
