use super::{Scripts, quoted};
use std::ffi::OsString;
use std::io;

/// Read instead of ~/.bashrc, which it reads itself. Afterwards the terminal's own variables are set again before every
/// prompt (PROMPT_COMMAND, last) and before every command (DEBUG trap, with the person's own, if any, kept behind
/// ours), and an alias or a function that stands before a guarded tool is taken away before every prompt.
const RC: &str = r#"# Made by Sallyport for one terminal, and removed with it.
__sallyport_own=@kubeconfig@
__sallyport_bin=@bin@
__sallyport_dir=@dir@
__sallyport_cache=@cache@
__sallyport_label=@label@
__sallyport_cluster=@cluster@
__sallyport_tools=@tools@
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
  [[ ${KUBECACHEDIR-} == "$__sallyport_cache" ]] || builtin export KUBECACHEDIR="$__sallyport_cache"
  [[ ${TMUX_TMPDIR-} == "$__sallyport_dir/tmux" ]] || builtin export TMUX_TMPDIR="$__sallyport_dir/tmux"
  [[ ${SCREENDIR-} == "$__sallyport_dir/screen" ]] || builtin export SCREENDIR="$__sallyport_dir/screen"
  [[ ${ZELLIJ_SOCKET_DIR-} == "$__sallyport_dir/zellij" ]] || builtin export ZELLIJ_SOCKET_DIR="$__sallyport_dir/zellij"
  # Leaves $_ as it was.
  : "${1-}"
}
__sallyport_names() {
  builtin local IFS=' ' tool body
  for tool in $__sallyport_tools; do
    if builtin alias "$tool" >/dev/null 2>&1; then
      body=$(builtin alias "$tool")
      body=${body#*=} body=${body#\'} body=${body%\'}
      # One that begins with a guarded tool still runs it.
      if [[ " $__sallyport_tools " != *" ${body%% *} "* ]]; then
        builtin unalias "$tool"
        builtin printf 'sallyport: the alias %s="%s" is not used here: %s is for %s only.\n' "$tool" "$body" "$tool" "$__sallyport_cluster" >&2
      fi
    fi
    if builtin declare -F "$tool" >/dev/null 2>&1; then
      builtin unset -f "$tool"
      builtin printf 'sallyport: the function %s is not used here: %s is for %s only.\n' "$tool" "$tool" "$__sallyport_cluster" >&2
    fi
  done
  # A place a tool was remembered at may be another than the first in PATH.
  builtin hash -r
}
__sallyport_prompt() {
  __sallyport_guard
  __sallyport_names
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
# The sign of life: what the kernel says of this shell.
__sallyport_sign() {
  builtin local line="$$ (bash)"
  [[ -r /proc/$$/stat ]] && builtin read -r line </proc/$$/stat
  builtin printf '%s\n' "$line" >|@signs@/$$
}
__sallyport_sign
"#;

/// The arguments that make it read.
pub(super) fn write(scripts: &Scripts<'_>) -> io::Result<Vec<OsString>> {
    let rc = scripts.write("bashrc", RC, quoted)?;
    Ok(vec!["--rcfile".into(), rc.into(), "-i".into()])
}
