# Needs Python 3.11 to 3.13 and make; everything else is set up on the first run.
#   make run [ARGS="--port 9000"]     make test     make bench

LOCK_COMMAND = uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		2>/dev/null && { echo $$candidate; break; }; done)
VENV = .venv
READY = $(VENV)/.sandpit-ready
BIN = $(VENV)/bin
PIP_OPTIONS = --disable-pip-version-check --quiet
PIP = $(BIN)/python -m pip $(PIP_OPTIONS)
PEERS = $(VENV)/peers
# Two processes for two cores, each with servers of its own.
HALF = tests/actors tests/storage
OTHER_HALF = tests/api tests/sim $(wildcard tests/test_*.py)
OTHER_LOG = .pytest-other-half.log

.PHONY: run test bench peers setup lock clean

run: $(READY)
	@exec $(BIN)/sandpit up $(ARGS)

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
ifeq ($(ARGS),)
	@echo "$(HALF); and beside them $(OTHER_HALF) ($(OTHER_LOG))"
	@$(BIN)/python -m pytest -q $(OTHER_HALF) > $(OTHER_LOG) 2>&1 & other=$$!; \
	$(BIN)/python -m pytest -q $(HALF); half=$$?; \
	wait $$other; other=$$?; cat $(OTHER_LOG); exit $$((half | other))
else
	$(BIN)/python -m pytest -q $(ARGS)
endif

bench: $(READY) peers
	$(BIN)/sandpit bench book $(ARGS)
	$(BIN)/sandpit bench orders $(ARGS)
	$(BIN)/sandpit bench pool --log tests/data/v3/usdc-weth-500-2024-01-05-first.csv.gz $(ARGS)
	$(BIN)/sandpit bench simulate $(ARGS)
	$(BIN)/sandpit bench agents $(ARGS)

peers: $(READY)
	@$(MAKE) --no-print-directory $(PEERS)/.ready \
		|| echo "what to compare with cannot be installed here: their lines will say so" >&2

$(PEERS)/.ready: requirements-peers.lock requirements-contracts.lock
	@test -x $(PEERS)/bin/python || $(BIN)/python -m venv $(PEERS)
	@echo "installing what to compare with into $(PEERS)"
	@$(PEERS)/bin/python -m pip $(PIP_OPTIONS) install --require-hashes --only-binary :all: -r $<
	@$(PEERS)/bin/python -m pip $(PIP_OPTIONS) install --require-hashes --only-binary :all: \
		--no-deps -r requirements-contracts.lock
	@touch $@

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "sandpit needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=/path/to/python." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: install its venv module (python3-venv on Debian and Ubuntu)." >&2; exit 1; }
	@echo "installing the pinned dependencies into $(VENV) (a minute or two the first time)"
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

lock:
	$(LOCK_COMMAND) --extra dev --extra bench --upgrade --output-file requirements.lock pyproject.toml
	$(LOCK_COMMAND) --group peers --upgrade --output-file requirements-peers.lock
	$(LOCK_COMMAND) --no-deps --group contracts --upgrade --output-file requirements-contracts.lock
	$(LOCK_COMMAND) --constraint requirements.lock --upgrade --output-file deploy/image.lock \
		pyproject.toml deploy/image.in

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find actors api sim storage tests -name __pycache__ -prune -exec rm -rf {} +
