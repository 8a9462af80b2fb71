"""Benchmarks print figures and compare ratios within one run; `make bench` runs them, `make test` does not."""

from tests.browser.conftest import address, browser, context, page, playwright, store_url  # noqa: F401 - the same real server and browser
