# Needs Python (3.11 or newer) and make, nothing else: the environment is made in .venv.
PYTHON ?= python3
# The newest torch that the package was tested with; what pip is told to install first.
TORCH ?= torch==2.13.0
DEMO ?=

BIN := .venv/bin

.PHONY: demo test lint types peers clean

demo: .venv/ready  ## tune, forecast and report on the bundled wind farm
	$(BIN)/python -m skts $(DEMO)

test: .venv/ready  ## run the tests
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

peers: .venv/ready  ## compare with other libraries, which are installed in .venv-peers
	$(BIN)/python benchmarks/speed/peers.py

.venv/ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable '.[plot,test]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info
