# Two commands do all the set-up: `make run` and `make test`. `make help` tells the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n)
ARGS ?=
# One more than there are cores, and at most five: tests wait for servers and browsers half of their time.
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 5 || echo $$((n + 1)))
# Tests that ask for minutes: each odd request there is against a real server, the arithmetic of explanations (shap on the
# same rows), each estimator that compiles, commands in processes of their own, the tutorial from end to end, and in the
# browser axe on every page, every type of value, every screen and panel.
SLOW := $(addprefix tests/,test_tutorial.py) \
	$(addprefix tests/model_api/,corpus examples explanations publishing/compiling publishing/lowering test_cli.py test_packages.py) \
	$(addprefix tests/e2e/test_,about.py accessibility.py api_docs.py every_kind.py every_size.py model_package.py \
	panels_of_trust.py promotion.py)
# Tests that draw their requests: `make fuzz` runs them, with more draws than there is time for in `make test`.
GENERATED := tests/model_api/test_properties.py tests/model_api/protocols/test_mutations.py

ifdef UV
MAKE_VENV = uv venv --quiet --allow-existing --seed --python $(PYTHON) $(VENV)
INSTALL = uv pip install --quiet --python $(BIN)/python -c constraints.txt
else
MAKE_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
endif

.DEFAULT_GOAL := help
.PHONY: help run test lint types unit e2e attacks conformance fuzz proofs soak bench bench-bulk bench-compiling bench-explanations bench-page screenshot wheel clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runs ## set up, publish the embedded models if absent, start both services (ARGS="--api-port 8001")
	@exec $(BIN)/servery run $(ARGS)

# There are as many test workers as cores, and one more: threads of OpenMP on top of them would only wait for each other.
unit e2e fuzz proofs: export OMP_NUM_THREADS := 1

test: lint types unit e2e ## set up with a real browser, then lint, types, unit, API and browser tests

lint: $(VENV)/.tests ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tests ## check types
	$(BIN)/mypy

unit: $(VENV)/.tests ## run the unit and API tests
	$(BIN)/python -m pytest tests --ignore tests/e2e --ignore tests/attacks --ignore tests/conformance --ignore tests/fuzz --ignore tests/soak $(SLOW:%=--ignore %) $(GENERATED:%=--ignore %) -n $(WORKERS) --dist loadfile $(ARGS)

e2e: $(VENV)/.browser ## run the browser tests
	$(BIN)/python -m pytest tests/e2e $(SLOW:%=--ignore %) -n $(WORKERS) --dist loadfile $(ARGS)

attacks: $(VENV)/.tests ## drop bad artifacts into a served folder, and trace that nothing in them runs (installs strace)
	@command -v strace >/dev/null || $(AS_ROOT) sh -c 'apt-get -qq update && apt-get -qq install -y strace'
	$(BIN)/python -m pytest tests/attacks $(ARGS)

conformance: $(VENV)/.tests ## ask the service with real clients, each in its own environment; writes bench/conformance.md
	$(BIN)/python tests/conformance/environments.py
	$(BIN)/python -m pytest tests/conformance $(ARGS)

fuzz: $(VENV)/.tests ## draw thousands of requests from the OpenAPI document, and thousands of rows from signatures
	$(BIN)/python tests/conformance/environments.py schemathesis
	$(BIN)/python -m pytest tests/fuzz $(ARGS)
	SERVERY_EXAMPLES=100 $(BIN)/python -m pytest $(GENERATED) -n $(WORKERS) $(ARGS)

proofs: $(VENV)/.browser ## run the tests that ask for minutes: each odd request, shap on the same rows, every page and type
	$(BIN)/python -m pytest $(SLOW) -n $(WORKERS) --dist loadfile $(ARGS)

soak: $(VENV)/.tests ## swap versions, end and overload the service, each under load and for minutes
	$(BIN)/python -m pytest tests/soak $(ARGS)

bench: $(VENV)/.tests ## measure the model service beside a floor and the tutorial (installs wrk); writes bench/results.md
	@command -v wrk >/dev/null || $(AS_ROOT) sh -c 'apt-get -qq update && apt-get -qq install -y wrk'
	$(BIN)/python bench/serving.py $(ARGS)

bench-page: $(VENV)/.browser ## measure page and prediction beside bare Flask; writes bench/page.md
	$(BIN)/python bench/page.py $(ARGS)

bench-bulk: $(VENV)/.tests ## measure tables and `servery score` beside pandas; writes bench/bulk.md (ARGS=--long)
	PYTHONPATH=. $(BIN)/python bench/bulk.py $(ARGS)

bench-compiling: $(VENV)/.tests ## compile 116 combinations and time them beside scikit-learn; writes bench/compiling.md
	$(BIN)/python bench/compiling.py $(ARGS)

bench-explanations: $(VENV)/.browser ## measure explanations: time, coverage, trust, counterfactuals, the slider; writes bench/explanations.md
	$(BIN)/python bench/all_explanations.py $(ARGS)

screenshot: $(VENV)/.browser ## make the README's screenshot anew
	$(BIN)/python docs/make_screenshot.py

wheel: $(VENV)/.tests ## build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

clean: ## remove everything that was made, the models too
	rm -rf $(VENV) .venvs dist models test-results .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	$(MAKE_VENV)

$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e .
	@touch $@

$(VENV)/.tests: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e ".[test]"
	@touch $@ $(VENV)/.runs

$(VENV)/.browser: $(VENV)/.tests tests/e2e/browser.py
	$(BIN)/python tests/e2e/browser.py
	@touch $@
