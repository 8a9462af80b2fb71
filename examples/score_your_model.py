"""Score a model of your own without training it. Any torch module that maps images to class scores will do."""

import torch
from torch import nn

from nas_core import data, proxies

SCORES = ["params", "flops", "zico", "naswot", "synflow"]


def my_model() -> nn.Module:
    """A small network for images with 3 channels and 10 classes."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


if __name__ == "__main__":
    torch.manual_seed(0)
    model = my_model()

    # Batches are pairs of images (b, 3, 16, 16) and class numbers (b,). Yours may come from a DataLoader:
    # batches = [next(iter(loader)) for _ in range(2)]
    batches = data.batches(data.load("digits"), count=2, size=16, side=16)

    # All scores at once share their forward and backward passes. The model is left exactly as it was.
    found = proxies.score_many(model, batches, SCORES)
    for name, score in found.items():
        print(f"{name:8} {score.value:12.3f}   more is better: {'yes' if proxies.higher_is_better(name) else 'no'}")

    print("\nZiCo layer by layer:")
    print(found["zico"].layers.round(3).to_string(index=False))
