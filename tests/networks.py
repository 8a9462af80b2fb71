"""Small networks of many kinds, made anew with equal weights at every call, and batches for them.

Plain networks are those whose scores must never change; the kinds are what other people's models look like.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

from nas_core import spaces

CLASSES = 6
Batches = list[tuple[Tensor, Tensor]]


def batches(count: int = 3, size: int = 5, shape: tuple[int, ...] = (3, 8, 8), words: int = 0) -> Batches:
    """Batches of standard normal inputs, or of the numbers of `words` words, and class numbers."""
    draw = torch.Generator().manual_seed(1)

    def inputs() -> Tensor:
        if words:
            return torch.randint(words, (size, *shape), generator=draw)
        return torch.randn(size, *shape, generator=draw)

    return [(inputs(), torch.randint(CLASSES, (size,), generator=draw)) for _ in range(count)]


class Net(nn.Module):
    """Two convolutions with batch norm and a linear head; the base of most kinds."""

    def __init__(self, activation: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.c1, self.n1, self.a1 = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), activation()
        self.c2, self.n2, self.a2 = nn.Conv2d(8, 8, 3, 2, 1), nn.BatchNorm2d(8), activation()
        self.fc = nn.Linear(8, CLASSES)

    def body(self, x: Tensor) -> Tensor:
        return self.a2(self.n2(self.c2(self.a1(self.n1(self.c1(x)))))).mean((2, 3))

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.body(x))


def build(make: Callable[[], nn.Module]) -> nn.Module:
    """The network with weights drawn from one seed, whatever the caller's generator holds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


# Plain networks


def _cnn() -> nn.Module:
    first = (nn.Conv2d(3, 5, 3, padding=1, stride=2), nn.BatchNorm2d(5), nn.ReLU())
    second = (nn.Conv2d(5, 8, 3, stride=2, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Dropout(0.2))
    model = nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(72, 12), nn.ReLU(), nn.Linear(12, CLASSES))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(-0.5, 1.5)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    return model


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.unused, self.relu, self.head = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.head((x + self.relu(self.body(x))).mean(dim=(2, 3)))


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 6))


def _candidate(name: str, seed: int | tuple[int, ...]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        space = spaces.get(name)
        arch = seed if isinstance(seed, tuple) else space.sample(np.random.default_rng(seed))
        scale = space.scale_for(channels=4, cells=1)
        return space.build(space.canonical(arch), input=spaces.ImageShape(3, 16, 16), classes=CLASSES, scale=scale)

    return make


PLAIN: dict[str, Callable[[], nn.Module]] = {
    "cnn": _cnn,
    "residual": _Residual,
    "mlp": _mlp,
    **{f"{name} {seed}": _candidate(name, seed) for name in ("nb201", "nb101") for seed in (0, 1)},
    **{name: _candidate(name, 0) for name in ("nb_macro", "transnas_micro")},
    "nats_sss": _candidate("nats_sss", (0, 1, 0, 2, 1)),
}
"""Networks of convolutions, linear layers, batch norms and ReLUs, for images (3, 16, 16)."""


# Other people's models


@dataclass(frozen=True)
class Kind:
    """A kind of model: how it is made, its batches, and the keywords that its task takes."""

    make: Callable[[], nn.Module]
    batches: Callable[[], Batches] = batches
    task: dict[str, Callable[..., Tensor]] | None = None

    def __call__(self) -> tuple[nn.Module, Batches, dict[str, Callable[..., Tensor]]]:
        """The model, its batches and the keywords of its task."""
        return build(self.make), self.batches(), self.task or {}


def _with(change: Callable[[Any], Any]) -> Callable[[], nn.Module]:
    """A `Net` that is changed, or what the change returns."""

    def make() -> nn.Module:
        net = Net()
        found = change(net)
        return net if found is None else found

    return make


def _old_weight_norm(net: Net) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for layer in (net.c1, net.c2, net.fc):
            nn.utils.weight_norm(layer)


def _all_layers(wrap: Callable[[nn.Module], Any]) -> Callable[[], nn.Module]:
    def change(net: Net) -> None:
        for layer in (net.c1, net.c2, net.fc):
            wrap(layer)

    return _with(change)


class Tied(nn.Module):
    """Two convolutions that share a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.s, self.a, self.b = (nn.Conv2d(i, 8, 3, padding=1) for i in (3, 8, 8))
        self.b.weight = self.a.weight
        self.r, self.fc = nn.ReLU(), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.r(self.b(self.r(self.a(self.r(self.s(x)))))).mean((2, 3)))


class Reused(Tied):
    """One convolution that runs twice."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.r(self.a(self.r(self.a(self.r(self.s(x)))))).mean((2, 3)))


class Encoder(nn.Module):
    """Attention over tokens that are floats."""

    def __init__(self) -> None:
        super().__init__()
        self.t = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.o = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.t(x).mean(1))


