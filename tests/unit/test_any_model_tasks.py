"""Models of other tasks: outputs that are no tensor, losses of their own, token numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from nas_core import proxies
from nas_core.proxies import Needs, ProxyScore
from tests.networks import (
    Language,
    Named,
    Net,
    Segmenter,
    Two,
    Words,
    batches,
    build,
    maps_of_labels,
    next_word,
    sentences,
    targets,
)

READ_OUTPUTS = [
    *("zico", "snip", "gradsign", "synflow", "vkdnw", "jacov", "naswot", "ntk_condition", "az_expressivity")
]
GAUSSIAN = ["az_expressivity", "az_progressivity", "az_trainability", "meco", "vkdnw", "zen", "synflow", "jacov"]


def score(name, model, data=None, **task):
    return proxies.get(name).score(model, data or batches(), **task)


@pytest.mark.parametrize("name", READ_OUTPUTS)
@pytest.mark.parametrize(
    ("make", "choose", "described"),
    [(Two, lambda found: found[0], "a tuple of 2"), (Named, lambda found: found["logits"], "a dict of 'logits'")],
)
def test_an_output_is_chosen_or_the_model_is_refused(name, make, choose, described):
    with pytest.raises(ValueError, match=f"output is {described}, expected a tensor: pass output=") as caught:
        score(name, build(make))
    assert "\n" not in str(caught.value)
    assert score(name, build(make), output=choose).value == score(name, build(Net)).value
    assert (
        proxies.score_many(build(make), batches(), [name], output=choose)[name].value == score(name, build(Net)).value
    )


def test_an_output_that_is_chosen_wrongly_is_refused():
    with pytest.raises(ValueError, match="output: it returned a tuple of 2, expected a tensor"):
        score("zico", build(Two), output=lambda found: found)


@pytest.mark.parametrize("name", ["flops", "az_complexity", "params", "zen", "latency_ms"])
def test_a_score_that_reads_no_output_needs_no_choice(name):
    found = score(name, build(Named)).value
    assert found == score(name, build(Net)).value or name == "latency_ms"


def test_a_loss_of_its_own_is_differentiated():
    model, data = build(Net).train(), targets()
    loss = functional.mse_loss(model(data[0][0]), data[0][1])
    weights = [model.c1.weight, model.c2.weight, model.fc.weight]
    wanted = sum(float(g.norm()) for g in torch.autograd.grad(loss, weights))
    assert score("grad_norm", build(Net), data, loss=functional.mse_loss).value == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", [name for name in proxies.names() if name != "latency_ms"])
def test_every_score_takes_a_regression(name):
    found = score(name, build(Net), targets(), loss=functional.mse_loss).value
    assert math.isfinite(found)


def test_segmentation_is_cross_entropy_at_every_position():
    model, data = build(Segmenter).train(), maps_of_labels()
    loss = functional.cross_entropy(model(data[0][0]), data[0][1])
    wanted = sum(float(g.norm()) for g in torch.autograd.grad(loss, [model.c.weight, model.up.weight]))
    assert score("grad_norm", build(Segmenter), data).value == pytest.approx(wanted, rel=1e-5)


def test_a_language_model_needs_a_loss_and_is_scored_with_it():
    with pytest.raises(ValueError, match=r"outputs \(5, 7, 20\) and labels \(5, 7\): .* pass loss="):
        score("zico", build(Language), sentences())
    for name in ("zico", "snip", "grad_norm", "gradsign", "l_swag", "grasp"):
        try:
            assert math.isfinite(score(name, build(Language), sentences(), loss=next_word).value)
        except ValueError as error:
            assert (name == "l_swag" and "ReLU" in str(error)) or (name == "grasp" and "second" in str(error))


@pytest.mark.parametrize(
    "wrong", [lambda out, y: functional.cross_entropy(out, y, reduction="none"), lambda out, y: 1.0]
)
def test_a_loss_that_is_no_number_is_refused(wrong):
    with pytest.raises(ValueError, match=r"loss: it returned .*, expected a tensor of one number"):
        score("zico", build(Net), loss=wrong)


@pytest.mark.parametrize("name", GAUSSIAN)
def test_token_numbers_are_refused_by_scores_that_draw_inputs(name):
    with pytest.raises(ValueError, match="integers") as caught:
        score(name, build(Words), batches(shape=(7,), words=20))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["zico", "zico_bc", "snip", "grad_norm", "gradsign", "fisher", "naswot", "flops", "l_swag"]
)
def test_token_numbers_are_scored_where_nothing_is_drawn(name):
    assert math.isfinite(score(name, build(Words), batches(shape=(7,), words=20)).value)


def test_gradients_of_an_embedding_that_are_sparse_are_counted():
    class Sparse(Words):
        def __init__(self):
            super().__init__()
            self.e.sparse = True

    data = batches(shape=(7,), words=20)
    for name in ("live_params", "ntk_condition"):
        assert score(name, build(Sparse), data).value == pytest.approx(score(name, build(Words), data).value, rel=1e-6)


@pytest.mark.parametrize("name", ["zico", "params", "flops", "synflow", "zen", "vkdnw", "gradsign", "latency_ms"])
def test_lazy_layers_want_a_first_pass(name):
    def lazy():
        return nn.Sequential(nn.LazyConv2d(8, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(6))

    with pytest.raises(ValueError, match="lazy layer that has seen no input; expected a first pass"):
        score(name, build(lazy))
    model = build(lazy)
    with torch.no_grad():
        model(batches()[0][0])
    assert math.isfinite(score(name, model).value)


def test_weights_without_values_are_refused():
    with torch.device("meta"):
        model = Net()
    with pytest.raises(ValueError, match="on the meta device and has no values"):
        score("zico", model)
    assert score("params", model).value == score("params", build(Net)).value


class _Plain:
    name, version, higher_is_better, needs, summary = "plain", 1, True, Needs.NOTHING, "takes no keywords"

    def score(self, model, batches):
        return ProxyScore(1.0)


def test_a_proxy_that_takes_no_loss_says_so(own_members):
    proxies.register("plain")(_Plain)
    assert proxies.score_many(build(Net), batches(), ["plain"])["plain"].value == 1
    with pytest.raises(ValueError, match="loss: plain takes no loss=, expected a score that does"):
        proxies.score_many(build(Net), batches(), ["plain"], loss=next_word)
