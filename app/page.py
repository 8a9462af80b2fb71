"""Pages: what one is, and the registry that finds them: a package in `app/pages/`, or another distribution's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.selection import Viewed
from nas_core.registry import Registry

if TYPE_CHECKING:
    from dash import Dash

    from app.cockpit import Cockpit, View
    from app.truth import Truth

GROUPS = ("Explore", "Build", "Cost", "Learn", "")
"""What the rail gathers pages under, from top to bottom; what is in no group stands at the foot."""


@dataclass(frozen=True)
class Headline:
    """One sentence that answers a page's question from the data shown, and the press that acts on it."""

    finding: str
    """What was found, in a few words."""
    evidence: str = ""
    """The numbers behind it: interval, n."""
    action: str = ""
    """What the button says; none where it is empty."""
    press: tuple[object, ...] = ()
    """What a press on the button tells, see `app.presses.press`; or nothing, and `href` is followed."""
    href: str = ""
    """The page that a press opens, such as "/correlation"; the run stays."""
    why: str = ""
    """How it was computed, in a sentence or two."""


@dataclass(frozen=True)
class Step:
    """A step of the tour: a part of a page, and what it is for."""

    selector: str
    """CSS selector of the part, on its page or in the frame."""
    title: str
    text: str


@dataclass(frozen=True)
class Shown:
    """What a headline is written from: the run that is open, and what its scores are held against."""

    cockpit: Cockpit
    view: View
    truth: Truth | None
    arch: str | None = None


def no_headline(_shown: Shown) -> Headline | None:
    """The headline of a page that has none."""
    return None


def own_headline(_shown: Shown) -> Headline | None:
    """The headline of a page that writes its own with `app.headline.outputs`, as what it is made of is not in a run."""
    return None


@dataclass(frozen=True)
class Page:
    """A page of the app.

    Args:
        path: its address below the app's, such as "/layers".
        title: what the rail calls it; one word.
        question: what it answers; stands above the headline.
        layout: draws it, without data.
        register: registers its callbacks, called once an app.
        headline: answers the question for the open run, in a sentence; None where the page has nothing to say yet.
        group: one of `GROUPS`.
        place: rank within its group.
        icon: a class of `assets/icons.css` without `icon-`.
        about_run: whether it is about the run that is open; else the controls of a run are at rest.
        tour: what the tour shows of it, in order.
        viewed: what of it the address keeps and a tab remembers: axes, choices, the open tab.
    """

    path: str
    title: str
    question: str
    layout: Callable[[], Any]
    register: Callable[[Dash, Cockpit], None]
    headline: Callable[[Shown], Headline | None] = field(default=no_headline)
    group: str = ""
    place: int = 50
    icon: str = "page"
    about_run: bool = True
    tour: tuple[Step, ...] = ()
    viewed: tuple[Viewed, ...] = ()

    @property
    def name(self) -> str:
        """The page in ids of elements: `nav-layers`."""
        return self.title.lower()


_PAGES: Registry[Page] = Registry("page", "app.pages", group="nas_helm.pages")


def add(page: Page) -> Page:
    """Register a page of ours, under its path."""
    _PAGES.add(page.path, page)
    return page


def pages() -> list[Page]:
    """All pages in the order of the rail."""
    # A page of another package may have added itself, too.
    found = {shown.path: shown for shown in map(_PAGES.get, _PAGES.names())}
    return sorted(found.values(), key=lambda page: (_group(page), page.place, page.title))


def at(path: str | None) -> Page | None:
    """The page at an address below the app's; a slash at its end makes no difference."""
    wanted = "/" + (path or "").strip("/")
    return next((page for page in pages() if page.path == wanted), None)


def _group(page: Page) -> int:
    return GROUPS.index(page.group) if page.group in GROUPS else len(GROUPS) - 2
