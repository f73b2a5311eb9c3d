# Estime: `make demo` to look at it, `make test` to prove it.
PYTHON ?= python3
PORT ?= 8080
PY := .venv/bin/python
DONE := .make
UV := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

STATIC := $(wildcard lti_tool/static/build.mjs lti_tool/static/src/*)
WORDS := $(wildcard lti_tool/translations/*/LC_MESSAGES/*.po)

.PHONY: setup demo test check bench screens soak lock clean

setup: $(DONE)/python $(DONE)/estime $(DONE)/node $(DONE)/assets $(DONE)/words
	@echo "set-up: Python packages, .venv/bin/estime, browser files and translations are ready"

demo: setup
	@exec .venv/bin/estime demo --port $(PORT)

test: setup $(DONE)/services
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow" --durations=15 $(ARGS)

# Long runs: random ones with many more examples, and the slow tests.
soak: setup $(DONE)/services
	HYPOTHESIS_PROFILE=soak $(PY) -m pytest -n 2 --dist loadfile $(ARGS)

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup
	$(PY) -m bench $(ARGS)

# Pictures of every page of the demo, in docs/screens.
screens: setup $(DONE)/services
	$(PY) -m tests.browser.screens

# New versions of everything, with hashes and without the address of any registry.
lock:
	.venv/bin/uv pip compile pyproject.toml --extra dev --upgrade -o requirements-dev.lock $(UV)
	.venv/bin/uv pip compile pyproject.toml -c requirements-dev.lock -o requirements.lock $(UV)
	npm install --package-lock-only


clean:
	rm -rf .venv node_modules $(DONE) lti_tool/static/dist build dist *.egg-info

# --- steps of the set-up: a file in $(DONE) for each, so that a second run is quick ------------------

# "python3 -m venv" fails on a bare Debian: no program tells, so the package is asked for by a name that
# no program has.

.venv/bin/pip:
	@echo "set-up 1/5: the Python environment, .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 \
	  || { rm -rf .venv; scripts/need no-python-venv python3-venv || exit 1; $(PYTHON) -m venv .venv; }

$(DONE)/python: requirements-dev.lock | .venv/bin/pip
	@echo "set-up 2/5: the Python packages (about a minute the first time)"
	@.venv/bin/pip install -q --disable-pip-version-check --no-input --require-hashes -r requirements-dev.lock
	@mkdir -p $(DONE) && touch $@

$(DONE)/estime: pyproject.toml $(DONE)/python
	@echo "set-up 3/5: the command .venv/bin/estime"
	@.venv/bin/pip install -q --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@

$(DONE)/node: package.json package-lock.json .npmrc
	@echo "set-up 4/5: the node packages, then the browser files"
	@scripts/need node nodejs npm && scripts/need npm npm
	@npm ci --silent --no-audit --no-fund </dev/null
	@mkdir -p $(DONE) && touch $@

$(DONE)/assets: $(DONE)/node $(STATIC)
	@npm run --silent build >$(DONE)/build.log 2>&1 </dev/null || { cat $(DONE)/build.log >&2; exit 1; }
	@touch $@

$(DONE)/words: $(DONE)/python $(WORDS)
	@echo "set-up 5/5: the translations"
	@.venv/bin/pybabel --quiet compile -d lti_tool/translations
	@touch $@

# What the tests start: a browser and Redis. PostgreSQL comes with the Python packages.
$(DONE)/services: | $(DONE)/python
	@scripts/need chromium chromium fonts-dejavu-core
	@scripts/need redis-server redis-server
	@touch $@
