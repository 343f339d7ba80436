#!/usr/bin/env bash
# Installs the PostgreSQL and the pgbouncer that the tests start, unless they are there. The tests start servers of their own: no
# server of the machine is started or used.
set -euo pipefail

present() { command -v "$1" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

if present postgres && present pgbouncer; then
	exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo "store/postgres: PostgreSQL or pgbouncer is missing, and only root can install them by apt-get: tests that need them are skipped" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/magiclink-tests.conf
apt-get update -qq
apt-get install -y -qq --no-install-recommends postgresql pgbouncer >/dev/null
