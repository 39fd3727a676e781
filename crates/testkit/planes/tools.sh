#!/usr/bin/env bash
# Provides tools that people use besides the kubectl of the planes, for the story `more_tools` alone: an older kubectl
# and helm from Go modules, and Python with the official client. Prints where each is: lines of name=path.
#
# Kept in the same cache as the planes, named by what they are made from. Progress and errors go to stderr.
set -euo pipefail

# shellcheck source=build.sh
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
cache=$(dirname "$cache")/tools

# The last release before clients kept the path of a server's address (1.34), and the helm that most people have.
kubectl=1.32.13
helm=3.22.0
requirements=$here/python-client.txt

# kubectl alone of that Kubernetes, with the staging modules of the same release.
old_kubectl() {
  say "first use: building kubectl v$kubectl from source, about 2 minutes on two cores, once"
  K8S=$kubectl module_of "$1" kubectl
  compile "$1/module" "$kubectl" "$1/bin" k8s.io/kubernetes/cmd/kubectl
}

build_helm() {
  say "first use: building helm v$helm from source, about 2 minutes on two cores, once"
  mkdir -p "$1/bin"
  (cd "$1" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off GOBIN="$1/bin" go install -trimpath \
    -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v$helm" "helm.sh/helm/v3/cmd/helm@v$helm" >&2) ||
    fail "building helm failed (reasons above); the Go module proxy must be reachable"
}

python_client() {
  say "first use: installing the Python client, once"
  python3 -m venv "$1/venv" >&2 || fail "Python can't make a virtual environment: install python3 and python3-venv"
  "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --requirement "$requirements" >&2 || fail "installing the Python client failed (reasons above)"
}

tools() {
  command -v python3 >/dev/null || fail "Python is missing: install python3 and python3-venv"
  local kubectl_dir helm_dir python_dir
  kubectl_dir=$cache/kubectl-v$kubectl-$(hash_of "$kubectl" /dev/null)
  helm_dir=$cache/helm-v$helm
  python_dir=$cache/python-$(hash_of "$(python3 --version)" "$requirements")
  provide "$kubectl_dir" old_kubectl
  provide "$helm_dir" build_helm
  provide "$python_dir" python_client
  printf '%s\n' "kubectl=$kubectl_dir/bin/kubectl" "helm=$helm_dir/bin/helm" "python=$python_dir/venv/bin/python"
}

tools
