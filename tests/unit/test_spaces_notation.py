"""Sizes and notation of the spaces beyond NAS-Bench-201: published numbers, round trips, errors that name the part."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from nas_core import spaces
from nas_core.spaces.nb101 import EDGES, INTERIOR, POSITION

SIZES = {"nats_sss": 32_768, "transnas_micro": 4_096, "nb_macro": 6_561}
EXAMPLES = {
    "nats_sss": ("64:8:24:56:40", (7, 0, 2, 6, 4)),
    "transnas_micro": ("64-41414-1_02_333", (1, 0, 2, 3, 3, 3)),
    "nb_macro": ("01210220", (0, 1, 2, 1, 0, 2, 2, 0)),
    "nb101": (
        "0100000-0010000-0001000-0000100-0000010-0000001-0000000:conv3x3,conv1x1,maxpool3x3,conv3x3,conv1x1",
        (1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 2, 0, 1),
    ),
}


def random_valid(space, count, seed):
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sizes_are_the_published_ones_and_every_architecture_survives_parse_and_format(name, size):
    space = spaces.get(name)
    archs = list(space.architectures())
    assert len(set(archs)) == space.size == space.count().value == size
    assert space.count().exact
    texts = [space.format(arch) for arch in archs]
    assert len(set(texts)) == size
    assert [space.parse(text) for text in texts] == archs


@pytest.mark.parametrize(("name", "example"), EXAMPLES.items())
def test_published_notation_is_read_and_written(name, example):
    text, arch = example
    assert spaces.get(name).parse(text) == arch
    assert spaces.get(name).parse(f" {text}\n") == arch
    assert spaces.get(name).format(arch) == text


def test_nb101_counts_its_combinations_and_20000_cells_survive_parse_and_format():
    space = spaces.get("nb101")
    assert space.size == 2**21 * 3**5
    archs = random_valid(space, 20_000, seed=0)
    assert [space.parse(space.format(arch)) for arch in archs] == archs


def test_nb101_reads_the_smaller_matrices_and_the_full_operation_names_of_the_benchmark():
    space = spaces.get("nb101")
    small = space.parse("011-001-000:conv1x1-bn-relu")
    assert space.format(small) == (
        "0100001-0000001-0000000-0000000-0000000-0000000-0000000:conv1x1,conv3x3,conv3x3,conv3x3,conv3x3"
    )
    assert space.format(space.parse("01-00:")).startswith("0000001-0000000-")


@pytest.fixture(scope="module")
def nb101_graphs():
    """Every pruned graph of NAS-Bench-101, by canonical form."""
    space = spaces.get("nb101")
    pruned = set()
    for size in range(10):
        for chosen in itertools.combinations(range(len(EDGES)), size):
            edges = [EDGES[k] for k in chosen]
            starts, ends = {s for s, _ in edges}, {t for _, t in edges}
            if 0 in starts and 6 in ends and starts - {0} == ends - {6}:
                pruned.add(tuple(int(k in chosen) for k in range(len(EDGES))))
    return {space.canonical((*edges, 0, 0, 0, 0, 0))[: len(EDGES)] for edges in pruned}


def test_nb101_has_the_published_number_of_graphs(nb101_graphs):
    """2,494 without labels, for its 7 nodes and 9 edges (Ying et al. 2019, section 2.1)."""
    assert len(nb101_graphs) == 2_494


@pytest.mark.long
def test_nb101_has_the_published_number_of_distinct_networks(nb101_graphs):
    """Every labelling of every pruned graph, by canonical form: 423,624 (Ying et al. 2019, section 2.1)."""
    space = spaces.get("nb101")
    forms = set()
    for edges in nb101_graphs:
        used = sum(any(edges[POSITION[v, target]] for target in range(v + 1, 7)) for v in INTERIOR)
        for operations in itertools.product(range(3), repeat=used):
            forms.add(space.canonical((*edges, *operations, *[0] * (5 - used))))
    assert len(forms) == 423_624


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("nats_sss", "64:64:64:64", "expected 5 widths joined by ':', found 4"),
        ("nats_sss", "64:64:65:64:64", "width of cell 2 is '65'"),
        ("nats_sss", "64:64:64:64:064", "width of cell 3 is '064'"),
        ("transnas_micro", "64-41414", "cell ''"),
        ("transnas_micro", "64-4141-1_02_333", "skeleton is '64-4141'"),
        ("transnas_micro", "1_02_333", "skeleton is '1_02_333-'"),
        ("transnas_micro", "64-41414-1_02", "cell '1_02' has 2 nodes"),
        ("transnas_micro", "64-41414-1_022_333", "node 2 is '022', expected 2 digits"),
        ("transnas_micro", "64-41414-1_02_343", "node 3 has '4'"),
        ("transnas_micro", "64-41414-1_02_3³3", "node 3 has '³'"),
        ("nb_macro", "0121022", "expected 8 digits, found 7"),
        ("nb_macro", "01210320", "layer 6 is '3'"),
        ("nb_macro", "0121²220", "layer 5 is '²'"),
        ("nb101", "0110000", "joined by ':'"),
        ("nb101", "0:", "1 adjacency rows, expected 2 to 7"),
        ("nb101", "011-001-00:conv3x3", "row 2 is '00', expected 3 zeros and ones"),
        ("nb101", "021-001-000:conv3x3", "row 0 is '021'"),
        ("nb101", "011-001-100:conv3x3", "row 2 is '100', expected ones after column 2"),
        ("nb101", "011-011-000:conv3x3", "row 1 is '011', expected ones after column 1"),
        ("nb101", "011-001-000:conv3x3,conv1x1", "2 operations, expected 1"),
        ("nb101", "011-001-000:conv5x5", "unknown operation 'conv5x5' at vertex 1"),
        ("nb101", "010-000-000:conv3x3", "no path from input to output"),
        (
            "nb101",
            "0111111-0011110-0000000-0000000-0000000-0000000-0000000:" + ",".join(["conv3x3"] * 5),
            "10 edges, expected at most 9",
        ),
    ],
)
def test_malformed_text_names_the_offending_part(name, text, part):
    with pytest.raises(ValueError, match="malformed") as error:
        spaces.get(name).parse(text)
    assert part in str(error.value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_graphs_and_encodings_have_a_place_for_every_choice(name):
    space = spaces.get(name)
    archs = random_valid(space, 200, seed=3)
    features = space.encode(archs)
    assert features.shape[0] == 200
    assert len(np.unique(features, axis=0)) == len(set(archs))
    assert space.encode([]).shape == (0, features.shape[1])
    decisions = {decision.name for decision in space.decisions}
    for arch in archs[:20]:
        graph = space.graph(arch)
        assert all(0 <= edge.source < edge.target < len(graph.nodes) for edge in graph.edges)
        assert {edge.decision for edge in graph.edges} <= decisions


def test_nothing_but_build_imports_torch():
    code = (
        "import sys, numpy as np, nas_core.spaces as room\n"
        "for name in room.names():\n"
        "    space = room.get(name)\n"
        "    arch = space.sample(np.random.default_rng(0))\n"
        "    space.canonical(arch), space.graph(arch), space.encode([arch])\n"
        "    space.closed_forms([arch]), space.count()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
