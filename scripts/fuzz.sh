#!/bin/sh
# Runs every fuzz target of the module for FUZZTIME (3 s by default), one after the other, and stops at
# the first that fails.
set -eu
cd "$(dirname "$0")/.."
time=${FUZZTIME:-3s}
count=0
for file in $(git ls-files '*_test.go'); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "fuzz $(dirname "$file") $target"
		if ! output=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$(dirname "$file")" 2>&1); then
			# On a busy machine Go's fuzzer may report its own deadline as a failure. An input that fails is
			# written to a file, and named.
			case $output in
			*"Failing input written"* | *panic:*) failed=yes ;;
			*"context deadline exceeded"*) failed=no ;;
			*) failed=yes ;;
			esac
			if [ $failed = yes ]; then
				echo "$output"
				exit 1
			fi
			echo "the fuzzer overran its time; no input failed"
		fi
		count=$((count + 1))
	done
done
echo "fuzz: $count targets, $time each"
