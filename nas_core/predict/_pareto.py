"""What is best where a value is to be high and costs are to be low: fronts, ranks of fronts, crowding. Arrays only."""

from __future__ import annotations

import numpy as np


def front(values: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Which points no other point dominates: bool array (n,).

    A point dominates another when its value is no lower, none of its costs is higher, and one of them is truly better.
    Equal points stand together; a point with NaN in its value or its costs is never on the front.

    Args:
        values: higher is better, float array (n,).
        costs: lower is better, float array (n,) or (n, costs).

    Raises:
        ValueError: there are not as many costs as values.
    """
    points = _minimised(values, costs)
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    # Sorted, a point can be dominated by an earlier one only: what is reached without having been struck out stays.
    distinct, place = np.unique(points[known], axis=0, return_inverse=True)
    alive = np.arange(len(distinct))
    at = 0
    while at < len(alive):
        keep = (distinct[alive] < distinct[alive[at]]).any(axis=1)
        keep[: at + 1] = True
        alive = alive[keep]
        at += 1
    mask = np.zeros(len(points), dtype=bool)
    mask[known] = np.isin(place.reshape(-1), alive)
    return mask


def front_ranks(values: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Number of the front of every point, int array (n,): 0 for `front`, 1 for the front once that is gone, and so on.

    A point with NaN gets -1. Arguments and errors are those of `front`.

    Source: non-dominated sorting of Deb, Pratap, Agarwal & Meyarivan, IEEE Trans. Evolutionary Computation 6(2), 2002.
    """
    points = _minimised(values, costs)
    ranks = np.full(len(points), -1)
    left = np.flatnonzero(~np.isnan(points).any(axis=1))
    number = 0
    while len(left):
        first = front(-points[left, 0], points[left, 1:])
        ranks[left[first]] = number
        left = left[~first]
        number += 1
    return ranks


def crowding(values: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """How far apart the neighbours of every point of one front are, float array (n,); infinite at the ends.

    Summed over value and costs, each divided by its range; ties keep the order given. Arguments and errors are those
    of `front`.

    Source: crowding distance of Deb et al., 2002, section III-B.
    """
    points = _minimised(values, costs)
    distance = np.zeros(len(points))
    for column in points.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]] if len(order) else 0.0
        if spread > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
            distance[order[[0, -1]]] = np.inf
    return distance


def _minimised(values: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Points (n, 1 + costs) of which every coordinate is to be low."""
    value = np.asarray(values, dtype=float)
    cost = np.asarray(costs, dtype=float)
    if cost.ndim == 1 and (cost.size or not value.size):
        cost = cost[:, None]
    if value.ndim != 1 or cost.ndim != 2 or len(cost) != len(value):
        raise ValueError(f"costs: got shape {cost.shape}, expected a row for each of {value.size} values")
    return np.column_stack([-value, cost])
