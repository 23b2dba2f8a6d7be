# Each target works first on a machine with Python 3.11+, make and git, and installs only when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
CORES := $(shell getconf _NPROCESSORS_ONLN)
BIN := $(VENV)/bin

# Compiled once, not by each of the many processes of the tests.
unexport PYTHONDONTWRITEBYTECODE

# Workers take tests from each other; heavy ones go out one by one, those that share a server to one worker.
TEST = $(BIN)/python -m pytest -n $(WORKERS) --durations 10
# One more than there are cores, since some tests wait; two more where most wait for processes.
test-fast test-lowest test: WORKERS ?= $(shell expr $(CORES) + 1)
test-heavy: WORKERS ?= $(shell expr $(CORES) + 2)

.PHONY: run test test-fast test-heavy test-lowest lint bench screenshots clean

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# On a terminal: the app, with the default run already training. Elsewhere: the same run headless, and its evaluation.
run: $(VENV)/.installed
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/tui train; \
	else $(BIN)/tui train --no-ui && echo && echo "Open the app in a terminal: $(BIN)/tui"; fi

# While working.
test-fast: $(VENV)/.installed-dev
	$(TEST) --dist worksteal -m "not slow and not heavy"

test: $(VENV)/.installed-dev
	$(TEST) --dist worksteal -m "not heavy"

# The others: what starts many processes or servers, or trains for long.
test-heavy: $(VENV)/.installed-dev
	$(TEST) --dist loadgroup -m heavy

# The fast tests with the lowest versions that pyproject.toml declares, in an environment of their own.
$(LOWEST)/.installed: pyproject.toml
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --upgrade uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[dev]'
	touch $@

test-lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not heavy"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.install
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/.installed-dev
	$(BIN)/python docs/screenshots.py

clean:
	rm -rf $(VENV) $(LOWEST) dist build
