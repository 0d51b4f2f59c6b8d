# riskpipe: every task, `make help` lists them.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO              ?= go
VERSION         ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOLANGCI_LINT   := bin/golangci-lint-v2.15.0
GOVULNCHECK     := bin/govulncheck-v1.9.0
TESTFLAGS       ?= -timeout 20m
BENCH           ?= .
BENCHTIME       ?= 1s
FUZZTIME        ?= 10s
SEEDS           ?= 5000

# npm writes this file last; it is the mark of a complete install.
ENGINE := deploy/embedded/node_modules/.package-lock.json

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## Build bin/riskpipe
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/riskpipe ./cmd/riskpipe

.PHONY: demo
demo: build $(ENGINE) ## The whole system in one command, on embedded servers, with a made-up tenant
	bin/riskpipe demo

##@ Test

.PHONY: test
test: $(ENGINE) ## All tests with the race detector, on embedded servers
	$(GO) test -race $(TESTFLAGS) ./...

# Hours of outages on a fake clock. The tag makes the locks of the Kafka client ones that the clock can wait for. The
# timers of a bubble share one context of the race detector, which crashes when two cores run them: golang/go#78156.
.PHONY: test-virtual
test-virtual: ## Rebalances, outages and storms in virtual time
	$(GO) test -race -cpu 1 -tags synctests $(TESTFLAGS) -run Virtual ./pipeline ./sink

# One goroutine a seed, so the race detector has nothing to find here and would only take its time.
.PHONY: test-simulation
test-simulation: ## SEEDS=5000 simulated failures of the scorer and the sink, and of their mutants
	RISKPIPE_TEST_SEEDS=0:$(SEEDS) $(GO) test $(TESTFLAGS) -run _simulation ./pipeline ./sink

# The servers live in a directory of their own, so that those of `make up` are left alone, and go down however
# the tests end. -count=1: a cached pass says nothing about a server.
.PHONY: test-real
test-real: SERVED = . ./cmd/... ./deploy/embedded/servertest ./deploy/grafana ./deploy/prometheus ./pipeline ./sink
test-real: $(ENGINE) ## The tests that need servers, against real Kafka and Redis started for the occasion
	@deploy/local/install redis kafka
	@export RISKPIPE_LOCAL_DIR=$$(mktemp -d); \
	trap 'deploy/local/down' EXIT; \
	trap 'exit 130' INT TERM; \
	servers=$$(deploy/local/up); \
	eval "$$servers"; \
	echo "$$servers" | sed 's/^export //'; \
	RISKPIPE_REQUIRE_REAL=1 $(GO) test -race -count=1 $(TESTFLAGS) $(SERVED)

.PHONY: test-386
test-386: ## The pure core on another architecture: the same bytes with words of 32 bits
	GOARCH=386 CGO_ENABLED=0 $(GO) test $(TESTFLAGS) -run 'SameBytes|Property|Golden|Templates_tests' ./operators

.PHONY: bench
bench: $(ENGINE) ## All benchmarks; BENCH=regexp, BENCHTIME=1s
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

.PHONY: fuzz
fuzz: $(ENGINE) ## Each fuzz target for FUZZTIME=10s
	@git ls-files -co --exclude-standard '*_test.go' | xargs -r grep -HoE '^func Fuzz[A-Za-z0-9_]*' | \
	while IFS=: read -r file func; do \
		echo "fuzz $${func#func } in $$(dirname "$$file")"; \
		$(GO) test -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" </dev/null; \
	done

# Real servers of its own, on which everything is broken that can be. -count=1: a storm is never the same twice.
CHAOS = RISKPIPE_CHAOS=1 RISKPIPE_BIN=$(CURDIR)/bin/riskpipe RISKPIPE_CHAOS_SEED='$(SEED)' RISKPIPE_CHAOS_DURATION='$(DURATION)' \
	RISKPIPE_CHAOS_SCENARIO='$(SCENARIO)' $(GO) test -count=1 -v -timeout 3h ./deploy/chaos

.PHONY: chaos
chaos: build $(ENGINE) ## Break servers, services and network for DURATION=5m by SEED=1, then compare everything
	@deploy/local/install redis kafka
	$(CHAOS) -run '^TestStorm$$'

.PHONY: chaos-short
chaos-short: DURATION := 45s
chaos-short: chaos ## The same in about two minutes

.PHONY: overload
overload: build $(ENGINE) ## Burst, hot user, stuck partition, poison, slow ClickHouse; SCENARIO=burst,…, DURATION=20s each
	@deploy/local/install redis kafka
	$(CHAOS) -run '^TestOverload$$'

.PHONY: soak
soak: build $(ENGINE) ## Half of the maximum rate for DURATION=30m: nothing may grow
	@deploy/local/install redis kafka
	$(CHAOS) -run '^TestSoak$$'

##@ Check

.PHONY: check
check: lint vet test test-virtual test-simulation test-386 ## Everything a change must pass: format, lint, vet, test

.PHONY: lint
lint: $(GOLANGCI_LINT) ## golangci-lint, formatting and import rules included
	$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code (gofumpt, gci)
	$(GOLANGCI_LINT) fmt ./...

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: vuln
vuln: $(GOVULNCHECK) ## Known vulnerabilities that the code reaches; needs the database at vuln.go.dev
	$(GOVULNCHECK) ./...

##@ Servers on this machine, without Docker

.PHONY: up
up: ## Start real Kafka and Redis
	@deploy/local/install redis kafka
	@deploy/local/up

.PHONY: down
down: ## Stop them and remove their data
	@deploy/local/down

##@ Housekeeping

.PHONY: clean
clean: ## Remove what was built; what was installed stays
	rm -f bin/riskpipe coverage.out

# The version is in the name: another one is another file.
$(GOLANGCI_LINT):
	@echo "building $(notdir $@), a minute and a half once" >&2
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	GOBIN=$$dir $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(@:bin/golangci-lint-%=%); \
	mkdir -p bin; mv "$$dir/golangci-lint" $@

$(GOVULNCHECK):
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	GOBIN=$$dir $(GO) install golang.org/x/vuln/cmd/govulncheck@$(@:bin/govulncheck-%=%); \
	mkdir -p bin; mv "$$dir/govulncheck" $@

$(ENGINE): deploy/embedded/package.json deploy/embedded/package-lock.json
	@deploy/local/install engine
	@touch $@
