"""What architectures cost, by name: a closed form of their space, a score of the run, or a column of known results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_core import spaces

if TYPE_CHECKING:
    import pandas as pd

    from nas_core.spaces import SearchSpace


def costs_of(space: SearchSpace | str, texts: Sequence[str], names: Sequence[str], scores: pd.DataFrame) -> np.ndarray:
    """Costs of the architectures `texts`, lower is better, NaN where one is unknown: (n, names).

    Args:
        space: their space.
        texts: n architectures in its notation.
        names: closed forms of the space, columns of `scores`, or `table/column` of `nas_core.bench`.
        scores: n rows, one column a score.

    Raises:
        ValueError: a name that is none of these.
    """
    from nas_core import bench

    space = spaces.get(space) if isinstance(space, str) else space
    found = np.full((len(texts), len(names)), np.nan)
    if not names:
        return found
    forms = space.closed_forms([space.parse(text) for text in texts])
    for place, name in enumerate(names):
        if name in forms:
            found[:, place] = forms[name].to_numpy(dtype=float)
        elif name in scores:
            found[:, place] = scores[name].to_numpy(dtype=float)
        elif "/" in name:
            found[:, place] = bench.column(space.name, name).reindex(list(texts)).to_numpy(dtype=float)
        else:
            expected = ", ".join([*map(str, forms), *map(str, scores)])
            raise ValueError(f"unknown cost {name!r}; expected one of: {expected}, or a column as table/column")
    return found
