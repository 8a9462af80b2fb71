"""Search spaces: what can be built. `get("nb201")` is the entry; third parties register through `nas_helm.spaces`.

Importing this room never imports torch; a space does so inside `build` only.
"""

from nas_core.options import option
from nas_core.spaces._registry import define, get, load_ours, names, register
from nas_core.spaces.base import (
    Act,
    Architecture,
    CellGraph,
    CellScale,
    Count,
    Decision,
    GraphEdge,
    ImageShape,
    InputShape,
    NoOptions,
    NoScale,
    Region,
    Scale,
    SearchSpace,
    Steering,
    SteeringConflict,
    TokenShape,
)

__all__ = [
    "Act",
    "Architecture",
    "CellGraph",
    "CellScale",
    "Count",
    "Decision",
    "GraphEdge",
    "ImageShape",
    "InputShape",
    "NoOptions",
    "NoScale",
    "Region",
    "Scale",
    "SearchSpace",
    "Steering",
    "SteeringConflict",
    "TokenShape",
    "define",
    "get",
    "load_ours",
    "names",
    "option",
    "register",
]
