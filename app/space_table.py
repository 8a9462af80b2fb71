"""The architectures of a space as arrays: all of them, or of a large space a sample that grows with the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from nas_core import spaces
from nas_core.single_flight import one_at_a_time
from nas_core.spaces import Architecture, SearchSpace

LARGEST_SPACE = 100_000
"""Architectures that a map holds; of a larger space it shows a sample, and whatever a run asks for beside."""
SAMPLE = 10_000
_TRUST_SAMPLE = 1000
_NEIGHBOURS = 10


@dataclass(frozen=True)
class SpaceTable:
    """The architectures of a space with what is known of them at once: all, or where it is large, a sample."""

    space: SearchSpace
    archs: np.ndarray
    texts: list[str]
    index: dict[str, int]
    canonical: np.ndarray
    closed: pd.DataFrame
    projection: np.ndarray
    trustworthiness: float
    """How far neighbours on the projection are neighbours in the encoding, 0 to 1, by a sample of 1,000."""
    project: Projection
    sampled: bool = False
    """Whether the space holds more than these."""

    def with_texts(self, texts: Sequence[str]) -> SpaceTable:
        """This table with more architectures behind those it has; their places stay."""
        new = [text for text in dict.fromkeys(texts) if text not in self.index]
        if not new:
            return self
        archs = [self.space.parse(text) for text in new]
        closed = self.space.closed_forms(archs)
        known = [*self.texts, *new]
        index = {text: k for k, text in enumerate(known)}
        return replace(
            self,
            archs=np.concatenate([self.archs, np.array(archs)]),
            texts=known,
            index=index,
            canonical=np.concatenate([self.canonical, _canonical(self.space, archs, index)]),
            closed=pd.concat([self.closed, closed], ignore_index=True),
            projection=np.concatenate([self.projection, self.project(np.array(archs), closed, seed=len(known))]),
        )


@one_at_a_time
@lru_cache(maxsize=4)
def space_table(name: str) -> SpaceTable:
    """The table of space `name`."""
    space = spaces.get(name)
    sampled = space.size > LARGEST_SPACE
    archs = _draw(space, SAMPLE) if sampled else list(space.architectures())
    texts = [space.format(arch) for arch in archs]
    index = {text: k for k, text in enumerate(texts)}
    table = np.array(archs)
    closed = space.closed_forms(archs)
    project = Projection.fitted(space, table, closed)
    projection = project(table, closed, seed=0)
    picked = np.random.default_rng(0).choice(len(archs), min(len(archs), _TRUST_SAMPLE), replace=False)
    encoding = space.encode(table[picked])
    trusted = _trustworthiness(encoding, projection[picked]) if len(archs) > 30 else 1.0
    canonical = _canonical(space, archs, index)
    return SpaceTable(space, table, texts, index, canonical, closed, projection, trusted, project, sampled)


def _trustworthiness(encoding: np.ndarray, projection: np.ndarray) -> float:
    from sklearn.manifold import trustworthiness  # takes a second to import, which no page has to wait for at the start

    return float(trustworthiness(encoding, projection, n_neighbors=_NEIGHBOURS))


def _canonical(space: SearchSpace, archs: Sequence[Architecture], index: dict[str, int]) -> np.ndarray:
    """Place of every architecture's canonical form; its own where a sample lacks the form."""
    return np.array([index.get(space.format(space.canonical(a)), index[space.format(a)]) for a in archs], dtype=int)


def _draw(space: SearchSpace, count: int) -> list[Architecture]:
    """Different architectures of a large space, each as likely as any other."""
    rng = np.random.default_rng(0)
    found: dict[Architecture, None] = {}
    while len(found) < count:
        columns = [rng.integers(len(decision.choices), size=count) for decision in space.decisions]
        found |= {arch: None for arch in map(tuple, np.stack(columns, axis=1).tolist()) if space.valid(arch)}
    return list(found)[:count]


@dataclass(frozen=True)
class Projection:
    """First two principal components of encoding, choices counted over decisions, and closed forms.

    The encoding alone is nearly isotropic, so its components would show little more than one decision; the counts
    and, at half weight, the logarithms of the closed forms give it a direction. Points that coincide are spread.
    """

    space: SearchSpace
    sizes: tuple[np.ndarray, np.ndarray]
    parts: tuple[tuple[float, np.ndarray, float], ...]
    axes: np.ndarray
    spread: float

    @classmethod
    def fitted(cls, space: SearchSpace, archs: np.ndarray, closed: pd.DataFrame) -> Projection:
        """The projection that shows most of `archs` (n, decisions) with their closed forms."""
        logs = np.log1p(closed.to_numpy(dtype=float))
        sizes = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-12)
        parts = []
        for weight, part in zip((1.0, 1.0, 0.5), cls._features(space, archs, closed, sizes), strict=True):
            mean = part.mean(axis=0)
            parts.append((weight, mean, max(float(np.sqrt(((part - mean) ** 2).sum() / len(part))), 1e-12)))
        flat = cls(space, sizes, tuple(parts), np.eye(1), 0.0)
        features = flat._joined(archs, closed)
        axes = np.linalg.eigh(features.T @ features)[1][:, [-1, -2]]
        projection = features @ axes
        larger = ((logs - sizes[0]) / sizes[1]).sum(axis=1)
        axes = axes * np.where(projection.T @ larger < 0, -1.0, 1.0)  # larger networks to the right and above
        return replace(flat, axes=axes, spread=0.06 * float(projection.std()))

    def __call__(self, archs: np.ndarray, closed: pd.DataFrame, *, seed: int) -> np.ndarray:
        """Places (n, 2) of `archs` (n, decisions)."""
        places = self._joined(archs, closed) @ self.axes
        return places + np.random.default_rng(seed).normal(scale=self.spread, size=places.shape)

    def _joined(self, archs: np.ndarray, closed: pd.DataFrame) -> np.ndarray:
        features = self._features(self.space, archs, closed, self.sizes)
        weighed = [
            weight * (part - mean) / scale for part, (weight, mean, scale) in zip(features, self.parts, strict=True)
        ]
        return np.concatenate(weighed, axis=1)

    @staticmethod
    def _features(
        space: SearchSpace, archs: np.ndarray, closed: pd.DataFrame, sizes: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        names = sorted({choice for decision in space.decisions for choice in decision.choices})
        counts = np.zeros((len(archs), len(names)))
        for d, decision in enumerate(space.decisions):
            for c, choice in enumerate(decision.choices):
                counts[:, names.index(choice)] += archs[:, d] == c
        return space.encode(archs), counts, (np.log1p(closed.to_numpy(dtype=float)) - sizes[0]) / sizes[1]
