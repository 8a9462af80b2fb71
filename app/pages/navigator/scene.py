"""A run as the Navigator shows it: at an earlier moment of its search, or with blocks judged inside a region only."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from app.cockpit import View
from app.masks import unpacked
from nas_core.predict import block_fitness
from nas_core.spaces import Act, Steering

_KEPT_SCENES = 4


@dataclass(frozen=True)
class Scene(View):
    """A view that tells what it was narrowed to; everything a view derives follows."""

    moment: int | None = None
    """Candidates scored at the moment shown; None for now."""
    inside: np.ndarray | None = None
    """Architectures of the region chosen, bool (n,); None for the whole space."""
    label: str = ""
    """What the region is called."""

    @cached_property
    def blocks(self) -> pd.DataFrame:
        """Fitness of every block among the scored candidates of the region, see `block_fitness`."""
        held = self.within
        archs, same = self.table.archs[self.indices[held]], self.networks[held]
        return block_fitness(self.table.space.decisions, archs, self.ranked[held], networks=same)

    @property
    def within(self) -> np.ndarray:
        """Which of the scored candidates lie in the region: bool, in the order of scoring."""
        return np.ones(len(self.indices), dtype=bool) if self.inside is None else self.inside[self.indices]


def scene(view: View, moment: int | None, scope: dict[str, Any] | None) -> View:
    """`view` as it was once `moment` candidates were scored, its blocks judged inside `scope`; None leaves it be."""
    if moment is None and not scope:
        return view
    parts = {part.name: getattr(view, part.name) for part in fields(view)}
    if moment is not None:
        parts |= _then(view, moment)
    inside = unpacked(scope["mask"], len(view.table.archs)) if scope else None
    return Scene(**parts, moment=moment, inside=inside, label=scope["label"] if scope else "")


def _then(view: View, moment: int) -> dict[str, Any]:
    """What was known and in force once `moment` candidates were scored."""
    acts = [entry for entry in view.acts if int(entry.body.get("scored", 0)) <= moment]
    steering, refused = Steering.fold_compatible(view.table.space, [Act.from_dict(entry.body) for entry in acts])
    return {
        "acts": acts,
        "steering": steering,
        "refused": refused,
        "indices": view.indices[:moment],
        "values": {name: column[:moment] for name, column in view.values.items()},
        "seconds": {name: column[:moment] for name, column in view.seconds.items()},
        "failed": {},  # when a candidate failed is not recorded: of the past none is said to have
    }


class Scenes:
    """The scenes asked for last, so that those who draw one share what it derives."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int | None, str], tuple[View, View]] = {}

    def of(self, view: View, moment: int | None, scope: dict[str, Any] | None) -> View:
        """See `scene`."""
        key = (id(view), moment, f"{scope['label']}:{scope['mask']}" if scope else "")
        found = self._last.get(key)
        if found is None or found[0] is not view:
            found = view, scene(view, moment, scope)
            self._last = dict([*self._last.items(), (key, found)][-_KEPT_SCENES:])
        return found[1]
