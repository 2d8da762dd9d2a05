# Each target does all of its own set-up in a fresh clone.
#   make run        train on the embedded digits and write everything to runs/
#   make test       lint, strict types, tests
#   make check-all  the same and the slow tests
# The build of PyTorch is a choice: see "Which PyTorch" in README.md.
PYTHON ?= python3
VENV   ?= .venv
TORCH  ?= torch==2.13.0
BIN    := $(VENV)/bin

.PHONY: run test check-all lint types clean
.DELETE_ON_ERROR:

$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

run: $(VENV)/.installed
	$(BIN)/tidepool run

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

test: lint types
	$(BIN)/pytest -m "not slow"

check-all: lint types
	$(BIN)/pytest

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
