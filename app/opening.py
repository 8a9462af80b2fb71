"""What a page shows from the first moment: the run, the candidate and the page of the address that asks for it.

The browser asks for the layout from the page that it will stand on, and says so (the header Referer). What is known
already then need not be asked for once it is drawn. Where it does not say so, or the address names what is not there,
everything is settled by the callbacks, as when an address changes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import has_request_context, request

from app import live, page, selection
from app.cockpit import Cockpit
from app.top_bar import chosen
from nas_core.store import StoreError


@dataclass(frozen=True)
class Opening:
    """What is known of a page before its first callback; None where it is not."""

    path: str | None = None
    """The page that is drawn, as an address of the browser; its layout and question stand in the document."""
    address: str = ""
    """The whole address, where run and candidate are settled by it."""
    run: str | None = None
    arch: str | None = None
    pulse: dict[str, Any] | None = None

    @property
    def shown(self) -> page.Page | None:
        """The page at `path`."""
        return page.at(selection.below(self.path)) if self.path is not None else None

    @property
    def location(self) -> dict[str, str]:
        """Properties of the address that the browser need not tell; none where it is to be looked at once more."""
        if not self.address:
            return {}
        search = urlsplit(self.address).query
        return {"href": self.address, "pathname": self.path or "", "search": f"?{search}" if search else ""}


NOTHING_KNOWN = Opening()


def asked_for(cockpit: Cockpit) -> Opening:
    """What the address tells from which the layout is asked for."""
    address = urlsplit(request.referrer or "") if has_request_context() else None
    if address is None or address.netloc != request.host:
        return NOTHING_KNOWN
    if page.at(selection.below(address.path)) is None:
        return NOTHING_KNOWN
    try:
        found = chosen(cockpit, address.query, None)
        if found.problem or not found.run:
            return Opening(address.path)
        return Opening(address.path, address.geturl(), found.run, found.arch, live.pulse_of(cockpit, found.run))
    except StoreError:
        return Opening(address.path)
