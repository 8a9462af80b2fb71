"""Who asks: the name the app was reached under, the machine, and the page that a browser asks for."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Request
from werkzeug.sansio.utils import host_is_trusted

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of this machine that no name server can point elsewhere."""

OTHER_HOST = "This app is not served under this host name; start it with --allowed-host NAME to add one."
OTHER_MACHINE = "This app answers its own machine only; docs/deployment.md says how others can be let in."
OTHER_ORIGIN = (
    "This request was made by a page of another site, so nothing was done; "
    "behind a proxy, pass the Host header on unchanged."
)

_SAFE = ("GET", "HEAD", "OPTIONS")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach the address `host`: a number, or "localhost"."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def host_name(host: str) -> str:
    """The name in a `Host` header, without its port; empty where it is no host.

    >>> host_name("Helm.example.org:8050"), host_name("[::1]:8050"), host_name("a/b")
    ('helm.example.org', '[::1]', '')
    """
    if not host_is_trusted(host):  # with no list it looks at the form only
        return ""
    name = host.lower()
    return name[: name.index("]") + 1] if name.startswith("[") else name.partition(":")[0]


def problem_of_caller(request: Request, names: Collection[str]) -> str:
    """Why a request is refused for where it comes from, in a sentence; empty where it is welcome.

    A name server can point any name at this machine (DNS rebinding), so the name is held against a list. Browsers say
    which page asks: with `Sec-Fetch-Site` where the connection can be trusted, and with `Origin` in every request that
    changes something. A page cannot alter either. Who sends neither is no browser; what a form could send all the same
    is refused, as the app takes JSON only, which needs a permission that no answer of ours gives.

    Args:
        request: the request.
        names: host names the app is served under, in lower case.
    """
    host = request.headers.get("Host", "")
    if host_name(host) not in names:
        return OTHER_HOST
    if request.remote_addr and not is_loopback(request.remote_addr):  # none: a Unix socket
        return OTHER_MACHINE
    return "" if _asked_by_our_page(request, host) else OTHER_ORIGIN


def _asked_by_our_page(request: Request, host: str) -> bool:
    site = request.headers.get("Sec-Fetch-Site", "")
    if request.method in _SAFE:
        opened = request.headers.get("Sec-Fetch-Mode") == "navigate"
        framed = request.headers.get("Sec-Fetch-Dest", "document") != "document"
        return site in ("", "none", "same-origin") or (opened and not framed)
    source = request.headers.get("Origin") or request.headers.get("Referer")
    return site in ("", "same-origin") and (source is None or _same_host(source, host))


def _same_host(address: str, host: str) -> bool:
    """Whether a page at `address` is served by `host`; a proxy may have added the encryption."""
    try:
        page, served = urlsplit(address), urlsplit(f"//{host}")
        port = _DEFAULT_PORTS[page.scheme]
        return (page.hostname, page.port or port) == (served.hostname, served.port or port)
    except (KeyError, ValueError):
        return False
