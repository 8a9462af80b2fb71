"""Names with options: one spelling each, typed values, and one clear line for whatever cannot be meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.options import MOST, option, read, spelled, split_name


@dataclass(frozen=True)
class Kiln:
    """Options of every kind."""

    layers: int = option(8, least=1, most=64)
    seed: int = 0
    rate: float = 0.5
    share: float = option(0.1, least=0, most=1)
    dry: bool = False
    glaze: Literal["matt", "gloss"] = "matt"
    clay: str = "red"
    limit: int | None = None


@dataclass(frozen=True)
class Needy:
    size: int


def kiln(text: str) -> Kiln:
    name, texts = split_name(text)
    return read(Kiln, texts, of=name)


def canonical(text: str) -> str:
    return spelled(text.partition(":")[0], kiln(text))


def test_options_are_typed_and_those_left_out_have_their_defaults():
    assert kiln("kiln") == Kiln()
    found = kiln("kiln:layers=6,rate=1e-3,dry=true,glaze=gloss,clay=a/b-1.2,limit=5")
    assert found == Kiln(layers=6, rate=0.001, dry=True, glaze="gloss", clay="a/b-1.2", limit=5)
    assert type(found.layers) is int and type(kiln("kiln:rate=2").rate) is float
    assert kiln("kiln:limit=none").limit is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kiln", "kiln"),
        ("kiln:layers=8", "kiln"),
        ("kiln:limit=none,dry=false,glaze=matt", "kiln"),
        ("kiln:seed=3,layers=6", "kiln:layers=6,seed=3"),
        ("kiln:layers=06", "kiln:layers=6"),
        ("kiln:rate=0.50", "kiln"),
        ("kiln:rate=1.0", "kiln:rate=1"),
        ("kiln:rate=-0.0", "kiln:rate=0"),
        ("kiln:rate=1e-3", "kiln:rate=0.001"),
        ("kiln:seed=-0", "kiln"),
        ("kiln:dry=true", "kiln:dry=true"),
    ],
)
def test_every_choice_has_one_spelling_in_which_defaults_are_left_out(text: str, name: str):
    assert canonical(text) == name
    assert canonical(name) == name


@given(
    st.builds(
        Kiln,
        layers=st.integers(1, 64),
        seed=st.integers(-MOST, MOST),
        rate=st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x == 0 or 1e-200 < abs(x) < 1e200),
        share=st.floats(0, 1).filter(lambda x: x == 0 or x > 1e-9),
        dry=st.booleans(),
        glaze=st.sampled_from(["matt", "gloss"]),
        clay=st.from_regex(r"[A-Za-z0-9_.+/@-]{1,20}", fullmatch=True),
        limit=st.none() | st.integers(-MOST, MOST),
    )
)
def test_a_spelling_is_read_back_to_equal_options(options: Kiln):
    assert kiln(spelled("kiln", options)) == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kiln:", "'' is no option; expected option=value"),
        ("kiln:layers", "'layers' is no option; expected option=value"),
        ("kiln:layers=", "'layers=' is no option; expected option=value"),
        ("kiln:=3", "'=3' is no option; expected option=value"),
        ("kiln:layers=3,", "'' is no option; expected option=value"),
        ("kiln:layers=3,,seed=1", "'' is no option; expected option=value"),
        ("kiln:layers=3,layers=3", "option layers is given twice"),
        ("kiln:depth=3", "kiln has no option 'depth'; expected one of: layers, seed, rate"),
        ("kiln:layers=3.0", "option layers is '3.0'; expected a whole number from 1 to 64"),
        ("kiln:layers=many", "option layers is 'many'; expected a whole number from 1 to 64"),
        ("kiln:layers=nan", "option layers is 'nan'; expected a whole number"),
        ("kiln:layers=1_0", "option layers is '1_0'; expected a whole number"),
        ("kiln:layers=0x4", "option layers is '0x4'; expected a whole number"),
        ("kiln:layers=٣", "option layers is '٣'; expected a whole number"),
        ("kiln:layers=true", "option layers is 'true'; expected a whole number"),
        ("kiln:layers=0", "option layers is '0'; expected a whole number from 1 to 64"),
        ("kiln:layers=65", "option layers is '65'; expected a whole number from 1 to 64"),
        (f"kiln:seed={MOST + 1}", f"expected a whole number from -{MOST} to {MOST}"),
        ("kiln:seed=" + "9" * 100, "expected a whole number from"),
        ("kiln:seed=" + "9" * 5_000, "5010 characters long"),
        ("kiln:rate=nan", "option rate is 'nan'; expected a number"),
        ("kiln:rate=inf", "option rate is 'inf'; expected a number"),
        ("kiln:rate=-Infinity", "option rate is '-Infinity'; expected a number"),
        ("kiln:rate=1e999", "option rate is '1e999'; expected a number"),
        ("kiln:share=1.01", "option share is '1.01'; expected a number from 0 to 1"),
        ("kiln:dry=yes", "option dry is 'yes'; expected one of: true, false"),
        ("kiln:dry=True", "option dry is 'True'; expected one of: true, false"),
        ("kiln:glaze=shiny", "option glaze is 'shiny'; expected one of: matt, gloss"),
        ("kiln:clay=a;b", "option clay is 'a;b'; expected letters"),
        ("kiln: layers=3", "has white space; expected kiln:option=value"),
        ("kiln:layers= 3", "has white space"),
        ("kiln :layers=3", "has white space"),
        ("kiln:layers=3\n", "has white space"),
        ("kiln:clay=a\x00b", "expected letters"),
    ],
)
def test_what_cannot_be_meant_is_one_line_that_names_it(text: str, message: str):
    with pytest.raises(ValueError) as caught:
        kiln(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_option_without_a_default_is_asked_for():
    with pytest.raises(ValueError, match="oven needs option size; expected size=value"):
        read(Needy, {}, of="oven")
    assert read(Needy, {"size": "3"}, of="oven") == Needy(3)


def test_what_the_owner_refuses_says_whose_option_it_is():
    @dataclass(frozen=True)
    class Even:
        count: int = 2

        def __post_init__(self) -> None:
            if self.count % 2:
                raise ValueError(f"count is {self.count}; expected an even number")

    with pytest.raises(ValueError, match="pairs: count is 3; expected an even number"):
        read(Even, {"count": "3"}, of="pairs")


def test_a_value_that_cannot_be_read_back_is_not_spelled():
    with pytest.raises(ValueError, match="option rate is nan; expected a finite number"):
        spelled("kiln", Kiln(rate=float("nan")))
    with pytest.raises(ValueError, match="option clay is 'red, wet'"):
        spelled("kiln", Kiln(clay="red, wet"))
