# Every target works from any directory and makes the environment it needs.
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
PYTHON ?= python3
VENV ?= $(ROOT).venv
BIN := $(VENV)/bin
DEMO := $(ROOT).demo
# What the wheel is built from: a change is installed anew.
SOURCES = $(shell find $(addprefix $(ROOT),pyproject.toml constraints.txt cli.py calibration data edge export training) \
	-type f -not -name '*.pyc')
# Where pip's default index offers only builds with CUDA, point pip at a CPU build, or name one here.
TORCH ?= torch==2.13.0

.PHONY: test check lint types unit resolve bench-faces bench-pipeline baseline demo demo-bundle clean

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

baseline: $(VENV)/.ready  ## linear baselines on each set of the pack: the figures that a trained model has to beat
	$(BIN)/python $(ROOT)benchmarks/baseline.py --pack $(MMER_PACK)

demo: $(DEMO)/.ready  ## a first minute: the runtime without torch, on the example clip
	@mkdir -p $(DEMO)/out
	@echo "A synthetic person, four seconds each neutral, happy, sad and angry; a line looks at four seconds."
	$(DEMO)/bin/mmer run --example
	@$(DEMO)/bin/mmer run --example --quiet --format jsonl --output $(DEMO)/out/example.jsonl --exist-ok
	@$(DEMO)/bin/mmer run --example --quiet --format csv --output $(DEMO)/out/example.csv --exist-ok
	@echo
	@echo "The same as JSON lines and as CSV:  $(DEMO)/out/example.jsonl  $(DEMO)/out/example.csv"
	@echo "Next, a recording of your own:      $(DEMO)/bin/mmer run VIDEO.mp4"
	@echo "with its words, if you have them, in VIDEO.srt, .vtt or .txt beside it"

# A build folder that is left would put into the wheel what is no longer in the sources.
$(DEMO)/.ready: $(SOURCES)
	$(PYTHON) -m venv $(DEMO)
	rm -rf $(ROOT)build
	$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(ROOT)constraints.txt $(ROOT)
	rm -rf $(ROOT)build
	touch $@

demo-bundle: $(VENV)/.ready  ## trains and exports the bundle that ships, anew
	$(BIN)/python $(ROOT)scripts/make_demo_bundle.py $(ROOT)edge/assets/bundle.zip

clean:
	rm -rf $(VENV) $(DEMO) $(ROOT).typing $(ROOT)build $(ROOT)*.egg-info
