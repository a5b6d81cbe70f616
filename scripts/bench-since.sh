#!/usr/bin/env bash
# Measures the local network of an earlier commit and of this tree, one after the other on the same machine, and
# prints both with their ratio: scripts/bench-since.sh [COMMIT] [BENCHMARK]. Each builds its own module and runs
# its own tests/bench/network; the figures that git keeps are not touched. Takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:-8e9ab05} # before the network counted as production does
work=$(mktemp -d)
trap 'git worktree remove --force "$work/before" >/dev/null 2>&1 || true; git worktree remove --force "$work/after" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

# current makes a commit, which no branch has, of this tree as it is, with what is not committed yet.
current() {
	export GIT_INDEX_FILE=$work/index
	git read-tree HEAD
	git add --all
	git commit-tree -p HEAD -m "measured by bench-since" "$(git write-tree)"
}

measure() { # NAME COMMIT
	git worktree add --quiet --detach "$work/$1" "$2"
	(
		cd "$work/$1"
		make --silent build >/dev/null
		KEDGE_WASM=$work/$1/build/kedge.wasm.gz go test -count=1 -timeout 60m -run '^$' \
			-bench '^BenchmarkNetwork$' -benchtime 1x ./tests/bench/network >"$work/$1.log" || { cat "$work/$1.log" >&2; exit 1; }
	)
}
now=$(current)
measure before "$commit"
measure after "$now"
go run ./tests/bench/compare "$work/before/tests/bench/network/figures.txt" "$work/after/tests/bench/network/figures.txt"
