# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
.PHONY: deps test
deps:
	@command -v cmake >/dev/null && command -v cc >/dev/null || { apt-get update && apt-get install -y cmake gcc libc6-dev; }
test: deps
	cargo test --locked
.PHONY: accuracy
# Precision and recall of detection per category, on the labelled set.
accuracy: deps
	cargo test --locked --test it accuracy -- --nocapture

.PHONY: bench
# CPU of each step, then the gateway against bare pingora and nginx: 5 minutes after the build, which takes longer.
# `PROFILE=quick` builds in a third of the time and measures slower code. Only a machine that does nothing else gives figures worth keeping.
PROFILE ?= release
BUILT = $${CARGO_TARGET_DIR:-target}/$(PROFILE)
bench: deps
	@command -v nginx >/dev/null && command -v wrk >/dev/null || { apt-get update && apt-get install -y nginx-light wrk; }
	cargo bench --locked --profile $(PROFILE) --bench peers --features unscreened --no-run
	cp $(BUILT)/domicile $(BUILT)/domicile-unscreened
	cargo bench --locked --profile $(PROFILE) --bench steps --bench peers
