#!/bin/sh
# Builds the canister's module with its web page in it: sh scripts/module.sh FILE. Without Node.js the module
# has no page; it says so when it is installed, and `kedge deploy` does. KEDGE_REQUIRE_PAGE=1 fails instead.
set -eu
cd "$(dirname "$0")/.."
out=${1:?usage: sh scripts/module.sh FILE}
go=${GO:-go}
mkdir -p build

sh scripts/page.sh
if [ -f frontend-shim/dist/site.json ]; then
	$go run ./cmd/assetpack -o build/page.pack -note build/page.txt frontend-shim/dist
else
	$go run ./cmd/assetpack -o build/page.pack -note build/page.txt -missing
fi
$go run ./cmd/icbuild -o "$out" -candid candid/kedge/kedge.did -args '(opt KedgeInit)' \
	-meta supported_certificate_versions=canister/assets/certificate-versions -meta kedge:page=build/page.txt \
	-embed canister/assets/page.pack=build/page.pack ./cmd/canister
