"""Canonical forms against built networks: equal forms compute the same under shared weights, different ones do not."""

import hashlib
import itertools
from collections import defaultdict

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import spaces
from nas_core.spaces import ImageShape, Scale
from nas_core.spaces._cell_network import Cell
from nas_core.spaces.nb101 import EDGES, INPUT, OUTPUT
from nas_core.spaces.nb201 import EDGES as CELL_EDGES
from nas_core.spaces.nb201 import live_edges

IMAGE = ImageShape(3, 8, 8)


def drawn(role, like):
    """A tensor that depends on its role and shape only; scales and variances are positive."""
    seed = hashlib.blake2b(f"{role} {tuple(like.shape)}".encode(), digest_size=7).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(seed, "big"))
    values = torch.randn(like.shape, generator=generator, dtype=torch.float64)
    return values.abs() + 0.5 if like.dim() == 1 else values * (like[0].numel() ** -0.5)


def fill(module, role=lambda name: name):
    """Give every weight and every running statistic the values of its role; the module is left in eval mode."""
    module.double().eval()
    state = module.state_dict()
    module.load_state_dict(
        {name: drawn(role(name), tensor) if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    )
    return module


def images(seed, channels=3, side=8):
    return torch.randn(3, channels, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def answer(module, batch):
    with torch.no_grad():
        return module(batch)


def groups(space):
    found = defaultdict(list)
    for arch in space.architectures():
        found[space.canonical(arch)].append(arch)
    return found


@pytest.mark.parametrize(("name", "distinct"), [("nats_sss", 32_768), ("transnas_micro", 1_376), ("nb_macro", 3_969)])
def test_numbers_of_distinct_networks(name, distinct):
    """3,969 and 32,768 as published. No number is published for TransNAS; 1,376 is that of the test below."""
    space = spaces.get(name)
    forms = groups(space)
    assert len(forms) == distinct
    assert all(space.canonical(form) == form and space.valid(form) for form in forms)


# NATS-Bench sizes: nothing is shared.


def test_different_sizes_are_different_networks():
    space = spaces.get("nats_sss")
    rng = np.random.default_rng(0)
    batch = images(0)
    for _ in range(20):
        one, other = space.sample(rng), space.sample(rng)
        if one != other:
            networks = [fill(space.build(arch, input=IMAGE, classes=4, scale=Scale())) for arch in (one, other)]
            assert not torch.allclose(answer(networks[0], batch), answer(networks[1], batch))


# NAS-Bench-Macro: the role of a layer is its stage and its rank among the layers that are not identity.


def macro_network(arch):
    space = spaces.get("nb_macro")
    roles = {}
    for stage, start, depth in ((0, 0, 2), (1, 2, 3), (2, 5, 3)):
        rank = 0
        roles[start] = f"stage {stage} first {arch[start]}"
        for layer in range(start + 1, start + depth):
            if arch[layer]:
                roles[layer] = f"stage {stage} rank {rank} {arch[layer]}"
                rank += 1

    def role(name):
        room, number, *rest = name.split(".")
        return f"{roles[int(number)]} {rest}" if room == "layers" else name

    return fill(space.build(arch, input=IMAGE, classes=4, scale=Scale(channels=4)), role)


def test_macro_networks_of_one_form_answer_alike_and_others_do_not():
    space = spaces.get("nb_macro")
    rng = np.random.default_rng(1)
    batch = images(1)
    shared = [members for members in groups(space).values() if len(members) > 1]
    for k in rng.choice(len(shared), 60, replace=False):
        one, other = rng.choice(len(shared[k]), 2, replace=False)
        answers = [answer(macro_network(shared[k][which]), batch) for which in (one, other)]
        assert torch.allclose(*answers, rtol=1e-9, atol=1e-9)
    for _ in range(60):
        one = space.sample(rng)
        other = space.neighbours(one)[int(rng.integers(16))]
        if space.canonical(one) != space.canonical(other):
            assert not torch.allclose(answer(macro_network(one), batch), answer(macro_network(other), batch))


# TransNAS-Bench-101: try every way to hand the weights of one cell's live operations to the other's.

CHANNELS = {False: (4, 4, 1), True: (4, 8, 2)}
"""Inputs, outputs and stride of a cell that keeps the shape, and of one that halves it."""


def weighted(arch, halves):
    """Live edges with weights: convolutions, and the skips from the input of a cell that halves the resolution."""
    live = live_edges(np.array([arch]))[0]
    return [k for k in range(6) if live[k] and (arch[k] > 1 or (halves and CELL_EDGES[k][0] == 0))]


def correspondences(one, other, halves):
    """Every one-to-one map from live weighted edges of `other` to those of `one` that keeps operation and shape."""
    mine, theirs = weighted(one, halves), weighted(other, halves)

    def kind(arch, edge):
        return arch[edge], halves and CELL_EDGES[edge][0] == 0

    for order in itertools.permutations(mine) if len(mine) == len(theirs) else ():
        if all(kind(one, a) == kind(other, b) for a, b in zip(order, theirs, strict=True)):
            yield dict(zip(theirs, order, strict=True))


def filled_cell(arch, halves, naming=None):
    def role(name):
        _, edge, *rest = name.split(".")
        return f"edge {(naming or {}).get(int(edge), int(edge))} {rest}"

    return fill(Cell(arch, *CHANNELS[halves]), role)


def matching(one, other, halves):
    """A correspondence under which the two cells compute the same; None where there is none."""
    batch = images(2, channels=4, side=5)
    wanted = answer(filled_cell(one, halves), batch)
    for naming in correspondences(one, other, halves):
        if torch.allclose(answer(filled_cell(other, halves, naming), batch), wanted, rtol=1e-9, atol=1e-9):
            return naming
    return None


def transnas_network(arch, namings):
    def role(name):
        if not name.startswith("blocks."):
            return name
        _, block, _, edge, *rest = name.split(".")
        naming = namings[block in ("0", "4", "8")]
        return f"block {block} edge {naming.get(int(edge), int(edge))} {rest}"

    space = spaces.get("transnas_micro")
    return fill(space.build(arch, input=IMAGE, classes=4, scale=Scale(channels=4, cells=2)), role)


def test_transnas_cells_of_one_form_are_one_network():
    space = spaces.get("transnas_micro")
    rng = np.random.default_rng(2)
    shared = [members for members in groups(space).values() if len(members) > 1]
    batch = images(3)
    for k in rng.choice(len(shared), 40, replace=False):
        one, other = (shared[k][which] for which in rng.choice(len(shared[k]), 2, replace=False))
        namings = {halves: matching(one, other, halves) for halves in (False, True)}
        assert None not in namings.values(), (one, other)
        answers = [
            answer(transnas_network(one, {False: {}, True: {}}), batch),
            answer(transnas_network(other, namings), batch),
        ]
        assert torch.allclose(*answers, rtol=1e-7, atol=1e-7)


def test_transnas_cells_of_different_form_are_different_networks_whatever_the_weights():
    """Hard pairs: the same live operations, so that only the wiring tells them apart."""
    space = spaces.get("transnas_micro")
    alike = defaultdict(list)
    for form in groups(space):
        alike[tuple(sorted(form[k] for k in weighted(form, True)))].append(form)
    rng = np.random.default_rng(3)
    crowded = [forms for operations, forms in alike.items() if len(forms) > 1 and len(operations) < 5]
    assert len(crowded) > 10
    for _ in range(60):
        forms = crowded[int(rng.integers(len(crowded)))]
        one, other = (forms[k] for k in rng.choice(len(forms), 2, replace=False))
        assert None in [matching(one, other, halves) for halves in (False, True)], (one, other)


# NAS-Bench-101: the correspondence is an isomorphism of the pruned graphs, found by trying every one.


def pruned(arch):
    """Operations of the vertices in use, and the edges among them; from the words of the paper."""
    edges = {edge for edge, choice in zip(EDGES, arch, strict=False) if choice}
    forward, backward = {INPUT}, {OUTPUT}
    for _ in range(6):
        forward |= {t for s, t in edges if s in forward}
        backward |= {s for s, t in edges if t in backward}
    used = forward & backward
    operations = {vertex: arch[len(EDGES) + vertex - 1] for vertex in used - {INPUT, OUTPUT}}
    return operations, {(s, t) for s, t in edges if s in used and t in used}


def isomorphism(one, other):
    """A map from the vertices of `other` to those of `one`; None where there is none."""
    (mine, edges), (theirs, others) = pruned(one), pruned(other)
    if len(mine) != len(theirs) or len(edges) != len(others):
        return None
    for order in itertools.permutations(mine):
        names = dict(zip(theirs, order, strict=True)) | {INPUT: INPUT, OUTPUT: OUTPUT}
        same = all(theirs[vertex] == mine[names[vertex]] for vertex in theirs)
        if same and {(names[s], names[t]) for s, t in others} == edges:
            return names
    return None


def renamed(arch, rng):
    """The cell with its interior vertices in another topological order and, where edges are left, a useless one."""
    operations, edges = pruned(arch)
    while True:
        places = dict(zip(operations, rng.permutation(5)[: len(operations)] + 1, strict=True))
        places |= {INPUT: INPUT, OUTPUT: OUTPUT}
        if all(places[s] < places[t] for s, t in edges):
            break
    new = {(int(places[s]), int(places[t])) for s, t in edges}
    free = [vertex for vertex in range(1, 6) if vertex not in places.values()]
    if free and len(new) < 9:
        new.add((INPUT, free[0]))
    labels = rng.integers(3, size=5)
    for vertex, operation in operations.items():
        labels[places[vertex] - 1] = operation
    return (*(int(edge in new) for edge in EDGES), *map(int, labels))


def test_nb101_forms_agree_with_a_search_for_an_isomorphism():
    space = spaces.get("nb101")
    rng = np.random.default_rng(4)
    equal = different = 0
    for _ in range(400):
        one = space.sample(rng)
        for other in (renamed(one, rng), renamed(space.mutate(one, rng), rng)):
            assert space.valid(other)
            found = isomorphism(one, other) is not None
            assert (space.canonical(one) == space.canonical(other)) == found, (one, other)
            equal, different = equal + found, different + (not found)
    assert min(equal, different) > 100
    forms = [space.canonical(space.sample(rng)) for _ in range(500)]
    assert all(space.canonical(form) == form and space.valid(form) for form in forms)


def nb101_network(arch):
    space = spaces.get("nb101")
    # 60 channels divide evenly among up to five vertices, so that isomorphic cells have equal widths.
    return space.build(arch, input=IMAGE, classes=4, scale=Scale(channels=60, cells=2))


def hand_over(source, target, names, one, other):
    """Give `target` (built of `other`) the weights of `source` (built of `one`) by the isomorphism `names`.

    A cell concatenates its feeders in the order of their numbers, so whatever reads its output, and whatever is
    added to it, has its channels reordered alike.
    """
    mine = sorted(s for s, t in pruned(one)[1] if t == OUTPUT and s != INPUT)
    theirs = [names[s] for s in sorted(s for s, t in pruned(other)[1] if t == OUTPUT and s != INPUT)]
    weights, handed = source.state_dict(), {}
    cells = [k for k, block in enumerate(target.blocks) if not isinstance(block, nn.MaxPool2d)]

    def order(width):
        blocks = torch.arange(width).chunk(len(mine)) if mine else [torch.arange(width)]
        return torch.cat([blocks[mine.index(s)] for s in theirs]) if mine else blocks[0]

    for name, tensor in target.state_dict().items():
        room, *path = name.split(".")
        if room == "stem" or not tensor.dim():
            handed[name] = tensor if not tensor.dim() else weights[name]
        elif room == "classifier":
            handed[name] = weights[name][:, order(tensor.shape[1])] if tensor.dim() == 2 else weights[name]
        else:
            block, kind, vertex, *rest = path
            value = weights[".".join([room, block, kind, str(names[int(vertex)]), *rest])]
            if kind == "projections" and tensor.dim() == 4 and int(block) != cells[0]:
                value = value[:, order(tensor.shape[1])]
            handed[name] = value[order(len(value))] if int(vertex) == OUTPUT else value
    target.double().eval().load_state_dict(handed)


def test_nb101_cells_of_one_form_answer_alike_and_others_do_not():
    space = spaces.get("nb101")
    rng = np.random.default_rng(5)
    batch = images(4)
    moved = 0
    while moved < 12:
        one = space.sample(rng)
        other = renamed(one, rng)
        if len(pruned(one)[0]) < 3:
            continue
        names = isomorphism(one, other)
        moved += any(vertex != name for vertex, name in names.items())
        source, target = fill(nb101_network(one)), nb101_network(other)
        hand_over(source, target, names, one, other)
        assert torch.allclose(answer(source, batch), answer(target, batch), rtol=1e-7, atol=1e-7)
        changed = space.mutate(one, rng)
        if space.canonical(changed) != space.canonical(one):
            assert not torch.allclose(answer(source, batch), answer(fill(nb101_network(changed)), batch))
