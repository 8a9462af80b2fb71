"""Headers of every answer: what a browser must not do with our pages."""

from __future__ import annotations

from collections.abc import Iterable


def headers(script_hashes: Iterable[str]) -> dict[str, str]:
    """The protecting headers.

    Args:
        script_hashes: inline scripts that may run, each as `'sha256-...'`.
    """
    return {
        "Content-Security-Policy": content_security_policy(script_hashes),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def content_security_policy(script_hashes: Iterable[str]) -> str:
    """What a page may load and run: its own files and nothing else, with the exceptions that its libraries need."""
    allowed = {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'unsafe-eval'", *script_hashes],  # plotly compiles what draws its WebGL dots
        "style-src": ["'self'", "'unsafe-inline'"],  # plotly, AG Grid and Mantine write style elements and attributes
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in allowed.items())
