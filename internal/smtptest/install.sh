#!/usr/bin/env bash
# Installs the Postfix that the tests start, and what it needs to check passwords, unless they are there. The tests start a private
# instance: that of the machine is neither started nor used.
set -euo pipefail

present() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

wanted=()
present postfix || wanted+=(postfix)
present saslpasswd2 || wanted+=(sasl2-bin)
compgen -G "/usr/lib/*/sasl2/libplain.so" >/dev/null || wanted+=(libsasl2-modules)
if [ ${#wanted[@]} -eq 0 ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo "missing: ${wanted[*]}; only root can install them by apt-get: tests that need them are skipped" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
if [ ! -e /usr/sbin/policy-rc.d ]; then # while it says 101, packages start no service
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
