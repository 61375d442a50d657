# Taskwire. Run `make` for the list of targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test interop dev robustness bench proto lint verify clean build install-nats-server other-nats-server

installed := node_modules/.package-lock.json
mocha := node_modules/.bin/mocha

help: ## Show this help
	@echo "Taskwire: durable background tasks over gRPC"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build install-nats-server ## Start everything, digest real documents as tasks, write a report, stop everything (under a minute)
	@node dist/cli/main.js demo

test: build install-nats-server other-nats-server ## Run all tests; `make test TESTS='dist/test/unit/**/*.test.js'` runs some, JOBS=1 one file at a time
	@set -f; node dist/test/support/run-tests.js $(if $(JOBS),--jobs $(JOBS)) $(TESTS)

interop: build install-nats-server ## Watch with a client of Debian's python3-grpcio and python3-protobuf, which must be installed
	@$(mocha) 'dist/test/interop/*.js'

dev: build install-nats-server ## Run NATS, task-service and worker here until Ctrl-C; data goes to .taskwire/
	@node dist/cli/main.js dev

robustness: build install-nats-server ## Break everything at random and check every promise; `make robustness ARGS='--seed 7 --minutes 5 --rounds 3'`
	@node dist/test/robustness/main.js $(ARGS)

bench: build install-nats-server ## Measure throughput and latency; `make bench ARGS='--json FILE'`
	@node dist/cli/main.js bench $(ARGS)

proto: $(installed) ## Generate libs/proto/gen from proto/
	@node scripts/generate-proto.mjs

lint: build ## Check code style: eslint with types, no warnings allowed, and prettier
	@node_modules/.bin/eslint --max-warnings 0 --cache --cache-location .cache/eslint/ .
	@node_modules/.bin/prettier --check --log-level warn .

verify: build ## Check what is generated, the protocol's rules, the README's tables, and for dead code
	@node scripts/verify-proto.mjs
	@node scripts/generate-docs.mjs --check
	@node_modules/.bin/knip --no-progress

clean: ## Delete what was built, installed, cached and stored here
	rm -rf dist node_modules .cache .taskwire

build: $(installed) ## Compile to dist/
	@node_modules/.bin/tsc -p .
	@node scripts/remove-stale-output.mjs
	@chmod +x dist/cli/main.js

install-nats-server: ## Make sure that nats-server is there (PATH, project cache, distribution package, Homebrew)
	@scripts/install-nats-server.sh >/dev/null

other-nats-server:
	@scripts/fetch-other-nats-server.sh

$(installed): package.json package-lock.json
	@echo "Installing packages …"
	@npm ci --no-audit --no-fund --loglevel=error || { node scripts/check-native-modules.mjs; exit 1; }
	@node scripts/check-native-modules.mjs
	@touch $@
