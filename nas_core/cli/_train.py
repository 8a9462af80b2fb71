"""`train`: one architecture alone, with a live curve, resumable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nas_core.cli import _options as options
from nas_core.cli import _supernet as shared
from nas_core.cli._interrupt import interrupting
from nas_core.cli._lists import Json

_RATE = 0.1
"""Learning rate of one network; shared weights, of which a step trains a part, bear a higher one."""


def train(
    architecture: Annotated[str, typer.Argument(help="Architecture in the notation of its space.")],
    out: Annotated[Path, typer.Option(help="Checkpoint to write; one that is there already is gone on with.")],
    space: Annotated[str, typer.Option(help="Search space, or a template .json.")] = "nb201",
    data: options.Data = "digits",
    epochs: Annotated[float, typer.Option(help="Passes over the training images.")] = 30.0,
    channels: shared.Integer = None,
    cells: shared.Integer = None,
    image_size: shared.Integer = None,
    batch_size: shared.Integer = None,
    learning_rate: shared.Real = None,
    weight_decay: shared.Real = None,
    label_smoothing: shared.Real = None,
    held_out: shared.Real = None,
    seed: options.Seed = 0,
    save_every: Annotated[float, typer.Option(min=0, help="Seconds between two checkpoints.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Train one architecture alone, short or long; run again to resume, or to go on with more epochs."""
    from nas_core import spaces, supernet

    known = spaces.get(space)
    arch = known.format(known.parse(architecture))
    given = shared.given(
        channels=channels,
        cells=cells,
        image_size=image_size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        held_out=held_out,
    )
    chosen = {"space": known.name, "arch": arch, "data": data, "epochs": epochs, "seed": seed, **given}
    shared.check_place(out)
    if out.exists():
        trainer = supernet.load(out)
        shared.take_over(trainer, chosen, out)
    else:
        fresh = {"learning_rate": _RATE, **chosen, "space": space}
        trainer = supernet.Trainer(supernet.SupernetSettings.from_dict(fresh))
    began = trainer.step_
    with interrupting() as stop:
        finished = shared.run(trainer, out, stop, save_every, f"{known.title}, one network")
    if not finished:
        done = f"{trainer.fraction:.0%} of the budget; run the same command to resume"
        print(f"stopped at step {trainer.step_}, {done}", file=sys.stderr)
        raise SystemExit(130)
    accuracy = float(supernet.Ranker(trainer, calibration=0).scores([known.parse(arch)])["hits"].iloc[0])
    shared.report(trainer, out, began, as_json, held_out_accuracy=accuracy)
