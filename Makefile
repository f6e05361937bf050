# What CI runs, under short names. `make setup` first; VENV= names another environment.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: setup lint test test-fast ci

setup:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -e ".[cpu,overlay,test,lint]"

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test:
	$(BIN)/pytest -n 2 --dist loadfile

test-fast:
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

ci:
	.ci/run
