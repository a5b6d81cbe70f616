#!/bin/sh
# Installs what the tests use beside Go, and says what it does. Nothing here is needed to build or run
# Kedge. What cannot be had is named; the tests that need it are then skipped with that reason.
set -u
cd "$(dirname "$0")/.." || exit 1

if command -v wat2wasm >/dev/null 2>&1; then
	echo "tools: wabt is here ($(wat2wasm --version))"
elif command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "tools: installing wabt from Debian's packages"
	{ apt-get update && apt-get install -y --no-install-recommends wabt; } >/dev/null 2>&1 ||
		echo "tools: wabt cannot be installed; tests of the meter against production's modules are skipped"
else
	echo "tools: wabt is not here and needs root to install; tests of the meter against production's modules are skipped"
fi

missing=
for tool in man mandoc zsh fish; do
	command -v $tool >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -z "$missing" ]; then
	echo "tools: what reads man pages and completes commands is here"
elif command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "tools: installing what reads man pages and completes commands from Debian's packages:$missing"
	{ apt-get update && apt-get install -y --no-install-recommends man-db mandoc zsh fish; } >/dev/null 2>&1 ||
		echo "tools: they cannot be installed; tests of man pages and completion with them are skipped"
else
	echo "tools: these are not here and need root to install, so their tests are skipped:$missing"
fi

if ! command -v npm >/dev/null 2>&1; then
	echo "tools: npm is not here; tests with icp, ic-wasm and JavaScript clients are skipped"
elif [ -d tests/clients/node_modules ] && [ tests/clients/node_modules -nt tests/clients/package-lock.json ]; then
	echo "tools: the real clients are here (tests/clients/node_modules)"
else
	echo "tools: installing the real clients from npm (tests/clients/package.json)"
	if npm ci --prefix tests/clients --no-audit --no-fund --loglevel=error; then
		touch tests/clients/node_modules
	else
		echo "tools: npm cannot install the clients; tests with icp, ic-wasm and JavaScript clients are skipped"
	fi
fi

if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then
	echo "tools: Chromium is here"
elif command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "tools: installing Chromium from Debian's packages"
	{ apt-get update && apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1 ||
		echo "tools: Chromium cannot be installed; browser tests are skipped"
else
	echo "tools: Chromium is not here and needs root to install; browser tests are skipped"
fi

if command -v firefox-esr >/dev/null 2>&1 || command -v firefox >/dev/null 2>&1; then
	echo "tools: Firefox is here"
elif command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "tools: installing Firefox ESR from Debian's packages"
	{ apt-get update && apt-get install -y --no-install-recommends firefox-esr; } >/dev/null 2>&1 ||
		echo "tools: Firefox ESR cannot be installed; browser tests in Firefox are skipped"
else
	echo "tools: Firefox is not here and needs root to install; browser tests in Firefox are skipped"
fi

if ! command -v npm >/dev/null 2>&1; then
	echo "tools: npm is not here; browser tests are skipped"
elif [ -d tests/browser/node_modules ] && [ tests/browser/node_modules -nt tests/browser/package-lock.json ]; then
	echo "tools: what drives the browser is here (tests/browser/node_modules)"
else
	echo "tools: installing what drives the browser from npm (tests/browser/package.json)"
	if npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --loglevel=error; then
		touch tests/browser/node_modules
	else
		echo "tools: npm cannot install what drives the browser; browser tests are skipped"
	fi
fi

if ! command -v python3 >/dev/null 2>&1; then
	echo "tools: python3 is not here; tests of the security key with python-fido2 and shamir-mnemonic are skipped"
elif [ -x tests/ctap/.venv/bin/python ] && [ tests/ctap/.venv -nt tests/ctap/requirements.txt ]; then
	echo "tools: python-fido2 and shamir-mnemonic are here (tests/ctap/.venv)"
else
	echo "tools: installing python-fido2 and shamir-mnemonic from PyPI (tests/ctap/requirements.txt)"
	if python3 -m venv tests/ctap/.venv && tests/ctap/.venv/bin/pip install -q --disable-pip-version-check -r tests/ctap/requirements.txt; then
		touch tests/ctap/.venv
	else
		echo "tools: PyPI cannot be reached or Python has no venv; tests of the security key with python-fido2 and shamir-mnemonic are skipped"
	fi
fi

if ldconfig -p 2>/dev/null | grep -q 'libfido2\.so\.1'; then
	echo "tools: libfido2 is here"
elif command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "tools: installing libfido2 from Debian's packages"
	{ apt-get update && apt-get install -y --no-install-recommends libfido2-1; } >/dev/null 2>&1 ||
		echo "tools: libfido2 cannot be installed; its test with the security key is skipped"
else
	echo "tools: libfido2 is not here and needs root to install; its test with the security key is skipped"
fi
exit 0
