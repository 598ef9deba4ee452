# Every target works from any directory and makes the environment it needs.
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
PYTHON ?= python3
VENV ?= $(ROOT).venv
BIN := $(VENV)/bin
# Where pip's default index offers only builds with CUDA, point pip at a CPU build, or name one here.
TORCH ?= torch==2.13.0

.PHONY: test check lint types unit resolve bench-faces bench-pipeline clean

test: check unit  ## everything that continuous integration runs

check: lint types resolve

$(VENV)/.ready: $(ROOT)pyproject.toml $(ROOT)constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --constraint $(ROOT)constraints.txt --editable "$(ROOT)[dev]"
	touch $@

lint: $(VENV)/.ready  ## format and style
	cd $(ROOT) && $(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(VENV)/.ready  ## mypy, strict, reading the code as Python 3.10 does
	mkdir -p $(ROOT).typing && ln -sfn .. $(ROOT).typing/mmer
	cd $(ROOT) && $(BIN)/mypy

unit: $(VENV)/.ready  ## the tests; MMER_PACK names a folder of real recordings for those that want one
	cd $(ROOT) && $(BIN)/pytest -q

resolve: $(VENV)/.ready  ## the constraints also fit Python 3.10 on aarch64 (JetPack 6): resolved, not installed
	cd $(ROOT) && $(BIN)/python scripts/resolve.py --python 3.10 --platform manylinux_2_28_aarch64

bench-faces: $(VENV)/.ready  ## cost and recall of face detection on real clips
	$(BIN)/python $(ROOT)benchmarks/faces.py --pack $(MMER_PACK)

bench-pipeline: $(VENV)/.ready  ## the whole pipeline beside two rivals in torch, on one clip
	$(BIN)/python $(ROOT)benchmarks/pipeline.py --pack $(MMER_PACK)

clean:
	rm -rf $(VENV) $(ROOT).typing $(ROOT)build $(ROOT)*.egg-info
