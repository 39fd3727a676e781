# Sallyport's commands. Each installs what it needs (xtask setup) and works in a fresh clone.
# Caches live outside the clone, keyed by content, and nothing depends on their being warm.

SALLYPORT_CACHE ?= $(HOME)/.cache/sallyport
export SALLYPORT_CACHE
export CARGO_TARGET_DIR ?= $(SALLYPORT_CACHE)/target
STORY ?=
BENCH ?=
XTASK = cargo run -q --locked -p xtask --

.PHONY: run test story bench check setup codegen

# Opens the app on the demo fleet; without a display plays the whole story under Xvfb (target/demo/).
run:
	@scripts/setup run
	@$(XTASK) run

# Everything: crates, stories against real planes, the window.
test:
	@scripts/setup test
	@$(XTASK) test

# One story: make story STORY=way_in_and_out, or guardrails, with K8S=1.34.4 for another version.
story:
	@scripts/setup test
	@$(XTASK) story $(STORY)

# One bench (release build): make bench BENCH=way_in, or gateway. Without a name: all of them.
bench:
	@scripts/setup test
	@$(XTASK) bench $(BENCH)

# Format, lint, tidy (import rules), licences, generated files.
check:
	@scripts/setup check
	@$(XTASK) check

# Rewrites what is generated: CRDs under deploy/, ui/src/bindings.
codegen:
	@$(XTASK) codegen

setup:
	@scripts/setup test
