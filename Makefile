# sysreel: make builds and tests; make demo shows the whole loop.

GO       ?= go
export CGO_ENABLED = 0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# -s too would take the symbol table, and with it the signals that a launched
# command inherits as ignored (record/internal/ptrace/ignored.go).
LDFLAGS  := -w -X main.version=$(VERSION)
SOURCES  := $(shell find proto record analyze cmd -name '*.go' -o -name '*.txt' -o -name '*.proto') go.mod go.sum

.PHONY: all build test test-record test-suites test-vm race lint cross generate check check-headers demo golden fuzz bench bench-record bench-summary bench-diff cover clean

all: build test

build: sysreel

sysreel: $(SOURCES)
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/sysreel

# The whole suite. Tests that need strace, gcc, nginx and the like say so and
# skip where these are missing; with CI set they fail instead. It takes some five
# minutes on two idle cores; the limit is for a crowded machine.
test:
	$(GO) test -timeout 20m ./...

# The tests that trace real programs only (Linux, permission to ptrace).
test-record:
	$(GO) test -count=1 -timeout 20m ./record/... ./cmd/...

# The test suites of Go and Python, bare and recorded, compared test by test;
# and more of the other work that must come out the same.
test-suites:
	SYSREEL_SUITES=1 $(GO) test -count=1 -v -timeout 60m -run 'TestSuites|TestRecorded' ./cmd/sysreel

# The recorder's tests on an emulated machine with another processor or kernel:
# VM=arm64, amd64-5.4, amd64-5.10 or amd64-7; VMARGS for the tests. It fetches a
# kernel and a system by apt-get and needs qemu; see testdata/vm/test.sh.
VM ?= arm64
test-vm:
	testdata/vm/test.sh $(VM) $(VMARGS)

race:
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

lint:
	@out=$$(gofmt -l proto record analyze cmd); test -z "$$out" || { echo "gofmt would change:"; echo "$$out"; exit 1; }
	$(GO) vet ./...

# The recorder is Linux's; everything else must build and vet anywhere.
cross:
	@set -e; for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do \
		echo "cross: $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) vet ./...; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -o /dev/null ./cmd/sysreel; \
	done

# Needs protoc and protoc-gen-go; the result is committed.
generate:
	$(GO) generate ./...

check: generate
	git diff --exit-code

# Compares the tables of proto/syscalls with the kernel headers installed here
# (gcc, gcc-multilib, linux-libc-dev), lists what the headers do not know, and
# fails for constants of theirs that nobody has put into a set or set aside.
# HEADERS=DIR takes another kernel's: the usr/include of Debian's linux-libc-dev,
# unpacked with dpkg-deb -x.
HEADERS ?= 1
check-headers:
	HEADERS='$(if $(filter 1,$(HEADERS)),1,$(abspath $(HEADERS)))' $(GO) test -count=1 -v -run 'TestHeaders' ./proto/syscalls

demo: sysreel
	@sh testdata/demo.sh ./sysreel

# Rewrites expected outputs in testdata; look at the difference before you commit it.
golden:
	UPDATE=1 $(GO) test ./...

FUZZTIME ?= 30s
fuzz:
	@set -e; $(GO) list -f '{{$$p := .ImportPath}}{{range .TestGoFiles}}{{$$p}} {{end}}{{range .XTestGoFiles}}{{$$p}} {{end}}' ./... | tr ' ' '\n' | sort -u | grep . | \
	while read -r p; do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "fuzz: $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; \
		done; \
	done

# Ratios from one run; see the README for what is quoted and how.
bench:
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

# Recording against no recording and strace, the four in turn; ratios of medians.
bench-record: sysreel
	$(GO) run ./cmd/bench-record -sysreel ./sysreel

# Long traces: summary and hist, awk over strace's text, perf trace -s; ratios of
# medians. EVENTS and LARGE set the lengths; 100 M events take about 1 GB of $TMPDIR.
EVENTS ?= 5000000
LARGE  ?= 100000000
bench-summary: sysreel
	$(GO) run ./cmd/bench-summary -sysreel ./sysreel -events $(EVENTS) -large $(LARGE)

# Real failures, ranked by diff and by a masked difference of strace's logs; the
# weights fitted with each program held out in turn; then RUNS healthy runs of each
# program, every pair of which must be the same. Needs strace and root.
RUNS ?= 5
bench-diff: sysreel
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	$(GO) run ./cmd/bench-diff -sysreel ./sysreel -baseline -keep "$$dir"; \
	$(GO) run ./cmd/bench-diff -fit -keep "$$dir"; \
	$(GO) run ./cmd/bench-diff -sysreel ./sysreel -healthy $(RUNS)

cover:
	$(GO) test -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -1

clean:
	rm -rf sysreel demo cover.out
