"""Variants that scores offer by name, each against a short computation of what its authors' code sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import proxies
from tests.networks import Net, Segmenter, batches, build, maps_of_labels


def _value(name, model=None, data=None, **options):
    return proxies.get(name, **options).score(model or build(Net), data or batches()).value


def test_fisher_weighted_by_fan_in_counts_every_weight_of_a_channel():
    table = proxies.get("fisher").score(build(Net), batches()).layers.set_index("layer")
    wanted = table.term["c1"] * 27 + table.term["c2"] * 72 + table.term["fc"] * 8
    assert _value("fisher", weighting="fan_in") == pytest.approx(wanted, rel=1e-9)
    transposed = proxies.get("fisher").score(build(Segmenter), maps_of_labels()).layers.set_index("layer")
    wanted = transposed.term["c"] * 27 + transposed.term["up"] * 8 * 4
    assert _value("fisher", build(Segmenter), maps_of_labels(), weighting="fan_in") == pytest.approx(wanted, rel=1e-9)


def test_zen_with_the_l1_norm_sums_magnitudes():
    model, moves = build(Net), []
    handle = model.a2.register_forward_hook(lambda _m, _i, output: moves.append(output.detach().double()))
    own, summed = _value("zen", model), _value("zen", model, norm="l1")
    handle.remove()
    moved = (moves[0] - moves[1]).flatten(1)
    wanted = math.log(moved.abs().sum(1).mean()) - math.log(moved.norm(dim=1).mean())
    assert summed - own == pytest.approx(wanted, rel=1e-6)


def test_meco_over_every_module_is_what_the_authors_code_sums():
    model, total = build(Net).train(), 0.0
    outputs = []
    handles = [
        module.register_forward_hook(lambda _m, _i, o: outputs.append(o[0].detach())) for module in model.modules()
    ]
    model(torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    for handle in handles:
        handle.remove()
    for output in outputs:
        with np.errstate(all="ignore"):
            correlation = np.nan_to_num(
                np.corrcoef(output.double().reshape(len(output), -1).numpy()), posinf=0, neginf=0
            )
        total += float(np.linalg.eigvals(correlation).real.min())
    assert _value("meco", over="modules") == pytest.approx(total, abs=1e-6)


def test_meco_says_that_maps_are_small_and_takes_larger_images():
    small = [(images[..., :4, :4], labels) for images, labels in batches()]
    assert "1 of 2 maps are 2 x 2 or smaller" in proxies.get("meco").score(build(Net), small).reason
    large = [(torch.zeros(1, 3, 32, 32), torch.zeros(1, dtype=torch.long))]
    found = proxies.get("meco", side=32).score(build(Net), small)
    assert found.value == proxies.get("meco").score(build(Net), large).value and not found.reason
    with pytest.raises(ValueError, match="side: the inputs have 2 dimensions"):
        proxies.get("meco", side=8).score(nn.Linear(3, 2), [(torch.zeros(2, 3), torch.zeros(2, dtype=torch.long))])


def test_swap_over_several_initialisations_is_their_mean_and_gives_the_weights_back():
    model = build(Net)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    single = []
    for seed in range(3):
        torch.manual_seed(seed)
        single.append(_value("swap", Net()))
    torch.manual_seed(9)
    drawn = torch.get_rng_state()
    assert _value("swap", model, initialisations=3) == pytest.approx(np.mean(single))
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), drawn)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fisher", {"weighting": "size"}, "weighting: got 'size', expected none or fan_in"),
        ("zen", {"norm": "l3"}, "norm: got 'l3', expected frobenius or l1"),
        ("meco", {"over": "all"}, "over: got 'all', expected convolutions or modules"),
        ("meco", {"side": 0}, "side: got 0, expected at least 1 pixel"),
        ("swap", {"initialisations": -1}, "initialisations: got -1"),
        ("zen", {"side": 8}, "side: no option of zen, expected one of: norm"),
        ("snip", {"side": 8}, "side: no option of snip, expected one of: none"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(name, options, message):
    with pytest.raises(ValueError, match=message):
        proxies.get(name, **options)
