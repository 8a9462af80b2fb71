"""Scoring one architecture under given settings: what a worker process runs. Knows spaces, proxies and data only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas_core import data, proxies, spaces
from nas_core.proxies import Needs, ScoreSettings, Stackable
from nas_core.spaces import Architecture, ImageShape, SearchSpace

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn


_STACKED_VALUES = 64 * 1024
"""Values of a feature map, over all images and cells of a stage, up to which networks run side by side."""
_BLOCK = 16
"""Channels that a processor's widest registers hold."""
STACK = 32
"""Networks run side by side: more need memory and save nothing, fewer leave the processor waiting."""


@dataclass(frozen=True)
class CandidateScore:
    """Scores of one canonical form: values and seconds by proxy, and rows of the per-layer tables by proxy.

    Seconds are a proxy's own time plus its equal share of the passes it read together with others. Where settings ask
    for several seeds, values are means, `by_seed` has the value of every seed alone by proxy, and layers are those of
    the first seed.
    """

    canonical: str
    values: dict[str, float]
    seconds: dict[str, float]
    layers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    by_seed: dict[str, tuple[float, ...]] = field(default_factory=dict)


def score_architecture(
    space: SearchSpace | str, arch: Architecture, names: Sequence[str], settings: ScoreSettings
) -> CandidateScore:
    """Score the canonical form of `arch` by the proxies called `names`; see `score_architectures`."""
    return score_architectures(space, [arch], names, settings)[0]


def score_architectures(
    space: SearchSpace | str,
    archs: Sequence[Architecture],
    names: Sequence[str],
    settings: ScoreSettings,
    *,
    started: Callable[[int, int], None] | None = None,
) -> list[CandidateScore]:
    """Score the canonical forms of `archs` by the proxies called `names`.

    The weights are drawn from a seed made of the settings' seed and the canonical form, so the result depends on
    neither order nor process. A score over several seeds is undefined where that of one is. Closed forms are those of
    the space's published network. Where space and proxies allow it, many networks are run side by side, which changes
    the scores by rounding only. `started` is told the places of the first and the last of those that are scored next.

    Raises:
        ValueError: unknown proxy or data set, or settings the data cannot serve.
    """
    space = spaces.get(space) if isinstance(space, str) else space
    canonical = [space.canonical(arch) for arch in archs]
    wanted = {name: proxies.get(name) for name in names}
    closed = space.closed_forms(canonical)
    known = [name for name, proxy in wanted.items() if proxy.needs is Needs.NOTHING and name in closed]
    measured = {name: proxy for name, proxy in wanted.items() if name not in known}
    found = [CandidateScore(space.format(arch), {}, {}) for arch in canonical]
    if measured and settings.seeds == 1:
        _measure(space, canonical, measured, settings, found, started)
    elif measured:
        drawn = []
        for one in settings.single():
            drawn.append([CandidateScore(score.canonical, {}, {}) for score in found])
            _measure(space, canonical, measured, one, drawn[-1], started)
        found = [_averaged(seeds) for seeds in zip(*drawn, strict=True)]
    for k, score in enumerate(found):
        for name in known:
            score.values[name], score.seconds[name] = float(closed[name].iloc[k]), 0.0
    return found


def _measure(
    space: SearchSpace,
    canonical: Sequence[Architecture],
    measured: Mapping[str, proxies.Proxy],
    settings: ScoreSettings,
    into: Sequence[CandidateScore],
    started: Callable[[int, int], None] | None,
) -> None:
    """Score networks under settings of a single seed, side by side where that is possible."""
    stackable = {name: proxy for name, proxy in measured.items() if isinstance(proxy, Stackable)}
    side_by_side = stackable.keys() == measured.keys() and _is_small(settings)
    for start in range(0, len(into), STACK):
        part = slice(start, start + STACK)
        if started is not None and side_by_side:
            started(start, min(start + STACK, len(into)) - 1)
        if not side_by_side or not _score_stack(space, canonical[part], stackable, settings, into[part]):
            for place, (arch, score) in enumerate(zip(canonical[part], into[part], strict=True), start):
                if started is not None:
                    started(place, place)
                _score_alone(space, arch, list(measured), settings, score)


def _averaged(seeds: Sequence[CandidateScore]) -> CandidateScore:
    """The scores of one network under several seeds as one."""
    by_seed = {name: tuple(one.values[name] for one in seeds) for name in seeds[0].values}
    values = {name: sum(single) / len(single) for name, single in by_seed.items()}
    seconds = {name: sum(one.seconds[name] for one in seeds) for name in by_seed}
    return CandidateScore(seeds[0].canonical, values, seconds, seeds[0].layers, by_seed)


