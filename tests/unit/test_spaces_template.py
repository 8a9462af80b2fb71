"""Spaces made by a user: the document, its shapes, what is built, and the shared weights over it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from nas_core import spaces
from nas_core.export import Blueprint, content
from nas_core.spaces import Act, ImageShape, Scale, Steering, SteeringConflict
from nas_core.spaces.template import PRESETS, Block, Layer, Template, TemplateSpace, read, shapes
from nas_core.supernet import SupernetSettings, Trainer, depth_classes


@pytest.fixture(params=list(PRESETS))
def space(request):
    return spaces.define(PRESETS[request.param]().to_dict())


def test_a_document_reads_back_as_written(space):
    again = read(space.template.to_dict())
    assert again == space.template
    assert TemplateSpace(again).name == space.name


def test_notation_reads_back_and_counts_are_exact(space):
    rng = np.random.default_rng(0)
    for _ in range(200):
        arch = space.sample(rng)
        assert space.parse(space.format(arch)) == arch
    if space.size < 10_000:
        assert len(list(space.architectures())) == space.size == space.count().value
        steered = Steering.fold(space, [Act("prune", space.decisions[-1].name, ("off",))])
        assert space.count(steered).value == len(list(space.architectures(steered)))


def test_closed_forms_count_what_is_built(space):
    rng = np.random.default_rng(1)
    archs = [space.sample(rng) for _ in range(20)]
    table = space.closed_forms(archs, classes=7)
    for arch, params, convs in zip(archs, table["params"], table["conv_layers"], strict=True):
        network = space.build(arch, classes=7)
        assert sum(weight.numel() for weight in network.parameters()) == params
        assert sum(isinstance(module, torch.nn.Conv2d) for module in network.modules()) == convs


def test_a_path_of_the_supernet_computes_what_the_network_alone_does(space):
    image = space.template.image
    shared = space.supernet(input=image, classes=10).eval()
    rng = np.random.default_rng(2)
    pictures = torch.randn(3, image.channels, image.height, image.width)
    for _ in range(5):
        arch = space.sample(rng)
        alone = space.build(arch).eval()
        kept = [
            block
            for blocks, (_, members) in zip(shared.layers, space.groups, strict=True)
            for block, d in zip(blocks, members, strict=True)
            if arch[d]
        ]
        own = [block for layer in alone.layers for block in layer.blocks]
        for mine, theirs in zip(own, kept, strict=True):
            mine.load_state_dict(theirs.state_dict())
        alone.head.load_state_dict(shared.head.state_dict())
        with torch.no_grad():
            assert torch.allclose(alone(pictures), shared(pictures, arch), atol=1e-6)


def test_every_form_of_export_is_checked_and_written(space):
    blueprint = Blueprint.of(space.name, space.sample(np.random.default_rng(3)))
    model = blueprint.model()
    for kind in ("py", "onnx", "json", "state-dict"):
        assert content(kind, blueprint, model).data


def test_blocks_that_do_not_fit_are_named_with_the_reason():
    template = Template("bad", (Layer((Block("conv", 16), Block("conv", 16, 1), Block("conv", 32))),))
    found = shapes(template).problems
    assert list(found) == [(0, 2)]
    assert "gives 32×8×8, the other blocks 16×8×8" in found[0, 2]
    with pytest.raises(ValueError, match="layer 1, block 3 of 'bad'"):
        TemplateSpace(template)
    after_dense = Template("bad", (Layer((Block("dense", 8),)), Layer((Block("conv", 8),))))
    assert "needs an image" in shapes(after_dense).problems[1, 0]
    joined = Template("good", (Layer((Block("conv", 16), Block("identity")), "concat"),))
    assert shapes(joined).entering[-1] == (17, 8, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="else"), "format"),
        (lambda d: d.update(layers=[]), "1 to 24 layers; found 0"),
        (lambda d: d["layers"][1].update(blocks=[]), "layer 2 has 0 blocks"),
        (lambda d: d["layers"][0]["blocks"][0].update(kind="lambda"), "layer 1 block 1 kind is 'lambda'"),
        (lambda d: d["layers"][0]["blocks"][0].update(kernel=4), "layer 1 block 1 kernel is 4; expected one of: 1, 3"),
        (lambda d: d["layers"][0]["blocks"][0].update(filters=True), "filters is True; expected a whole number"),
        (lambda d: d["layers"][0].update(merge="mean"), "layer 1 merge is 'mean'"),
        (lambda d: d["image"].update(height=0), "image height is 0"),
        (lambda d: d.update(image=[1, 8, 8]), "image is [1, 8, 8]; expected an object with channels, height, width"),
    ],
)
def test_a_bad_document_gets_one_clear_sentence(change, message):
    document = copy.deepcopy(PRESETS["3-conv-7-layer"]().to_dict())
    change(document)
    with pytest.raises(ValueError) as caught:
        read(document)
    assert message in str(caught.value)


def test_the_last_block_of_a_layer_cannot_be_pruned(space):
    label, members = space.groups[-1]
    acts = [Act("prune", space.decisions[d].name, ("on",)) for d in members]
    with pytest.raises(SteeringConflict, match=f"{label} would keep no block"):
        Steering.fold(space, acts)
    left = Steering.fold(space, acts[:-1])
    assert all(space.sample(np.random.default_rng(k), left)[members[-1]] == 1 for k in range(5))


def test_identical_blocks_that_are_summed_share_a_canonical_form():
    twins = Layer((Block("conv", 8), Block("conv", 8), Block("conv", 8, 1)))
    space = TemplateSpace(Template("twins", (twins, Layer())))
    assert space.canonical(space.parse("010|1")) == space.parse("100|1")
    assert space.canonical(space.parse("111|1")) == space.parse("111|1")
    assert [d.name for d in space.decisions][:2] == ["L1 conv 3×3 8", "L1 conv 3×3 8 b"]


def test_a_template_in_a_file_is_a_space(tmp_path):
    import json

    file = tmp_path / "mine.json"
    file.write_text(json.dumps(PRESETS["Residual"]().to_dict()))
    assert spaces.get(str(file)).title == "Residual"
    with pytest.raises(ValueError, match=r"cannot be read: No such file"):
        spaces.get(str(tmp_path / "none.json"))
    file.write_text("{")
    with pytest.raises(ValueError, match="is no template"):
        spaces.get(str(file))


def test_depth_classes_count_layers_that_compute(space):
    archs = [space.sample(np.random.default_rng(k)) for k in range(50)]
    assert (depth_classes(space, archs) >= 1).all()


def test_a_supernet_of_a_template_learns_and_pruned_blocks_keep_their_weights():
    space = spaces.define(PRESETS["Residual"]().to_dict())
    trainer = Trainer(SupernetSettings(space=space.name, sampling="uniform", epochs=2, seed=3))
    trainer.train()
    assert trainer.history_[-1].validation < trainer.history_[0].validation
    decision = space.decisions[1].name
    trainer.steer([Act("prune", decision, ("on",))])
    before = [weight.clone() for weight in trainer.supernet.weights_of(1, 1)]
    for _ in range(5):  # the budget is spent: steps are made by hand
        trainer.step()
    assert before
    assert all(torch.equal(old, new) for old, new in zip(before, trainer.supernet.weights_of(1, 1), strict=True))


def test_an_edited_image_or_name_is_that_of_the_space():
    document = PRESETS["3-conv-7-layer"]().to_dict()
    small = spaces.define(document)
    edited = {**document, "name": "mine", "image": {"channels": 3, "height": 16, "width": 16}}
    large = spaces.define(edited)
    assert (large.title, large.template.image) == ("mine", ImageShape(3, 16, 16))
    arch = small.parse("|".join(["100"] * 7))
    flops = [space.closed_forms([arch])["flops"].iloc[0] for space in (small, large)]
    assert flops[1] > 4 * flops[0]
    assert spaces.get(small.name).template.image == ImageShape(1, 8, 8)
    renamed = spaces.define({**document, "name": "other"})
    assert (renamed.name, renamed.title) == (small.name, "other")
    assert Blueprint.of(large.name, arch).model()(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_the_network_takes_the_image_it_is_built_for(space):
    network = space.build(space.sample(np.random.default_rng(0)), input=ImageShape(1, 16, 16), classes=4, scale=Scale())
    assert network(torch.randn(2, 1, 16, 16)).shape == (2, 4)
