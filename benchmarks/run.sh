#!/usr/bin/env bash
# Measures everything and writes docs/benchmarks.md, .svg and .txt, and what benchstat makes of the last. It installs what the
# rival needs. Arguments go to the program: "run.sh -h" lists them.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d -p /var/tmp) # on a disk: /tmp may be memory
trap 'rm -rf "$work"' EXIT

go build -o "$work/bench" ./cmd/bench
go build -o "$work/magiclink" github.com/magiclink-go/magiclink/cmd/magiclink

rival=rivals/better-auth
if [[ ! -e $rival/node_modules/.package-lock.json || $rival/package-lock.json -nt $rival/node_modules/.package-lock.json ]]; then
	npm ci --prefix "$rival" --no-audit --no-fund # compiles SQLite, for minutes, where there is no binary for this Node
fi

"$work/bench" -dir "$work" -magiclink "$work/magiclink" -rival "$rival" -docs ../docs "$@"

runs=../docs/benchmarks.txt
if [[ $runs -nt $work/bench ]]; then # not after some sections alone
	go tool benchstat -col /side "$runs" > ../docs/benchstat.txt
fi
