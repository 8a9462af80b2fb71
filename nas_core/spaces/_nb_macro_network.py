"""The network of NAS-Bench-Macro (Su et al. 2021, after `train/model.py` of its repository). Needs torch."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from nas_core.spaces._nb_macro_layers import EXPANSION, IDENTITY, KERNEL, LAST, STAGES, STARTS
from nas_core.spaces.parts import Architecture


class InvertedBottleneck(nn.Module):
    """Expand by 1 x 1, filter every channel, project by 1 x 1; a shortcut where the shape stays (MobileNetV2)."""

    def __init__(self, inputs: int, outputs: int, *, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, kernel, stride=stride, padding=kernel // 2, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        value = self.branch(features)
        return features + value if self.shortcut else value


def _layer(choice: int, inputs: int, outputs: int, stride: int) -> nn.Module:
    if choice != IDENTITY:
        return InvertedBottleneck(inputs, outputs, expansion=EXPANSION[choice], kernel=KERNEL[choice], stride=stride)
    if stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))


def _conv_norm_relu(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Network(nn.Module):
    """Stem, eight layers in three stages, a wide 1 x 1 convolution, global pooling, linear head."""

    def __init__(self, arch: Architecture, *, image_channels: int, classes: int, channels: int) -> None:
        super().__init__()
        self.stem = _conv_norm_relu(image_channels, channels, 3)
        layers: list[nn.Module] = []
        width = channels
        for position, choice in enumerate(arch):
            starts = position in STARTS
            layers.append(_layer(choice, width, 2 * width if starts else width, 2 if starts else 1))
            width = 2 * width if starts else width
        self.layers = nn.Sequential(*layers)
        self.last = _conv_norm_relu(width, LAST * channels, 1)
        self.classifier = nn.Linear(LAST * channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.last(self.layers(self.stem(images)))
        return self.classifier(features.mean(dim=(2, 3)))


class SharedNetwork(nn.Module):
    """All operations of every layer at once; a path runs one a layer. See `nas_core.supernet.SharedWeights`."""

    def __init__(self, *, image_channels: int, classes: int, channels: int) -> None:
        super().__init__()
        layers = sum(STAGES)
        networks = [
            Network((choice,) * layers, image_channels=image_channels, classes=classes, channels=channels)
            for choice in range(1 + max(EXPANSION))
        ]
        self.stem, self.last, self.classifier = networks[0].stem, networks[0].last, networks[0].classifier
        self.layers = nn.ModuleList(
            nn.ModuleList(network.layers[layer] for network in networks) for layer in range(layers)
        )

    def forward(self, images: Tensor, arch: Architecture) -> Tensor:
        features = self.stem(images)
        for operations, choice in zip(self.layers, arch, strict=True):
            features = cast(nn.ModuleList, operations)[choice](features)
        return self.classifier(self.last(features).mean(dim=(2, 3)))

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """The weights that only paths with this choice train; none for an identity that keeps the shape."""
        return list(cast(nn.ModuleList, self.layers[decision])[choice].parameters())
