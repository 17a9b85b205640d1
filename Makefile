# Everything runs from a fresh Debian 12 with Rust; see README.md.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/keroxio/target
KEROXIO := $(CARGO_TARGET_DIR)/debug/keroxio
.PHONY: help setup build demo sheet run test conformance clients hostile grafana outages chaos bench bench-api bench-budget bench-images bench-memory bench-jobs bench-plates bench-prices train-pricing services-up services-down schema fmt lint clean

help:
	@echo "make demo [PHOTO=\"a.jpg b.jpg\"] [ARGS=\"--json --make Renault\"]   the journey from photo to ad, with a report"
	@echo "make sheet [PHOTO=\"a.jpg b.jpg\"]   photos before and after, a sheet for every twelve, in .keroxio/sheet"
	@echo "make run     API, pages and worker on http://127.0.0.1:8080"
	@echo "make test    every test, with private servers"
	@echo "make conformance   GraphQL over HTTP and WebSocket, uploads, attacks and clients, measured from outside (needs Node)"
	@echo "make clients   types from the schema, and Apollo Client, urql and graphql-ws against a server (needs Node)"
	@echo "make hostile   what a user feels of 1,000 hostile requests in flight, and the memory they leave (needs Node)"
	@echo "make outages   what is lost and burned while API, worker, Redis and PostgreSQL are killed under load (needs Node)"
	@echo "make grafana   the tests of alerts, and whether every panel has data on a running system (needs Prometheus)"
	@echo "make schema  writes schema/schema.graphql and api/SETTINGS.md"
	@echo "make chaos   10,000 jobs while everything around them breaks; SEED=n, JOBS=n, FAULTS=n"
	@echo "make train-pricing ADS=ads.csv   trains the price model on your own advertisements; ROLLBACK=yes takes it back"
	@echo "make bench   benchmarks beside peers; make bench-jobs the job runner alone"
	@echo "make services-up, make services-down   the private PostgreSQL and Redis alone"
	@echo "make clean   removes .keroxio, its databases included"
	@echo ".keroxio/bin/keroxio   the built program itself, with the settings of this checkout"

setup:
	@bash api/dev/setup.sh

build: setup
	@cargo build --locked --workspace >&2
	@bash api/dev/launcher.sh "$(KEROXIO)"

demo: build
	@bash api/dev/with-services.sh "$(KEROXIO)" demo --out .keroxio/demo $(PHOTO) $(ARGS)

sheet: build
	@PHOTO="$(PHOTO)" bash api/dev/with-services.sh bash api/dev/sheet.sh "$(KEROXIO)"

run: build
	@bash api/dev/with-services.sh sh -c '"$(KEROXIO)" migrate && exec "$(KEROXIO)" run'

test: setup
	@KEROXIO_SERVICES=test bash api/dev/with-services.sh bash api/dev/test.sh

conformance: build
	@KEROXIO_SERVICES=test KEROXIO="$(KEROXIO)" bash api/dev/with-services.sh bash api/dev/conformance.sh

clients: build
	@KEROXIO_SERVICES=test KEROXIO="$(KEROXIO)" bash api/dev/with-services.sh bash api/dev/conformance.sh clients

hostile: build
	@KEROXIO_SERVICES=test KEROXIO="$(KEROXIO)" bash api/dev/with-services.sh bash api/dev/hostile.sh

outages: build
	@KEROXIO_SERVICES=outages KEROXIO="$(KEROXIO)" bash api/dev/with-services.sh bash api/dev/outages.sh

grafana: build
	@python3 grafana/build.py --check
	@cd grafana/alerts && promtool check rules keroxio.yml && promtool test rules keroxio_test.yml
	@KEROXIO_SERVICES=grafana KEROXIO="$(KEROXIO)" bash api/dev/with-services.sh bash grafana/live.sh

# ADS: a CSV of your own advertisements; ROLLBACK=yes brings the model of before back.
PRICE_MODEL ?= plugins/pricing-ort/model
train-pricing:
	@[ -n "$(ADS)$(ROLLBACK)" ] || { echo "say which advertisements: make train-pricing ADS=file.csv" >&2; exit 2; }
	@bash api/dev/train-pricing.sh "$(PRICE_MODEL)" $(if $(ROLLBACK),--rollback,"$(ADS)")

bench: bench-jobs bench-plates bench-images bench-prices

chaos: setup
	@cargo build --locked --workspace --bins
	@KEROXIO_SERVICES=chaos CRASH=yes bash api/dev/with-services.sh "$${CARGO_TARGET_DIR:-target}/debug/keroxio-chaos" run

bench-memory: setup
	@KEROXIO_SERVICES=bench bash api/dev/with-services.sh cargo bench --locked --profile dev --workspace --bench memory

bench-api: setup
	@if command -v npm >/dev/null; then cd tests/benches/peers && [ -d node_modules ] || npm ci --silent; fi
	@ulimit -n "$$(ulimit -Hn)"; KEROXIO_SERVICES=bench bash api/dev/with-services.sh cargo bench --locked --workspace --bench api -- $(ARGS)

bench-budget: setup
	@KEROXIO_SERVICES=bench bash api/dev/with-services.sh cargo bench --locked --profile dev --workspace --bench budget

bench-plates: build
	@set -a; . .keroxio/env; cargo bench --locked --profile dev -p keroxio-plugin-plates-ort --bench reading
	@bash api/dev/bench-plates.sh

bench-images: build
	@KEROXIO_SERVICES=bench bash api/dev/with-services.sh bash api/dev/bench-images.sh

bench-prices: build
	@KEROXIO_SERVICES=bench bash api/dev/with-services.sh cargo bench --locked --profile dev --workspace --bench prices

bench-jobs: setup
	@KEROXIO_SERVICES=bench bash api/dev/with-services.sh bash api/dev/bench-jobs.sh

services-up: setup
	@bash api/dev/services.sh up

services-down:
	@bash api/dev/services.sh down

schema: build
	@"$(KEROXIO)" schema > schema/schema.graphql.new && mv schema/schema.graphql.new schema/schema.graphql
	@"$(KEROXIO)" settings --markdown > api/SETTINGS.md

fmt:
	@cargo fmt --all

lint:
	@cargo fmt --all --check && cargo clippy --locked --workspace --all-targets -- -D warnings

clean:
	@bash api/dev/services.sh purge && KEROXIO_SERVICES=test bash api/dev/services.sh purge && rm -rf .keroxio
