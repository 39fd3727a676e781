use super::{Place, quoted_for_fish, write};
use std::ffi::OsString;
use std::io;

/// Run after config.fish. KUBECONFIG is set again the moment it changes, and before every prompt and command.
const INIT: &str = r#"# Made by Sallyport for one terminal, and removed with it.
set -g __sallyport_own @kubeconfig@
set -g __sallyport_bin @bin@
set -g __sallyport_label @label@
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
"#;

pub(super) fn prepare(place: &Place<'_>) -> io::Result<Vec<OsString>> {
    let init = write(place, "init.fish", INIT, quoted_for_fish)?;
    let mut source = OsString::from("source ");
    source.push(std::ffi::OsStr::new(
        std::str::from_utf8(&quoted_for_fish(init.as_os_str().as_encoded_bytes()))
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the runtime directory is not UTF-8"))?,
    ));
    Ok(vec!["-i".into(), "--init-command".into(), source])
}
