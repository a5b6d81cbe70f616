#!/bin/sh
# Lists the three packages whose tests took longest, from the event file that `go test -json` wrote.
set -eu
echo "slowest packages:"
sed -n '/"Test":/d; s/.*"Action":"\(pass\|fail\)","Package":"\([^"]*\)","Elapsed":\([0-9.]*\).*/\3 s  \2/p' "$1" | sort -rn | head -n 3