class SmallVit(nn.Module):
    """Patches, a class token, positions and one block with fused attention, as in timm."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.qkv, self.proj = nn.Conv2d(3, 16, 4, 4), nn.Linear(16, 48), nn.Linear(16, 16)
        self.token, self.place = nn.Parameter(torch.zeros(1, 1, 16)), nn.Parameter(0.02 * torch.randn(1, 5, 16))
        self.n1, self.n2, self.head = nn.LayerNorm(16), nn.LayerNorm(16), nn.Linear(16, CLASSES)
        self.mlp = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.place
        q, k, v = self.qkv(self.n1(x)).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
        x = x + self.proj(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return self.head((x + self.mlp(self.n2(x)))[:, 0])


class Recurrent(nn.Module):
    """An LSTM over floats."""

    def __init__(self) -> None:
        super().__init__()
        self.l, self.o = nn.LSTM(12, 16, batch_first=True), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.l(x)[0][:, -1])


class Language(nn.Module):
    """An LSTM language model whose decoder shares the weights of its embedding; logits (b, t, words)."""

    def __init__(self) -> None:
        super().__init__()
        self.e, self.l, self.o = nn.Embedding(20, 16), nn.LSTM(16, 16, batch_first=True), nn.Linear(16, 20)
        self.o.weight = self.e.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.l(self.e(x))[0])


class Words(nn.Module):
    """A classifier of token numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.e, self.h, self.r, self.o = nn.Embedding(20, 16), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.r(self.h(self.e(x))).mean(1))


class NormAct(nn.BatchNorm2d):
    """A batch norm that carries its activation, as timm's."""

    def __init__(self, channels: int, act: nn.Module) -> None:
        super().__init__(channels)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return self.act(super().forward(x))


def with_norms(fused: bool, act: Callable[[], nn.Module] = nn.ReLU) -> nn.Module:
    """Two convolutions with norm and activation, in one module or apart."""

    def norm() -> list[nn.Module]:
        return [NormAct(8, act())] if fused else [nn.BatchNorm2d(8), act()]

    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES))
    return nn.Sequential(nn.Conv2d(3, 8, 3), *norm(), nn.Conv2d(8, 8, 3), *norm(), *head)


class ChannelsLast(nn.Module):
    """A linear layer over maps whose channels are last, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.c, self.l, self.r, self.o = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.r(self.l(self.c(x).permute(0, 2, 3, 1))).mean((1, 2)))


class Folded(nn.Module):
    """Patches folded into the batch before the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.c, self.r, self.o = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        b, side = len(x), x.shape[-1] // 2
        x = x.reshape(b, 3, 2, side, 2, side).permute(0, 2, 4, 1, 3, 5).reshape(4 * b, 3, side, side)
        return self.o(self.r(self.c(x)).mean((2, 3)).reshape(b, 4, 8).mean(1))


