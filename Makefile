# Everything a newcomer needs: `make demo` and `make test`. Both set up .venv first, and are quick the second time.
# Needs: git, make and Python 3.11 or later with its venv module (Debian: apt-get install python3-venv).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(BIN)/uv --quiet --no-progress --system-certs

.PHONY: help setup system demo test lint types imports unit soak crash bench lock clean
help:
	@echo 'make demo    a real game day on a small shop, from playbook to postmortem (no root, no Docker)'
	@echo 'make test    lint, types, import rules and every test'
	@echo 'make soak    200 days with random kills, freezes, restarts and cuts; nothing may be left'
	@echo 'make bench   the speed table of docs/speed.md, measured on this machine'
	@echo 'make lock    resolve the dependencies again into requirements.lock'

setup: $(READY)

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'gameday needs Python 3.11 or later; this is' `$(PYTHON) --version`'. Say which with: make PYTHON=python3.12 …' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'this Python has no venv module. Install it: apt-get install python3-venv' >&2; exit 2; }
	@echo 'Setting up .venv (the first time only)…'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --no-deps --editable .
	@touch $(READY)

demo: setup
	@$(BIN)/python -m demo

# What Debian packages the tests use beside the wheels; without them their tests skip by name. Installed in CI only, where a skip is a failure.
PACKAGES := prometheus prometheus-alertmanager docker.io systemd util-linux openssl iproute2 nftables qemu-system-x86 busybox-static cpio kmod e2fsprogs
system:
	@if [ -n "$$CI" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(PACKAGES) >/dev/null 2>&1; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null; fi

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo 'not formatted: run .venv/bin/ruff format .' >&2; exit 1; }

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports --no-logo

unit: setup system
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

test: lint types imports unit

soak: setup
	@$(BIN)/python -m tests.rigs.soak --rounds 200

# Each single crash boundary of each kind, where `make test` has time for each n-th one of those whose steps cost a program: hours.
crash: setup system
	@GAMEDAY_CRASH_EVERY=all $(BIN)/python -m pytest -q -n 2 tests/activities/test_crash_boundaries.py tests/activities/test_crash_boundaries_of_undo.py

bench: setup
	@$(BIN)/python -m benchmarks

lock: $(BIN)/uv
	@$(UV) pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --output-file requirements.lock
	@printf 'hatchling>=1.27\n' | $(UV) pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file deploy/build.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
