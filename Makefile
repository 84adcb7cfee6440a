# fkzoo's tasks. `make` builds bin/fkzoo and its plugins; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

GO       ?= go
MODULE   := github.com/fkzoo/fkzoo
FUZZTIME ?= 10s
FUZZ     ?= .
BENCH    ?= .
BENCHTIME ?=

ifeq ($(shell command -v $(GO) 2>/dev/null),)
$(error $(GO): found no such program, want Go $(shell sed -n 's/^go //p' go.mod) or later: https://go.dev/dl)
endif

# A plugin is a folder below plugins/ that holds a program.
PLUGINS := $(patsubst plugins/%/main.go,%,$(shell grep -ls '^package main' plugins/*/main.go))

# All that a binary is made of. The folders are listed too: a file that went away changes its folder's time.
SOURCES := go.mod go.sum $(shell find cmd format host internal plugins specs zoo -path '*/testdata' -prune -o ! -name '*_test.go' -print)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

SHA256 := $(if $(shell command -v sha256sum),sha256sum,shasum -a 256)

# For tests too, so that everything is compiled once and not twice.
export GOFLAGS := $(strip -trimpath $(GOFLAGS))

# Without the commit in them plugins keep their checksums, and so what fkzoo remembers of them, over commits.
BUILD := $(GO) build -buildvcs=false

.PHONY: build
build: bin/fkzoo ## bin/fkzoo and every bin/fkzoo-plugin-*

# name=sha256 of every plugin, with commas between: what is linked into fkzoo, which starts no plugin it doesn't know.
bin/.plugins/checksums: $(SOURCES) Makefile
	@mkdir -p bin/.plugins
	$(BUILD) -o bin/.plugins/ $(PLUGINS:%=./plugins/%)
	@rm -f bin/fkzoo-plugin-*
	@for p in $(PLUGINS); do ln -f "bin/.plugins/$$p" "bin/fkzoo-plugin-$$p"; done
	@(cd bin/.plugins && $(SHA256) $(PLUGINS)) | awk '{ printf "%s%s=%s", sep, $$2, $$1; sep = "," }' > $@

# A file that changes with the version, and only then.
ifneq ($(shell cat bin/.version 2>/dev/null),$(VERSION))
bin/.version: FORCE
endif
bin/.version:
	@mkdir -p $(@D)
	@echo '$(VERSION)' > $@

.PHONY: FORCE
FORCE:

# What stands beside the plugins and trusts them.
bin/fkzoo: PROGRAM := ./cmd/fkzoo
bin/results: PROGRAM := ./internal/results
bin/peers: PROGRAM := ./internal/peers
bin/faces: PROGRAM := ./internal/faces
bin/fkzoo bin/results bin/peers bin/faces: bin/.plugins/checksums bin/.version
	$(BUILD) -ldflags "-X $(MODULE)/host.shipped=$$(cat bin/.plugins/checksums) -X main.version=$(VERSION)" -o $@ $(PROGRAM)
	@touch $@

.PHONY: demo
demo: build ## train compact-s on drawn faces, see what it learned; find faces in a drawn scene; about a minute
	@mkdir -p demo
	bin/fkzoo train compact-s --data demo:2400 --epochs 8 --force -o demo/compact-s.fkz --plot demo/curves.svg
	@printf '\nOn 500 faces that are not among those it was trained on:\n\n'
	bin/fkzoo evaluate demo/compact-s.fkz --data demo:500:2 --sheet demo/worst.png --force
	bin/fkzoo predict demo/compact-s.fkz demo:24:2 --draw demo/faces -o demo/points.csv --force
	@printf '\nIn a drawn scene, with the model in the program:\n\n'
	bin/fkzoo data scene --seed 31 --people 7 -o demo/scene.png --labels demo/scene.json --force
	bin/fkzoo predict demo/scene.png --draw demo/drawn --crops demo/crops --force
	@printf '%s\n' '' 'In the folder demo: the model compact-s.fkz, its learning curves curves.svg, the worst of those faces' \
	  'worst.png, and 24 of them in faces/ with their points: a dot where it was found, a ring where it is;' \
	  'the drawn people scene.png, the same in drawn/ with what was found, and each face in crops/.'

.PHONY: results
results: bin/results ## train what docs/results.md shows and write its tables; RUNS='compact-s-*' picks some, RUNS=list shows all, RUNS=page trains none; hours
	set -f; bin/results $(RUNS)

.PHONY: ready
ready: build ## train the models in the program anew, from drawn faces alone, and compare; half an hour
	FKZOO_CPU=avx2 bin/fkzoo train compact-s --data demo:40000 --epochs 18 --backend go -o bin/ready.fkz --force
	FKZOO_CPU=avx2 bin/fkzoo train finder --data scenes:32000 --epochs 14 --backend go -o bin/ready-finder.fkz --force
	bin/fkzoo diff bin/ready.fkz ready
	bin/fkzoo diff bin/ready-finder.fkz ready-finder

.PHONY: faces
faces: bin/faces ## measure what docs/photos.md shows; FACES='photos film' picks some of photos, data, nobody, film, variations, page
	bin/faces $(FACES)

.PHONY: test
test: ## all tests; FKZOO_TESTDATA names the folder with the real data, TESTFLAGS adds flags
	$(GO) test $(TESTFLAGS) ./...

.PHONY: lint
lint: ## gofmt, go.mod as go mod tidy wants it, go vet, staticcheck
	@files=$$(gofmt -l .); [ -z "$$files" ] || { printf 'not as gofmt wants it:\n%s\n' "$$files" >&2; exit 1; }
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: bench
bench: ## benchmarks of every package that has some; BENCH=REGEXP picks some of them, BENCHTIME=1x runs each once
	$(GO) test -run='^$$' -bench='$(BENCH)' $(BENCHTIME:%=-benchtime='%') -timeout=60m \
	  $$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)

.PHONY: bench-peers
bench-peers: bin/fkzoo bin/peers ## fkzoo beside PyTorch, JAX and ONNX Runtime, for docs/performance.md; PEERS='train-*' picks contests, PEERS=list shows them, PEERS=page writes the page alone; ROUNDS, PIECE=2s; an hour
	set -f; GO='$(GO)' bin/peers $(ROUNDS:%=-rounds '%') $(PIECE:%=-piece '%') $(PAGE:%=-page '%') $(PEERFLAGS) $(PEERS)

# What is carried to a machine with a GPU, which needs no Go: less than 60 MB.
bin/gpu-check.tar.gz: bin/fkzoo bin/peers internal/gpucheck/check internal/peers/python/peers.py $(shell find host -name '*_test.go' -o -path '*/testdata/*' -type f)
	@rm -rf bin/gpu-check && mkdir -p bin/gpu-check
	cp internal/gpucheck/check internal/peers/python/peers.py bin/gpu-check
	mkdir bin/gpu-check/tasks && bin/peers gpu-tasks bin/gpu-check/tasks
	for p in net9 net11 compact; do $(BUILD) -ldflags '-s -w' -o bin/gpu-check/fkzoo-plugin-$$p ./plugins/$$p; done
	shipped=$$(cd bin/gpu-check && $(SHA256) fkzoo-plugin-* | awk '{ sub("fkzoo-plugin-", "", $$2); printf "%s%s=%s", sep, $$2, $$1; sep = "," }'); \
	$(BUILD) -ldflags "-s -w -X $(MODULE)/host.shipped=$$shipped -X main.version=$(VERSION)" -o bin/gpu-check ./cmd/fkzoo
	for p in engine engine/gomlx engine/gomlx/kernel; do \
	  d=bin/gpu-check/tests/$${p##*/}; mkdir -p $$d; \
	  $(GO) test -c -ldflags='-s -w' -o $$d/$${p##*/}.test ./host/$$p; \
	  if [ -d host/$$p/testdata ]; then cp -r host/$$p/testdata $$d; fi; \
	done
	tar -C bin -c gpu-check | gzip -9 > $@

.PHONY: gpu-check
gpu-check: bin/gpu-check.tar.gz ## the engine's tests on an NVIDIA GPU, and trainings timed; bin/gpu-check.tar.gz is all that another machine needs, whose Python has jax-cuda13-pjrt 0.11.2
	bin/gpu-check/check

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME, 10s; FUZZ=REGEXP picks some by folder and name
	@targets=$$(grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:func | |' | sort | grep -E -e '$(FUZZ)') || \
	  { echo 'found no fuzz target that matches $(FUZZ), want some' >&2; exit 1; }; \
	while read -r dir name; do \
	  echo "== $$dir $$name"; \
	  $(GO) test -run='^$$' -fuzz="^$$name\$$" -fuzztime='$(FUZZTIME)' -fuzzminimizetime=100x "$$dir" </dev/null; \
	done <<< "$$targets"

.PHONY: generate
generate: ## the generated code, with the tools go.mod pins
	$(GO) generate ./...

# Systems that run fkzoo without cgo, so with the go backend alone.
CROSS := linux/arm64 darwin/arm64 windows/amd64

.PHONY: cross $(CROSS:%=cross/%)
cross: $(CROSS:%=cross/%) ## build for the systems that have no cgo
$(CROSS:%=cross/%):
	CGO_ENABLED=0 GOOS=$(word 2,$(subst /, ,$@)) GOARCH=$(word 3,$(subst /, ,$@)) $(GO) build ./...

.PHONY: clean
clean: ## remove what build and demo made; not the models of results
	rm -rf bin demo

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile
