# Triptych. `make demo` shows it, `make test` tests it; each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SEEDS ?= 10000
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help setup demo up screenshots test unit test-kurrentdb check fix proto baseline docs golden simulate soak bench bench-quick constraints clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment (.venv) from constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Triptych needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Python cannot make environments here. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing what Triptych needs into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[analysts,telegram]' --group dev
	@touch $@

demo: $(STAMP) ## run the main job from end to end, on real parts
	@$(BIN)/triptychd demo

up: $(STAMP) ## run everything, and print the address of the web gallery to open
	@$(BIN)/python -m demo.up

screenshots: $(STAMP) ## take the pictures of the web gallery in docs/images (needs Chromium)
	@$(BIN)/python -m tools.screenshots

test: $(STAMP) ## run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

unit: $(STAMP) ## run the unit tests only
	@$(BIN)/python -m pytest tests/unit

test-kurrentdb: $(STAMP) ## run the event store's suite on KurrentDB: the protocol server, and a real one if there is one
	@$(BIN)/python -m pytest tests/contract/event_store tests/contract/kurrentdb_server -k kurrentdb

check: $(STAMP) ## formatting, lint, types, import contracts, dependencies, protos, generated files fresh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/buf lint
	$(BIN)/python -m tools.protos check
	$(BIN)/python -m tools.protos breaking
	$(BIN)/python -m tools.docs check

fix: $(STAMP) ## format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proto: $(STAMP) ## generate gen/ from protos/
	$(BIN)/python -m tools.protos generate

baseline: $(STAMP) ## a release: what `buf breaking` compares with from now on
	$(BIN)/python -m tools.protos baseline

docs: $(STAMP) ## generate the pages that are made from the code
	$(BIN)/python -m tools.docs write

golden: $(STAMP) ## write golden files for new event types or versions (never over an existing one)
	$(BIN)/python -m tests.golden.generate

simulate: $(STAMP) ## prove the core under chaos: make simulate SEEDS=10000
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

soak: $(STAMP) ## kill real processes for a while: make soak MINUTES=10
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(STAMP) ## how fast it is, as ratios to what one would pick instead (15 minutes)
	@$(BIN)/python -m benchmarks

bench-quick: $(STAMP) ## the same with small sizes, to see that it works (2 minutes)
	@$(BIN)/python -m benchmarks --quick

constraints: ## pin what a fresh environment gets today
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/pip install --quiet --upgrade 'pip>=25.1'
	build/constraints/bin/pip install --quiet --editable '.[analysts,telegram]' --group dev
	(echo "# Every package of the development environment, pinned. Refresh with: make constraints"; \
	 build/constraints/bin/pip freeze --exclude-editable) > constraints.txt

clean: ## remove the environment and everything generated beside the sources
	rm -rf $(VENV) build dist artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis
