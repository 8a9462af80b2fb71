"""What a supernet is trained with: one frozen value that goes into every checkpoint. No torch here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nas_core import spaces
from nas_core.spaces import template
from nas_core.supernet._sampling import SAMPLINGS


@dataclass(frozen=True)
class SupernetSettings:
    """Space, data, size of the network, sampling and budget.

    `image_size` in pixels; `channels` of the first stage and `cells` a stage; `epochs` of the training part, or
    `seconds` of training where they are given: the learning rate then follows the clock, and two runs of one seed
    agree in their draws but not bit for bit. `held_out` is the share of the training images kept for the validation
    loss and for ranking; `shift` the augmentation's largest shift in pixels; `flip` mirrors images at random, None
    for images in colour only. `template` is the document of a space that its user made, as JSON; `arch`, in the
    notation of the space, is the one network to train alone, where there is one.

    `normalise_pools` lets shared weights of cells normalise what they pool (see `CellSupernet`). After 90 epochs of
    9,000 CIFAR-10 images of 8 pixels, balanced paths and 400 NAS-Bench-201 cells, tau was .52 with it and .40 without
    (medians of 4 seeds; in the better half .38 and .12). Weights that are not re-calibrated rank worse with it: uniform
    paths after 150 s, .35 and .49 (medians of 3 seeds).

    `learning_rate` falls along half a cosine to the share `final_rate` of itself, which is 0 for a network alone,
    whatever is given. Shared weights that have come to rest rank worse: after 170 epochs of 9,000 CIFAR-10 images of
    8 pixels tau was .58 with a fifth of the rate left and .50 with none (means of 4 seeds, better in each).

    Raises:
        ValueError: a value outside its range; the message names it.
    """

    space: str = "nb201"
    data: str = "digits"
    sampling: str = "balanced"
    seed: int = 0
    image_size: int = 8
    batch_size: int = 128
    channels: int = 8
    cells: int = 1
    epochs: float = 60.0
    seconds: float | None = None
    learning_rate: float = 0.3
    final_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    held_out: float = 0.1
    shift: int = 2
    flip: bool | None = None
    normalise_pools: bool = True
    template: str = ""
    arch: str = ""

    def __post_init__(self) -> None:
        if self.space.endswith(".json"):
            document = template.read_file(self.space).to_dict()
            object.__setattr__(self, "template", json.dumps(document))  # a checkpoint outlives the file
        if self.template:
            try:
                space = spaces.define(json.loads(self.template)).name
            except json.JSONDecodeError as error:
                raise ValueError(f"template: got {self.template[:40]!r}, expected the JSON of a template") from error
            object.__setattr__(self, "space", space)
        elif ":" in self.space and not self.space.startswith("template:"):
            object.__setattr__(self, "space", spaces.get(self.space).name)  # one spelling of its options
        if self.sampling not in SAMPLINGS:
            raise ValueError(f"unknown sampling {self.sampling!r}; expected one of: {', '.join(SAMPLINGS)}")
        for name, least in (("image_size", 4), ("batch_size", 2), ("channels", 1), ("cells", 1), ("shift", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected at least {least}")
        for name in ("epochs", "learning_rate") + (("seconds",) if self.seconds is not None else ()):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name}: got {getattr(self, name)}, expected a number above 0")
        for name, below in (("momentum", 1.0), ("label_smoothing", 1.0), ("weight_decay", math.inf)):
            if not 0 <= getattr(self, name) < below:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected a number from 0 and below {below:g}")
        if not 0 <= self.final_rate <= 1:
            raise ValueError(f"final_rate: got {self.final_rate}, expected a share of learning_rate, 0 to 1")
        if self.arch:
            object.__setattr__(self, "final_rate", 0.0)  # what is stored is what it is trained with
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out: got {self.held_out}, expected a share between 0 and 1")

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SupernetSettings:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: an unknown name, or a value outside its range.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"unknown setting {unknown[0]!r}; expected: {', '.join(sorted(known))}")
        return cls(**data)
