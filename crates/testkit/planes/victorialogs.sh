#!/usr/bin/env bash
# Provides VictoriaLogs, a log store that teams have, from its Go module: for tests of what is read from one and handed
# on to one. Prints where it is: name=path.
#
# Kept in the same cache as the planes, named by its version. Progress and errors go to stderr.
set -euo pipefail

# shellcheck source=build.sh
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
cache=$(dirname "$cache")/tools

# Apache-2.0. Loki would be the other one; it is under the AGPL, and not built here.
victorialogs=1.52.1

build_victorialogs() {
  say "first use: building VictoriaLogs v$victorialogs from source, about a minute on two cores, once"
  mkdir -p "$1/bin"
  (cd "$1" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off GOBIN="$1/bin" go install -trimpath -ldflags '-s -w' \
    "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v$victorialogs" >&2) ||
    fail "building VictoriaLogs failed (reasons above); the Go module proxy must be reachable"
}

provide "$cache/victorialogs-v$victorialogs" build_victorialogs
printf 'victoria-logs=%s\n' "$cache/victorialogs-v$victorialogs/bin/victoria-logs"
