# `make repro` takes the models from raw bytes to metrics; `make test` runs the tests. Either may be
# run first; each sets up .venv if that is not done.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# One process per core, each with whole files, as these share what is slow to make.
PYTEST_ARGS ?= --numprocesses auto --dist loadfile
MARKERS ?= not slow
VERIFY_ARGS ?=

# DVC starts the stages as `python -m stages.NAME`, which must be the environment's Python.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: setup packages repro repro-all unlocked downloads verify test test-slow check gate lint \
    types format readme report changes lock clean

repro: setup unlocked
	dvc repro dvc.yaml serving/dvc.yaml
	@python -m stages.results

# What else tells sentiment, and the tutorial's further models and exercises as well.
repro-all: setup unlocked
	dvc repro --all-pipelines
	@python -m stages.results

# DVC empties .dvc/tmp/rwlock before it writes it; if it was killed in between, it starts no more.
unlocked:
	@[ -s .dvc/tmp/rwlock ] || rm -f .dvc/tmp/rwlock

# Only the data, from DVC's cache or from where data/registry.yaml says.
downloads: setup
	dvc checkout --allow-missing --force download@mnist download@cifar10 download@reviews
	dvc repro download

# Reproduces the current commit in a directory of its own and compares every output with dvc.lock;
# `make verify VERIFY_ARGS='--only cifar10_cnn --json'`.
verify: setup
	@python -m stages.verify $(VERIFY_ARGS)

test: setup
	python -m pytest -m "$(MARKERS)" $(PYTEST_ARGS)

# Kills processes at random moments, emulates another processor, starts an SSH server. Of the files with
# few tests some take longest: by itself xdist would begin them last, and leave a core idle.
test-slow: setup
	python -m pytest -m slow --no-loadscope-reorder $(PYTEST_ARGS)

# Fails if dvc.lock is not what the committed code and params.yaml would leave.
check: setup
	python -m stages.check

# Fails if a figure in metrics/ is below the least that may be published.
gate: setup
	python -m stages.gate

lint: setup
	ruff check .
	ruff format --check .

types: setup
	mypy

format: setup
	ruff check --fix .
	ruff format .

# Writes the tables of results into README.md and docs/sentiment.md.
readme: setup
	python -m stages.results --write

# One HTML file with all figures, curves, mistakes and graphs; `make report REV=main~1` also says what
# changed since that commit.
report: setup
	@python -m stages.report $(if $(REV),--rev '$(REV)')

# What changed since a commit, as Markdown: `make changes REV=main`; the summary of a pull request.
changes: setup
	@{ dvc metrics diff --md $(REV) && echo && dvc params diff --md $(REV); } \
	    | tee -a $${GITHUB_STEP_SUMMARY:-/dev/null}

# The Debian packages of set-up and tests; needs root.
packages:
	.ci/packages

setup: .venv/.complete

.venv/.complete: requirements.lock requirements-build.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	    echo "error: $(PYTHON) is $$($(PYTHON) --version); expected Python 3.11" \
	         "(make PYTHON=/path/to/python3.11 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { \
	    echo "error: $(PYTHON) cannot make virtual environments;" \
	         "expected the module ensurepip (Debian: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	# jieba and snownlp come as source. With setuptools locked as well, and no isolation, nothing is
	# fetched without a hash. pip byte-compiles what it installs, even where
	# PYTHONDONTWRITEBYTECODE is set; without that TensorFlow takes 10 s to import instead of 4.
	.venv/bin/pip install --require-hashes --disable-pip-version-check -r requirements-build.lock
	.venv/bin/pip install --require-hashes --disable-pip-version-check --no-build-isolation \
	    -r requirements.lock
	# The command keras-repro, from this directory.
	.venv/bin/pip install --no-deps --no-build-isolation --disable-pip-version-check --quiet \
	    --editable .
	@touch $@

# Resolves pyproject.toml anew; the locks name no registry, so pip asks the user's own.
LOCK := .venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header
lock: setup
	.venv/bin/pip install --quiet pip-tools
	$(LOCK) $(addprefix --extra ,dev ssh s3 rjieba opencc cluster tensorboard) \
	    --output-file requirements.lock pyproject.toml
	awk '/^setuptools==/ {keep = 1} keep {print} !/\\$$/ {keep = 0}' requirements.lock \
	    > requirements-build.lock

clean:
	rm -rf .venv .cache
