# make demo: environment, install, the whole product on embedded data. make test: what CI runs first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Holds bench/ with the speed bench's workload.
MATERIAL ?= ../shared
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt

.PHONY: demo serve-demo screenshots test coverage test-long lint types submissions gate gate-baselines docs bench-generation bench-gpu clean

demo: $(VENV)/.core
	$(BIN)/grue demo

# A filled board with a queue and a worker, on http://127.0.0.1:8000.
serve-demo: $(VENV)/.core
	$(BIN)/python tools/serve_demo.py

# Pictures of every page of that board, to be looked at; needs Chromium.
screenshots: $(VENV)/.dev
	$(BIN)/python tools/screenshots.py

test: $(VENV)/.dev lint types submissions gate
	$(BIN)/python -m pytest -n 3 --dist loadfile -q

# Which lines the quick tests reach.
coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -q --cov --cov-report=term

test-long: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m long --durations=10

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

# Published results: the form of all; those that a change touches are made again.
submissions: $(VENV)/.dev
	$(BIN)/python tools/check_submissions.py --rescore --since auto

# The demo checkpoints' numbers against the baselines in git: any that moved fails, until gate-baselines writes new ones.
gate: $(VENV)/.core
	$(BIN)/python tools/gate_demo.py

gate-baselines: $(VENV)/.core
	$(BIN)/python tools/gate_demo.py --update

docs: $(VENV)/.dev
	$(BIN)/python tools/make_docs.py

bench-generation: $(VENV)/.core
	$(BIN)/python bench/generation.py --material $(MATERIAL)

# The same code on a GPU: shapes of GPT-2 small and T5 base, bfloat16, 2,000 prompts.
bench-gpu: $(VENV)/.core
	$(BIN)/python bench/generation.py --material $(MATERIAL) --device cuda --threads 4

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch goes first: with it installed, no other package's range pulls another build.
$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) dist build grue-demo
