"""Isomorphic architectures are one network, and statistics count a network once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import ArrayLike


def numbered(networks: Iterable[Hashable]) -> np.ndarray:
    """A number for every network (n,), equal where two are the same: by order of first appearance, from 0."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(network, len(numbers)) for network in networks], dtype=int)


def distinct(networks: ArrayLike, *columns: ArrayLike) -> tuple[np.ndarray, ...]:
    """The mean of every column (n,) over the rows of a network, one row a network, in the order of their numbers.

    Args:
        networks: numbers or names (n,) of networks.
        columns: values (n,); NaN counts as any other number would.

    Raises:
        ValueError: columns of other lengths.
    """
    names = np.asarray(networks)
    values = [np.asarray(column, dtype=float) for column in columns]
    if any(one.shape != names.shape for one in values) or names.ndim != 1:
        shapes = ", ".join(str(one.shape) for one in values)
        raise ValueError(f"networks {names.shape} and columns {shapes}: expected a network for every value")
    _, first, place, counts = np.unique(names, return_index=True, return_inverse=True, return_counts=True)
    if len(first) == len(names):
        return tuple(one[first] for one in values)
    order, starts = np.argsort(place, kind="stable"), np.cumsum(counts) - counts
    return tuple(_means(one[order], starts, counts) for one in values)


def _means(values: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means of the groups that begin at `starts`; of equal values exactly that value, as a rounded one breaks ties."""
    least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    with np.errstate(invalid="ignore"):
        return np.where(least == most, least, np.add.reduceat(values, starts) / counts)
