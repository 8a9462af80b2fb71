"""Networks scored side by side score as they do alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nas_core import proxies, scoring, spaces
from nas_core.proxies import ScoreSettings
from nas_core.spaces import ImageShape, Scale

SPACE = spaces.get("nb201")
ALL = list(SPACE.architectures())
DEAD = SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
SETTINGS = [
    ScoreSettings(batches=3, batch_size=3, image_size=8, channels=4),
    ScoreSettings(batches=2, batch_size=4, image_size=16, channels=8, cells=2),
    ScoreSettings(batches=5, batch_size=2, image_size=24, channels=4),
]


@pytest.fixture
def one_thread():
    """As in a worker."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_cells(number: int, seed: int) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(seed)
    return [SPACE.canonical(ALL[k]) for k in rng.choice(len(ALL), number, replace=False)]


def built(arch, seed, settings):
    torch.manual_seed(seed)
    image = ImageShape(3, settings.image_size, settings.image_size)
    return SPACE.build(arch, input=image, classes=10, scale=Scale(settings.channels, settings.cells))


def stacked(archs, seeds, settings):
    image = ImageShape(3, settings.image_size, settings.image_size)
    return SPACE.stack(archs, seeds=seeds, input=image, classes=10, scale=Scale(settings.channels, settings.cells))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("number", [1, 2, 40])
def test_every_network_of_a_stack_has_its_own_weights_and_outputs(settings, number):
    archs = [arch for arch in random_cells(number + 5, seed=number) if built(arch, 0, settings) and arch != DEAD]
    archs = [a for a in archs if float(SPACE.closed_forms([a])["live_params"].iloc[0]) > 1e4][:number]
    images = torch.randn(5, 3, settings.image_size, settings.image_size)
    stack = stacked(archs, range(len(archs)), settings)
    outputs = stack(images)
    for seed, arch in enumerate(archs):
        network = built(arch, seed, settings).train()
        torch.testing.assert_close(outputs[seed], network(images), rtol=1e-4, atol=1e-4)
        names = {name: module.weight for name, module in network.named_modules() if hasattr(module, "weight")}
        for weight in stack.weights:
            if seed in weight.members:
                own = weight.tensor.view(len(weight.members), *names[weight.layer].shape)
                assert torch.equal(own[weight.members.index(seed)], names[weight.layer])


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_zico_of_a_stack_equals_zico_of_every_network(settings):
    archs = [*random_cells(20, seed=3), DEAD]
    batches, _ = scoring._batches(settings)
    zico = proxies.get("zico")
    found = zico.score_stack(stacked(archs, range(len(archs)), settings), batches)
    for seed, (arch, score) in enumerate(zip(archs, found, strict=True)):
        alone = zico.score(built(arch, seed, settings), batches)
        # With two batches a term is |g1 - g2| in the denominator: rounding shows where the gradients nearly agree.
        tolerance = 2e-3 if settings.batches == 2 else 1e-4
        assert score.value == pytest.approx(alone.value, rel=tolerance)
        assert [row["layer"] for row in score.layers] == alone.layers["layer"].tolist()
        assert [row["shape"] for row in score.layers] == alone.layers["shape"].tolist()
        for row, term in zip(score.layers, alone.layers["term"], strict=True):
            assert row["term"] == pytest.approx(term, rel=20 * tolerance, nan_ok=True)


@pytest.mark.parametrize(
    "settings",
    [
        *SETTINGS,
        ScoreSettings(),
        pytest.param(ScoreSettings(image_size=8, batches=3), marks=pytest.mark.long),
        pytest.param(ScoreSettings(image_size=24, batches=2, batch_size=3), marks=pytest.mark.long),
        ScoreSettings(image_size=32, batches=2, batch_size=2, channels=32),
        ScoreSettings(image_size=12, batches=2, batch_size=5, cells=2),
    ],
    ids=str,
)
def test_a_score_does_not_depend_on_its_neighbours_in_the_stack(settings, one_thread):
    archs = random_cells(30, seed=5)
    together = scoring.score_architectures(SPACE, archs, ["zico"], settings)
    for arch, score in zip(archs, together, strict=True):
        alone = scoring.score_architecture(SPACE, arch, ["zico"], settings)
        assert alone.canonical == score.canonical
        assert alone.values == score.values  # to the last bit: a run resumed in other groups gives the same table


def test_scores_that_cannot_be_stacked_are_taken_one_by_one_with_the_same_values():
    settings = SETTINGS[0]
    archs = random_cells(4, seed=6)
    both = scoring.score_architectures(SPACE, archs, ["zico", "synflow", "params"], settings)
    zico = scoring.score_architectures(SPACE, archs, ["zico"], settings)
    for one, other in zip(both, zico, strict=True):
        assert set(one.values) == {"zico", "synflow", "params"}
        assert one.values["zico"] == pytest.approx(other.values["zico"], rel=1e-4)
        assert math.isfinite(one.values["synflow"])


def test_a_space_without_a_stack_is_scored_one_by_one():
    space = spaces.get("nb_macro")
    archs = [space.parse("01210220"), space.parse("22222222")]
    found = scoring.score_architectures(space, archs, ["zico"], SETTINGS[0])
    assert all(math.isfinite(score.values["zico"]) and score.layers["zico"] for score in found)
