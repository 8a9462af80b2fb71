"""Networks as people bring them, of torch alone: a CNN as in timm, a small ViT, an LSTM language model."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES, WORDS = 10, 40


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.expand(functional.silu(self.reduce(x.mean((2, 3), keepdim=True)))).sigmoid()


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze and excitation, projection, as in EfficientNet."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        wide = 4 * channels
        self.keeps = stride == 1 and channels == out
        self.conv_pw, self.bn1 = nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide)
        self.conv_dw = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.bn2, self.se = nn.BatchNorm2d(wide), SqueezeExcite(wide)
        self.conv_pwl, self.bn3 = nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.silu(self.bn1(self.conv_pw(x)))
        y = self.se(functional.silu(self.bn2(self.conv_dw(y))))
        y = self.bn3(self.conv_pwl(y))
        return x + self.drop(y) if self.keeps else y


class Convolutional(nn.Module):
    """A classifier whose head is defined before its blocks: the order of a pass is not that of the definition."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.classifier = nn.Linear(4 * width, CLASSES)
        self.conv_stem, self.bn1 = nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width)
        sizes = [(width, width, 1), (width, 2 * width, 2), (2 * width, 2 * width, 1), (2 * width, 4 * width, 2)]
        self.blocks = nn.Sequential(*(InvertedResidual(*size) for size in sizes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.blocks(functional.relu(self.bn1(self.conv_stem(x)))).mean((2, 3)))


class Block(nn.Module):
    """Attention and a perceptron over tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """Patches, a class token, positions, blocks of attention."""

    def __init__(self, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 8, 8)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 17, width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class Language(nn.Module):
    """An LSTM language model; logits (b, words, t), as cross-entropy takes them."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.encoder, self.drop = nn.Embedding(WORDS, width), nn.Dropout(0.1)
        self.rnn, self.decoder = nn.LSTM(width, width, 2, batch_first=True), nn.Linear(width, WORDS)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.decoder(self.drop(self.rnn(self.encoder(tokens))[0])).transpose(1, 2)


class WordsLast(Language):
    """The same with logits (b, t, words) in a tuple with its state, as many return them."""

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        hidden, state = self.rnn(self.encoder(tokens))
        return self.decoder(self.drop(hidden)), state[0]


def next_word(outputs: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of logits (b, t, words) against the next words (b, t)."""
    return functional.cross_entropy(outputs.flatten(0, 1), labels.flatten())


def first(found: tuple[Tensor, Tensor]) -> Tensor:
    """The logits of what `WordsLast` returns."""
    return found[0]


def images(count: int = 2, size: int = 8, side: int = 32) -> list[tuple[Tensor, Tensor]]:
    """Batches of images (size, 3, side, side) and their classes."""
    draw = torch.Generator().manual_seed(1)
    return [
        (torch.randn(size, 3, side, side, generator=draw), torch.randint(0, CLASSES, (size,), generator=draw))
        for _ in range(count)
    ]


def sentences(count: int = 2, size: int = 8, length: int = 12) -> list[tuple[Tensor, Tensor]]:
    """Batches of tokens (size, length) and the tokens that follow them."""
    draw = torch.Generator().manual_seed(2)
    texts = [torch.randint(0, WORDS, (size, length + 1), generator=draw) for _ in range(count)]
    return [(text[:, :-1], text[:, 1:]) for text in texts]


def build(kind: type[nn.Module], **sizes: int) -> nn.Module:
    """A network with weights that are always the same ones."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return kind(**sizes)


KINDS = {"convolutional": (Convolutional, images), "ViT": (Vit, images), "language model": (Language, sentences)}
"""Kinds of networks with what makes their batches."""
