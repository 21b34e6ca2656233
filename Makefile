# `make demo` and `make test` need nothing but Python 3.11 or newer and make: each sets up what it
# uses in .venv. Name another interpreter with `make PYTHON=python3.12 …`.
PYTHON ?= python3
VENV ?= .venv
# Passed on to pytest by `make test`, such as ARGS=--require-all or ARGS="-k hata".
ARGS ?=
# A file of tests stays together, for its tests share what is slow to make.
AT_ONCE ?= --numprocesses=2 --dist=loadfile

RUN := $(VENV)/bin/python
CHECKS := lint types layers docs

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast $(CHECKS) doctest notebooks format bench run-bench images clean new-venv

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/installed-base ## plan the built-in study of Ankang; results in out
	$(RUN) -m ankang_coverage demo --out out

test: $(VENV)/installed-dev ## run every check, then the tests
	@failed=; \
	for check in $(CHECKS); do \
		echo "== $$check"; $(MAKE) --no-print-directory $$check || failed="$$failed $$check"; \
	done; \
	echo "== tests, notebooks, examples"; \
	$(RUN) -m pytest $(AT_ONCE) --nbmake --doctest-modules notebooks tests ankang_coverage $(ARGS) \
		|| failed="$$failed tests"; \
	test -z "$$failed" || { echo "make test: failed:$$failed" >&2; exit 1; }

test-fast: lint types layers ## for daily work: lint, types, layers, and the tests that are not slow
	$(RUN) -m pytest -q $(AT_ONCE) -m "not slow" tests $(ARGS)

lint: $(VENV)/installed-dev ## ruff: rules and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/installed-dev ## mypy on the package
	$(RUN) -m mypy

layers: $(VENV)/installed-dev ## import-linter: who may import whom
	$(VENV)/bin/lint-imports --no-logo

doctest: $(VENV)/installed-dev ## the examples in the docstrings
	$(RUN) -m pytest -q --doctest-modules ankang_coverage

docs: $(VENV)/installed-dev ## the documentation, in build/docs
	$(RUN) -m sphinx -q -E -W --keep-going -b html -d build/doctrees docs build/docs

notebooks: $(VENV)/installed-dev ## run the notebooks, without writing to them
	ANKANG_COVERAGE_STORE=build/store $(RUN) -m pytest -q --nbmake notebooks

format: $(VENV)/installed-dev ## put the code into the project's format
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: ## compare speed with other programs, in an environment of their own
	@$(MAKE) --no-print-directory VENV=.venv-bench run-bench

run-bench: $(VENV)/installed-bench
	$(RUN) benchmarks/bench_propagation.py $(ARGS)
	$(RUN) benchmarks/bench_planning.py

images: $(VENV)/installed-base ## draw the pictures in docs/images again
	$(RUN) docs/images.py
	$(RUN) docs/profile_image.py

clean: ## remove everything make has made, the environments too
	rm -rf .venv .venv-bench build dist out .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache docs/generated
	find ankang_coverage tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Setting up -------------------------------------------------------------------------------
# An environment counts as made only by its stamps, which are written last. A stamp names what the
# environment belongs to: this folder, and the interpreter (the one asked for, when one is named).
IDENTITY := import os, sys; print(os.getcwd(), sys.base_prefix, *sys.version_info[:3])
STAMPED := $(shell cat $(VENV)/installed-base 2>/dev/null)
ASKED := $(if $(filter file,$(origin PYTHON)),$(RUN),$(PYTHON))
ifeq ($(STAMPED),)
NEW := new-venv
else ifneq ($(STAMPED),$(shell $(ASKED) -c '$(IDENTITY)' 2>/dev/null))
NEW := new-venv
endif

# An interrupted change leaves no base stamp behind, so the next run starts from nothing.
define install
@echo "Installing ankang-coverage$(1) into $(VENV): about two minutes the first time"
@rm -f $(VENV)/installed-base
@$(RUN) -m pip --disable-pip-version-check -q install -c constraints.txt -e '.$(1)'
@$(RUN) -c '$(IDENTITY)' > $(VENV)/stamp
@mv $(VENV)/stamp $(VENV)/installed-base
endef

$(VENV)/installed-base: pyproject.toml constraints.txt $(NEW)
	$(call install,)

$(VENV)/installed-dev: pyproject.toml constraints.txt $(NEW)
	$(call install,[dev])
	@touch $@

$(VENV)/installed-bench: pyproject.toml constraints.txt $(NEW)
	$(call install,[bench])
	@touch $@

new-venv:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "$(PYTHON) is not installed: install Python 3.11 or newer, or name one with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: name a newer one, such as make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: on Debian or Ubuntu run apt-get install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
