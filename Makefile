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

.PHONY: test
test: tools ## run all tests of all modules, with the race detector
# One command, so that packages that wait (for a disk, a browser, a server) run beside others. contracttest comes by itself: its
# validator is large, and would be compiled a second time for the detector, which the handlers that it calls meet in the tests of
# httpadapter.
	go test -race -shuffle=on $(patsubst %,./%/...,$(filter-out . contracttest,$(MODULES))) $$(go list ./...)
	go test -shuffle=on ./contracttest/...

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
