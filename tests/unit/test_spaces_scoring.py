"""A thousand random networks of every new space are built and scored; equal canonical forms have equal scores."""

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from nas_core import proxies, scoring, spaces
from nas_core.proxies import ScoreSettings
from nas_core.spaces import Act, Steering

NAMES = ["nats_sss", "nb101", "transnas_micro", "nb_macro"]
TINY = ScoreSettings(batches=2, batch_size=3, image_size=8, channels=4)
NARROW = Act("prune", "*", ("40", "48", "56", "64"))
"""Sizes cannot be scaled down; the wide ones cost four times the narrow ones and show nothing more."""


def zico(job):
    name, form = job
    return scoring.score_architecture(name, form, ["zico"], TINY).values["zico"]


@pytest.mark.parametrize("count", [16, pytest.param(1_000, marks=pytest.mark.long)])
def test_random_architectures_of_every_space_build_and_score(count):
    """Each by its canonical form, as in a run: what several of them share is built once."""
    jobs = []
    for name in NAMES:
        space, rng = spaces.get(name), np.random.default_rng(0)
        steering = Steering.fold(space, [NARROW] if name == "nats_sss" else [])
        jobs += sorted({(name, space.canonical(space.sample(rng, steering))) for _ in range(count)})
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=scoring.start_worker) as pool:
        values = list(pool.map(zico, jobs, chunksize=25))
    for name in NAMES:
        scores = np.array([value for job, value in zip(jobs, values, strict=True) if job[0] == name])
        assert len(scores) > count / 5
        assert np.isfinite(scores).all()
        # Only a TransNAS cell can be dead, and all dead cells are one network.
        assert (scores == 0).sum() <= (1 if name == "transnas_micro" else 0)
        assert len(np.unique(scores)) == len(scores)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("side", "size"), [(16, 2), (8, 3)])
def test_every_proxy_scores_every_space(name, side, size):
    space = spaces.get(name)
    settings = ScoreSettings(batches=2, batch_size=size, image_size=side, channels=6, cells=2)
    arch = space.sample(np.random.default_rng(7))
    found = scoring.score_architecture(name, arch, proxies.names(), settings)
    assert set(found.values) == set(proxies.names())
    undefined = {metric for metric, value in found.values.items() if math.isnan(value)}
    assert undefined <= {"gradsign"}  # an image alone cannot normalise a map of one position
    closed = space.closed_forms([space.canonical(arch)]).iloc[0]
    assert {metric: found.values[metric] for metric in closed.index} == closed.to_dict()


@pytest.mark.parametrize("name", ["nb101", "transnas_micro", "nb_macro"])
def test_architectures_of_one_form_get_one_score(name):
    space = spaces.get(name)
    rng = np.random.default_rng(8)
    while True:
        arch = space.sample(rng)
        if space.canonical(arch) != arch:
            break
    one, other = (scoring.score_architecture(name, a, ["zico"], TINY) for a in (arch, space.canonical(arch)))
    assert (one.canonical, one.values) == (other.canonical, other.values)
