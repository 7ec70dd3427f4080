# One command for each thing one does with this tree. Installs are made once and
# repeated only when pyproject.toml changes; nothing is fetched but packages from the index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
OUT ?= geminga-demo
PYTEST_ARGS ?= -n 2
FUZZ_SECONDS ?= 300

export MPLBACKEND ?= Agg

.DEFAULT_GOAL := help
.PHONY: help demo test validate fuzz trust-page lint types layers format docs bench changelog clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: $(VENV)/.installed-base  ## simulate, fit and plot a small field (no data needed)
	$(BIN)/geminga demo --out $(OUT)

test: $(VENV)/.installed-test  ## run the tests (set GAMMAPY_DATA to include those on real data)
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not slow"

validate: $(VENV)/.installed-test  ## run the long statistical studies
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m slow

fuzz: $(VENV)/.installed-fuzz  ## fuzz the readers of FITS files and text (FUZZ_SECONDS each)
	$(BIN)/python -m tests.fuzz.run fits $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.run text $(FUZZ_SECONDS)

trust-page: $(VENV)/.installed-test  ## write the page on bad inputs anew
	$(BIN)/python -m tests.trust.cases.page

lint: $(VENV)/.installed-dev  ## check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/.installed-dev  ## mend style and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/.installed-dev  ## check types
	$(BIN)/mypy

layers: $(VENV)/.installed-dev  ## check that imports go down only
	$(BIN)/lint-imports --config importlinter.ini

docs: $(VENV)/.installed-docs  ## build the documentation, examples executed, warnings are errors
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.installed-bench  ## compare times and answers with gammapy 2.1
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

changelog: $(VENV)/.installed-dev  ## show the changes that the next release will list
	$(BIN)/towncrier build --draft --version next

clean:  ## remove everything made by the other commands
	rm -rf $(VENV) .peer $(OUT) docs/_build docs/auto_examples docs/api/generated docs/sg_execution_times.rst
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; give one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed-base: $(VENV)/.created pyproject.toml
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-%: $(VENV)/.created pyproject.toml
	$(PIP) --editable '.[$*]'
	@touch $@
