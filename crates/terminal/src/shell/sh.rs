use super::{Scripts, quoted};
use std::io;
use std::path::PathBuf;

/// What a POSIX shell reads from ENV when it is interactive. It has no hooks: the guarded tools are what holds.
const RC: &str = r#"# Made by Sallyport for one terminal, and removed with it.
KUBECONFIG=@kubeconfig@
KUBECACHEDIR=@cache@
TMUX_TMPDIR=@dir@/tmux SCREENDIR=@dir@/screen ZELLIJ_SOCKET_DIR=@dir@/zellij
export KUBECONFIG KUBECACHEDIR TMUX_TMPDIR SCREENDIR ZELLIJ_SOCKET_DIR
PATH=@bin@:${PATH#@bin@:}
PS1=@label@' $ '
__sallyport_line="$$ (sh)"
[ -r /proc/$$/stat ] && read -r __sallyport_line </proc/$$/stat
printf '%s\n' "$__sallyport_line" >|@signs@/$$
unset __sallyport_line
"#;

pub(super) fn write(scripts: &Scripts<'_>) -> io::Result<PathBuf> {
    scripts.write("shrc", RC, quoted)
}
