# Every command a person or CI needs. `make demo` and `make test` work on a bare Debian 12 with Python 3.11 and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto

.PHONY: help setup setup-dev up demo test test-unit test-wire test-tools test-drills check format lock clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.base: requirements.lock pyproject.toml
	@bash .ci/python-venv $(PYTHON) $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.base
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.base ## Create .venv and install Penstock from the lock file
setup-dev: $(VENV)/.dev ## The same with the test and check tools

test-unit: $(VENV)/.dev ## Unit and store tests
	$(BIN)/pytest -n $(WORKERS) tests/unit

check: $(VENV)/.dev ## Lint, format, types, layers, style: the same everywhere, under a minute
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n0 tests/style

format: $(VENV)/.dev ## Format and mend what can be mended by machine
	$(BIN)/ruff check --fix-only --exit-zero src tests benchmarks examples
	$(BIN)/ruff format src tests benchmarks examples

lock: ## Resolve the lock files again (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line -q -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line -q -o requirements-dev.lock

clean: ## Remove what the targets above made
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .build
