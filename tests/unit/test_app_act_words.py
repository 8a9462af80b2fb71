"""Acts in words for people."""

import pytest

from app.act_words import words
from nas_core.spaces import Act, Region

FOCUS = Region(must_have=(("edge 0→1", "nor_conv_3x3"),), must_not=(("edge 0→2", "none"),), ranges=(("flops", 1, 5),))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (Act("pin", "edge 0→1", ("nor_conv_3x3",)), "pin conv3 on edge 0→1"),
        (Act("prune", "*", ("none", "skip_connect")), "prune none or skip everywhere"),
        (Act("prune", "layer 1 conv 3x3", ("on",)), "prune layer 1 conv 3x3"),
        (Act("focus", region=FOCUS), "focus on conv3 on edge 0→1, without none on edge 0→2, 1 ≤ FLOPs ≤ 5"),
        (Act("focus", region=Region()), "focus on everything"),
        (Act("undo", target=2), "undo act 3"),
    ],
)
def test_an_act_is_told_by_the_names_that_bricks_bear(act, told):
    assert words(act) == told
