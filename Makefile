# `make demo` and `make test` need Python >= 3.11 and make, and set up the rest by themselves.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?=
JOBS   ?= auto
DEMO_IMAGE := mandelbrot.png

# Tests start some thousand interpreters; without bytecode each of them would compile the sources again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check fix simulate chaos bench docs pictures clean

help: ## show this list
	@echo "Concurrent: make TARGET"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.with-samples ## render the Mandelbrot set on a cluster made of this machine
	@$(BIN)/concurrent demo

test: $(VENV)/.with-dev ## run the whole test suite (ARGS="-k name" for a part of it)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(ARGS)

check: $(VENV)/.with-dev ## lint, format, types and architecture rules
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest -q tests/architecture
	@echo "check: all good"

simulate: $(VENV)/.with-dev ## run many storms on simulated clusters (SEEDS=100000)
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000)

fix: $(VENV)/.with-dev ## let ruff repair and format what it can
	@$(BIN)/ruff check --fix --quiet; $(BIN)/ruff format --quiet

bench: $(VENV)/.with-bench ## measure Concurrent next to its peers (ARGS="--quick", ARGS="--list")
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.with-dev ## break a cluster of real processes and count its outcomes (MINUTES=5)
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),5) $(ARGS)

docs: $(VENV)/.with-docs ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "docs: open site/index.html"

pictures: $(VENV)/.with-dev ## take the documentation's pictures of the dashboard again (ARGS=DIRECTORY for all pages)
	@$(BIN)/python -m tests.browser.pictures $(ARGS)

clean: ## remove what the other targets made, .venv included
	@rm -rf $(VENV) site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis $(DEMO_IMAGE)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of optional dependencies; pyproject.toml decides what they contain.
$(VENV)/.with-%: pyproject.toml | $(BIN)/pip
	@echo "installing the $* dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable ".[$*]"
	@$(BIN)/python -m compileall -q src  # as pip does with what is not editable
	@touch $@

$(BIN)/pip:
	@PYTHON="$(PYTHON)" sh scripts/make-venv.sh $(VENV)
