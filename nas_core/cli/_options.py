"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import Act


class Preset(StrEnum):
    """Named settings of a score."""

    LAPTOP = "laptop"
    AGGREGATE = "aggregate"
    PUBLISHED = "published"


Space = Annotated[str, typer.Option(help="Search space.")]
Proxy = Annotated[list[str], typer.Option("--proxy", help="Score to compute; repeat for several.")]
Data = Annotated[str, typer.Option(help="digits, noise, cifar10:PATH, cifar100:PATH, npz:PATH or folder:PATH.")]
PresetName = Annotated[Preset, typer.Option(help="Scale of the scored network and its batches.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Seeds = Annotated[int, typer.Option(min=1, help="Average every score over so many seeds, from --seed up.")]
Workers = Annotated[int, typer.Option(min=0, help="Worker processes; 0 for one a core.")]
Pin = Annotated[list[str] | None, typer.Option("--pin", help='Keep only these, e.g. "edge 0→3=skip_connect".')]
Prune = Annotated[list[str] | None, typer.Option("--prune", help='Drop these, e.g. "*=none".')]
Number = Annotated[int | None, typer.Option(min=0, help="Overrides the preset.")]
Precision = Annotated[str | None, typer.Option(help="float32, or bfloat16 for large networks.")]
CandidateSeconds = Annotated[
    float, typer.Option(min=0.1, help="Seconds after which a candidate that tells nothing has failed.")
]
CandidateMemory = Annotated[
    int | None, typer.Option(min=64, help="MiB that a candidate may allocate; its share of the machine by default.")
]


def settings(preset: Preset, data: str, seed: int, **overrides: int | str | None) -> ScoreSettings:
    """Settings of a preset with the overrides that are not None."""
    presets = {Preset.PUBLISHED: ScoreSettings.published, Preset.AGGREGATE: ScoreSettings.aggregate}
    base = presets.get(preset, ScoreSettings.laptop)()
    changes = {name: value for name, value in overrides.items() if value is not None}
    return ScoreSettings.from_dict({**base.to_dict(), "data": data, "seed": seed, **changes})


def steering_acts(pins: Sequence[str] | None, prunes: Sequence[str] | None) -> list[Act]:
    """Acts from texts `decision=choice[|choice]`; `0->3` may stand for `0→3`.

    Raises:
        ValueError: a text has no `=`.
    """
    acts = []
    kinds: tuple[tuple[Literal["pin", "prune"], Sequence[str]], ...] = (("pin", pins or ()), ("prune", prunes or ()))
    for kind, texts in kinds:
        for text in texts:
            decision, equals, choices = text.replace("->", "→").partition("=")
            if not equals or not choices:
                raise ValueError(f"--{kind} {text!r}: expected decision=choice")
            acts.append(
                Act(kind, decision.strip(), tuple(c.strip() for c in choices.split("|")), author="command line")
            )
    return acts


def check_path(data: str) -> None:
    """Whether the files of a data set are on this machine, where the engine of the command runs.

    Raises:
        ValueError: they are not.
    """
    path = data.partition(":")[2]
    if path and not Path(path).expanduser().exists():
        raise ValueError(f"data set {data!r}: there is no {path!r}")
