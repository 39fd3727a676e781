//! Guarded tools, first in PATH: kubectl and its kin, which run the real one only on this terminal's kubeconfig.
//!
//! The shells' hooks keep KUBECONFIG right from command to command. These hold where hooks don't reach: inside
//! functions and scripts, in nested shells, with a read-only variable, behind an alias with `--kubeconfig`. They
//! refuse instead of correcting: who names another kubeconfig means another cluster, and must not hit this one.

use super::{Place, is_program};
use crate::environment::Environment;
use crate::private;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Tools that take `--kubeconfig` and KUBECONFIG as kubectl does.
const TOOLS: &[&str] = &[
    "kubectl",
    "helm",
    "k9s",
    "oc",
    "flux",
    "stern",
    "kubectx",
    "kubens",
    "istioctl",
    "cilium",
    "linkerd",
    "velero",
    "kubecolor",
    "kustomize",
    "argo",
    "kubent",
    "popeye",
];

/// Where tools are that a start-up file will put into PATH only later; below HOME and absolute.
const HOME_BINS: &[&str] =
    &["bin", ".local/bin", ".krew/bin", ".asdf/shims", ".local/share/mise/shims", "go/bin"];
const BINS: &[&str] = &["/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin", "/snap/bin"];

const SCRIPT: &str = r#"#!/bin/sh
# Made by Sallyport for one terminal, and removed with it.
tool=@tool@ bin=@bin@ own=@kubeconfig@ cluster=@cluster@
refuse() {
  echo "sallyport: $1, but this terminal is for $cluster only. Another cluster has its own terminal." >&2
  exit 64
}
[ -z "${KUBECONFIG-}" ] || [ "$KUBECONFIG" = "$own" ] ||
  refuse "KUBECONFIG names '$KUBECONFIG'"
named=
for argument do
  if [ -n "$named" ]; then
    named=
    [ "$argument" = "$own" ] || refuse "--kubeconfig names '$argument'"
    continue
  fi
  case $argument in
    --) break ;;
    --kubeconfig) named=1 ;;
    --kubeconfig=*) [ "${argument#--kubeconfig=}" = "$own" ] || refuse "$argument is given" ;;
  esac
done
KUBECONFIG=$own
export KUBECONFIG
unset KUBERNETES_MASTER HELM_KUBECONTEXT HELM_KUBEAPISERVER HELM_KUBETOKEN HELM_KUBECAFILE HELM_KUBEASUSER
set -f
IFS=:
for dir in $PATH; do
  [ "$dir" != "$bin" ] && [ -f "$dir/$tool" ] && [ -x "$dir/$tool" ] && exec "$dir/$tool" "$@"
done
echo "$tool: not found" >&2
exit 127
"#;

pub(super) fn write(place: &Place<'_>, environment: &Environment) -> io::Result<()> {
    let bin = place.bin();
    private::directory(&bin)?;
    let dirs = search(environment);
    for tool in TOOLS.iter().filter(|tool| dirs.iter().any(|dir| is_program(&dir.join(tool)))) {
        let mut script = SCRIPT.as_bytes().to_vec();
        for (name, value) in [
            ("@tool@", tool.as_bytes()),
            ("@bin@", bin.as_os_str().as_bytes()),
            ("@kubeconfig@", place.kubeconfig.as_os_str().as_bytes()),
            ("@cluster@", place.cluster.as_bytes()),
        ] {
            script = replaced(&script, name.as_bytes(), &super::quoted(value));
        }
        private::file(&bin.join(tool), &script, true)?;
    }
    Ok(())
}

/// Each place occurs once; the paths are put in last to first, so that none is looked into.
fn replaced(script: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
    match script.windows(name.len()).position(|window| window == name) {
        Some(at) => [&script[..at], value, &script[at + name.len()..]].concat(),
        None => script.to_vec(),
    }
}

fn search(environment: &Environment) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> =
        environment.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    if let Some(home) = environment.get("HOME") {
        dirs.extend(HOME_BINS.iter().map(|dir| Path::new(home).join(dir)));
    }
    dirs.extend(BINS.iter().map(PathBuf::from));
    dirs
}
