# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
.PHONY: deps test
deps:
	@command -v cmake >/dev/null && command -v cc >/dev/null || { apt-get update && apt-get install -y cmake gcc libc6-dev; }
test: deps
	cargo build --locked --features unscreened --bin domicile-unscreened
	cargo test --locked
.PHONY: demo
# Two nodes and five apps on this machine: what leaves, what stays and why.
demo: deps
	cargo run --locked --profile quick --bin domicile -- demo --exit
.PHONY: accuracy
# Precision and recall of detection per category, on the labelled set.
accuracy: deps
	cargo test --locked --test it accuracy -- --nocapture

.PHONY: bench
# CPU of each step, then the gateway against bare pingora and nginx: 5 minutes after the build, which takes longer.
# `PROFILE=quick` builds in a third of the time and measures slower code. Only a machine that does nothing else gives figures worth keeping.
PROFILE ?= release
bench: deps
	@command -v nginx >/dev/null && command -v wrk >/dev/null || { apt-get update && apt-get install -y nginx-light wrk; }
	cargo build --locked --profile $(PROFILE) --features unscreened --bin domicile-unscreened
	cargo bench --locked --profile $(PROFILE) --bench steps --bench peers

.PHONY: fuzz
# Every parser for a minute each; needs a nightly compiler.
FUZZ_SECONDS ?= 60
fuzz: deps
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	for target in payload head coding files; do cargo +nightly fuzz run --fuzz-dir tests/fuzz $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; done
