"""What workers run for the engine: functions of plain arguments, which load what they need themselves.

Importing this module is cheap: a worker starts half a second sooner without what only some jobs need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas_core.workers import Failure, FailureKind, ProcessWorkers, Reference, failure_of, report

if TYPE_CHECKING:
    from nas_core.engine._training import ScoredOnWeights
    from nas_core.proxies.settings import ScoreSettings
    from nas_core.scoring import CandidateScore
    from nas_core.spaces import Architecture


def local_workers(slots: int | None = None) -> ProcessWorkers:
    """Worker processes of this machine that score and train; None for one a core."""
    return ProcessWorkers(slots, prepare=_prepare_worker, preload=("nas_core.engine._preloaded",))


def _prepare_worker() -> None:
    from nas_core import scoring

    scoring.start_worker()


def load_images(proxies: Sequence[str], settings: ScoreSettings, supernet: Mapping[str, Any] | None) -> None:
    """Load what a run scores and trains on, so that what cannot be loaded is told before any candidate is blamed.

    Raises:
        ValueError: unreadable data, or settings that they cannot serve.
    """
    _load_images(proxies, settings, supernet)
    report("loaded")  # loading is on nobody's account


def _load_images(proxies: Sequence[str], settings: ScoreSettings, supernet: Mapping[str, Any] | None) -> None:
    from nas_core import proxies as room
    from nas_core import scoring

    if any(room.get(name).needs is not room.Needs.NOTHING for name in proxies):
        scoring.load(settings)
    if supernet is not None:
        from nas_core.engine import _training

        _training.load_images(supernet)


@dataclass(frozen=True)
class CandidateGroup:
    """Candidates to score together, and by what: `weights` a checkpoint for scores on shared weights."""

    space: str
    template: Mapping[str, Any] | None
    archs: tuple[Architecture, ...]
    proxies: tuple[str, ...]
    settings: ScoreSettings
    weights: Reference | None = None


def score_candidates(group: CandidateGroup) -> list[CandidateScore | Failure]:
    """Score candidates, side by side where that is possible; one that raises is a failure, and the others go on.

    Reports `(first, last)`, the places of those in hand, and MemoryError ends the whole: the process is replaced.
    """
    from nas_core import spaces

    if group.template:
        spaces.define(group.template)
    _load_images(group.proxies, group.settings, None)
    if group.weights is not None:
        _on_weights(group)
    with suppress(Exception):  # told below, with the candidate it concerns
        spaces.get(group.space).canonical(group.archs[0])  # spaces make tables on first use
    report((0, len(group.archs) - 1))  # from here on the time is theirs
    if group.weights is None:
        try:
            return list(_zero_cost(group, group.archs, 0))
        except Exception as error:
            if failure_of(error).kind is FailureKind.MEMORY or len(group.archs) == 1:
                return _failed(error)
    return [_one(group, place) for place in range(len(group.archs))]


def _one(group: CandidateGroup, place: int) -> CandidateScore | Failure:
    report((place, place))
    try:
        arch = group.archs[place : place + 1]
        found = list(_zero_cost(group, arch, place)) if group.weights is None or group.proxies else None
        if group.weights is None:
            assert found is not None
            return found[0]
        return _on_weights(group).scores(arch[0], found[0] if found else None)
    except Exception as error:
        return _failed(error)[0]


def _failed(error: Exception) -> list[Any]:
    failure = failure_of(error)
    if failure.kind is FailureKind.MEMORY:
        raise error
    return [failure]


def _zero_cost(group: CandidateGroup, archs: Sequence[Architecture], place: int) -> Sequence[CandidateScore]:
    from nas_core.scoring import score_architectures

    def started(first: int, last: int) -> None:
        report((place + first, place + last))

    return score_architectures(group.space, archs, group.proxies, group.settings, started=started)


def _on_weights(group: CandidateGroup) -> ScoredOnWeights:
    assert group.weights is not None
    return _held_weights(group.weights)


@lru_cache(maxsize=1)
def _held_weights(weights: Reference) -> ScoredOnWeights:
    from nas_core.engine._training import ScoredOnWeights

    return ScoredOnWeights(weights.load())


def distributions(
    space: str, template: Mapping[str, Any] | None, arch: str, proxy: str, settings: ScoreSettings
) -> list[dict[str, Any]]:
    """Histograms of the statistics of `proxy` inside every layer of `arch`, JSON-ready."""
    from nas_core import scoring, spaces

    known = spaces.define(template) if template else spaces.get(space)
    table = scoring.layer_distributions(known, known.parse(arch), proxy, settings)
    return list(table.astype(object).where(table.notna(), None).to_dict("records"))


@dataclass(frozen=True)
class Exported:
    """What is to be exported: an architecture and a kind of file; `supernet` the settings of shared weights whose
    images say how large a template's network is, else it has the size the space is published at."""

    space: str
    template: Mapping[str, Any] | None
    arch: str
    kind: str
    seed: int
    supernet: Mapping[str, Any] | None


def export(wanted: Exported, weights: bytes | None) -> tuple[bytes, str]:
    """The file, with trained `weights` where there are some, and the ending of its name.

    Raises:
        ValueError: no such architecture or kind, or it cannot be written so.
    """
    from nas_core import spaces
    from nas_core.export import KINDS, Blueprint, content, trained_model

    if wanted.template:
        spaces.define(wanted.template)
    if weights is not None:
        blueprint, model = trained_model(weights)
    else:
        if wanted.supernet is None:
            blueprint = Blueprint.of(wanted.space, wanted.arch)
        else:
            from nas_core.engine import _training

            images = _training.load_images(wanted.supernet)
            image = spaces.ImageShape(images.channels, images.size, images.size)
            blueprint = Blueprint.of(wanted.space, wanted.arch, image=image, classes=images.classes)
        model = blueprint.model(seed=wanted.seed)
    ending = KINDS[wanted.kind][0] if wanted.kind in KINDS else ""
    return content(wanted.kind, blueprint, model).data, ending
