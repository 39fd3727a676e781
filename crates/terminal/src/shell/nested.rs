//! bash, zsh and fish, first in PATH: an inner shell that a start-up file or a person starts by its name reads our
//! start-up file as the outer one did. With a command or a script they are the real one and nothing else.

use super::{Place, Shell, filled, is_program, quoted, shim};
use crate::environment::Environment;
use crate::private;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

const SCRIPT: &str = r#"#!/bin/sh
# Made by Sallyport for one terminal, and removed with it.
for argument do
  case $argument in
    -i|-l|-il|-li|--login|--interactive) ;;
    *) exec @real@ "$@" ;;
  esac
done
[ -t 0 ] || exec @real@ "$@"
@start@
"#;

const BASH: &str = "exec @real@ --rcfile @dir@/bashrc -i\n";
const FISH: &str = "exec @real@ -i --init-command @source@\n";
/// The person's own ZDOTDIR is kept for .zshrc, as at the start of the terminal.
const ZSH: &str = r#"if [ -n "${ZDOTDIR-}" ] && [ "$ZDOTDIR" != @dir@ ]; then
  SALLYPORT_ZDOTDIR=$ZDOTDIR
  export SALLYPORT_ZDOTDIR
else
  unset SALLYPORT_ZDOTDIR
fi
ZDOTDIR=@dir@
export ZDOTDIR
exec @real@ -i
"#;

/// Writes them; the one for `program`, if it is such a shell.
pub(super) fn write(
    place: &Place<'_>,
    environment: &Environment,
    program: &Path,
) -> io::Result<Option<PathBuf>> {
    let mut of_program = None;
    let dirs = shim::search(environment);
    let source = super::fish::source(place)?;
    for (name, start) in [("bash", BASH), ("zsh", ZSH), ("fish", FISH)] {
        let is_program_of_terminal = program.file_name() == Some(OsStr::new(name));
        let found = match is_program_of_terminal {
            true => Some(program.to_owned()),
            false => dirs.iter().map(|dir| dir.join(name)).find(|path| is_program(path)),
        };
        let Some(real) = found else { continue };
        let template = SCRIPT.replace("@start@\n", start);
        let places: &[(&str, &[u8])] = &[
            ("@real@", real.as_os_str().as_bytes()),
            ("@dir@", place.dir.as_os_str().as_bytes()),
            ("@source@", source.as_bytes()),
        ];
        let path = place.bin.join(name);
        private::file(&path, &filled(&template, places, quoted), true)?;
        if is_program_of_terminal && Shell::of(program) != Shell::Posix {
            of_program = Some(path);
        }
    }
    Ok(of_program)
}
