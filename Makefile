# Everything is done from here; `make` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

ROOT := $(CURDIR)
BUILD := $(ROOT)/.build
BIN := $(BUILD)/bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Passed on to the program of run, demo and bench: make run ARGS="--data /tmp/hale"
ARGS ?=
# How long each fuzz target runs.
FUZZTIME ?= 10s
# These decide, and start nothing: there is no race to find in them, and looking for one would take ten times as long.
DECIDING := ./internal/fold/... ./internal/health/... ./internal/oracle/... ./internal/trial/...

BUF_PACKAGE := scripts/node_modules/.package-lock.json
VALIDATE := $(BUILD)/protovalidate/buf/validate/validate.proto
E2E_PACKAGE := services/e2e/clients/node_modules/.package-lock.json
GENERATORS := $(BIN)/protoc-gen-go $(BIN)/protoc-gen-go-grpc $(BIN)/protoc-gen-hale-openapi
export PATH := $(BIN):$(PATH)
# The version is given by VERSION; stamping it from git fails where the tree belongs to another user.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##
## Everyday
##

.PHONY: setup
setup: ## Install what tests and checks need: packages of the system, of npm, and the pinned tools
	@scripts/setup
	@$(MAKE) tools

.PHONY: build
build: ## Build bin/hale
	cd services && go build -trimpath -ldflags '-X main.version=$(VERSION)' -o ../bin/hale ./cmd/hale

.PHONY: run
run: build ## Build and run all services in one process, data in ./data; needs only Go. ARGS="..." are its flags
	@exec bin/hale run $(ARGS)

.PHONY: demo
demo: build ## Play a made-up portfolio into the Hale that runs
	@exec bin/hale demo $(ARGS)

.PHONY: test
test: ## Do all that CI does: set up, check, test
	@scripts/step setup $(MAKE) setup
	@scripts/step docs $(MAKE) docs
	@scripts/step modules scripts/modules
	@scripts/step format $(MAKE) format-check
	@scripts/step verify $(MAKE) verify
	@scripts/step standalone $(MAKE) standalone
	@scripts/step lint $(MAKE) lint
	@scripts/step unit-test $(MAKE) unit-test

##
## Single checks, all of them part of test
##

.PHONY: lint
lint: $(BIN)/golangci-lint ## Lint the Go code
	cd proto && golangci-lint run
	cd services && golangci-lint run
	cd scripts && GOWORK=off golangci-lint run --config ../.golangci.yml

.PHONY: format
format: $(BIN)/golangci-lint ## Format the Go code and the protos
	cd proto && golangci-lint fmt
	cd services && golangci-lint fmt
	cd scripts && GOWORK=off golangci-lint fmt --config ../.golangci.yml
	$(MAKE) $(BUF_PACKAGE)
	scripts/buf format -w proto

.PHONY: format-check
format-check: $(BIN)/golangci-lint
	cd proto && golangci-lint fmt --diff
	cd services && golangci-lint fmt --diff
	cd scripts && GOWORK=off golangci-lint fmt --diff --config ../.golangci.yml

.PHONY: docs
docs: ## Check that the pages name only files that exist
	cd scripts && GOWORK=off go run ./links ..

.PHONY: generate
generate: $(GENERATORS) $(VALIDATE) $(BUF_PACKAGE) ## Generate the Go code and the OpenAPI document of the protos
	scripts/buf generate

.PHONY: verify
verify: $(GENERATORS) $(VALIDATE) $(BUF_PACKAGE) ## Check the protos: fresh code, format, lint, compatible with the last release
	scripts/verify

.PHONY: unit-test
unit-test: $(E2E_PACKAGE) ## Run all tests, those with real processes too
	cd scripts && GOWORK=off go test ./...
	cd proto && go test -vet=off -race -count=1 ./...
	cd services && go test -vet=off -count=1 -timeout 20m $(DECIDING)
	cd services && go test -vet=off -race -count=1 -timeout 20m -parallel 3 \
		$$(go list ./... | grep -vxF "$$(go list ./e2e/... $(DECIDING))")
	cd services && go test -vet=off -race -count=1 -timeout 20m -p 1 ./e2e/... # these want the machine for themselves

.PHONY: standalone
standalone: ## Build each module without the workspace, as those who import it do
	cd proto && GOWORK=off go build ./...
	cd services && GOWORK=off go build ./...

##
## Rarely
##

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME, 10s unless set; unit-test runs their seeds
	scripts/fuzz $(FUZZTIME)

.PHONY: simulate
simulate: ## Simulate scoring processes and their faults from many seeds. ARGS="SIM_SEED=1 SIM_SEEDS=10000 SIM_STEPS=4000"
	cd services && env SIM_SEEDS=2000 $(ARGS) go test -count=1 -timeout 0 -v -run '^TestSimulation$$' ./scoring

.PHONY: bench
bench: ## Measure Hale beside what it stands on. ARGS="-runs 1 -only bd" for a part
	cd services && go run ./e2e/bench $(ARGS)

.PHONY: chaos
chaos: ## Let everything fail on clusters under load, and compare with the oracle. ARGS="-seed 7 -parts 3" or "-alerts -rounds 500"
	cd services && go run ./e2e/chaos $(ARGS)

.PHONY: release
release: $(VALIDATE) $(BUF_PACKAGE) ## Make a release: VERSION=v1.2.3. Renews the image that changes of the protos are held against
	scripts/release '$(VERSION)'

.PHONY: clean
clean: ## Remove what was built; data stays
	rm -rf .build bin scripts/node_modules services/e2e/clients/node_modules

# Tools are made again only when what pins them changes.

.PHONY: tools
tools: $(BIN)/golangci-lint $(GENERATORS) $(VALIDATE) $(BUF_PACKAGE) $(E2E_PACKAGE)

tool = cd scripts && GOWORK=off go build -o $@ $(1) && touch $@

$(BIN)/golangci-lint: scripts/go.mod
	$(call tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

$(BIN)/protoc-gen-go: scripts/go.mod
	$(call tool,google.golang.org/protobuf/cmd/protoc-gen-go)

$(BIN)/protoc-gen-go-grpc: scripts/go.mod
	$(call tool,google.golang.org/grpc/cmd/protoc-gen-go-grpc)

$(BIN)/protoc-gen-hale-openapi: scripts/go.mod $(wildcard scripts/openapi/*.go)
	$(call tool,./openapi)

$(VALIDATE): scripts/protovalidate/go.mod
	scripts/validate-proto $@

%/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $*
	@touch $@
