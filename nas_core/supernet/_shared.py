"""The supernet itself: a space's own network in which every cell holds one module an operation. Needs torch.

A space of another kind joins by a method `supernet(input=, classes=, scale=)` that returns a `SharedWeights`.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from torch import Tensor, nn

from nas_core.spaces import Architecture, InputShape, SearchSpace
from nas_core.spaces.shared_weights import AveragePool, Cell, SharedCells, used_edges


class SharedWeights(Protocol):
    """What training, ranking and few-shot supernets ask of a supernet; it is an `nn.Module` besides.

    `take_stem`, as in `SharedCells`, is optional: ranking then runs the stem once for all paths.
    """

    def __call__(self, images: Tensor, arch: Architecture) -> Tensor:
        """Logits (batch, classes) of images (batch, channels, height, width); runs what `arch` chooses and no more."""

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """The weights that only paths with this choice train."""


class SharedCell(Cell):
    """A cell that runs any path: `operations[edge][choice]` are its modules, `choose` says which take part.

    Edges and nodes are those of `Cell`, whose forward pass it inherits.
    """

    def __init__(self, cells: list[Cell]) -> None:
        nn.Module.__init__(self)  # the edges of a plain cell are one module each, ours are lent by `choose`
        self.outputs, self.stride = cells[0].outputs, cells[0].stride
        self.operations = nn.ModuleList(
            nn.ModuleList(cell.edges[edge] for cell in cells) for edge in range(len(cells[0].edges))
        )
        self.choose((0,) * len(self.operations))

    def normalise_pools(self) -> None:
        """Follow every pooling by a batch normalisation without weights."""
        for choices in cast(list[nn.ModuleList], list(self.operations)):
            for choice, operation in enumerate(choices):
                if isinstance(operation, AveragePool):
                    choices[choice] = nn.Sequential(operation, nn.BatchNorm2d(self.outputs, affine=False))
        self.choose(self.choices)

    def choose(self, arch: Architecture) -> None:
        """Run the operations of `arch` from now on."""
        self.choices, self._runs = arch, used_edges(arch)
        self.edges = [  # a plain list: the modules are registered in `operations`
            cast(nn.ModuleList, edge)[choice] for edge, choice in zip(self.operations, arch, strict=True)
        ]


class CellSupernet(SharedCells):
    """Shared weights of a space whose network is made of cells; weights are drawn by the space's own network.

    With `normalise_pools` every pooling is followed by a batch normalisation without weights, which the networks of
    the space do not have. Convolutions are normalised; beside them pooled features have whatever scale their path
    gave them, and short trainings rank cells that pool too high. Source: Liu et al., DARTS, ICLR 2019, whose mixed
    operations do the same.
    """

    def __init__(
        self, space: SearchSpace, *, input: InputShape, classes: int, scale: Any, normalise_pools: bool = True
    ) -> None:
        edges = len(space.decisions)
        networks = [
            space.build((choice,) * edges, input=input, classes=classes, scale=scale)
            for choice in range(len(space.decisions[0].choices))
        ]
        shared = networks[0]
        for name in [name for name, module in shared.named_modules() if isinstance(module, Cell)]:
            parent, _, child = name.rpartition(".")
            setattr(
                shared.get_submodule(parent),
                child,
                SharedCell([cast(Cell, network.get_submodule(name)) for network in networks]),
            )
        super().__init__(shared)
        self._cells = [module for module in shared.modules() if isinstance(module, SharedCell)]
        if normalise_pools:
            for cell in self._cells:
                cell.normalise_pools()

    def choose(self, arch: Architecture) -> None:
        for cell in self._cells:
            cell.choose(arch)

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """The weights that only paths with this choice train, over all cells; none for pooling and the like."""
        return [
            weight
            for cell in self._cells
            for weight in cast(nn.ModuleList, cell.operations[decision])[choice].parameters()
        ]


class SingleNetwork(nn.Module):
    """One network in the place of shared weights: it runs whatever path is asked for."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, arch: Architecture) -> Tensor:
        return self.network(images)

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """None: no choice is left to it."""
        return []


def build(
    space: SearchSpace, *, input: InputShape, classes: int, scale: Any, normalise_pools: bool = True
) -> nn.Module:
    """A fresh supernet over `space`, drawn from torch's global generator; it is a `SharedWeights`.

    `normalise_pools` concerns spaces whose network is made of cells; see `CellSupernet`.

    Raises:
        ValueError: the space has no supernet.
    """
    own = getattr(space, "supernet", None)
    if own is not None:
        return own(input=input, classes=classes, scale=scale)
    choices = {decision.choices for decision in space.decisions}
    uniform = (0,) * len(space.decisions)
    if len(choices) == 1 and space.valid(uniform):
        network = space.build(uniform, input=input, classes=classes, scale=scale)
        if any(isinstance(module, Cell) and len(module.edges) == len(uniform) for module in network.modules()):
            return CellSupernet(space, input=input, classes=classes, scale=scale, normalise_pools=normalise_pools)
    raise ValueError(
        f"space {space.name} has no supernet; expected cells with one operation a decision, as in nb201, "
        "or a method supernet(input=, classes=, scale=)"
    )
