# Every target makes its own set-up; nothing needs a network once all is installed.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# For `make demo`: a case folder such as ../shared/cases/badnets (empty: the demonstration draws its own data),
# and the attack and target class that its make_case.py simulates, where they are not known by its name.
CASE ?=
ATTACK ?=
TARGET ?=

.PHONY: help setup build check test package demo bench quality peers peers-quick peers-check docs format lint clean

help: ## This list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## System packages, Python environment, libtorch
	@scripts/setup

build: setup ## burnd, burn-worker and burn-client in release mode, into .build/release
	swift build -c release --target Programs

check: ## Build what changed, lint, and run the quick unit tests: for every change
	@scripts/check

test: setup ## Build and run every test, and fuzz each parser of foreign bytes for 60 s
	@scripts/setup browser
	@scripts/setup slurm
	@scripts/test-all

package: setup ## Debian package, tarball and Python package, into dist/
	@scripts/package

demo: build ## The whole job over HTTP, before and after (CASE=dir for a real case)
	@.build/release/burnd demo --output .cache/demonstration $(if $(CASE),--case "$(CASE)") $(if $(ATTACK),--attack "$(ATTACK)") \
		$(if $(TARGET),--target "$(TARGET)")

bench: build ## Speed and memory beside PyTorch; writes bench-results/
	swift build -c release --product burn-bench
	@scripts/bench

quality: build ## What scans find in models of two to ten classes, held against what they found before
	swift build -c release --product burn-bench
	@.venv/bin/python Benchmarks/quality.py

peers: build ## BURN beside other defences on the same models; writes docs/peers.md (hours)
	swift build -c release --product burn-bench
	@scripts/peers

peers-quick: build ## The same on three models; writes bench-results/peers-quick.md
	swift build -c release --product burn-bench
	@scripts/peers quick

peers-check: setup ## Holds the other defences' implementations against a library, published code and closed forms
	@scripts/peers check

docs: ## The REST reference, and the Swift API's documentation into .build-docs/documentation
	@scripts/rest-reference
	@scripts/api-documentation

format: ## Format every Swift file
	swift format format --in-place --parallel --recursive Package.swift Benchmarks Sources Tests

lint: ## Refuse bad format, wrong arrows between modules, unchecked arithmetic, messages without a fix, packages without a pin
	swift format lint --strict --parallel --recursive Package.swift Benchmarks Sources Tests
	@scripts/check-arrows
	@scripts/lint-arithmetic
	@scripts/lint-messages
	scripts/check-pins
	scripts/set-version --check

clean: ## Remove what was built (not what was installed)
	rm -rf .build .build-fuzz .build-tsan .cache bench-results dist
