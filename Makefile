# make demo    set everything up, then click on real neurons in napari (HEADLESS=1: without a screen)
# make test    set everything up, then check style and types and run the tests
# make setup   only set up: system libraries where they are missing, and .venv
# make lint    only check style and types

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.set-up

# Screens in memory, so that windows open anywhere and stay out of your way: tests start their own.
ifeq ($(shell uname -s),Linux)
SCREENS := env -u WAYLAND_DISPLAY QT_QPA_PLATFORM=xcb
VIRTUAL_SCREEN := $(SCREENS) xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24"
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
HEADLESS ?= 1
endif
endif
HEADLESS ?= 0

.PHONY: help setup demo test lint clean

help:
	@grep -E '^# make' Makefile | cut -c 3-

setup: $(STAMP)

# torch comes first, alone, so that a CPU-only build, where one is offered, is taken.
$(STAMP): pyproject.toml constraints.txt scripts/system-libraries.sh
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "napari-piclick needs Python 3.11 or newer; please install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@scripts/system-libraries.sh "$(PYTHON)"
	"$(PYTHON)" -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt torch
	$(RUN) -m pip install --quiet --constraint constraints.txt hatchling editables
	$(RUN) -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[all,test]'
	@touch $(STAMP)

demo: setup
ifeq ($(HEADLESS),1)
	$(VIRTUAL_SCREEN) $(RUN) examples/first_light.py --headless
else
	$(RUN) examples/first_light.py
endif

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# each process has a screen of its own: windows on the same one take the focus from each other
test: lint
	$(SCREENS) $(RUN) -m pytest --numprocesses 2 --dist worksteal

clean:
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
