"""The settings a score was computed under; stored with every score. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import quote, unquote

VERSION = 3
"""Raised whenever equal settings begin to give other scores, so that scores cached before are not taken for them."""


@dataclass(frozen=True)
class ScoreSettings:
    """Data, batches (number, images in each), image side in pixels, first-stage channels, cells a stage, seed.

    `precision` bfloat16 runs convolutions and linear layers of large networks in 16 bits. A score is the mean over
    `seeds` seeds, from `seed` up: other weights and other batches each time.

    Raises:
        ValueError: a number is below the least that makes sense, or the precision is neither float32 nor bfloat16.
    """

    data: str = "digits"
    batches: int = 6
    batch_size: int = 2
    image_size: int = 16
    channels: int = 16
    cells: int = 1
    seed: int = 0
    precision: str = "float32"
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision: got {self.precision!r}, expected float32 or bfloat16")
        least_of = {"batches": 1, "batch_size": 1, "image_size": 4, "channels": 1, "cells": 1, "seeds": 1}
        for name, least in least_of.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected at least {least}")

    @classmethod
    def laptop(cls) -> ScoreSettings:
        """Small and quick: about 15 ms a NAS-Bench-201 cell, with the rank quality of the published scale.

        Many small batches rank better than few large ones at equal cost; the statistics want samples, not pictures.
        """
        return cls()

    @classmethod
    def aggregate(cls) -> ScoreSettings:
        """For scores that are to be aggregated: three cells a stage, as trainability needs depth to show."""
        return cls(batches=2, batch_size=16, cells=3)

    @classmethod
    def published(cls) -> ScoreSettings:
        """The scale of the ZiCo paper: five cells a stage, 32 x 32 pixels, two batches of 128."""
        return cls(batches=2, batch_size=128, image_size=32, cells=5)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScoreSettings:
        """Read what `to_dict` wrote; unknown keys are refused."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"unknown setting {unknown[0]!r}; expected one of: {', '.join(sorted(known))}")
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_key(cls, key: str) -> ScoreSettings | None:
        """Read what `key` wrote; None for a key of an earlier version, whose scores are not comparable."""
        version, *pairs = key.split(";")
        if version != f"v{VERSION}":
            return None
        texts = {name: unquote(text) for name, _, text in (pair.partition("=") for pair in pairs)}
        texts.setdefault("seeds", "1")
        return cls(**{name: type(default)(texts[name]) for name, default in asdict(cls()).items()})

    def single(self) -> tuple[ScoreSettings, ...]:
        """These settings for every seed alone."""
        return tuple(replace(self, seed=self.seed + k, seeds=1) for k in range(self.seeds))

    def difference(self, other: ScoreSettings) -> str:
        """What these settings have that `other` has not, for people: `data noise, seed 1`; empty where they agree."""
        mine, theirs = self.to_dict(), other.to_dict()
        return ", ".join(f"{name} {value}" for name, value in mine.items() if value != theirs[name])

    def key(self) -> str:
        """A stable text that names these settings, used by the score cache; of a single seed it names no number."""
        named = {name: value for name, value in self.to_dict().items() if (name, value) != ("seeds", 1)}
        pairs = (f"{name}={quote(str(value))}" for name, value in sorted(named.items()))
        return ";".join((f"v{VERSION}", *pairs))
