# Everything here prepares what it needs: a private environment in .venv, installed once from the
# hash-locked requirements. `make` alone lists what there is.

VENV   := .venv
PY     := $(VENV)/bin/python
# Tests wait more than they compute: five at a time, each file in one process, slow files first.
JOBS   := 5
PYTEST := $(PY) -m pytest -p tests.support.skips -p tests.support.order -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test again quick lint format bench control docs lock venus-bundle clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## run Heliograph; without ARGS a simulated house (ARGS="--config house.yaml")
	@exec $(PY) -m bridge run $(ARGS)

test: $(VENV)/.dev ## the whole test suite (ARGS="tests/contract -x" for a part)
	@$(PYTEST) $(ARGS)

again: $(VENV)/.dev ## what failed in the last `make test`, one after the other, if it is little
	@tools/again.sh $(PY)

quick: $(VENV)/.dev ## the tests without the slow ones
	@$(PYTEST) -q -m "not slow" $(ARGS)

lint: $(VENV)/.dev ## style, types, import rules, and that generated files are up to date
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(PY) -m bridge topics --check

format: $(VENV)/.dev ## format the code and repair what can be repaired without judgement
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(VENV)/.dev ## measure latency, start-up, memory and throughput (needs mosquitto)
	@$(PY) -m bench $(ARGS)

control: $(VENV)/.runtime ## how well the sun is shared, into docs/control.md (SCENARIOS=folder, ARGS="--jobs 1")
	@$(PY) tools/control.py $(if $(SCENARIOS),--scenarios "$(SCENARIOS)") $(ARGS)

docs: $(VENV)/.runtime ## write what is generated from topics.yaml
	@$(PY) -m bridge topics --write

lock: ## lock the requirements again after a change in pyproject.toml (UPGRADE=1: newest versions)
	@tools/lock.sh

venus-bundle: $(VENV)/.runtime ## the archives that install on a Victron GX, into dist/ (deploy/venus)
	@$(PY) tools/venus_bundle.py $(ARGS)

clean: ## remove the environment, caches and builds
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is as new as the lock file it installed; the development environment holds the runtime too.
$(VENV)/.runtime: requirements.txt tools/venv.sh
	@tools/venv.sh $(VENV) requirements.txt $@

$(VENV)/.dev: requirements-dev.txt tools/venv.sh
	@tools/venv.sh $(VENV) requirements-dev.txt $@