class SequenceFirst(nn.Module):
    """Tokens first and images second inside."""

    def __init__(self) -> None:
        super().__init__()
        self.i, self.r, self.o = nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.r(self.i(x.transpose(0, 1))).mean(0))


class BatchFirst(SequenceFirst):
    """The same with images first."""

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.r(self.i(x)).mean(1))


class Two(Net):
    """Logits and features."""

    def forward(self, x: Tensor) -> Any:
        features = self.body(x)
        return self.fc(features), features


class Named(Net):
    """Logits by name."""

    def forward(self, x: Tensor) -> Any:
        return {"logits": self.fc(self.body(x))}


class InPlace(Net):
    """Normalises its input in place."""

    def forward(self, x: Tensor) -> Any:
        x -= 0.5
        x *= 2.0
        return super().forward(x)


class Memory(Net):
    """Buffers that are replaced, written to, and expanded; tensors beside them; a submodule made on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("ema", torch.zeros(8))
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("wide", torch.zeros(1, 1).expand(4, 8))
        self.last, self.plain, self.cache = None, torch.zeros(8), [torch.zeros(1)]

    def forward(self, x: Tensor) -> Any:
        features = self.body(x) + self.wide[:1]
        self.ema = 0.9 * self.ema + 0.1 * features.detach().mean(0)
        self.calls += 1
        self.last = features
        self.plain += 1
        self.cache.append(features.detach())
        self.late = nn.Linear(2, 2)
        with torch.no_grad():
            self.fc.weight.clamp_(-0.3, 0.3)
        return self.fc(features)


class Chance(Net):
    """Draws from the generators of Python, NumPy and torch and from its own."""

    def __init__(self) -> None:
        super().__init__()
        self.k, self.own, self.numpy = nn.Conv2d(8, 8, 3, padding=1), random.Random(3), np.random.default_rng(4)
        self.torch = torch.Generator().manual_seed(5)

    def body(self, x: Tensor) -> Tensor:
        x = self.a1(self.n1(self.c1(x)))
        if random.random() + np.random.random() + self.own.random() + self.numpy.random() < 2:
            x = x + self.k(x)
        scale = 1 + 0.1 * float(torch.rand((), generator=self.torch)) + 0.1 * float(torch.rand(()))
        return self.a2(self.n2(self.c2(scale * x))).mean((2, 3))


class Checkpointed(Net):
    """Runs its body again during the backward pass."""

    def forward(self, x: Tensor) -> Any:
        return self.fc(checkpoint(self.body, x, use_reentrant=False))


class Squeezed(Net):
    """Loses the batch of one image."""

    def body(self, x: Tensor) -> Tensor:
        return super().body(x)[:, :, None, None].squeeze()


class Positions(Net):
    """Makes a float32 tensor in its forward pass."""

    def forward(self, x: Tensor) -> Any:
        features = self.body(x)
        places = torch.arange(4, dtype=torch.float32).sin().expand(len(features), 4)
        return self.fc(torch.cat([features[:, :4].float(), places], 1))


class SamePadding(nn.Conv2d):
    """Pads in its own forward pass, as TensorFlow does."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(functional.pad(x, (0, 1, 0, 1)), self.weight, self.bias, self.stride)


def padded(inside: bool) -> nn.Module:
    """A convolution that is padded inside, or by a module before it."""
    first = (SamePadding(3, 8, 2),) if inside else (nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 8, 2))
    return nn.Sequential(nn.Sequential(*first), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES))


