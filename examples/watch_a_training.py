"""Watch a training of your own: scores and gradient statistics of every layer, step after step, on the page Layers."""

import torch
from torch import nn
from torch.nn import functional

import nas_core
from nas_core import data
from nas_core.store import Store

STORE = "sqlite:///watched.db"


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
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    # Pairs of images (b, 3, 16, 16) and class numbers (b,), as your DataLoader gives them.
    loader = data.batches(data.load("digits"), count=40, size=32, side=16)

    watcher = nas_core.watch(model, loader[:2], name="my network", store=STORE, every=20)
    for images, labels in loader * 3:
        optimiser.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
        watcher.step()

    store = Store(STORE)
    film = store.snapshots(watcher.network.id)
    layers = [layer["layer"] for layer in store.structure(watcher.network.id).layers["zico"]]
    print(f"{watcher.network.name}: {len(film)} snapshots")
    print(f"{'step':>6} {'zico':>8}  mean |g| of layers {', '.join(layers)}")
    for snapshot in film:
        gradients = " ".join(f"{value:.2e}" for value in snapshot.layers["zico"]["mean_abs_grad"])
        print(f"{snapshot.step:6} {snapshot.values['zico']:8.2f}  {gradients}")
    print(f"see it: python -m app --store {STORE}, page Layers, Watched networks")
