# Two commands do everything on a fresh machine: `make run` and `make test`.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
LOA := .venv/bin/loa

.PHONY: help setup run test train evaluate bench bench-nlu bench-figures bench-channels bench-desk bench-insights lint check

help: ## show these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## get uv, Python 3.11 and the locked libraries (nothing happens when they are there)
	@sh scripts/setup.sh

run: setup ## set up, train if needed, serve, print the address; Ctrl-C stops everything
	@exec $(LOA) up

test: setup ## set up and run every test: lint, types, structure, unit, conversations, browser
	@sh scripts/test.sh

train: setup ## train the model of today's data
	@$(LOA) train

evaluate: setup ## measure the understanding; tables and pictures under reports/
	@$(LOA) evaluate

bench: setup ## measure speed and memory beside stock Rasa (takes minutes)
	@$(PYTHON) -m bench.run

bench-nlu: setup ## measure the understanding's speed, size and accuracy beside stock Rasa's (takes minutes)
	@$(PYTHON) -m bench.understanding

bench-figures: setup ## measure that a dead feed costs nothing and how often feeds are asked (about five minutes)
	@$(PYTHON) -m bench.figures

bench-channels: setup ## measure acknowledgements while Rasa is down, and answers after it (about five minutes)
	@$(PYTHON) -m bench.channels

bench-desk: setup ## measure how soon operators see a message among 200 open and 100,000 past cases (about two minutes)
	@$(PYTHON) -m bench.desk

bench-insights: setup ## measure /insights and its roll-ups with five million messages (about five minutes, 4 GB of disk)
	@$(PYTHON) -m bench.insights

lint: setup ## format and static checks
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy

check: setup ## list answers that are past their date, due for review or wrong
	@$(LOA) check
