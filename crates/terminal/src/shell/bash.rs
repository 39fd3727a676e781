use super::{Place, quoted, write};
use std::ffi::OsString;
use std::io;

/// Read instead of ~/.bashrc, which it reads itself. Afterwards KUBECONFIG is set again before every prompt
/// (PROMPT_COMMAND, last) and before every command (DEBUG trap, with the person's own, if any, kept behind ours).
const RC: &str = r#"# Made by Sallyport for one terminal, and removed with it.
__sallyport_own=@kubeconfig@
__sallyport_bin=@bin@
__sallyport_label=@label@
__sallyport_mark='\[\e[1;36m\]'"$__sallyport_label"'\[\e[0m\] '
if [[ -z ${SALLYPORT_NO_RC-} && -r ~/.bashrc ]]; then
  builtin . ~/.bashrc
fi
builtin unset SALLYPORT_NO_RC

__sallyport_guard() {
  if [[ ${KUBECONFIG-} != "$__sallyport_own" ]]; then
    if [[ ${__sallyport_told-} != "${KUBECONFIG-}" ]]; then
      __sallyport_told=${KUBECONFIG-}
      builtin printf 'sallyport: KUBECONFIG was set to "%s"; this terminal keeps its own.\n' "$__sallyport_told" >&2
    fi
    builtin export KUBECONFIG="$__sallyport_own"
  fi
  if [[ ${PATH%%:*} != "$__sallyport_bin" ]]; then
    PATH=$__sallyport_bin:${PATH//"$__sallyport_bin:"/}
  fi
  # Leaves $_ as it was.
  : "${1-}"
}
__sallyport_prompt() {
  __sallyport_guard
  if [[ $1 != *__sallyport_guard* ]]; then
    # Someone took the trap. What `trap -p` prints is a command: its third word is the trap.
    builtin eval "builtin set -- $1"
    builtin trap -- '__sallyport_guard "$_"'"${3:+; $3}" DEBUG
  fi
  [[ $PS1 == *"$__sallyport_label"* ]] || PS1=$__sallyport_mark$PS1
}

# A variable that was made read-only can't be set again: then without the start-up file that did it.
if [[ ${KUBECONFIG-} != "$__sallyport_own" && $(builtin declare -p KUBECONFIG 2>/dev/null) == 'declare -'*r*' KUBECONFIG='* ]]; then
  builtin printf 'sallyport: ~/.bashrc makes KUBECONFIG read-only; starting without it.\n' >&2
  export SALLYPORT_NO_RC=1
  builtin exec env KUBECONFIG="$__sallyport_own" "$BASH" --rcfile @dir@/bashrc -i
fi
__sallyport_guard
if [[ $(builtin declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
  PROMPT_COMMAND+=('__sallyport_prompt "$(trap -p DEBUG)"')
else
  PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}'__sallyport_prompt "$(trap -p DEBUG)"'
fi
__sallyport_prompt "$(trap -p DEBUG)"
"#;

pub(super) fn prepare(place: &Place<'_>) -> io::Result<Vec<OsString>> {
    let rc = write(place, "bashrc", RC, quoted)?;
    Ok(vec!["--rcfile".into(), rc.into(), "-i".into()])
}
