//! Guarded tools, first in PATH: kubectl and its kin, which run the real one only on this terminal's kubeconfig.
//!
//! The shells' hooks keep KUBECONFIG right from command to command. These hold where hooks don't reach: inside
//! functions and scripts, in nested shells, with a read-only variable, behind an alias with `--kubeconfig`. They
//! refuse instead of correcting: who names another kubeconfig means another cluster, and must not hit this one.

use super::{Place, filled, is_program, quoted};
use crate::environment::Environment;
use crate::private;
use crate::remark::Remark;
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
    "helmfile",
    "skaffold",
    "tilt",
    "kubeseal",
    "tkn",
    "kn",
    "virtctl",
    "kubescape",
];

/// Where tools are that a start-up file will put into PATH only later; below HOME and absolute.
const HOME_BINS: &[&str] =
    &["bin", ".local/bin", ".krew/bin", ".asdf/shims", ".local/share/mise/shims", "go/bin"];
const BINS: &[&str] = &["/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin", "/snap/bin"];

/// Completion is asked for by start-up files, before ours has put KUBECONFIG right, and must say nothing then; the
/// script itself needs no cluster. What completes names asks a cluster, and is refused in silence.
///
/// A kuberc can set `--kubeconfig` and the like by default, for kubectl from 1.34 on.
const SCRIPT: &str = r#"#!/bin/sh
# Made by Sallyport for one terminal, and removed with it.
tool=@tool@ bin=@bin@ own=@kubeconfig@ cluster=@cluster@ verb=${1-} quiet=
refuse() {
  [ -n "$quiet" ] ||
    echo "sallyport: $1, but this terminal is for $cluster only. Another cluster has its own terminal." >&2
  exit 64
}
kubeconfig() { [ "$1" = "$own" ] || refuse "--kubeconfig names '$1'"; }
context() { [ "$1" = "$cluster" ] || refuse "--context names '$1'"; }
server() {
  # -s is another flag in some plugins; an address has a dot or a colon.
  case $1 in *:*|*.*) refuse "--server names '$1'" ;; esac
}
check() {
  value=
  for argument do
    if [ -n "$value" ]; then
      $value "$argument"
      value=
      continue
    fi
    case $tool:$argument in
      *:--) return ;;
      *:--kubeconfig|*:-kubeconfig|istioctl:-c|kubent:-k) value=kubeconfig ;;
      *:--kubeconfig=*|*:-kubeconfig=*|istioctl:-c=*|kubent:-k=*) kubeconfig "${argument#*=}" ;;
      istioctl:-c?*|kubent:-k?*) kubeconfig "${argument#-?}" ;;
      *:--context|*:--kube-context|*:--kubecontext|kubent:-x) value=context ;;
      *:--context=*|*:--kube-context=*|*:--kubecontext=*|kubent:-x=*) context "${argument#*=}" ;;
      kubent:-x?*) context "${argument#-?}" ;;
      kubectl:-s|oc:-s|kubecolor:-s|kubectl:--server|oc:--server|kubecolor:--server|flux:--server|helm:--kube-apiserver) value=server ;;
      kubectl:--server=*|oc:--server=*|kubecolor:--server=*|flux:--server=*|helm:--kube-apiserver=*) server "${argument#*=}" ;;
      kubectl:-s?*|oc:-s?*|kubecolor:-s?*) server "${argument#-s}" ;;
    esac
  done
}
case $verb in
  completion) ;;
  *)
    case $verb in __complete*) quiet=1 ;; esac
    [ -z "${KUBECONFIG-}" ] || [ "$KUBECONFIG" = "$own" ] || refuse "KUBECONFIG names '$KUBECONFIG'"
    check "$@"
    ;;
esac
KUBECONFIG=$own KUBECACHEDIR=@cache@
export KUBECONFIG KUBECACHEDIR
unset KUBERNETES_MASTER HELM_KUBECONTEXT HELM_KUBEAPISERVER HELM_KUBETOKEN HELM_KUBECAFILE HELM_KUBEASUSER
preferences=${KUBERC-$HOME/.kube/kuberc}
case $tool in kubectl|kubecolor|oc)
  if [ -f "$preferences" ] &&
    grep -Eq -e 'kubeconfig|--(context|server|cluster|token)|name: *["'\'']?(context|server|cluster|token)["'\'']? *$' -- "$preferences"; then
    [ -n "$quiet" ] || echo "sallyport: $preferences names another cluster; $tool runs without it." >&2
    KUBERC=off
    export KUBERC
  fi ;;
esac
@remark@
set -f
IFS=:
for dir in $PATH; do
  [ "$dir" != "$bin" ] && [ -f "$dir/$tool" ] && [ -x "$dir/$tool" ] && exec "$dir/$tool" "$@"
done
echo "$tool: not found" >&2
exit 127
"#;

/// Writes them for the tools that are there; returns which.
pub(super) fn write(place: &Place<'_>, environment: &Environment) -> io::Result<Vec<&'static str>> {
    private::directory(place.bin)?;
    let dirs = search(environment);
    let mut written = Vec::new();
    for tool in TOOLS.iter().filter(|tool| dirs.iter().any(|dir| is_program(&dir.join(tool)))) {
        let remarks = place.remarks.iter().filter(|remark| remark.tool == *tool);
        let template = SCRIPT.replace("@remark@\n", &remarks.filter_map(spoken).collect::<String>());
        let places: &[(&str, &[u8])] = &[
            ("@tool@", tool.as_bytes()),
            ("@bin@", place.bin.as_os_str().as_bytes()),
            ("@kubeconfig@", place.kubeconfig.as_os_str().as_bytes()),
            ("@cache@", place.cache.as_os_str().as_bytes()),
            ("@cluster@", place.cluster.as_bytes()),
        ];
        private::file(&place.bin.join(tool), &filled(&template, places, quoted), true)?;
        written.push(*tool);
    }
    Ok(written)
}

/// What says a remark at its subcommands. None when a name in it is no plain word.
fn spoken(remark: &Remark) -> Option<String> {
    let plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if !remark.at.iter().all(|word| plain(word)) || !plain(&remark.unless) || remark.at.is_empty() {
        return None;
    }
    // An at sign would be taken for one of the template's places.
    let words = sallyport_model::visible(&remark.words).replace('@', "");
    let words = String::from_utf8(quoted(words.as_bytes())).ok()?;
    let at = remark.at.join("|");
    Some(format!("case $verb in {at}) [ -n \"${{{}-}}\" ] || echo {words} >&2 ;; esac\n", remark.unless))
}

pub(super) fn search(environment: &Environment) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> =
        environment.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    if let Some(home) = environment.get("HOME") {
        dirs.extend(HOME_BINS.iter().map(|dir| Path::new(home).join(dir)));
    }
    dirs.extend(BINS.iter().map(PathBuf::from));
    dirs
}
