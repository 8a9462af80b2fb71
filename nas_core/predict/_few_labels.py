"""Accuracy from a handful of labels: a Gaussian process over scores and structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr, ndtri, stdtrit

from nas_core.predict._margin import Margin, normal_scores

_LEAST_LABELS = 3
# Logarithms of standard deviations: what is expected of each part before any label is seen, and how firmly. The noise
# is that of short trainings: a smaller one ranks worse with few noisy labels on all of four spaces tried.
_PRIOR_MEAN = np.log([0.7, 0.12, 0.25, 0.2, 0.65])
_PRIOR_DEVIATION = np.array([0.5, 0.7, 0.7, 0.7, 0.5])
_BOUNDS = [(mean - 4 * spread, mean + 4 * spread) for mean, spread in zip(_PRIOR_MEAN, _PRIOR_DEVIATION, strict=True)]
"""A noise that goes to 0, or a scale that overflows on the way, leaves no covariance to factorise."""
_NOISE = 4
_EXPECTED = 4
"""Labels that the expected size of errors counts for, beside those found when every label is left out in turn."""


@dataclass(frozen=True)
class Prediction:
    """By architecture: `mean` in units of the label, `low` and `high` the 95 % interval of its label, `rank_score` to
    rank by, and `deviation`, in units of `rank_score`, what more labels could still take away."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rank_score: np.ndarray
    deviation: np.ndarray


