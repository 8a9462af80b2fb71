"""What is exported: an architecture at a size, its model with its weights, and its description.

Torch is imported in functions only.
"""

from __future__ import annotations

import math
import platform
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nas_core
from nas_core import spaces
from nas_core.spaces import Architecture, ImageShape, SearchSpace

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Blueprint:
    """An architecture of a space, and the size it is built at: image, classes, and a scale of the space's own type."""

    space: str
    arch: Architecture
    image: ImageShape
    classes: int
    scale: Any

    @classmethod
    def of(
        cls,
        space: str,
        arch: Architecture | str,
        *,
        image: ImageShape | None = None,
        classes: int | None = None,
        scale: Any = None,
    ) -> Blueprint:
        """The blueprint of an architecture or its notation; what is left out is as the space builds by itself.

        Raises:
            ValueError: no such space, no architecture of it, no space of images, or a size below one.
        """
        known = spaces.get(space)
        chosen = known.parse(arch) if isinstance(arch, str) else tuple(arch)
        if not known.valid(chosen):
            raise ValueError(f"{arch} is no architecture of {space}")
        blueprint = cls(
            space if space.endswith(".json") else known.name,
            chosen,
            known.image_shape(image),
            known.classes if classes is None else classes,
            known.scale() if scale is None else scale,
        )
        sizes = {**asdict(blueprint.image), "classes": blueprint.classes, **asdict(blueprint.scale)}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name} is {value}; expected at least 1")
        return blueprint

    @property
    def known(self) -> SearchSpace:
        """The space itself."""
        return spaces.get(self.space)

    @property
    def notation(self) -> str:
        """The architecture in the field's notation."""
        return self.known.format(self.arch)

    @property
    def canonical(self) -> str:
        """The canonical form in the field's notation."""
        return self.known.format(self.known.canonical(self.arch))

    @property
    def decisions(self) -> dict[str, str]:
        """What was chosen, by the name of the decision."""
        return {d.name: d.choices[choice] for d, choice in zip(self.known.decisions, self.arch, strict=True)}

    def model(self, *, seed: int = 0, weights: Mapping[str, Tensor] | None = None) -> nn.Module:
        """The app's model in eval mode, with the weights given, or else those drawn from `seed`.

        Raises:
            ValueError: the weights do not fit; the message names the first key that does not.
        """
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = self.known.build(self.arch, input=self.image, classes=self.classes, scale=self.scale)
        if weights is not None:
            _check_fit(model.state_dict(), weights)
            model.load_state_dict(weights)
        return model.eval()


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """The state dict in a file, read without running anything that the file holds.

    Raises:
        ValueError: the file is no state dict.
        OSError: it cannot be read.
    """
    import torch

    with Path(path).open("rb") as handle:
        try:
            with warnings.catch_warnings(action="ignore"):
                content = torch.load(handle, weights_only=True, map_location="cpu")
        except Exception as error:  # a garbled pickle may raise anything
            raise ValueError(f"{path} is no state dict: torch cannot read it safely") from error
    if not isinstance(content, Mapping) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items()
    ):
        raise ValueError(f"{path} is no state dict; expected tensors by name, as torch.save(model.state_dict()) writes")
    return dict(content)


def _check_fit(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    for key, tensor in own.items():
        if key not in given:
            raise ValueError(f"the weights do not fit: {key} is missing")
        if given[key].shape != tensor.shape:
            found, expected = tuple(given[key].shape), tuple(tensor.shape)
            raise ValueError(f"the weights do not fit: {key} has shape {found}, expected {expected}")
    for key in given:
        if key not in own:
            raise ValueError(f"the weights do not fit: the network has no {key}")


def describe(blueprint: Blueprint) -> dict[str, Any]:
    """Everything about the architecture that needs no network, ready for JSON; unknown numbers are None."""
    from importlib.metadata import version

    space = blueprint.known
    graph = space.graph(blueprint.arch)
    table = space.closed_forms(
        [blueprint.arch], input=blueprint.image, classes=blueprint.classes, scale=blueprint.scale
    )
    counts = {str(name): float(table[name].iloc[0]) for name in table}
    return {
        "space": blueprint.space,
        "title": space.title,
        "notation": blueprint.notation,
        "canonical": blueprint.canonical,
        "decisions": [
            {"name": d.name, "choice": d.choices[choice], "choices": list(d.choices)}
            for d, choice in zip(space.decisions, blueprint.arch, strict=True)
        ],
        "graph": {"nodes": list(graph.nodes), "edges": [asdict(edge) for edge in graph.edges]},
        "closed_forms": {name: _number(value) for name, value in counts.items()},
        "image": asdict(blueprint.image),
        "classes": blueprint.classes,
        "scale": asdict(blueprint.scale),
        "versions": {"nas_helm": nas_core.__version__, "torch": version("torch"), "python": platform.python_version()},
    }


def _number(value: float) -> int | float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
