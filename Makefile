# Each target works first on a machine with Python 3.11+, make and git, and installs only when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
# Processes that test: one more than there are cores, since many wait for others.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
BIN := $(VENV)/bin

# Workers take tests from each other; heavy ones go out one by one, those that share a server to one worker.
TEST := $(BIN)/python -m pytest -n $(WORKERS) --durations 10

.PHONY: run test test-fast test-heavy lint bench screenshots clean

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
	rm -rf $(VENV) dist build
