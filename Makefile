# Needs Python (3.11 or newer) and make, nothing else: the environment is made in .venv.
PYTHON ?= python3
# The newest torch that the package was tested with; what pip is told to install first.
TORCH ?= torch==2.13.0
DEMO ?=
TESTS ?=
# The processes that run the tests; each takes a core and some hundred MB.
JOBS ?= 2

BIN := .venv/bin

.PHONY: demo test test-all lint types peers clean

demo: .venv/ready  ## tune, forecast and report on the bundled wind farm
	$(BIN)/python -m skts demo --jobs -1 $(DEMO)

test: .venv/ready  ## run all tests but the slow ones, in some minutes
	$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

test-all: .venv/ready  ## run all tests
	$(BIN)/python -m pytest -n $(JOBS) -m "slow or not slow" $(TESTS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

peers: .venv/ready  ## compare with other libraries, which are installed in .venv-peers
	$(BIN)/python benchmarks/speed/peers.py

.venv/ready: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("make PYTHON=...: a Python of 3.11 or newer is needed, and this one is " \
		+ sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Making the environment in .venv, once: some minutes, most of them for torch."
	$(PYTHON) -m venv .venv
	@echo "1 of 2: $(TORCH)"
	$(BIN)/python -m pip install $(TORCH)
	@echo "2 of 2: skts, from this folder, and what its tests and pictures need"
	$(BIN)/python -m pip install --editable '.[plot,test]'
	@touch $@
	@echo "The environment is ready: source .venv/bin/activate, or call .venv/bin/python and .venv/bin/skts."

clean:
	rm -rf .venv build dist *.egg-info
