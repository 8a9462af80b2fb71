"""Closed forms against built modules, in every space beyond NAS-Bench-201 and at odd sizes of image and network."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import proxies, spaces
from nas_core.spaces import ImageShape, Scale
from nas_core.spaces.nb101 import live_edges, vertex_channels

NAMES = ["nats_sss", "nb101", "transnas_micro", "nb_macro"]
OUTSIDE = {"nats_sss": 7, "nb101": 1, "transnas_micro": 2, "nb_macro": 2}
"""Convolutions around the cells: stem, reductions, and the wide one before the head of NAS-Bench-Macro."""


def count_operations(network, image):
    """Multiply-accumulates of weights and windows, two an element of batch norm, one of ReLU.

    Global pooling counts by the largest window an adaptive pool may use: floor(in / out) + 1 a side.
    """
    total = 0

    def count(module, inputs, output):
        nonlocal total
        elements = output[0].numel()
        if isinstance(module, nn.Conv2d):
            total += elements * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel() + pooled
        elif isinstance(module, nn.BatchNorm2d):
            total += 2 * elements
        elif isinstance(module, nn.ReLU):
            total += elements
        elif isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
            total += elements * int(module.kernel_size) ** 2

    pooled = 0

    def see_what_is_pooled(_module, _inputs, output):
        nonlocal pooled
        channels, height, width = output[0].shape
        pooled = channels * (height + 1) * (width + 1)

    body = [module for name, module in network.named_children() if name != "classifier"][-1]
    handles = [body.register_forward_hook(see_what_is_pooled)]
    handles += [module.register_forward_hook(count) for module in network.modules()]
    with torch.no_grad():
        network.eval()(torch.zeros(1, image.channels, image.height, image.width))
    for handle in handles:
        handle.remove()
    return total


def computes_every_edge(name, arch):
    """Whether every edge of a TransNAS cell starts at a node that receives something and leads to the output."""
    if name != "transnas_micro":
        return True
    if arch[0] and not (arch[2] and arch[5]) and not arch[4]:
        return False
    if (arch[1] or arch[2]) and not arch[5]:
        return False
    first, into_second = arch[0] > 0, arch[1] > 0 or (arch[0] > 0 and arch[2] > 0)
    return (first or not (arch[2] or arch[4])) and (into_second or not arch[5])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("image", "scale", "classes"),
    [(ImageShape(), None, 10), (ImageShape(1, 13, 10), Scale(7, 1), 3), (ImageShape(3, 20, 9), Scale(12, 3), 7)],
)
def test_closed_forms_equal_counts_on_built_modules(name, image, scale, classes):
    space = spaces.get(name)
    rng = np.random.default_rng(5)
    archs = [space.sample(rng) for _ in range(6 if scale is None else 20)]
    forms = space.closed_forms(archs, input=image, scale=scale, classes=classes)
    assert tuple(forms) == space.metric_names == spaces.get("nb201").metric_names
    batches = [(torch.randn(2, image.channels, image.height, image.width), torch.randint(0, classes, (2,)))]
    for arch, (_, form) in zip(archs, forms.iterrows(), strict=True):
        kept = {} if scale is None else {"scale": scale}
        network = space.build(arch, input=image, classes=classes, **kept)
        assert sum(p.numel() for p in network.parameters()) == form["params"]
        if computes_every_edge(name, arch):
            assert count_operations(network, image) == form["flops"]
        assert proxies.get("live_params").score(network, batches).value == form["live_params"]
        log_sizes = proxies.get("sum_log_layer_size").score(network, batches).value
        assert log_sizes == pytest.approx(form["sum_log_layer_size"])
        convolutions = proxies.get("conv_layers").score(network, batches).value
        dead = name == "transnas_micro" and convolutions == 0
        assert convolutions == form["conv_layers"] + (0 if dead else OUTSIDE[name])


def test_nb101_parameters_are_those_the_benchmark_publishes():
    """The Inception-like cell of `NASBench.ipynb` in google-research/nasbench: 2,694,282 trainable parameters."""
    space = spaces.get("nb101")
    cell = space.parse(
        "0111010-0000001-0000001-0000100-0000001-0000001-0000000:conv1x1,conv3x3,conv3x3,conv3x3,maxpool3x3"
    )
    assert space.closed_forms([cell])["params"].item() == 2_694_282
    assert space.closed_forms([space.canonical(cell)])["params"].item() == 2_694_282


def test_nb101_divides_channels_as_published():
    """`compute_vertex_channels`: the first feeders get what is left over, others are as wide as what they feed."""
    space = spaces.get("nb101")
    uneven = space.parse("01110-00001-00001-00001-00000:conv3x3,conv3x3,conv3x3")
    assert vertex_channels(live_edges(np.array([uneven])), 128)[0].tolist() == [0, 43, 43, 42, 0, 0, 128]
    chain = space.parse("010100-001000-000101-000001-000001-000000:conv3x3,conv3x3,conv3x3,maxpool3x3")
    assert vertex_channels(live_edges(np.array([chain])), 128)[0].tolist() == [0, 64, 64, 64, 0, 0, 128]


def test_a_skip_that_changes_channels_has_weights_in_the_size_space_and_only_there():
    space = spaces.get("nats_sss")
    same, changed = space.closed_forms([space.parse("8:8:8:8:8"), space.parse("8:8:16:16:16")])["conv_layers"]
    assert (same, changed) == (15, 16)


@pytest.mark.parametrize("name", ["nats_sss", "transnas_micro", "nb_macro"])
def test_a_whole_space_has_closed_forms_within_a_second(name):
    space = spaces.get(name)
    archs = list(space.architectures())
    began = time.process_time()
    forms = space.closed_forms(archs)
    assert time.process_time() - began < 1
    assert len(forms) == len(archs)
    assert np.isfinite(forms.to_numpy(dtype=float)).all()


def test_closed_forms_of_20000_nb101_cells_take_less_than_a_second():
    space = spaces.get("nb101")
    rng = np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(20_000)]
    began = time.process_time()
    forms = space.closed_forms(archs)
    assert time.process_time() - began < 1
    assert (forms["params"] == forms["live_params"]).all()


def test_nb101_cuts_surplus_channels_between_vertices_from_the_end():
    """`truncate` keeps the first channels: five output channels are 3 + 2, so vertex 2 reads 2 of vertex 1's 3."""
    space = spaces.get("nb101")
    arch = space.parse("0100-0011-0001-0000:maxpool3x3,maxpool3x3")
    network = space.build(arch, input=ImageShape(), classes=2, scale=Scale(5, 1)).eval()
    features = torch.randn(2, 5, 6, 6)
    cell = network.blocks[0]
    with torch.no_grad():
        first = nn.functional.max_pool2d(cell.projections["1"](features), 3, 1, 1)
        second = nn.functional.max_pool2d(first[:, :2], 3, 1, 1)
        assert first.shape[1] == 3
        assert torch.equal(cell(features), torch.cat([first, second], dim=1))
