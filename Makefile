# `make repro` takes the models from raw bytes to metrics; `make test` runs the tests. Either may be
# run first; each sets up .venv if that is not done.

# The interpreter of .venv, of Python 3.11 to 3.13: `make PYTHON=python3.13 repro`.
export PYTHON
# A process per core; one that has nothing left to do takes over half of what the other has.
PYTEST_ARGS ?= --numprocesses auto --dist worksteal
MARKERS ?= not slow
VERIFY_ARGS ?=

# DVC starts the stages as `python -m stages.NAME`, which must be the environment's Python.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: setup develop packages repro repro-all unlocked downloads verify test test-slow test-all check gate lint \
    types format readme report bundle-release changes lock clean

repro: setup unlocked
	dvc repro
	@keras-repro results

# What else tells sentiment, and the tutorial's further models and exercises as well.
repro-all: setup unlocked
	dvc repro --all-pipelines
	@keras-repro results

# DVC empties .dvc/tmp/rwlock before it writes it; if it was killed in between, it starts no more. Nor
# does it if the file is gone to which data/own is a link.
unlocked:
	@[ -e data/own ] || ln -sfn example_reviews.csv data/own
	@[ -s .dvc/tmp/rwlock ] || rm -f .dvc/tmp/rwlock

# Only the data, from DVC's cache or from where data/registry.yaml says.
downloads: setup
	dvc checkout --allow-missing --force download@mnist download@cifar10 download@reviews
	dvc repro download

# Reproduces the current commit in a directory of its own and compares every output with dvc.lock;
# `make verify VERIFY_ARGS='--only cifar10_cnn --json'`.
verify: setup
	@keras-repro verify $(VERIFY_ARGS)

test: develop
	python -m pytest -m "$(MARKERS)" $(PYTEST_ARGS)

# Kills processes at random moments, emulates another processor, starts an SSH server.
test-slow: develop
	python -m pytest -m slow $(PYTEST_ARGS)

# Both in one run, which makes once what tests share; with TURN, a number, those whose turn it is.
test-all: develop
	python -m pytest $(PYTEST_ARGS) $(if $(TURN),--turn $(TURN))

# Fails if dvc.lock is not what the committed code and params.yaml would leave.
check: setup
	keras-repro check

# Fails if a metric is below its minimum in metrics/gates.yaml.
gate: setup
	keras-repro gate

lint: develop
	ruff check .
	ruff format --check .

types: develop
	mypy

format: develop
	ruff check --fix .
	ruff format .

# Writes the tables of results, and their chart, into the pages.
readme: setup
	keras-repro results --write

# An HTML file in English and one in Chinese with metrics, curves, mistakes and graphs;
# `make report REV=main~1` also says what changed since that commit.
report: setup
	@keras-repro report $(if $(REV),--rev '$(REV)')

# build/bundles.tar.gz, which `Sentiment.load` and `keras-repro pull` fetch from wherever it is put.
bundle-release: setup
	@keras-repro release

# What changed since a commit, as Markdown: `make changes REV=main`; the summary of a pull request.
changes: setup
	@{ dvc metrics diff --md $(REV) && echo && dvc params diff --md $(REV); } \
	    | tee -a $${GITHUB_STEP_SUMMARY:-/dev/null}

# The Debian packages of set-up and tests; needs root.
packages:
	.ci/packages

# What running needs; `develop` adds what tests and checks need.
setup:
	@.ci/environment run

develop:
	@.ci/environment develop

# Resolves pyproject.toml anew, for all Pythons and platforms at once; the locks name no registry, so
# each user's own is asked. requirements-dev.lock has what it needs beyond requirements.lock.
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-annotate --no-header
EXTRAS := train dev ssh s3 rjieba cluster tensorboard
lock: setup
	$(LOCK) --extra train --output-file requirements.lock pyproject.toml
	mkdir -p .cache
	cat requirements.lock requirements-dev.lock >.cache/all.lock
	$(LOCK) $(addprefix --extra ,$(EXTRAS)) --constraints requirements.lock \
	    --output-file .cache/all.lock pyproject.toml
	awk 'FNR == NR {if (/==/) known[$$1]; next} /==/ {skip = $$1 in known} !skip' \
	    requirements.lock .cache/all.lock >requirements-dev.lock
	printf 'setuptools\nuv\n' | $(LOCK) --constraints requirements.lock \
	    --output-file requirements-build.lock -

clean:
	rm -rf .venv .cache
