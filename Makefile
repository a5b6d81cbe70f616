# Everything here installs what it needs and says what it does. What cannot be had on this machine is
# skipped with a reason by the tests that need it.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM    = gotest.tools/gotestsum@v1.13.0
WASM         = build/kedge.wasm.gz
FUZZTIME    ?= 3s
PREFIX      ?= $(HOME)/.local
PROGRAM     ?= build/kedge

.PHONY: all build page browser screenshots cli demo test vet lint unit fuzz clients tools install uninstall docs race bench bench-since mutants test-migrations generate clean help

all: build cli ## build the canister and the command line

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

build: ## build the canister with its web page: build/kedge.wasm.gz
	GO="$(GO)" sh scripts/module.sh $(WASM)

page: ## build the web page: frontend-shim/dist
	sh scripts/page.sh

cli: ## build the command line: build/kedge (VERSION=v1.2.3 in place of the version that Go finds)
	$(GO) build -trimpath $(if $(VERSION),-ldflags "-X kedge/cli/version.release=$(VERSION)") -o $(PROGRAM) ./cmd/kedge

install: cli ## put kedge, its man pages and its shell completions in PREFIX (~/.local), below DESTDIR if that is set
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/kedge
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null)} KEDGE_VERSION=$$($(PROGRAM) --version | cut -d' ' -f2) \
		$(GO) run ./cmd/clidoc man $(DESTDIR)$(PREFIX)/share/man
	$(GO) run ./cmd/clidoc completion $(DESTDIR)$(PREFIX)/share

uninstall: ## take out of PREFIX what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/kedge $(DESTDIR)$(PREFIX)/share/man/man1/kedge.1 $(DESTDIR)$(PREFIX)/share/man/man1/kedge-*.1 $(DESTDIR)$(PREFIX)/share/man/man7/kedge-*.7
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/kedge $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_kedge
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/kedge.fish $(DESTDIR)$(PREFIX)/share/kedge/completion.ps1

docs: ## write docs/cli.md anew, from the commands themselves
	$(GO) run ./cmd/clidoc markdown docs/cli.md

demo: build cli ## build, start the local network, deploy, and play the main story
	$(GO) run ./tests/demo

test: tools vet lint unit fuzz ## everything: vet, lint, unit, end to end, real clients, fuzz smoke

vet:
	$(GO) vet ./...

lint:
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not formatted (run gofmt -w):"; echo "$$files"; exit 1; fi
	$(GO) run $(STATICCHECK) ./...

unit: build ## all Go tests, with a list of those that were skipped and why
	@mkdir -p build
	KEDGE_WASM=$(CURDIR)/$(WASM) $(GO) run $(GOTESTSUM) --format pkgname-and-test-fails --jsonfile build/test.json -- -timeout 30m ./...
	@sh scripts/slowest.sh build/test.json

race: build ## the tests of what runs in several goroutines, under the race detector
	KEDGE_WASM=$(CURDIR)/$(WASM) $(GO) test -race -timeout 40m ./replica/... ./cli/... ./device/... ./internal/...

fuzz: ## every fuzz target for FUZZTIME (3 s)
	FUZZTIME=$(FUZZTIME) sh scripts/fuzz.sh

tools: ## what the tests use beside Go: real clients from npm, browsers and wabt from Debian
	sh scripts/tools.sh

test-migrations: ## the tests of storage and migrations alone
	$(GO) test -timeout 30m ./canister/storage/... ./migrations/...

browser: tools build ## the web page in a real browser, with unmodified sign-in clients
	KEDGE_WASM=$(CURDIR)/$(WASM) $(GO) test -count=1 -timeout 30m ./tests/browser/...

screenshots: tools build ## a picture of every view, light, dark and phone-wide, in build/screenshots
	KEDGE_SCREENSHOTS=$(CURDIR)/build/screenshots KEDGE_WASM=$(CURDIR)/$(WASM) $(GO) test -count=1 -timeout 30m -run 'TestStories/views' ./tests/browser

bench: build ## instructions and pages of every method, and the other figures that the README quotes
	KEDGE_WASM=$(CURDIR)/$(WASM) $(GO) test -count=1 -timeout 60m -run '^$$' -bench . -benchtime 1x -p 1 ./tests/bench/...
	$(GO) test -count=1 -run '^$$' -bench 'Find|Unlock|Split|Join' -p 1 ./device/...

bench-since: ## the local network before it counted as production does, and now, in one run, with the ratio
	scripts/bench-since.sh

mutants: ## flip every condition of the rules and show that a test fails for each
	$(GO) run ./tests/mutants

generate: ## write the code that is generated from the Candid files anew
	$(GO) generate ./...

clean: ## remove what was built here
	rm -rf build
