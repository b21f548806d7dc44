# `make help` lists the verbs. Every one works on a fresh clone: setup comes first by itself.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

BIN := .venv/bin
PROFILE ?= paper
ARGS ?=

# The SAM command line has pins that would fight the project's: it lives in an environment of its own.
SAM := .tools/sam/bin/sam
CONFIG_paper := default
CONFIG_live := live
# Names what is deployed: the minute, which makes every deployment a release of its own, and the commit with what is not committed.
COMMIT = $(shell git rev-parse --short HEAD 2>/dev/null || echo none)$(shell git diff --quiet HEAD 2>/dev/null || git diff HEAD | git hash-object --stdin | cut -c1-7)
RELEASE = $(shell date -u +%y%m%d%H%M)-$(COMMIT)
# A live deployment is confirmed on the command line, by a person each time: left out, sam would repeat the last answer.
CONFIRMED = 'ConfirmLive="$(CONFIRM_LIVE)"' $(if $(ALERT_EMAIL),AlertEmail=$(ALERT_EMAIL))
PARAMETERS ?=

.PHONY: help setup pins peers run test chaos contract lint security format bench bench-backtest bench-forecast universe calendar console console-shots package deploy rollback clean

help: ## Show this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

setup: ## Install the locked packages into .venv, fetching uv and Python 3.13 if need be
	@scripts/bootstrap.sh

peers: setup ## Install what tests compare with (backtesting.py) into .tools, apart from the project
	@scripts/tools.sh backtesting

pins: setup ## Renew uv.lock and the pins of the tools and peers that are no part of the project: then make test
	@scripts/uv.sh lock --upgrade
	@scripts/pins.sh

run: setup ## Rehearse a trading day on this machine: make run ARGS="--help"
	@$(BIN)/openbell run $(ARGS)

console: setup ## Open a web page over the local platform; starts one if none runs: make console ARGS="--help"
	@$(BIN)/openbell console $(ARGS)

console-shots: setup ## Pictures of every page of the console into reports/console/ (needs Chromium)
	@$(BIN)/python -m scripts.console_shots

test: lint package peers ## Lint, build the bundles, then run every test
	@$(BIN)/python -m pytest -n 3 $(ARGS)

chaos: setup ## Prove the guarantees under faults (docs/guarantees.md); SEED=... replays one schedule
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed "$(SEED)") $(ARGS)

contract: setup ## Hold a real paper account to what we rely on, and record its answers (needs APCA_API_KEY_ID, APCA_API_SECRET_KEY)
	@$(BIN)/python -m tests.contract $(ARGS)

lint: setup ## Style, types, import directions, template
	@scripts/lint.sh

security: setup ## Look for weaknesses in template.yaml (checkov) and in the locked packages (pip-audit, asks pypi.org)
	@scripts/tools.sh checkov pip-audit
	@.tools/checkov/bin/checkov --config-file scripts/checkov.yaml
	@echo "security: checkov ok"
	@scripts/uv.sh export --quiet --frozen --all-groups --no-emit-project --output-file .tools/locked.txt
	@.tools/pip-audit/bin/pip-audit --strict --disable-pip --require-hashes -r .tools/locked.txt
	@echo "security: pip-audit ok"

format: setup ## Rewrite the code as the linter wants it
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

bench: bench-forecast bench-backtest ## Every measurement

bench-backtest: setup ## Backtests: speed beside Backtrader, backtesting.py, vectorbt and stock Prophet
	@-scripts/tools.sh backtesting vectorbt
	@$(BIN)/python -m bench.backtest $(ARGS)

bench-forecast: setup ## Forecasts: accuracy, then speed and exactness beside Prophet's
	@-scripts/tools.sh statsforecast
	@$(BIN)/python -m bench.forecast_accuracy
	@$(BIN)/python -m bench.forecast

universe: setup ## Refresh the list of S&P 500 members that ships with the platform
	@$(BIN)/python -m scripts.refresh_universe

calendar: setup ## Refresh the table of the exchange's holidays that ships with the platform
	@$(BIN)/python -m scripts.refresh_calendar

package: setup ## Build every bundle into .aws-sam/build, prove it whole, measure it
	@$(BIN)/python -m scripts.package

deploy: package ## Deploy to AWS: PROFILE=paper, or PROFILE=live CONFIRM_LIVE=... ALERT_EMAIL=...; PARAMETERS="Name=value ..."
	@scripts/tools.sh sam
	@$(SAM) deploy --config-env $(or $(CONFIG_$(PROFILE)),$(error PROFILE is paper or live, not $(PROFILE))) \
		--parameter-overrides TradingMode=$(PROFILE) Release=$(RELEASE) $(CONFIRMED) $(PARAMETERS) $(ARGS)
	@$(BIN)/python -m scripts.protect_stack --config-env $(CONFIG_$(PROFILE)) $(ARGS)

rollback: setup ## Go back to the release before, in AWS, without building: PROFILE=live; ARGS="NUMBER --yes"
	@$(BIN)/openbell release rollback --stack openbell-$(PROFILE) $(ARGS)

clean: ## Remove what was built; .venv and .tools stay
	@rm -rf .aws-sam build reports .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -not -path './.tools/*' -prune -exec rm -rf {} +
