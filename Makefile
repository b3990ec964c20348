# Everything from nothing but Python 3.11+ and make.
PYTHON ?= python3
PORT ?= 3000
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PLAYGROUND := $(VENV)/playground
.DEFAULT_GOAL := help
.PHONY: help demo demo-teams test cover setup check bench soak lock clean node-tools

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(BIN)/switchboard: requirements.txt requirements-embedded.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Switchboard needs Python 3.11 or newer; set PYTHON=" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-embedded.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(BIN)/switchboard
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(BIN)/switchboard ## a pretend Slack in a web page, with the bot inside; PORT= moves it
	@PORT=$(PORT) exec $(BIN)/switchboard demo

demo-teams: $(BIN)/switchboard ## the same account in Microsoft's own playground for Teams; needs Node.js 18 or newer
	@command -v npm >/dev/null || { echo "make demo-teams needs Node.js 18 or newer with npm: install it from https://nodejs.org, or run make demo, which needs neither" >&2; exit 2; }
	@$(MAKE) --no-print-directory $(PLAYGROUND)/.installed
	@PORT=$(PORT) exec $(BIN)/switchboard demo --teams

$(PLAYGROUND)/.installed: playground/teams/package.json playground/teams/package-lock.json
	@mkdir -p $(PLAYGROUND)
	@cp $^ $(PLAYGROUND)
	@npm ci --prefix $(PLAYGROUND) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

setup: $(VENV)/.dev ## the environment alone

node-tools: $(VENV)/node/.installed ## what some tests check the carrier's side with; needs Node.js 20 or newer

$(VENV)/node/.installed: tests/node/package.json tests/node/package-lock.json
	@mkdir -p $(VENV)/node
	@cp $^ $(VENV)/node
	@npm ci --prefix $(VENV)/node --ignore-scripts --no-audit --no-fund --silent
	@touch $@

test: $(VENV)/.dev ## the whole test suite, in WORKERS= processes
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

cover: $(VENV)/.dev ## the same, and the coverage: which lines and branches no test reaches
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov --cov-report term-missing

check: $(VENV)/.dev ## lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev ## the benchmarks, printed as ratios
	@$(BIN)/python -m bench

soak: $(VENV)/.dev ## 20,000 activities over Teams, and what they leave in memory
	@$(BIN)/python -m bench soak

clean: ## forget the environment (the demo's data stays)
	rm -rf $(VENV) build *.egg-info

LOCK := $(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock: ## renew the locked dependencies after a change of pyproject.toml
	@$(BIN)/python -m pip install --quiet pip-tools
	@$(LOCK) --extra build -o requirements.txt pyproject.toml
	@$(LOCK) --extra build --extra embedded --extra dev -o requirements-dev.txt pyproject.toml
	@$(LOCK) --extra build --extra embedded -c requirements-dev.txt -o $(VENV)/embedded.txt pyproject.toml
	@grep -vxFf requirements.txt $(VENV)/embedded.txt >requirements-embedded.txt # only what the extra adds
