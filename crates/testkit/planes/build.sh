#!/usr/bin/env bash
# Builds the programs of a control plane (etcd, kube-apiserver, kube-controller-manager, kubectl), kwok and the pod
# host from Go modules into a cache, unless they are there, and prints where each is: lines of name=path.
#
#   SALLYPORT_CACHE     where to keep them (default ~/.cache/sallyport)
#   KUBEBUILDER_ASSETS  a folder whose etcd, kube-apiserver, kube-controller-manager, kubectl are used instead
#   K8S                 another Kubernetes, e.g. K8S=1.34.4, for the control plane's programs
#
# Progress and errors go to stderr. Two builders at once: the second waits.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SALLYPORT_CACHE:-${HOME:?HOME is not set, and neither is SALLYPORT_CACHE}/.cache/sallyport}/planes

say() { printf 'planes: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The Kubernetes that go.mod pins.
pinned=$(sed -n 's/^\tk8s\.io\/kubernetes v\([0-9.]*\)$/\1/p' "$here/go.mod")
[ -n "$pinned" ] || fail "no k8s.io/kubernetes in $here/go.mod"

need_go() {
  command -v go >/dev/null || fail "Go is missing: install Go 1.26 or newer from https://go.dev/dl (Debian's own is too old)"
  local have
  have=$(go env GOVERSION) || fail "'go env' does not work"
  [[ $have =~ ^go1\.([0-9]+) ]] || fail "can't read Go's version from '$have'"
  [ "${BASH_REMATCH[1]}" -ge 26 ] || fail "$have is too old: Go 1.26 or newer is needed, from https://go.dev/dl"
}

# What is built into the programs: the version they report, kubectl in its user agent too.
flags_of() {
  local version=$1 minor=${1#*.} package flags='-s -w'; minor=${minor%%.*}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=v$version -X $package.gitMajor=${version%%.*} -X $package.gitMinor=$minor"
  done
  printf '%s' "$flags"
}

# hash_of VERSION FILE...: names what is built from these files for that Kubernetes.
hash_of() { local version=$1; shift; { flags_of "$version"; cat "$@"; } | sha256sum | cut -c1-16; }

# compile MODULE_DIR KUBERNETES_VERSION OUT PACKAGE...: each package to OUT/<last word of its path>.
compile() {
  local module=$1 version=$2 out=$3; shift 3
  local package name begin
  mkdir -p "$out"
  for package in "$@"; do
    name=${package##*/}
    [ "$name" = v3 ] && name=etcd
    begin=$SECONDS
    say "building $name …"
    (cd "$module" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off go build -trimpath \
      -ldflags "$(flags_of "$version")" -o "$out/$name" "$package" >&2) || fail "building $name failed (reasons above); the Go module proxy must be reachable"
    say "built $name in $((SECONDS - begin)) s"
  done
}

# provide DIR STEP...: runs STEP with the name of an empty folder and moves that to DIR, once, whoever else tries.
provide() {
  local dir=$1; shift
  [ -d "$dir" ] && return
  need_go
  mkdir -p "$cache"
  exec 9>"$dir.lock"
  if ! flock -n 9; then
    say "waiting for another build of the same programs"
    flock 9
  fi
  if [ ! -d "$dir" ]; then
    local temp
    # What a killed builder left; nobody else builds while we hold the lock.
    rm -rf -- "$dir".building-*
    temp=$(mktemp -d "$dir.building-XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf -- '$temp'" EXIT
    "$@" "$temp"
    mv -T -- "$temp" "$dir"
    trap - EXIT
  fi
  rm -f -- "$dir.lock"
  exec 9>&-
}

pinned_set() {
  say "first use: building Kubernetes v$pinned, etcd and kwok from source, about 7 minutes on two cores, once"
  compile "$here" "$pinned" "$1/bin" go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kube-apiserver \
    k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kubectl sigs.k8s.io/kwok/cmd/kwok
}

pod_host() { compile "$here" "$pinned" "$1/bin" ./podhost; }

# module_of DIR PROGRAM...: a module of its own for the programs of another Kubernetes ($K8S), whose staging modules come
# from that release's own go.mod.
module_of() {
  local version=$K8S temp=$1 mod; shift
  mkdir -p "$temp/module"
  mod=$(cd "$temp" && GOFLAGS=-mod=mod GOWORK=off go mod download -json "k8s.io/kubernetes@v$version" |
    sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p') || fail "no Kubernetes v$version at the Go module proxy"
  [ -n "$mod" ] || fail "no Kubernetes v$version at the Go module proxy"
  {
    printf 'module sallyport.dev/testkit/planes\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
    sed -n 's#^\t\(k8s\.io/[a-z-]*\) => \./staging/.*#\1#p' "$mod" |
      while read -r staging; do printf '\t%s => %s v0.%s\n' "$staging" "$staging" "${version#*.}"; done
    printf ')\n'
  } >"$temp/module/go.mod"
  {
    printf '//go:build tools\n\npackage planes\n\nimport (\n'
    printf '\t_ "k8s.io/kubernetes/cmd/%s"\n' "$@"
    printf ')\n'
  } >"$temp/module/tools.go"
  (cd "$temp/module" && GOFLAGS=-mod=mod GOWORK=off go mod tidy >&2) || fail "resolving the modules of v$version failed"
}

other_set() {
  local version=$K8S
  say "first use of v$version: building its control plane from source, about 7 minutes on two cores, once"
  module_of "$1" kube-apiserver kube-controller-manager kubectl
  compile "$1/module" "$version" "$1/bin" k8s.io/kubernetes/cmd/kube-apiserver \
    k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kubectl
}

main() {
  local base host planes version=$pinned name
  base=$cache/$(hash_of "$pinned" "$here/go.mod" "$here/go.sum")
  host=$cache/podhost-$(hash_of "$pinned" "$here/go.mod" "$here/go.sum" "$here"/podhost/*.go)
  provide "$base" pinned_set
  provide "$host" pod_host
  planes=$base
  if [ -n "${K8S:-}" ] && [ "${K8S#v}" != "$pinned" ]; then
    K8S=${K8S#v}
    [[ $K8S =~ ^1\.[0-9]+\.[0-9]+$ ]] || fail "K8S=$K8S is no Kubernetes release: write it like 1.34.4"
    version=$K8S
    planes=$cache/v$K8S-$(hash_of "$K8S" /dev/null)
    provide "$planes" other_set
  fi
  declare -A path=(
    [etcd]=$base/bin/etcd [kwok]=$base/bin/kwok [podhost]=$host/bin/podhost
    [kube-apiserver]=$planes/bin/kube-apiserver
    [kube-controller-manager]=$planes/bin/kube-controller-manager
    [kubectl]=$planes/bin/kubectl
  )
  if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    for name in etcd kube-apiserver kube-controller-manager kubectl; do
      if [ -x "$KUBEBUILDER_ASSETS/$name" ]; then path[$name]=$KUBEBUILDER_ASSETS/$name; fi
    done
    version=$("${path[kube-apiserver]}" --version | sed 's/^Kubernetes v//') ||
      fail "${path[kube-apiserver]} does not run"
  fi
  printf 'version=%s\n' "$version"
  for name in "${!path[@]}"; do printf '%s=%s\n' "$name" "${path[$name]}"; done
}

# tools.sh takes the functions alone.
[ "${BASH_SOURCE[0]}" != "$0" ] || main
