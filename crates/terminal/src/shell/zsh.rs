use super::{Scripts, quoted};
use crate::environment::Environment;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

/// zsh reads its files from ZDOTDIR, which is ours until ours have been read. The person's own are read as if it
/// had never been set, and it is theirs again before .zshrc runs.
const ENV: &str = r#"# Made by Sallyport for one terminal, and removed with it.
if [[ -n ${SALLYPORT_ZDOTDIR-} ]]; then
  ZDOTDIR=$SALLYPORT_ZDOTDIR
else
  unset ZDOTDIR
fi
unset SALLYPORT_ZDOTDIR
[[ -r ${ZDOTDIR:-$HOME}/.zshenv ]] && source "${ZDOTDIR:-$HOME}/.zshenv"
__sallyport_zdotdir=${ZDOTDIR-}
ZDOTDIR=@dir@
"#;

/// The terminal's own variables are set again before every prompt (precmd) and before every line is run (preexec); an
/// alias or a function that stands before a guarded tool is taken away before every prompt.
const RC: &str = r#"# Made by Sallyport for one terminal, and removed with it.
__sallyport_own=@kubeconfig@
__sallyport_bin=@bin@
__sallyport_dir=@dir@
__sallyport_cache=@cache@
__sallyport_label=@label@
__sallyport_cluster=@cluster@
__sallyport_tools=@tools@
if [[ -n $__sallyport_zdotdir ]]; then
  export ZDOTDIR=$__sallyport_zdotdir
else
  unset ZDOTDIR
fi
# A system-wide file may have put the history beside our files.
[[ ${HISTFILE-} == @dir@/* ]] && HISTFILE=${ZDOTDIR:-$HOME}/${HISTFILE:t}
[[ -r ${ZDOTDIR:-$HOME}/.zshrc ]] && source "${ZDOTDIR:-$HOME}/.zshrc"

__sallyport_guard() {
  emulate -L zsh
  if [[ ${KUBECONFIG-} != "$__sallyport_own" ]]; then
    if [[ ${__sallyport_told-} != "${KUBECONFIG-}" ]]; then
      typeset -g __sallyport_told=${KUBECONFIG-}
      print -ru2 -- "sallyport: KUBECONFIG was set to \"$__sallyport_told\"; this terminal keeps its own."
    fi
    typeset -g +r KUBECONFIG
    typeset -gx KUBECONFIG=$__sallyport_own
  fi
  [[ $path[1] == "$__sallyport_bin" ]] || path=("$__sallyport_bin" "${(@)path:#$__sallyport_bin}")
  [[ ${KUBECACHEDIR-} == "$__sallyport_cache" ]] || typeset -gx KUBECACHEDIR=$__sallyport_cache
  [[ ${TMUX_TMPDIR-} == "$__sallyport_dir/tmux" ]] || typeset -gx TMUX_TMPDIR=$__sallyport_dir/tmux
  [[ ${SCREENDIR-} == "$__sallyport_dir/screen" ]] || typeset -gx SCREENDIR=$__sallyport_dir/screen
  [[ ${ZELLIJ_SOCKET_DIR-} == "$__sallyport_dir/zellij" ]] || typeset -gx ZELLIJ_SOCKET_DIR=$__sallyport_dir/zellij
}
__sallyport_names() {
  emulate -L zsh
  local tool body
  for tool in ${(s: :)__sallyport_tools}; do
    body=
    if (( $+aliases[$tool] )); then body=$aliases[$tool]; fi
    if (( $+galiases[$tool] )); then body=$galiases[$tool]; fi
    # One that begins with a guarded tool still runs it.
    if [[ -n $body && " $__sallyport_tools " != *" ${body%% *} "* ]]; then
      unalias $tool
      print -ru2 -- "sallyport: the alias $tool=\"$body\" is not used here: $tool is for $__sallyport_cluster only."
    fi
    if (( $+functions[$tool] )); then
      unfunction $tool
      print -ru2 -- "sallyport: the function $tool is not used here: $tool is for $__sallyport_cluster only."
    fi
    # A place it was remembered at may be another than the first in PATH.
    [[ $+commands[$tool] == 0 || $commands[$tool] == "$__sallyport_bin/$tool" ]] || rehash
  done
}
__sallyport_precmd() {
  emulate -L zsh
  __sallyport_guard
  __sallyport_names
  [[ $PROMPT == *"$__sallyport_label"* ]] || PROMPT="%B%F{cyan}$__sallyport_label%f%b $PROMPT"
  # Last, after whatever was added since.
  [[ $precmd_functions[-1] == __sallyport_precmd ]] ||
    precmd_functions=("${(@)precmd_functions:#__sallyport_precmd}" __sallyport_precmd)
  [[ $preexec_functions[-1] == __sallyport_guard ]] ||
    preexec_functions=("${(@)preexec_functions:#__sallyport_guard}" __sallyport_guard)
}
typeset -ga precmd_functions preexec_functions
precmd_functions+=(__sallyport_precmd)
preexec_functions+=(__sallyport_guard)
__sallyport_guard
# The sign of life: what the kernel says of this shell.
__sallyport_sign() {
  emulate -L zsh
  local line="$$ (zsh)"
  [[ -r /proc/$$/stat ]] && read -r line </proc/$$/stat
  print -r -- "$line" >|@signs@/$$
}
__sallyport_sign
"#;

/// What leads zsh to the files.
pub(super) struct Zsh {
    pub(super) dir: PathBuf,
}

impl Zsh {
    pub(super) fn prepare(&self, environment: &mut Environment) {
        if let Some(theirs) = environment.get("ZDOTDIR").map(OsStr::to_owned) {
            environment.set("SALLYPORT_ZDOTDIR", theirs);
        }
        environment.set("ZDOTDIR", &self.dir);
    }
}

pub(super) fn write(scripts: &Scripts<'_>) -> io::Result<Zsh> {
    scripts.write(".zshenv", ENV, quoted)?;
    scripts.write(".zshrc", RC, quoted)?;
    Ok(Zsh { dir: scripts.place.dir.to_owned() })
}
