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