def _score_alone(
    space: SearchSpace, canonical: Architecture, names: list[str], settings: ScoreSettings, into: CandidateScore
) -> None:
    model, pictures = _network(space, canonical, settings)
    with _precision(settings):
        found = proxies.score_many(model, pictures, names)
    for name, result in found.items():
        into.values[name], into.seconds[name] = result.value, result.seconds
        if len(result.layers):
            into.layers[name] = result.layers.to_dict("records")


def layer_distributions(space: SearchSpace, arch: Architecture, name: str, settings: ScoreSettings) -> pd.DataFrame:
    """How the statistics of proxy `name` are spread inside every layer of `arch`: a histogram a row.

    The network is the one that `score_architectures` scores. Columns as in `nas_core.proxies.Distributed`.

    Raises:
        ValueError: unknown proxy, or one whose statistics are no means over weights.
    """
    proxy = proxies.get(name)
    if not isinstance(proxy, proxies.Distributed):
        raise ValueError(f"{name} has no statistics of single weights; expected a score such as zico")
    model, pictures = _network(space, space.canonical(arch), settings)
    with _precision(settings):
        return proxy.distributions(model, pictures)


def _network(
    space: SearchSpace, canonical: Architecture, settings: ScoreSettings
) -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    """The network of a canonical form with the weights its settings give it, and the batches to score it on."""
    import torch

    from nas_core.spaces.layout import to_channels_last

    batches, classes = _batches(settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_seed(settings.seed, space.format(canonical)))
        model = space.build(canonical, input=_image(settings), classes=classes, scale=_scale(space, settings))
    model = to_channels_last(model)  # a tenth to a fifth less time on a CPU
    return model, [(images.to(memory_format=torch.channels_last), labels) for images, labels in batches]


def _precision(settings: ScoreSettings) -> AbstractContextManager[Any]:
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.precision == "bfloat16")


def _score_stack(
    space: SearchSpace,
    canonical: Sequence[Architecture],
    stackable: Mapping[str, Stackable],
    settings: ScoreSettings,
    into: Sequence[CandidateScore],
) -> bool:
    """Score networks side by side; False, and nothing done, where the space cannot."""
    batches, classes = _batches(settings)
    started = time.perf_counter()
    seeds = [_seed(settings.seed, score.canonical) for score in into]
    stack = space.stack(canonical, seeds=seeds, input=_image(settings), classes=classes, scale=_scale(space, settings))
    if stack is None:
        return False
    for name, proxy in stackable.items():
        results = proxy.score_stack(stack, batches)
        now = time.perf_counter()
        for score, result in zip(into, results, strict=True):
            score.values[name], score.seconds[name] = result.value, (now - started) / len(into)
            score.layers[name] = result.layers
        started = now
    return True


def _is_small(settings: ScoreSettings) -> bool:
    """Whether one network leaves the processor waiting; large ones fill it, and many of them would fill the memory.

    Only whole blocks of channels are computed the same to the last bit whatever networks stand beside them, so that a
    run resumed in other groups gives the same table.
    """
    values = settings.batch_size * settings.image_size**2 * settings.channels * settings.cells
    whole = settings.channels % _BLOCK == 0
    return settings.precision == "float32" and whole and values <= _STACKED_VALUES


def _image(settings: ScoreSettings) -> ImageShape:
    return ImageShape(3, settings.image_size, settings.image_size)


def _scale(space: SearchSpace, settings: ScoreSettings) -> Any:
    return space.scale_for(channels=settings.channels, cells=settings.cells)


def _seed(seed: int, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=7).digest(), "big")


@lru_cache(maxsize=16)
def _batches(settings: ScoreSettings) -> tuple[Sequence[tuple[Tensor, Tensor]], int]:
    source = data.load(settings.data, seed=settings.seed)
    drawn = data.batches(
        source, count=settings.batches, size=settings.batch_size, side=settings.image_size, seed=settings.seed
    )
    return drawn, source.classes


def load(settings: ScoreSettings) -> None:
    """Load what `settings` score on, so that the first architecture need not.

    Raises:
        ValueError: unknown data set, or settings that the data cannot serve.
    """
    _batches(settings)


def start_worker() -> None:
    """Initialiser of a pool process: one torch thread, and the modules loaded before the first architecture comes."""
    import torch

    torch.set_num_threads(1)
