"""A game of the arena in a real browser: by hand and by keyboard, hidden until the end, then everything."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect


def begin(page: Page, address: str, budget: int, seed: int = 1) -> None:
    page.goto(f"{address}/arena")
    expect(page.locator("#arena-data")).to_have_value(
        "published/cifar10 · validation accuracy, %", timeout=30_000
    )  # the results are read once
    page.locator("#arena-budget").fill(f"{budget}")
    page.locator("#arena-seed").fill(f"{seed}")
    page.locator("#btn-arena-new").click()
    expect(page.locator("#arena-bricks .brick")).to_have_count(30)
    expect(page.locator("#arena-state")).to_have_text(f"0 of {budget} evaluated")


def evaluate(page: Page, how: str) -> None:
    done = page.locator(".entry").count()
    page.locator(f"#btn-arena-{how}").click()
    expect(page.locator(".entry")).to_have_count(done + 1)


def test_a_game_from_the_first_brick_to_the_reveal(address, page, shoot):
    begin(page, address, 5)
    expect(page.locator("#btn-arena-mutate")).to_be_disabled()
    expect(page.locator("#arena-scoreboard")).to_contain_text("hidden until the end")

    brick = page.get_by_role("button", name="nor_conv_3x3 on edge 0→3")
    brick.focus()
    page.keyboard.press("Enter")
    expect(brick).to_have_attribute("aria-pressed", "true")
    expect(brick).to_be_focused()
    expect(page.locator("#arena-known")).to_have_text("not evaluated yet")
    evaluate(page, "bricks")
    expect(page.locator("#arena-told")).to_contain_text(re.compile(r"Evaluation 1: \d\d\.\d\d, regret"))
    page.locator("#btn-arena-bricks").click()
    expect(page.locator("#arena-told")).to_contain_text("evaluated this one before")
    evaluate(page, "mutate")
    evaluate(page, "score")
    expect(page.locator(".entry .how").filter(has_text="assisted")).to_have_count(1)
    expect(page.locator("#arena-race .legendtext")).to_have_count(0)

    page.locator(".mantine-Switch-root", has_text="show the opponents").click()
    expect(page.locator("#arena-race .legendtext")).to_have_count(4)
    expect(page.locator("#arena-scoreboard")).not_to_contain_text("hidden")
    page.locator(".mantine-Switch-root", has_text="show the opponents").click()
    expect(page.locator("#arena-scoreboard")).to_contain_text("hidden until the end")

    # Another page and back: the game goes on, and the last press is not made again.
    page.locator("#nav-runs").click()
    expect(page.locator("#btn-new-open")).to_be_visible()
    page.locator("#nav-arena").click()
    expect(page.locator("#arena-state")).to_have_text("3 of 5 evaluated")
    page.reload()
    expect(page.locator("#arena-state")).to_have_text("3 of 5 evaluated")
    expect(page.locator("#arena-budget")).to_have_value("budget 5")
    expect(page.locator("#arena-seed")).to_have_value("seed 1")
    evaluate(page, "random")
    page.locator("#btn-arena-random").click()

    expect(page.locator("#arena-state")).to_have_text("over after 5 of 5 evaluated")
    expect(page.locator("#arena-verdict")).to_contain_text(re.compile("You came (first|second|third|last) of four"))
    expect(page.locator("#arena-known")).to_contain_text("truly 91.61, 0.00 short of the best there is")
    expect(page.locator("#arena-bricks .brick .bar")).to_have_count(30)
    expect(page.locator("#arena-moves")).to_be_hidden()
    expect(page.locator("#arena-race .legendtext")).to_have_count(4)
    page.get_by_role("button", name="lay the bricks like evolution").click()
    expect(page.locator("#arena-known")).not_to_contain_text("91.61")
    shoot(page, "arena-over")


@pytest.mark.long
def test_bricks_laid_faster_than_the_answers_all_lie(address, page, late):
    begin(page, address, 5)
    late("arena-draft.data")
    bricks = [page.locator(f'[data-press="arena:brick:{edge}:{edge % 4}"]') for edge in range(6)]
    for brick in bricks:
        brick.click()
    page.locator("#btn-arena-bricks").click()
    expect(page.locator(".entry")).to_have_count(1, timeout=15_000)
    for brick in bricks:
        expect(brick).to_have_attribute("aria-pressed", "true")


@pytest.mark.long
def test_giving_up_reveals_and_equal_seeds_meet_equal_opponents(address, page):
    boards = []
    for _ in range(2):
        begin(page, address, 8, seed=4)
        evaluate(page, "random")
        page.locator("#btn-arena-end").click()
        expect(page.locator("#arena-state")).to_have_text("over after 1 of 8 evaluated")
        boards.append(page.locator("#arena-scoreboard").inner_text())
    assert boards[0] == boards[1]


def test_rules_that_make_no_game_are_refused_in_words(address, page):
    page.goto(f"{address}/arena")
    expect(page.locator("#arena-data")).to_have_value(
        "published/cifar10 · validation accuracy, %", timeout=30_000
    )  # the results are read once
    page.locator("#arena-budget").fill("")
    page.locator("#btn-arena-new").click()
    expect(page.locator("#arena-told")).to_contain_text("expected a whole number from 1 to 200")
    page.locator("#arena-data").click()
    page.get_by_role("option", name="published/cifar100").click()
    expect(page.locator("#arena-data")).to_have_value("published/cifar100 · validation accuracy, %")
    page.reload()
    expect(page.locator("#arena-data")).to_have_value("published/cifar100 · validation accuracy, %", timeout=30_000)


@pytest.mark.long
def test_the_headline_names_the_winner_and_the_next_round_begins_with_one_press(address, page):
    begin(page, address, 2, seed=6)
    expect(page.locator("#headline")).to_contain_text("Too early: 0 of 2 evaluations made")
    evaluate(page, "random")
    expect(page.locator("#headline")).to_contain_text("1 of 2 evaluations made; your best is")
    page.locator("#btn-arena-random").click()
    expect(page.locator("#headline")).to_contain_text(re.compile("(You win|wins) with .*of 3 machines"))
    page.locator("#headline-acts").get_by_role("button", name="Next round").click()
    expect(page.locator("#arena-state")).to_have_text("0 of 2 evaluated")
    expect(page.locator("#arena-seed")).to_have_value("seed 7")
    page.locator("#nav-template").click()
    expect(page.locator("#headline")).to_contain_text("different networks")
    page.locator("#nav-arena").click()
    expect(page.locator("#headline")).to_contain_text("Too early: 0 of 2 evaluations made")
