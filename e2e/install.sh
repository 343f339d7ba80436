#!/usr/bin/env bash
# Installs the Chromium that the tests drive, unless there is one. MAGICLINK_CHROMIUM names another.
set -euo pipefail

if [ -n "${MAGICLINK_CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null; then
	exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo "e2e: there is no Chromium, and only root can install one by apt-get: tests that need it are skipped" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
