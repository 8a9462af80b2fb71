"""NAS-Bench-201: notation, identity, closed forms against built modules."""

import functools

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import spaces
from nas_core.spaces.nb201 import expression, live_edges

SPACE = spaces.get("nb201")
ALL = list(SPACE.architectures())


def test_every_cell_survives_parse_and_format():
    assert len(ALL) == 15_625
    assert all(SPACE.parse(SPACE.format(arch)) == arch for arch in ALL)


def test_there_are_6466_distinct_networks_and_341_dead_cells():
    assert len({SPACE.canonical(arch) for arch in ALL}) == 6_466
    assert int((~live_edges(np.array(ALL)).any(axis=1)).sum()) == 341


def test_the_canonical_form_is_the_first_cell_of_equal_expression():
    first = {}
    assert all(SPACE.canonical(arch) == first.setdefault(expression(arch), arch) for arch in ALL)


def test_canonical_form_is_its_own_canonical_form():
    assert all(SPACE.canonical(SPACE.canonical(arch)) == SPACE.canonical(arch) for arch in ALL[::7])


def _count_operations(network: nn.Module) -> int:
    """Multiply-accumulates of weights and pooling windows, two operations an element of batch norm, one of ReLU.

    The global pool is an adaptive one: counted by the largest window it may use, floor(in / out) + 1 a side.

    Every edge of a cell counts, also one whose source node receives nothing: the benchmark computes it on zeros.
    """
    total = 0

    def count(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel() + inputs[0].shape[1] * (8 + 1) ** 2  # the global pool before it
        elif isinstance(module, nn.BatchNorm2d):
            total += 2 * output[0].numel()
        elif isinstance(module, nn.ReLU):
            total += output[0].numel()
        elif isinstance(module, nn.AvgPool2d):
            kernel = module.kernel_size
            total += output[0].numel() * int(kernel if isinstance(kernel, int) else kernel[0]) ** 2

    def run_every_edge(cell: nn.Module, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        for edge in cell.edges:
            edge(*inputs)
        return inputs[0]

    handles = [module.register_forward_hook(count) for module in network.modules()]
    for module in network.modules():
        if type(module).__name__ == "Cell":
            module.forward = functools.partial(lambda cell, features: run_every_edge(cell, (features,)), module)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 32, 32, device="meta"))
    for handle in handles:
        handle.remove()
    return total


@pytest.mark.parametrize("count", [24, pytest.param(500, marks=pytest.mark.long)])
def test_closed_forms_equal_counts_on_built_modules(count):
    rng = np.random.default_rng(0)
    archs = [ALL[k] for k in rng.choice(len(ALL), count, replace=False)]
    forms = SPACE.closed_forms(archs)
    ones, threes, pools = (np.array([sum(op == kind for op in arch) for arch in archs]) for kind in (2, 3, 4))
    np.testing.assert_array_equal(forms["params"], 73_306 + 28_000 * ones + 243_040 * threes)
    recorded = 7_943_872 + 4_362_240 * ones + 35_819_520 * threes + 1_290_240 * pools
    np.testing.assert_array_equal(forms["flops"], recorded)
    for arch, params, flops in zip(archs, forms["params"], forms["flops"], strict=True):
        with torch.device("meta"):  # shapes without numbers: the counts are the same
            network = SPACE.build(arch, input=spaces.ImageShape(), classes=10, scale=spaces.Scale())
        assert sum(p.numel() for p in network.parameters()) == params
        assert _count_operations(network) == flops


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("nonsense", "3 nodes"),
        ("|skip_connect~0|+|none~0|none~1|", "3 nodes"),
        ("|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation 'conv'"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "'none~1'"),
        ("|none~0|+|none~0|none~0|+|none~0|none~1|none~2|", "names input 0 twice"),
    ],
)
def test_malformed_cell_names_the_offending_part(text, part):
    with pytest.raises(ValueError, match="malformed cell") as error:
        SPACE.parse(text)
    assert part in str(error.value)


def test_unknown_space_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown search space 'nope'; .*one of: nb201, nats_sss"):
        spaces.get("nope")


def test_importing_spaces_does_not_import_torch():
    import subprocess
    import sys

    code = "import sys, nas_core.spaces as s; s.get('nb201'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", spaces.names())
def test_groups_hold_every_decision_once(name):
    space = spaces.get(name)
    assert sorted(d for _, members in space.groups for d in members) == list(range(len(space.decisions)))
    if name == "nb101":
        assert [space.decisions[d].name for d in space.groups[2][1]] == ["edge 0→3", "edge 1→3", "edge 2→3"]
