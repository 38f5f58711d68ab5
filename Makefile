# What people run and what CI runs: make demo, test, check, bench.
# Everything happens in .venv, which is made from the Python that PYTHON names.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SET ?= ../shared/realseals
# Two platforms' default builds of torch differ by gigabytes; this release is small where the index offers it for the CPU.
TORCH ?= torch==2.13.0

.PHONY: ablation help demo fine-tune-demo test test-training test-image check format bench picture clean

help:
	@echo "make demo           read examples/ with the embedded networks, write output/"
	@echo "make fine-tune-demo fine-tune detector and recogniser on 200 drawn seals, read a seal with them"
	@echo "make test           run the tests; those of training are skipped without torch"
	@echo "make test-training  the same with torch installed"
	@echo "make test-image     the Dockerfile's install steps in a fresh environment, and the image where an engine is"
	@echo "make check          lint, format, types, imports"
	@echo "make format         set the source in its form"
	@echo "make bench          accuracy on SET and speed, into bench/results/ and the README"
	@echo "make ablation       what each part brings on SET, and corrections on drawn crops"
	@echo "make picture        draw docs/picture.png again"
	@echo "make clean          remove everything that make made"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Stamps: a step is done again only when the project's file is newer.
$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tools: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@ $(VENV)/.core

$(VENV)/.torch: $(VENV)/.tools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	@touch $@

$(VENV)/.train: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train]'
	@touch $@

$(VENV)/.peer: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

demo: $(VENV)/.core
	$(BIN)/python examples/read.py output

# A few minutes on two cores.
fine-tune-demo: $(VENV)/.train
	$(BIN)/python examples/fine_tune.py output/fine_tune

test: $(VENV)/.tools
	$(BIN)/python -m pytest $(ARGS)

test-training: $(VENV)/.torch
	$(BIN)/python -m pytest $(ARGS)

test-image: $(VENV)/.tools
	SEALREAD_TEST_IMAGE=1 $(BIN)/python -m pytest tests/e2e/test_image.py $(ARGS)

check: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports

format: $(VENV)/.tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.peer
	$(BIN)/python bench/accuracy.py --set '$(SET)'
	$(BIN)/python bench/speed.py --set '$(SET)'
	$(BIN)/python bench/readme.py

ablation: $(VENV)/.peer $(VENV)/.tools
	$(BIN)/python bench/ablation.py --set '$(SET)'
	$(BIN)/python bench/corrections.py

# The lower part of the contract, where its seals are.
picture: $(VENV)/.core
	$(BIN)/python -c "from sealread import create_pipeline; \
	page = next(create_pipeline().predict('examples/contract.png')).img['layout_det_res']; \
	page.crop((0, 1270, *page.size)).save('docs/picture.png', optimize=True)"

clean:
	rm -rf $(VENV) output build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
