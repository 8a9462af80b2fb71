# Two commands do everything: `make run` and `make test`. Both build the environment in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-long check bench compare docs browser clean

run: $(VENV)/.run
	$(BIN)/python -m app

test: $(VENV)/.dev browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unit -m "not long" -n auto
	$(BIN)/python -m pytest tests/integration -m "not long" -n 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest tests/browser -m "not long" -n 2 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/.dev browser
	$(BIN)/python -m pytest -m long --timeout=3600

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev browser
	$(BIN)/python -m pytest tests/benchmarks -s

compare: $(VENV)/.dev browser
	$(BIN)/python tests/benchmarks/compare.py $(OLD)

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict

# Chromium's headless shell starts pages sooner than the whole browser, which will do where there is no other.
browser:
	@command -v chromium-headless-shell >/dev/null || { \
	  echo "installing chromium for the browser tests"; \
	  [ "$$(id -u)" = 0 ] && root= || root=sudo; \
	  { $$root apt-get update -qq && $$root apt-get install -y -qq chromium-headless-shell; } \
	  || command -v chromium || { $$root apt-get install -y -qq chromium; }; }

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt pyproject.toml setup.py | $(VENV)/bin/python
	$(BIN)/pip install -q -r requirements-dev.txt
	$(BIN)/pip install -q --no-deps -e .
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build *.egg-info
