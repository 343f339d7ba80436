# Modules that are tested: the library, the published ones beside it, and those that are never published.
MODULES := . store/postgres store/redis mail cmd/magiclink benchmarks contracttest crashtest e2e examples

GOLANGCI_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
FUZZTIME ?= 30s

BIN := $(CURDIR)/bin
GOLANGCI := $(BIN)/golangci-lint-$(GOLANGCI_VERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Modules whose tests talk to other processes, so that the race detector would watch the tests alone. In contracttest it would also compile a
# large validator a second time; the handlers that it calls meet the detector in the tests of httpadapter.
APART := cmd/magiclink contracttest e2e

.PHONY: test
test: tools ## run all tests of all modules, with the race detector
# Two commands for all modules, so that packages that wait (for a disk, a browser, a server) run beside others.
	go test -race -shuffle=on $$(go list ./...) $(patsubst %,./%/...,$(filter-out . $(APART),$(MODULES)))
	go test -shuffle=on $(patsubst %,./%/...,$(APART))

.PHONY: full
full: ## run the tests in full: more histories, more modes of the servers, more guesses
	MAGICLINK_TEST_FULL=1 $(MAKE) test

.PHONY: tools
tools: ## install what the tests need and the machine lacks: curl, strace, browsers, PostgreSQL, Postfix (by apt-get, as root)
	@command -v curl >/dev/null || { apt-get update -qq && apt-get install -y -qq curl >/dev/null; }
	@internal/dbtest/install.sh
	@internal/smtptest/install.sh
	@crashtest/install.sh
	@e2e/install.sh

.PHONY: lint
lint: $(GOLANGCI) ## run go vet's and golangci-lint's checks, and check that go.mod is tidy
	@set -e; for module in $(MODULES); do \
		echo "== lint $$module"; \
		(cd $$module && $(GOLANGCI) run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...); \
	done
	GOWORK=off go mod tidy -diff
	.ci/tidy -diff
	GOWORK=off go mod verify

$(GOLANGCI):
	GOWORK=off GOBIN=$(BIN)/install go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(BIN)/install/golangci-lint $@

.PHONY: rehearse
rehearse: ## build programs against locally tagged copies of the modules, as a release publishes them
	.ci/rehearse

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; for package in $$(go list ./... ./mail/...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: bench
bench: ## measure against floors and a rival, and write docs/benchmarks.md; some minutes on a quiet machine
	benchmarks/run.sh

.PHONY: vuln
vuln: ## look for known vulnerabilities; needs the Go vulnerability database
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

.PHONY: clean
clean: ## remove what make has made
	rm -rf $(BIN)