class FewLabelPredictor:
    """Predicts the label of every architecture of a pool from a few labelled ones, and says which to label next.

    A Gaussian process on normal scores of the ranks, with a linear kernel on the `prior` (a label-free aggregate), one
    on the single scores, a linear and a squared-exponential one on the structure; how much each part counts is its
    maximum a posteriori estimate. With few labels the prior leads, with many the structure. Because labels enter by
    rank, a few failed networks do not bend the rest. A network may be predicted to be better than every one labelled:
    beyond the ends, labels go on as steeply as they rise near them.

    Intervals add three errors: what the process does not know of a network; how far labels scatter, as large as errors
    are where every label is left out in turn; and that few labels know little of their own distribution.

    Args:
        structure: encoding of the pool (n, features).
        scores: any scores of the pool (n, scores); NaN counts as the lowest. May have no columns.
        prior: the ranking to start from (n,), higher is better; None for the mean rank of the scores.

    Example:
        >>> predictor = FewLabelPredictor(space.encode(archs), scores, prior).fit(labelled, accuracies)
        >>> predictor.predict().mean, predictor.suggest(5)
    """

    def __init__(self, structure: np.ndarray, scores: np.ndarray, prior: np.ndarray | None = None) -> None:
        structure, scores = np.asarray(structure, dtype=float), np.asarray(scores, dtype=float)
        if structure.ndim != 2 or scores.ndim != 2 or len(structure) != len(scores):
            raise ValueError(
                f"structure {structure.shape} and scores {scores.shape}: expected two tables with a row an architecture"
            )
        normal = np.stack([normal_scores(column) for column in scores.T], axis=1) if scores.shape[1] else scores
        if prior is None:
            prior = normal.mean(axis=1) if normal.shape[1] else np.zeros(len(structure))
        varying = structure[:, structure.std(axis=0) > 0]
        spread = np.sqrt((varying - varying.mean(axis=0)).var(axis=0).sum()) or 1.0
        self._structure = (varying - varying.mean(axis=0)) / spread
        self._scores = normal / np.sqrt(max(normal.shape[1], 1))
        self._prior = normal_scores(np.asarray(prior, dtype=float))  # of a constant one all are 0
        self.labelled_ = np.zeros(0, dtype=int)

    def fit(self, labelled: np.ndarray, labels: np.ndarray) -> FewLabelPredictor:
        """Learn from `labels` (k,) of the pool's members `labelled` (k,), positions; higher is better.

        Raises:
            ValueError: fewer than three labels, lengths that differ, or a label that is no number.
        """
        labelled, labels = np.asarray(labelled, dtype=int), np.asarray(labels, dtype=float)
        if len(labelled) != len(labels) or len(labels) < _LEAST_LABELS:
            raise ValueError(
                f"{len(labelled)} architectures and {len(labels)} labels: expected as many, at least {_LEAST_LABELS}"
            )
        if not np.isfinite(labels).all():
            raise ValueError("labels: got NaN or infinity, expected numbers")
        self.labelled_, self._margin = labelled, Margin.of(labels)
        targets = normal_scores(labels)
        parts = self._parts(labelled, labelled)
        from scipy.optimize import minimize  # as long to import as all else here

        found = minimize(self._loss, _PRIOR_MEAN, args=(parts, targets), method="L-BFGS-B", bounds=_BOUNDS)
        self.weights_ = np.exp(found.x)
        """Standard deviations learned for: prior, scores, structure (linear, then squared-exponential), noise."""
        covariance = self._covariance(parts) + self.weights_[_NOISE] ** 2 * np.eye(len(labels))
        self._factor = cho_factor(covariance + 1e-9 * np.eye(len(labels)), lower=True)
        self._solved = cho_solve(self._factor, targets)
        # The error of every label where it is left out, over what it should be: Rasmussen & Williams 2006, 5.4.2.
        squares = self._solved**2 / np.diag(cho_solve(self._factor, np.eye(len(labels))))
        self._scatter = float((squares.sum() + _EXPECTED) / (len(labels) + _EXPECTED))
        return self

    def predict(self) -> Prediction:
        """Labels of the whole pool, those known included."""
        everything = np.arange(len(self._prior))
        cross = self._covariance(self._parts(everything, self.labelled_))
        score = cross @ self._solved
        deviation = np.sqrt(
            np.maximum(self._prior_variances() - (cross * cho_solve(self._factor, cross.T).T).sum(axis=1), 1e-12)
        )
        variance = self._scatter * (deviation**2 + self.weights_[_NOISE] ** 2) + self._margin_variances(score)
        reach = float(stdtrit(len(self.labelled_) - 1, 0.975)) * np.sqrt(variance)
        mean, low, high = self._margin.at(np.stack([score, score - reach, score + reach]))
        return Prediction(mean, low, high, score, deviation)

    def suggest(self, number: int) -> np.ndarray:
        """Positions of the `number` members to label next: each the most uncertain one, given those before it."""
        everything = np.arange(len(self._prior))
        cross = self._covariance(self._parts(everything, self.labelled_))
        solved = cho_solve(self._factor, cross.T)
        variance = self._prior_variances() - (cross * solved.T).sum(axis=1)
        variance[self.labelled_] = -np.inf
        chosen: list[int] = []
        directions: list[np.ndarray] = []
        for _ in range(min(number, len(everything) - len(self.labelled_))):
            best = int(np.argmax(variance))
            chosen.append(best)
            column = self._covariance(self._parts(everything, np.array([best])))[:, 0] - cross @ solved[:, best]
            for direction in directions:
                column = column - direction * direction[best]
            scale = max(variance[best], 0.0) + self.weights_[_NOISE] ** 2
            directions.append(column / np.sqrt(scale))
            variance = variance - directions[-1] ** 2
            variance[best] = -np.inf
        return np.array(chosen, dtype=int)

    def _parts(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, ...]:
        a, b = self._structure[rows], self._structure[columns]
        inner = a @ b.T
        distance = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * inner
        return (
            np.outer(self._prior[rows], self._prior[columns]),
            self._scores[rows] @ self._scores[columns].T,
            inner,
            np.exp(-np.maximum(distance, 0) / 2),
        )

    def _covariance(self, parts: tuple[np.ndarray, ...]) -> np.ndarray:
        return sum(weight**2 * part for weight, part in zip(self.weights_[:_NOISE], parts, strict=True))

    def _prior_variances(self) -> np.ndarray:
        """Prior variance of every member."""
        prior, scores, linear, structure = self.weights_[:_NOISE] ** 2
        own = prior * self._prior**2 + scores * (self._scores**2).sum(axis=1) + structure
        return own + linear * (self._structure**2).sum(axis=1)

    @staticmethod
    def _loss(logs: np.ndarray, parts: tuple[np.ndarray, ...], targets: np.ndarray) -> float:
        """Negative logarithm of the posterior of the weights."""
        variances = np.exp(2 * logs)
        covariance = sum(v * part for v, part in zip(variances[:_NOISE], parts, strict=True))
        covariance = covariance + (variances[_NOISE] + 1e-9) * np.eye(len(targets))
        lower, _ = factor = cho_factor(covariance, lower=True)
        fit = 0.5 * targets @ cho_solve(factor, targets) + np.log(np.diag(lower)).sum()
        return float(fit + 0.5 * (((logs - _PRIOR_MEAN) / _PRIOR_DEVIATION) ** 2).sum())

    def _margin_variances(self, score: np.ndarray) -> np.ndarray:
        """Variance, in units of normal scores, of the label that stands at a score: that of a quantile of k labels,
        p (1 - p) / (k density^2); beyond the last label that of the last one."""
        count = len(self.labelled_)
        share = np.clip(ndtr(score), 0.5 / count, 1 - 0.5 / count)
        density = np.exp(-(ndtri(share) ** 2) / 2) / np.sqrt(2 * np.pi)
        return share * (1 - share) / (count * density**2)
