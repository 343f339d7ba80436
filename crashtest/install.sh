#!/usr/bin/env bash
# Installs strace and gcc, which the tests use, unless they are there.
set -euo pipefail

missing=()
for tool in strace gcc; do
	command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ "${#missing[@]}" -eq 0 ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo "crashtest: missing ${missing[*]}, and only root can install them by apt-get: tests that need them are skipped" >&2
	exit 0
fi
if [[ " ${missing[*]} " == *" gcc "* ]]; then
	missing+=(libc6-dev)
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
