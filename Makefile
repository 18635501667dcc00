# Everyday commands. `make help` lists them.

CARGO ?= cargo
CALLBOARD = $(CARGO) run --quiet --locked --
EXAMPLES = $(wildcard examples/*.yaml)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r target text; do printf '  make %-10s %s\n' "$$target" "$$text"; done

.PHONY: run
run: ## Build and start the service on SQLite in ./data, with development settings
	$(CARGO) build --release --locked
	@exec $(CARGO) run --quiet --release --locked -- serve --config config

.PHONY: build
build: ## Build the optimized program, target/release/callboard
	$(CARGO) build --release --locked

.PHONY: test
test: packages lint ## Everything: what the tests need, lint, unit tests, suite on both databases, examples, bench, chaos
	$(CARGO) test --locked --lib --bins
	$(CARGO) test --locked --test suite
	$(CALLBOARD) validate $(EXAMPLES)
	$(CALLBOARD) bench throughput --executions 300 --clients 16
	$(CALLBOARD) bench latency --executions 50
	$(CALLBOARD) bench fanout --subscribers 50 --rate 20 --seconds 3
	$(CALLBOARD) chaos --kills 3
	$(CALLBOARD) chaos --kills 3 --store postgres

.PHONY: bench
bench: ## Measure this machine: throughput, latency and live fan-out of the optimized program
	$(CARGO) run --quiet --release --locked -- bench throughput
	$(CARGO) run --quiet --release --locked -- bench latency
	$(CARGO) run --quiet --release --locked -- bench fanout

.PHONY: packages
packages: ## Install what the tests need (PostgreSQL server, nginx, jq, the fuzzer) where it is missing
	@.ci/packages
	@.ci/fuzzer

.PHONY: lint
lint: ## Formatting, clippy, the house rules, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked --quiet --test tidy
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --lib --document-private-items

.PHONY: audit
audit: ## Licenses and known weaknesses of the libraries (needs cargo-deny)
	$(CARGO) deny --locked check

.PHONY: format
format: ## Format the sources
	$(CARGO) fmt

.PHONY: generate
generate: ## Write config/default.toml, the settings table of the operator guide and docs/errors.md
	$(CALLBOARD) settings --reference toml > config/default.toml.new
	mv config/default.toml.new config/default.toml
	TABLE="$$($(CALLBOARD) settings --reference markdown)" perl -0pi -e \
		's/(<!-- settings:[^\n]*\n).*?(<!-- end of settings -->)/$$1$$ENV{TABLE}\n$$2/s' docs/operator-guide.md
	CALLBOARD_UPDATE_DOCS=1 $(CARGO) test --locked --quiet --lib wire::catalog
