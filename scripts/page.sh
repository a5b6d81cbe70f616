#!/bin/sh
# Builds the web page into frontend-shim/dist, installing what its build needs from npm. Without npm, or if npm
# cannot be reached, it says so and the module is built without a page; with KEDGE_REQUIRE_PAGE=1 it fails instead.
set -u
cd "$(dirname "$0")/../frontend-shim" || exit 1

without() {
	echo "page: $1; the canister is built without its web page" >&2
	rm -rf dist
	[ "${KEDGE_REQUIRE_PAGE:-}" != 1 ]
	exit
}

command -v npm >/dev/null 2>&1 || without "npm is not installed (Node 20 or newer)"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
	echo "page: installing what the build needs from npm (frontend-shim/package-lock.json)"
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || without "npm cannot install what the build needs"
	touch node_modules
fi
npx --no-install tsc && node build.mjs