class Segmenter(nn.Module):
    """Logits for every position (b, classes, h, w), with a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.c, self.r = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU()
        self.up = nn.ConvTranspose2d(8, CLASSES, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.r(self.c(x)))


def _conv(dimensions: int) -> Callable[[], nn.Module]:
    conv, norm = ((nn.Conv1d, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d), (nn.Conv3d, nn.BatchNorm3d))[dimensions - 1]
    return lambda: nn.Sequential(
        conv(3, 8, 3), norm(8), nn.ReLU(), conv(8, 8, 3), nn.ReLU(), nn.Flatten(2), _Mean(), nn.Linear(8, CLASSES)
    )


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(-1)


def _not_a_number(net: Net) -> None:
    net.c2.weight.data[0, 0, 0, 0] = torch.nan


def _compiled(net: Net) -> nn.Module:
    compiled = torch.compile(net, backend="eager")
    with torch.no_grad():
        compiled(batches()[0][0])
    return compiled


def _half(make: Batches) -> Batches:
    return [(images.half(), labels) for images, labels in make]


def maps_of_labels(size: int = 8) -> Batches:
    """Class numbers for every position."""
    return [(x, torch.arange(size).add(y[:, None, None]).remainder(CLASSES).expand(-1, size, -1)) for x, y in batches()]


def sentences() -> Batches:
    """Token numbers, and the next ones as labels."""
    return [(x[:, :-1], x[:, 1:]) for x, _ in batches(shape=(8,), words=20)]


def targets() -> Batches:
    """Real numbers as labels."""
    return [(x, x.flatten(1)[:, :CLASSES].clone()) for x, _ in batches()]


def next_word(outputs: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of logits (b, t, words) against the next words (b, t)."""
    return functional.cross_entropy(outputs.flatten(0, 1), labels.flatten())


def _sequences() -> Batches:
    return batches(shape=(6, 12))


KINDS: dict[str, Kind] = {
    "plain": Kind(Net),
    "weight_norm": Kind(_all_layers(parametrizations.weight_norm)),
    "old weight_norm": Kind(_with(_old_weight_norm)),
    "spectral_norm": Kind(_all_layers(parametrizations.spectral_norm)),
    "old spectral_norm": Kind(_all_layers(nn.utils.spectral_norm)),
    "pruned": Kind(_all_layers(lambda layer: prune.random_unstructured(layer, "weight", amount=0.3))),
    "tied": Kind(Tied),
    "reused": Kind(Reused),
    "float16": Kind(_with(lambda net: net.half()), lambda: _half(batches())),
    "Conv1d": Kind(_conv(1), lambda: batches(shape=(3, 10))),
    "Conv3d": Kind(_conv(3), lambda: batches(shape=(3, 6, 6, 6))),
    "segmentation": Kind(Segmenter, maps_of_labels),
    "encoder": Kind(Encoder, lambda: batches(shape=(6, 16))),
    "small ViT": Kind(SmallVit, lambda: batches(size=4)),
    "LSTM": Kind(Recurrent, _sequences),
    "language model": Kind(Language, sentences, {"loss": next_word}),
    "token numbers": Kind(Words, lambda: batches(shape=(7,), words=20)),
    "norm with activation": Kind(lambda: with_norms(True, nn.ReLU)),
    "channels last": Kind(ChannelsLast),
    "folded": Kind(Folded),
    "sequence first": Kind(SequenceFirst, _sequences),
    "tuple": Kind(Two),
    "tuple, chosen": Kind(Two, task={"output": lambda found: found[0]}),
    "dictionary": Kind(Named),
    "dictionary, chosen": Kind(Named, task={"output": lambda found: found["logits"]}),
    "regression": Kind(Net, targets, {"loss": functional.mse_loss}),
    "in place": Kind(InPlace),
    "memory": Kind(Memory),
    "chance": Kind(Chance),
    "compiled": Kind(_with(_compiled)),
    "DataParallel": Kind(_with(nn.DataParallel)),
    "checkpointing": Kind(Checkpointed),
    "squeezed": Kind(Squeezed),
    "float32 inside": Kind(Positions),
    "padding inside": Kind(lambda: padded(True)),
    "Hardswish": Kind(lambda: Net(nn.Hardswish)),
    "NaN weight": Kind(_with(_not_a_number)),
    "lazy": Kind(lambda: nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(CLASSES))),
}
"""Kinds of models, each with the batches that it takes."""
