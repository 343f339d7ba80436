#!/usr/bin/env bash
# Installs the three browsers that the tests drive, what drives them, and two that show mails as text, from Debian, and axe-core from npm. It does nothing where
# all are there.
set -euo pipefail
cd "$(dirname "$0")"

install_axe() {
	if [[ axe/node_modules/.package-lock.json -nt axe/package-lock.json ]]; then
		return
	fi
	if ! command -v npm >/dev/null; then
		echo "e2e: there is no npm to install axe-core: the test of accessibility is skipped" >&2
		return
	fi
	npm ci --prefix axe --no-audit --no-fund >/dev/null || echo "e2e: axe-core is not there: the test of accessibility is skipped" >&2
}

packages=()
need() { # PACKAGE… COMMAND: installs the packages unless the command is there
	local command=${*: -1}
	command -v "$command" >/dev/null || packages+=("${@:1:$#-1}")
}
need chromium "${MAGICLINK_CHROMIUM:-chromium}"
need chromium-driver chromedriver
need firefox-esr firefox-esr
need webkit2gtk-driver WebKitWebDriver
need npm npm
need w3m w3m
need lynx lynx
need xvfb Xvfb # WebKitGTK does not run without a screen
[ -e /usr/share/fonts/truetype/dejavu ] || packages+=(fonts-dejavu-core)
[ -e /usr/share/fonts/truetype/noto ] || packages+=(fonts-noto-core) # names in other scripts
[ -n "$(fc-list :lang=ja 2>/dev/null)" ] || packages+=(fonts-droid-fallback) # small, and has Chinese and Japanese

if [ "${#packages[@]}" -eq 0 ]; then
	install_axe
	exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo "e2e: missing ${packages[*]}, and only root can install them by apt-get: tests that need them are skipped" >&2
	install_axe
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
install_axe
