"""Several supernets held against a truth on the same cells: train, score, measure the trust, aggregate. Needs torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_core import bench, predict
from nas_core.spaces import Act, Architecture, SearchSpace, Steering
from nas_core.supernet import _checkpoint
from nas_core.supernet._few_shot import few_shot
from nas_core.supernet._ranker import Ranker
from nas_core.supernet._settings import SupernetSettings
from nas_core.supernet._train import Trainer
from nas_core.supernet._trust import Trust, trust, trust_weights


@dataclass(frozen=True)
class Cells:
    """Architectures to rank and, of other networks, those that trust is measured on; truths in one unit."""

    ranked: list[Architecture]
    trusted: list[Architecture]
    truth: np.ndarray
    trusted_truth: np.ndarray
    networks: list[Architecture]
    """The canonical forms of the ranked ones: equal where two are the same network."""


def draw_cells(
    space: SearchSpace, truth: pd.Series, *, ranked: int, trusted: int, seed: int, steering: Steering | None = None
) -> Cells:
    """Random architectures with a known truth, without repeats; no network is among both.

    Raises:
        ValueError: fewer than asked for obey the steering and have a truth.
    """
    rng = np.random.default_rng(seed)
    texts = set(truth.dropna().index)
    known = [arch for arch in space.architectures(steering) if space.format(arch) in texts]
    order = [known[k] for k in rng.permutation(len(known))]
    first = order[:ranked]
    networks = {space.canonical(arch) for arch in first}
    others = [arch for arch in order[ranked:] if space.canonical(arch) not in networks][:trusted]
    if len(first) < ranked or len(others) < trusted:
        raise ValueError(
            f"{ranked} cells and {trusted} of other networks: only {len(known)} architectures of {space.name} that "
            "obey the steering have a known truth"
        )

    def truths(archs: list[Architecture]) -> np.ndarray:
        return truth.loc[[space.format(arch) for arch in archs]].to_numpy(dtype=float)

    return Cells(first, others, truths(first), truths(others), [space.canonical(arch) for arch in first])


@dataclass(frozen=True)
class OneShotScores:
    """What a supernet says of cells, ranked ones first, trusted ones after: scores (n,) with and without
    re-calibration; `steps` and `seconds` of training and of scoring one cell, re-calibrated. `few_shot_on`
    is the decision that has a sub-supernet for each choice, if any."""

    settings: SupernetSettings
    recalibrated: np.ndarray
    raw: np.ndarray
    steps: int
    seconds: float
    seconds_a_cell: float
    few_shot_on: str = ""

    @property
    def label(self) -> str:
        """The sampling, and the decision that has a sub-supernet for each choice."""
        return self.settings.sampling + (f", few-shot on {self.few_shot_on}" if self.few_shot_on else "")


def train_and_score(
    source: SupernetSettings | Path,
    acts: Sequence[Act],
    archs: Sequence[Architecture],
    *,
    calibration: int = 512,
    keep: Path | None = None,
    few_shot_on: str = "",
    progress: Callable[[float], None] = lambda share: None,
) -> OneShotScores:
    """Train by settings, or load a checkpoint, and score `archs`.

    A training is written to `keep` when it ends, and read from there where it ended before with the same settings
    and acts. With `few_shot_on`, a decision, half of the budget of `source` goes to the whole supernet, and the rest in
    equal parts to its sub-supernets, one for each choice; nothing of that is kept. `progress` hears the share of
    training that is done.

    Raises:
        ValueError: bad settings, a bad checkpoint, or a checkpoint together with `few_shot_on`.
    """
    if few_shot_on:
        if isinstance(source, Path) or keep is not None:
            raise ValueError("few-shot supernets are trained anew and not kept; expected no checkpoint")
        whole, parts = _train_few_shot(source, acts, few_shot_on, progress)
        trainings = [whole, *parts]
        scorers = [(part, [k for k, arch in enumerate(archs) if part.steering.allows(arch)]) for part in parts]
    else:
        trainings = [_trained(source, acts, keep, progress)]
        scorers = [(trainings[0], list(range(len(archs))))]
    progress(1.0)
    began = time.perf_counter()
    recalibrated = _scores(scorers, archs, calibration)
    took = time.perf_counter() - began
    return OneShotScores(
        settings=trainings[0].settings if isinstance(source, Path) else source,
        recalibrated=recalibrated,
        raw=_scores(scorers, archs, 0),
        steps=sum(trainer.step_ for trainer in trainings),
        seconds=sum(trainer.seconds_ for trainer in trainings),
        seconds_a_cell=took / max(1, len(archs)),
        few_shot_on=few_shot_on,
    )


def _scores(
    scorers: Sequence[tuple[Trainer, list[int]]], archs: Sequence[Architecture], calibration: int
) -> np.ndarray:
    """One-shot scores (n,) of `archs`, each by the trainer that has its index."""
    scores = np.full(len(archs), np.nan)
    for trainer, mine in scorers:
        if mine:
            ranker = Ranker(trainer, calibration=calibration)
            scores[mine] = ranker.scores([archs[k] for k in mine])["one_shot"].to_numpy()
    return scores


def _train_few_shot(
    source: SupernetSettings, acts: Sequence[Act], decision: str, progress: Callable[[float], None]
) -> tuple[Trainer, list[Trainer]]:
    """A supernet trained for half of the budget, and its sub-supernets, trained for the rest."""
    unit = "epochs" if source.seconds is None else "seconds"
    half = getattr(source, unit) / 2
    whole = Trainer(replace(source, **{unit: half}), acts=acts)
    parts = list(few_shot(whole, decision).values())  # refuses a decision that there is not before anything is trained
    whole.train(each_step=lambda trainer: progress(trainer.fraction / 2))
    parts = list(few_shot(whole, decision, **{unit: half / len(parts)}).values())
    for trained, part in enumerate(parts):
        spent = 0.5 + trained / len(parts) / 2

        def tell(trainer: Trainer, spent: float = spent) -> None:
            progress(spent + trainer.fraction / len(parts) / 2)

        part.train(each_step=tell)
    return whole, parts


def _trained(
    source: SupernetSettings | Path, acts: Sequence[Act], keep: Path | None, progress: Callable[[float], None]
) -> Trainer:
    if isinstance(source, Path):
        return _checkpoint.load(source)
    trainer = _checkpoint.load(keep) if keep is not None and keep.exists() else Trainer(source, acts=acts)
    if trainer.settings != source or trainer.acts != list(acts):
        raise ValueError(f"{keep} holds a training with other settings; name another folder")
    trainer.train(each_step=lambda trainer: progress(trainer.fraction))
    if keep is not None:
        _checkpoint.save(trainer, keep)
    return trainer


@dataclass(frozen=True)
class Measured:
    """Trust in one supernet's scores, with and without re-calibration, and in their aggregate with other scores.

    `weights` of the aggregate come from the trusted cells alone; `best_part` is the tau, on the ranked cells, of the
    best score that has part in it or might have had.
    """

    one_shot: Trust
    without_recalibration: Trust
    aggregate: Trust
    weights: dict[str, float]
    best_part: float


def measure(scores: OneShotScores, cells: Cells, others: pd.DataFrame, *, bootstrap: int = 200) -> Measured:
    """Hold the scores against the truth of `cells`; `others` (n, scores; higher is better) may join the aggregate.

    Rows of `others` are those of the scores: ranked cells first, trusted ones after.

    Raises:
        ValueError: fewer than three ranked or trusted cells.
    """
    count = len(cells.ranked)
    parts = others.assign(one_shot=scores.recalibrated)
    weights = trust_weights(parts.iloc[count:], cells.trusted_truth)
    ranked = parts.iloc[:count]
    aggregate = predict.log_rank_sum(ranked, weights)

    def held(values: Sequence[float] | np.ndarray, draws: int = bootstrap) -> Trust:
        return trust(values, cells.truth, networks=cells.networks, bootstrap=draws)

    return Measured(
        one_shot=held(scores.recalibrated[:count]),
        without_recalibration=held(scores.raw[:count]),
        aggregate=held(aggregate),
        weights={name: weight for name, weight in weights.items() if weight},
        best_part=max(held(ranked[name], 0).tau.value for name in ranked),
    )


_RANKINGS = ("one_shot", "without_recalibration", "aggregate")
_VALUES = ("tau", "tau_top_half", "pick", "regret")


def medians(measured: Sequence[Measured]) -> dict[str, Any]:
    """Medians over seeds of the values that `Measured` holds, by ranking and statistic."""
    return {
        ranking: {
            statistic: float(np.median([getattr(getattr(one, ranking), statistic).value for one in measured]))
            for statistic in _VALUES
        }
        for ranking in _RANKINGS
    }


def of_one_seed(measured: Sequence[Measured]) -> dict[str, Any]:
    """What the training of a single seed gives, on other networks too: medians with 95 % intervals over seeds and
    networks, by ranking and statistic."""
    names = {"tau": "tau", "tau_top_half": "tau_top_half", "pick": "pick", "regret": "regret_at_1"}
    return {
        ranking: {
            statistic: asdict(
                bench.one_of_many(
                    [getattr(getattr(one, ranking), statistic) for one in measured], bench.BOUNDS[names[statistic]]
                )
            )
            for statistic in _VALUES
        }
        for ranking in _RANKINGS
    }
