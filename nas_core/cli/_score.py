"""`score`: architectures to JSON lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nas_core.cli import _options as options


def score(
    architectures: Annotated[
        list[str] | None, typer.Argument(help="Architectures; none reads --file or stdin.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File with an architecture a line.")] = None,
    space: options.Space = "nb201",
    proxy: options.Proxy = ["zico"],  # noqa: B006 - typer reads it only
    data: options.Data = "digits",
    preset: options.PresetName = options.Preset.LAPTOP,
    batches: options.Number = None,
    batch_size: options.Number = None,
    image_size: options.Number = None,
    channels: options.Number = None,
    cells: options.Number = None,
    precision: options.Precision = None,
    seed: options.Seed = 0,
    seeds: options.Seeds = 1,
) -> None:
    """Score architectures: one JSON line each with arch, canonical, value, layers, seconds and settings."""
    from nas_core import proxies, spaces
    from nas_core.scoring import score_architecture, start_worker

    chosen = options.settings(
        preset,
        data,
        seed,
        batches=batches,
        batch_size=batch_size,
        image_size=image_size,
        channels=channels,
        cells=cells,
        precision=precision,
        seeds=seeds,
    )
    known = spaces.get(space)
    for name in proxy:
        proxies.get(name)
    try:
        lines = architectures or (file.read_text() if file else sys.stdin.read()).splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{file or 'stdin'} is no text; expected an architecture a line") from None
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise ValueError("no architecture given; expected arguments, --file or lines on stdin")
    parsed = [known.parse(text) for text in texts]
    start_worker()
    for text, arch in zip(texts, parsed, strict=True):
        result = score_architecture(known, arch, proxy, chosen)
        record = {
            "arch": text,
            "canonical": result.canonical,
            "value": result.values,
            **({"by_seed": result.by_seed} if result.by_seed else {}),
            "layers": result.layers,
            "seconds": result.seconds,
            "settings": chosen.to_dict(),
        }
        print(json.dumps(record), flush=True)
