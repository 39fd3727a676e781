use super::{Place, Scripts, quoted_for_fish};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

/// Run after config.fish. The terminal's own variables are set again the moment they change, and before every prompt
/// and command; a function (fish makes aliases of them too) that stands before a guarded tool is taken away.
const INIT: &str = r#"# Made by Sallyport for one terminal, and removed with it.
set -g __sallyport_own @kubeconfig@
set -g __sallyport_bin @bin@
set -g __sallyport_dir @dir@
set -g __sallyport_cache @cache@
set -g __sallyport_label @label@
set -g __sallyport_cluster @cluster@
set -g __sallyport_tools (string split ' ' -- @tools@)
function __sallyport_guard --on-event fish_prompt --on-event fish_preexec --on-variable KUBECONFIG --on-variable PATH
    if test "$KUBECONFIG" != "$__sallyport_own"
        if test "$__sallyport_told" != "$KUBECONFIG"
            set -g __sallyport_told "$KUBECONFIG"
            printf 'sallyport: KUBECONFIG was set to "%s"; this terminal keeps its own.\n' "$KUBECONFIG" >&2
        end
        set -gx KUBECONFIG $__sallyport_own
    end
    if test "$PATH[1]" != "$__sallyport_bin"
        set -gx PATH $__sallyport_bin (string match -v -- $__sallyport_bin $PATH)
    end
    test "$KUBECACHEDIR" = "$__sallyport_cache"; or set -gx KUBECACHEDIR $__sallyport_cache
    test "$TMUX_TMPDIR" = "$__sallyport_dir/tmux"; or set -gx TMUX_TMPDIR $__sallyport_dir/tmux
    test "$SCREENDIR" = "$__sallyport_dir/screen"; or set -gx SCREENDIR $__sallyport_dir/screen
    test "$ZELLIJ_SOCKET_DIR" = "$__sallyport_dir/zellij"; or set -gx ZELLIJ_SOCKET_DIR $__sallyport_dir/zellij
end
function __sallyport_names --on-event fish_prompt
    for tool in $__sallyport_tools
        if functions -q $tool
            # One whose body begins with a guarded tool still runs it.
            set -l body (functions $tool | string match -v -r '^\s*(#|function |end\s*$)' | string trim)
            if not string match -q -r '^(command )?('(string join '|' -- $__sallyport_tools)')( |$)' -- "$body[1]"
                functions -e $tool
                printf 'sallyport: the alias or function %s="%s" is not used here: %s is for %s only.\n' $tool "$body" $tool $__sallyport_cluster >&2
            end
        end
    end
end
function __sallyport_status
    return $argv[1]
end
if functions -q fish_prompt
    functions -c fish_prompt __sallyport_theirs
else
    function __sallyport_theirs
        printf '> '
    end
end
function fish_prompt
    set -l before $status
    set_color --bold cyan
    printf '%s' $__sallyport_label
    set_color normal
    printf ' '
    __sallyport_status $before
    __sallyport_theirs
end
__sallyport_guard
__sallyport_names
# The sign of life: what the kernel says of this shell.
function __sallyport_sign
    set -l line "$fish_pid (fish)"
    test -r /proc/$fish_pid/stat; and read line </proc/$fish_pid/stat
    printf '%s\n' $line >@signs@/$fish_pid
end
__sallyport_sign
"#;

const FILE: &str = "init.fish";

/// The arguments that make it read.
pub(super) fn write(scripts: &Scripts<'_>) -> io::Result<Vec<OsString>> {
    scripts.write(FILE, INIT, quoted_for_fish)?;
    Ok(vec!["-i".into(), "--init-command".into(), source(scripts.place)?.into()])
}

/// The command that reads it.
pub(super) fn source(place: &Place<'_>) -> io::Result<String> {
    let quoted = quoted_for_fish(place.dir.join(FILE).as_os_str().as_bytes());
    let quoted = String::from_utf8(quoted)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the runtime directory is not UTF-8"))?;
    Ok(format!("source {quoted}"))
}
