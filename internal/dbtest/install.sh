#!/usr/bin/env bash
# Installs the PostgreSQL, the pgbouncer and the Redis that the tests start, and Valkey where Debian has it, unless they are there.
# The tests start servers of their own: no server of the machine is started or used.
set -euo pipefail

present() { command -v "$1" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }
packaged() { apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'; }

wanted=()
present postgres || wanted+=(postgresql)
present pgbouncer || wanted+=(pgbouncer)
present redis-server && present redis-cli || wanted+=(redis-server redis-tools)
if ! present valkey-server && packaged valkey-server; then wanted+=(valkey-server); fi
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
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/magiclink-tests.conf
apt-get update -qq
if ! present valkey-server && packaged valkey-server; then wanted+=(valkey-server); fi # the first look may have met no lists
apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
