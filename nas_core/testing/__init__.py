"""The contracts of spaces, proxies and strategies as checks that anybody can run on their own.

`check_proxy("my_score")` returns a `Report` or raises a `ContractError`, one line that says what is broken and what was
expected. Each takes a registered name or the thing itself; `python -m nas_core check` does the same from a shell.
"""

from nas_core.testing._contract import ContractError, Report
from nas_core.testing._proxy import check_proxy
from nas_core.testing._space import check_space
from nas_core.testing._strategy import check_strategy

__all__ = ["ContractError", "Report", "check_proxy", "check_space", "check_strategy"]
