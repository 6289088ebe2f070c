# agentopsd: everything that one does to it. `make help` lists the targets.
#
# Needs node (see `engines` in package.json), npm, git and make; everything else comes from package-lock.json.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

ADDR ?= 127.0.0.1:8765
WORKERS ?=
# Arguments of the test runner: parts of paths, --jobs N, --timeout-seconds N, --no-skips.
TESTS ?=

# A umask or NODE_ENV of the caller's must not lead to an install that lacks tools or can't be read.
INSTALL := umask 022 && NODE_ENV=development npm ci --include=dev --no-fund --no-audit
BIN := node_modules/.bin
AGENTOPSD := node dist/lib/cli/main.js

.PHONY: help
help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

# npm writes this file last: while it is older than the lock, or missing, what is installed is not what is asked for.
node_modules/.package-lock.json: package-lock.json
	@$(INSTALL)
	@touch $@

.PHONY: install
install: node_modules/.package-lock.json ## Installs the packages of package-lock.json, when they are not there

.PHONY: build
build: install ## Compiles to dist/ and removes what is stale there
	@umask 022 && npm run --silent build

.PHONY: test
test: build ## Installs, builds, runs all tests (TESTS="part of a path" for some)
	@node dist/test/support/run.js $(TESTS)

.PHONY: run
run: build ## Installs, builds, lays down .agents here, starts the daemon (ADDR, WORKERS)
	@$(AGENTOPSD) init
	@exec $(AGENTOPSD) run --addr $(ADDR) $(if $(WORKERS),--workers $(WORKERS))

.PHONY: demo
demo: build ## The whole way on real input, unattended, in a temporary repository
	@node dist/test/demo/demo.js

SEED ?= 1
RUNS ?= 1000
TRACE ?=
.PHONY: simulate
simulate: build ## Crashes, faults and damage over a simulated disk (SEED, RUNS; TRACE=1 with one run)
	@node dist/test/simulation/main.js --seed $(SEED) --runs $(RUNS) $(if $(TRACE),--trace)

.PHONY: planted
planted: build ## The simulation against known mistakes, each of which it has to catch (BUGS="part of a name", RUNS)
	@node dist/test/planted/main.js --seed $(SEED) --runs $(RUNS) $(BUGS)

SOAK_SECONDS ?= 300
.PHONY: soak
soak: build ## A steady load for five minutes (SOAK_SECONDS): memory and latency over time, and a verdict
	@SOAK_SECONDS=$(SOAK_SECONDS) node dist/test/bench/soak.js

.PHONY: bench
bench: build ## Every figure beside its baseline of the same run (BENCH_ROWS, BENCH_ROUNDS, BENCH_SECONDS, BENCH_FOLDER, BENCH_JSON)
	@node dist/test/bench/main.js

.PHONY: bench-peers
bench-peers: build ## Other queues on the same work, installed into temporary folders (BENCH_PEERS="part of a name", BENCH_JSON)
	@node dist/test/bench/peers/main.js

REPORT ?=
LEVEL ?=
.PHONY: conformance
conformance: build ## All checks of JobSpec v0 against a fresh daemon (REPORT=folder, LEVEL=one level)
	@node dist/spec/conformance/main.js --profile spec/conformance/profiles/agentopsd.json \
	  $(if $(REPORT),--report $(REPORT)) $(if $(LEVEL),--level $(LEVEL))

VARIANTS ?=
.PHONY: conformance-variants
conformance-variants: build ## Servers that do what the contract leaves open otherwise, none of which may fail (VARIANTS="part of a name")
	@node dist/test/conformance/variants-main.js $(if $(VARIANTS),'$(VARIANTS)')

FLAKE_RUNS ?= 50
LANES ?= 3
.PHONY: conformance-flakes
conformance-flakes: build ## The same run many times, several at once: whatever any says is a fault of the program (FLAKE_RUNS, LANES)
	@node dist/test/conformance/flakes.js --runs $(FLAKE_RUNS) --lanes $(LANES)

MISTAKES ?=
.PHONY: mutants
mutants: build ## Every known mistake of a server against the check that has to see it (MISTAKES="ids, * for anything")
	@node dist/test/conformance/mutants.js $(if $(MISTAKES),'$(MISTAKES)')

SPOILINGS ?=
SPOILINGS_DONE ?=
.PHONY: spoilings
spoilings: build ## A proxy spoils one thing at a time, and the conformance program has to find it (SPOILINGS="part of a name", SPOILINGS_DONE=file)
	@node dist/test/conformance/spoilings/series.js $(if $(SPOILINGS),'*$(SPOILINGS)*') $(if $(SPOILINGS_DONE),--out $(SPOILINGS_DONE))

.PHONY: test-agents
test-agents: build ## The real Claude Code and Codex from npm, against a fake model, without a network (TESTS="part of a case")
	@node dist/test/agents/main.js $(TESTS)

.PHONY: lint
lint: install ## Formatter, linter, unused code, the OpenAPI document
	@$(BIN)/biome check --error-on-warnings .
	@$(BIN)/knip
	@REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(BIN)/redocly lint --config spec/redocly.yaml spec/openapi.yaml

.PHONY: drift
drift: install ## Fails when lib/model/contract.ts is not what spec/openapi.yaml says
	@$(BIN)/openapi-typescript spec/openapi.yaml --output lib/model/contract.ts --check

.PHONY: check
check: lint drift test ## Everything that a change has to pass: lint, drift, all tests (layering and seams among them)

.PHONY: format
format: install ## Formats the sources in place
	@$(BIN)/biome check --write .

.PHONY: clean
clean: ## Removes what was built
	@rm -rf dist
