PYTHON ?= python3
PORT ?= 8000
export PORT
# Where it is set, as images of containers do, everything would be compiled anew at each start: twice the time.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
FUNCTIONS := register login refresh logout resize upload jobs worker janitor
GROUPS := $(FUNCTIONS) local development schema
LOCK := .local/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help run test test-schema test-functions test-kafka test-compose check format bench fuzz contact-sheet lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: $(READY) ## Start everything on this machine, resize a photograph, serve on port 8000 (PORT=) until Ctrl-C
	@exec $(BIN)/python -m infra.local

test: $(READY) ## Run all tests (ARGS='-k login' to choose)
	@$(BIN)/python -m pytest $(ARGS)

test-schema: $(READY) ## Send thousands of requests made of the OpenAPI document, by schemathesis, to the bundle
	@$(BIN)/python -m pytest --numprocesses 0 -s tests/schema $(ARGS)

test-functions: $(READY) ## Run each function with its own packages alone, and under AWS's emulator (from PyPI)
	@$(BIN)/python -m pytest tests/functions $(ARGS)

test-kafka: $(READY) ## Lose nothing on the real Apache Kafka, whatever is killed (wants Maven and Java)
	@# A producer whose broker was killed is given up when its stop takes too long, and leaves a connection open.
	@$(BIN)/python -m pytest --numprocesses 0 -W ignore::pytest.PytestUnraisableExceptionWarning tests/kafka $(ARGS)

test-compose: $(READY) ## Build the images, run each, and the bundle in docker compose (wants a Docker engine)
	@$(BIN)/python -m pytest --numprocesses 0 tests/compose $(ARGS)

check: $(READY) ## Check format, style, types, the arrows between packages and template.yaml; changes nothing
	$(BIN)/python -m black --check --quiet --diff functions shared infra tests
	$(BIN)/python -m isort --check --diff functions shared infra tests
	$(BIN)/python -m flake8 functions shared infra tests
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml

format: $(READY) ## Put the code into the house's format
	$(BIN)/python -m black --quiet functions shared infra tests
	$(BIN)/python -m isort --quiet functions shared infra tests

bench: $(READY) ## Measure, as ratios in one run on this machine (ARGS='--only logins' to choose)
	@$(BIN)/python -m infra.bench $(ARGS)

fuzz: $(READY) ## Send damaged pictures through the engine (SECONDS=3600); what it falls over, and what took longest, is kept in .local/fuzz
	@$(BIN)/python -m infra.fuzz --seconds $(or $(SECONDS),60)

contact-sheet: $(READY) ## Draw what the engine makes of everything beside what libvips does, to be looked at, in .local/contact-sheet
	@$(BIN)/python -m infra.contact_sheet

lock: $(READY) ## Write every requirements.txt anew from pyproject.toml
	$(LOCK) $(UPGRADE) $(foreach group,$(GROUPS),--group $(group)) --output-file requirements.txt
	for name in $(FUNCTIONS); do \
	  $(LOCK) --constraint requirements.txt --group $$name --output-file functions/$$name/requirements.txt; \
	done
	$(LOCK) --constraint requirements.txt --group infra --output-file infra/docker/requirements.txt

clean: ## Remove what was installed, built and stored (.venv, .local, caches, what the README's lines leave)
	rm -rf .venv .local .mypy_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis
	rm -f temp.png temp.jpg tokens.json large.jpg small.jpg upload.json job.json done.json later.jpg
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt infra/local/bootstrap.py
	@$(PYTHON) infra/local/bootstrap.py
	@touch $@
