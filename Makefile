# Every command a person or CI needs. `make demo` and `make test` work on a bare Debian 12 with Python 3.11 and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
PYTEST = AWS_CLI=$(CURDIR)/.venv-tools/bin/aws $(BIN)/pytest -n $(WORKERS) --dist worksteal
INSTALL := pip install --quiet --require-hashes -r
UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line -q

.PHONY: help setup setup-dev up demo test test-unit test-wire test-wire-old test-tools test-drills check docs format lock clean bench

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## Watch a bad release being caught and taken back (about a minute)
	@$(BIN)/penstock demo

up: setup ## Serve on http://127.0.0.1:4566 until Ctrl-C
	@$(BIN)/penstock up

setup: $(VENV)/.base ## Create .venv and install Penstock from the lock file
setup-dev: $(VENV)/.dev ## The same with the test and check tools

test: $(VENV)/.dev .venv-old/.done .venv-tools/.done .venv-ric/.done .node-ric/.done ## Everything, from a clean clone (about ten minutes on two cores)
	$(PYTEST) tests/drills tests/tools tests/wire tests/unit
	$(MAKE) --no-print-directory test-wire-old

test-unit: $(VENV)/.dev ## Unit and property tests
	$(PYTEST) tests/unit

test-wire: $(VENV)/.dev ## The newest boto3 against a running server
	$(PYTEST) tests/wire

test-wire-old: $(VENV)/.dev .venv-old/.done ## The boto3 of two years ago, the same tests
	PENSTOCK_PYTHON=$(CURDIR)/$(BIN)/python .venv-old/bin/pytest -n $(WORKERS) -m "not newest_only and not once" tests/wire

test-tools: $(VENV)/.dev .venv-tools/.done .venv-ric/.done .node-ric/.done ## The unmodified aws CLI and runtime clients
	$(PYTEST) tests/tools

test-drills: $(VENV)/.dev ## kill -9 in the middle of everything
	$(PYTEST) tests/drills

bench: $(VENV)/.dev .venv-bench/.done ## Measure beside a floor and others; about two minutes (BENCH=--full: ten)
	PYTHONPATH=src $(BIN)/python -m benchmarks $(BENCH)

check: $(VENV)/.dev ## Lint, format, types, layers, style: the same everywhere, under a minute
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n0 tests/style

format: $(VENV)/.dev ## Format and mend what can be mended by machine
	$(BIN)/ruff check --fix-only --exit-zero src tests benchmarks examples
	$(BIN)/ruff format src tests benchmarks examples

$(VENV)/.base: requirements/server.lock pyproject.toml
	@bash .ci/python-venv $(PYTHON) $(VENV)
	@echo "Installing Penstock into $(VENV) …"
	@$(BIN)/$(INSTALL) requirements/server.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.base
	@$(BIN)/$(INSTALL) requirements/dev.lock
	@touch $@

.venv-%/.done:
	@bash .ci/python-venv $(PYTHON) .venv-$*
	@.venv-$*/bin/$(INSTALL) $<
	@touch $@

.venv-old/.done: requirements/old-client.lock
.venv-tools/.done: requirements/tools.lock
.venv-ric/.done: requirements/runtime-clients.lock

.node-ric/.done: requirements/node-client/package-lock.json
	@bash .ci/node-client
	@touch $@
.venv-bench/.done: requirements/bench.lock

docs: $(VENV)/.dev ## Write the generated pages again
	$(BIN)/python -m penstock.app.compatibility > docs/compatibility.md

lock: ## Resolve the lock files again (needs uv)
	$(UV_COMPILE) pyproject.toml --group build -o requirements/server.lock
	$(UV_COMPILE) pyproject.toml --group dev -c requirements/server.lock -o requirements/dev.lock
	$(UV_COMPILE) requirements/old-client.in -o requirements/old-client.lock
	$(UV_COMPILE) requirements/tools.in -o requirements/tools.lock
	$(UV_COMPILE) requirements/runtime-clients.in -o requirements/runtime-clients.lock
	$(UV_COMPILE) requirements/bench.in -o requirements/bench.lock

clean: ## Remove what the targets above made
	rm -rf .venv .venv-* .node-ric .mypy_cache .ruff_cache .pytest_cache .hypothesis .build
