#!/usr/bin/env bash
# Installs the three browsers that the tests drive, and what drives them, from Debian. It does nothing where all are there.
set -euo pipefail

packages=()
need() { # PACKAGE… COMMAND: installs the packages unless the command is there
	local command=${*: -1}
	command -v "$command" >/dev/null || packages+=("${@:1:$#-1}")
}
need chromium "${MAGICLINK_CHROMIUM:-chromium}"
need chromium-driver chromedriver
need firefox-esr firefox-esr
need webkit2gtk-driver WebKitWebDriver
need xvfb Xvfb # WebKitGTK does not run without a screen
[ -e /usr/share/fonts/truetype/dejavu ] || packages+=(fonts-dejavu-core)
[ -e /usr/share/fonts/truetype/noto ] || packages+=(fonts-noto-core) # names in other scripts

if [ "${#packages[@]}" -eq 0 ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo "e2e: missing ${packages[*]}, and only root can install them by apt-get: tests that need them are skipped" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
