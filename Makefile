# Roomtone: `make run` starts a class on this machine, `make test` runs every test. `make` alone lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
# A set of packages is installed once: the stamp carries the hash of what was asked for.
RUN_STAMP := .venv/installed-$(shell cat requirements.txt | sha256sum | cut -c1-16)
TEST_STAMP := .venv/installed-$(shell cat requirements.txt requirements-dev.txt | sha256sum | cut -c1-16)
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-compile
# The first Python on this machine that TensorFlow has wheels for; `make PYTHON=/path/to/python3.12 run` chooses another.
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c '$(SUITS)' 2>/dev/null && echo $(name))))
UP := $(if $(PORT),--port $(PORT)) $(if $(filter-out 0,$(LAN)),--lan) $(if $(WORKERS),--workers $(WORKERS)) $(if $(WEB),--web $(WEB)) $(if $(DATA),--data $(DATA))
# Tests and gates read the settings without secrets; nothing here reaches a real installation.
TESTING := ROOMTONE_DEBUG=1 ROOMTONE_PROFILE=demo
PRODUCTION := ROOMTONE_DEBUG=0 ROOMTONE_PROFILE=consent ROOMTONE_ALLOWED_HOSTS=school.example
SOURCES := classroom emotions ml tests manage.py
# A server's settings, without HTTPS, with a key for this one run.
BENCHING := ROOMTONE_DEBUG=0 ROOMTONE_PROFILE=consent ROOMTONE_HTTPS=0 ROOMTONE_LOG_LEVEL=WARNING

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make run LAN=1       HTTPS, for the phones in the room"
	@echo "  make run PORT=9000   another port than 8000"
	@echo "  make run WORKERS=2   more processes that read frames"
	@echo "  make run WEB=2       more processes for pages and sockets"
	@echo "  make test ARGS='tests/ml -x'   some of the tests"

run: $(RUN_STAMP) ## Start everything with a demo class; Ctrl-C stops it
	@exec $(BIN)/python manage.py up $(UP)

test: $(TEST_STAMP) check ## Run the quality gates, then every test
	@$(TESTING) $(BIN)/python manage.py device_files
	@$(TESTING) $(BIN)/python -m classroom.local -- $(BIN)/python -m pytest $(ARGS)

bench: $(TEST_STAMP) ## Measure speed: tables, and one JSON object in build/bench.json (about half an hour)
	@mkdir -p build
	@$(TESTING) $(BIN)/python manage.py device_files >&2
	@$(BENCHING) ROOMTONE_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
		$(BIN)/python -m classroom.local -- $(BIN)/python -m benchmarks $(ARGS) > build/bench.json
	@echo "Wrote build/bench.json"

chaos: $(TEST_STAMP) ## Kill parts of it under a class of 100 and count what is lost (about 3 minutes)
	@$(BIN)/python -m benchmarks.endurance chaos $(ARGS) > /dev/null

soak: $(TEST_STAMP) ## A class of 200 for half an hour: does anything grow?
	@$(BIN)/python -m benchmarks.endurance soak $(ARGS) > /dev/null

# The product runs as on a server, without HTTPS (tests/security/fuzz sets it so).
fuzz: $(TEST_STAMP) ## 100,000 malformed messages against a running class: crashes, memory, what others notice
	@$(TESTING) $(BIN)/python -m classroom.local -- $(BIN)/python -m tests.security.fuzz $(ARGS)

# Asks a service in the internet; where that can't be reached, it says so and fails.
audit: $(TEST_STAMP) ## Look the pinned packages up among the known vulnerabilities
	@$(BIN)/pip-audit --requirement requirements-dev.txt --no-deps --disable-pip --progress-spinner off --strict $(ARGS) \
		|| { echo "make audit: a package above has a known vulnerability, or the service that knows could not be reached."; exit 1; }

check: lint types imports templates security migrations deploy ## Run the quality gates alone

lint: $(TEST_STAMP)
	$(BIN)/ruff check $(SOURCES) benchmarks
	$(BIN)/ruff format --check $(SOURCES) benchmarks

types: $(TEST_STAMP)
	$(TESTING) $(BIN)/mypy $(SOURCES)

imports: $(TEST_STAMP)
	$(BIN)/lint-imports

templates: $(TEST_STAMP)
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/djlint templates --check

# SQL that is put together (B608) is ruff's S608 already, with a reason at each place.
security: $(TEST_STAMP)
	$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --skip B608 --recursive $(filter-out tests,$(SOURCES))

migrations: $(TEST_STAMP)
	$(TESTING) $(BIN)/python -m classroom.local -- $(BIN)/python manage.py makemigrations --check --dry-run

# Under production settings, with a key for this one command.
deploy: $(TEST_STAMP)
	$(PRODUCTION) ROOMTONE_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

install: $(RUN_STAMP) ## Install what serving needs into .venv

clean: ## Remove the demo's data, collected files and caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m classroom.local.folder --remove; \
		else $(PYTHON) -m classroom.local.folder --remove; fi
	rm -rf staticfiles build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find classroom emotions ml tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Also remove .venv
	rm -rf .venv

$(BIN)/pip:
	@$(if $(PYTHON),,echo "Roomtone needs Python 3.11, 3.12 or 3.13, found: $$(python3 --version 2>&1). Install it, or name one: make PYTHON=/path/to/python3.12 run"; exit 1;) \
	echo "Making .venv with $$($(PYTHON) --version)"; rm -rf .venv; \
	$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "This Python can't make a virtual environment. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(RUN_STAMP): $(BIN)/pip
	@echo "Installing what Roomtone needs (once; the largest part is TensorFlow, for training)"
	$(PIP) --requirement requirements.txt
	@rm -f .venv/installed-* && touch $@

$(TEST_STAMP): $(BIN)/pip
	@echo "Installing what the tests need (once)"
	$(PIP) --requirement requirements-dev.txt
	@rm -f .venv/installed-* && touch $(RUN_STAMP) $@

.PHONY: help run test bench chaos soak fuzz audit check lint types imports templates security migrations deploy install clean distclean
