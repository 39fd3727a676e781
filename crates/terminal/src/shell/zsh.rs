use super::{Place, quoted, write};
use crate::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::io;

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

/// KUBECONFIG is set again before every prompt (precmd) and before every line is run (preexec).
const RC: &str = r#"# Made by Sallyport for one terminal, and removed with it.
__sallyport_own=@kubeconfig@
__sallyport_bin=@bin@
__sallyport_label=@label@
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
}
__sallyport_precmd() {
  emulate -L zsh
  __sallyport_guard
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
"#;

pub(super) fn prepare(place: &Place<'_>, environment: &mut Environment) -> io::Result<Vec<OsString>> {
    write(place, ".zshenv", ENV, quoted)?;
    write(place, ".zshrc", RC, quoted)?;
    if let Some(theirs) = environment.get("ZDOTDIR").map(OsStr::to_owned) {
        environment.set("SALLYPORT_ZDOTDIR", theirs);
    }
    environment.set("ZDOTDIR", place.dir);
    Ok(vec!["-i".into()])
}
