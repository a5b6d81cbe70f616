#!/usr/bin/env bash
# Measures the local network of an earlier commit and of this tree, one after the other on the same machine, and
# prints both with their ratio: scripts/bench-since.sh [COMMIT] [BENCHMARK]. Each builds its own module and runs
# its own tests/bench/network; the figures that git keeps are not touched. Takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:-8e9ab05} # before the network counted as production does
work=$(mktemp -d)
trap 'git worktree remove --force "$work/before" >/dev/null 2>&1 || true; git worktree remove --force "$work/after" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

measure() { # NAME COMMIT
	git worktree add --quiet --detach "$work/$1" "$2"
	if [ "$1" = after ]; then git diff --binary HEAD | git -C "$work/$1" apply --allow-empty; fi
	(
		cd "$work/$1"
		make --silent build >/dev/null
		KEDGE_WASM=$work/$1/build/kedge.wasm.gz go test -count=1 -timeout 60m -run '^$' \
			-bench '^BenchmarkNetwork$' -benchtime 1x ./tests/bench/network >"$work/$1.log" || { cat "$work/$1.log" >&2; exit 1; }
	)
}
measure before "$commit"
measure after HEAD
go run ./tests/bench/compare "$work/before/tests/bench/network/figures.txt" "$work/after/tests/bench/network/figures.txt"
