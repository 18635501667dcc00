# Everyday commands. `make help` lists them.

CARGO ?= cargo
CALLBOARD = $(CARGO) run --quiet --locked --
EXAMPLES = $(wildcard examples/*.yaml)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r target text; do printf '  make %-12s %s\n' "$$target" "$$text"; done

# The dashboard becomes part of the program when it has been built before it, which takes Node 20.19 or newer. Without, the
# program is built all the same, and its page says how to get the dashboard.
NODE_IS_THERE := $(shell node -e 'const [a, b] = process.versions.node.split(".").map(Number); console.log(a > 20 || (a === 20 && b >= 19) ? "yes" : "")' 2>/dev/null)
DASHBOARD_SOURCES = $(shell find dashboard/src dashboard/public dashboard/scripts -type f) dashboard/index.html dashboard/vite.config.ts $(wildcard examples/*.yaml)

dashboard/node_modules/.package-lock.json: dashboard/package.json dashboard/package-lock.json
	cd dashboard && npm ci --no-fund --no-audit
	@touch $@

dashboard/dist/index.html: dashboard/node_modules/.package-lock.json $(DASHBOARD_SOURCES)
	cd dashboard && npm run --silent build -- --logLevel warn
	@touch $@

.PHONY: dashboard
ifeq ($(NODE_IS_THERE),yes)
dashboard: dashboard/dist/index.html ## Build the dashboard, which becomes part of the program
else
dashboard:
	@echo "No Node 20.19 or newer: the program is built without the dashboard." >&2
endif

.PHONY: run
run: dashboard ## Build and start the service on SQLite in ./data, with development settings
	$(CARGO) build --release --locked
	@exec $(CARGO) run --quiet --release --locked -- serve --config config

.PHONY: build
build: dashboard ## Build the optimized program, target/release/callboard
	$(CARGO) build --release --locked

.PHONY: test
test: packages dashboard lint ## Everything: what the tests need, lint, unit tests, suite on both databases, browser tests, examples, bench, chaos
	$(CARGO) test --locked --lib --bins
	$(CARGO) test --locked --test suite
	$(MAKE) --no-print-directory browser-test
	$(CALLBOARD) validate $(EXAMPLES)
	$(CALLBOARD) bench throughput --executions 300 --clients 16
	$(CALLBOARD) bench latency --executions 50
	$(CALLBOARD) bench fanout --subscribers 50 --rate 20 --seconds 3
	$(CALLBOARD) chaos --kills 3
	$(CALLBOARD) chaos --kills 3 --store postgres

.PHONY: browser-test
browser-test: packages dashboard ## The dashboard in a real browser: journeys of people, accessibility, load
	$(CARGO) build --locked
	cd dashboard && npm run --silent test:browser

.PHONY: screenshots
screenshots: packages dashboard ## Make the pictures of the documentation, docs/images, from the running product
	@.ci/packages pngquant
	$(CARGO) build --locked
	cd dashboard && npm run --silent screenshots

.PHONY: bench
bench: ## Measure this machine: throughput, latency and live fan-out of the optimized program
	$(CARGO) run --quiet --release --locked -- bench throughput
	$(CARGO) run --quiet --release --locked -- bench latency
	$(CARGO) run --quiet --release --locked -- bench fanout

.PHONY: packages
packages: ## Install what the tests need (PostgreSQL server, nginx, jq, Chromium, the fuzzer, a provider of sign-ins) where it is missing
	@.ci/packages
	@.ci/fuzzer
	@.ci/provider

.PHONY: lint
lint: dashboard/node_modules/.package-lock.json ## Formatting, clippy, the house rules, documentation, the dashboard's types, style and unit tests
	cd dashboard && npm run --silent check
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked --quiet --test tidy
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --lib --document-private-items

.PHONY: audit
audit: ## Licenses and known weaknesses of the libraries (needs cargo-deny)
	$(CARGO) deny --locked check

.PHONY: format
format: dashboard/node_modules/.package-lock.json ## Format the sources
	$(CARGO) fmt
	cd dashboard && npm run --silent format

.PHONY: generate
generate: dashboard/node_modules/.package-lock.json ## Write what is generated: config/default.toml, settings table, table of permissions, docs/errors.md, the dashboard's client
	$(CALLBOARD) settings --reference toml > config/default.toml.new
	mv config/default.toml.new config/default.toml
	TABLE="$$($(CALLBOARD) settings --reference markdown)" perl -0pi -e \
		's/(<!-- settings:[^\n]*\n).*?(<!-- end of settings -->)/$$1$$ENV{TABLE}\n$$2/s' docs/operator-guide.md
	CALLBOARD_UPDATE_DOCS=1 $(CARGO) test --locked --quiet --lib -- wire::catalog domain::permission
	$(CALLBOARD) openapi > dashboard/openapi.json.new
	mv dashboard/openapi.json.new dashboard/openapi.json
	cd dashboard && npm run --silent generate
