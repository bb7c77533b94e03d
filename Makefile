# Needs Python 3.11 or later and make; everything else is set up on the first run.
#   make run [ARGS="--port 9000"]     make test     make bench

LOCK_COMMAND = uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --extra dev --extra bench

PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		2>/dev/null && { echo $$candidate; break; }; done)
VENV = .venv
READY = $(VENV)/.sandpit-ready
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test bench setup lock clean

run: $(READY)
	@exec $(BIN)/sandpit up $(ARGS)

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q $(ARGS)

bench: $(READY)
	$(BIN)/sandpit bench book $(ARGS)
	$(BIN)/sandpit bench orders $(ARGS)

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "sandpit needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=/path/to/python." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: install its venv module (python3-venv on Debian and Ubuntu)." >&2; exit 1; }
	@echo "installing the pinned dependencies into $(VENV) (a minute or two the first time)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

lock:
	$(LOCK_COMMAND) --upgrade --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find actors api sim storage tests -name __pycache__ -prune -exec rm -rf {} +
