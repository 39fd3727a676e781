//! Which shell runs, and the start-up files that keep a terminal on its cluster whatever the person's own say.

mod bash;
mod fish;
mod sh;
mod shim;
mod zsh;

use crate::environment::Environment;
use crate::private;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The shells that are known; every other one is treated as a plain POSIX shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
    /// sh, dash, ksh, busybox…
    Posix,
}

impl Shell {
    fn of(program: &Path) -> Self {
        match program.file_name().and_then(OsStr::to_str) {
            Some("bash") => Self::Bash,
            Some("zsh") => Self::Zsh,
            Some("fish") => Self::Fish,
            _ => Self::Posix,
        }
    }
}

/// What the start-up files have to know.
pub(crate) struct Place<'a> {
    /// The terminal's own directory.
    pub(crate) dir: &'a Path,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) cluster: &'a str,
    /// What the prompt begins with: cluster and namespace. Letters, digits, dots, dashes, a slash.
    pub(crate) label: &'a str,
}

impl Place<'_> {
    /// Where the guarded tools are; first in PATH.
    pub(crate) fn bin(&self) -> PathBuf {
        self.dir.join("bin")
    }
}

/// A shell ready to be started.
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) shell: Shell,
}

/// The shell the person wants, else theirs, else one that is there. None when the wanted one is no program.
pub(crate) fn choose(wanted: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    if let Some(wanted) = wanted {
        return is_program(wanted).then(|| wanted.to_owned());
    }
    let theirs = environment.get("SHELL").map(Path::new);
    let shells = [theirs, Some(Path::new("/bin/bash")), Some(Path::new("/bin/sh"))];
    shells.into_iter().flatten().find(|shell| is_program(shell)).map(Path::to_owned)
}

/// Writes the start-up files, and sets in the environment what leads the shell to them.
pub(crate) fn prepare(program: &Path, place: &Place<'_>, environment: &mut Environment) -> io::Result<Start> {
    shim::write(place, environment)?;
    let shell = Shell::of(program);
    let args = match shell {
        Shell::Bash => bash::prepare(place)?,
        Shell::Zsh => zsh::prepare(place, environment)?,
        Shell::Fish => fish::prepare(place)?,
        Shell::Posix => sh::prepare(place, environment)?,
    };
    Ok(Start { program: program.to_owned(), args, shell })
}

pub(crate) fn is_program(path: &Path) -> bool {
    path.is_absolute()
        && std::fs::metadata(path)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Fills a template's `@name@` places and writes it.
fn write(place: &Place<'_>, name: &str, template: &str, quote: fn(&[u8]) -> Vec<u8>) -> io::Result<PathBuf> {
    let bin = place.bin();
    let places: [(&str, &[u8]); 5] = [
        ("@dir@", place.dir.as_os_str().as_bytes()),
        ("@bin@", bin.as_os_str().as_bytes()),
        ("@kubeconfig@", place.kubeconfig.as_os_str().as_bytes()),
        ("@cluster@", place.cluster.as_bytes()),
        ("@label@", place.label.as_bytes()),
    ];
    let mut out = Vec::with_capacity(template.len() + 512);
    let mut rest = template;
    // In one pass, so that a path that contains a place's name stays as it is.
    while let Some((at, name, value)) = places
        .iter()
        .filter_map(|(name, value)| Some((rest.find(name)?, name, value)))
        .min_by_key(|found| found.0)
    {
        out.extend(rest.as_bytes()[..at].iter());
        out.extend(quote(value));
        rest = &rest[at + name.len()..];
    }
    out.extend(rest.as_bytes());
    let path = place.dir.join(name);
    private::file(&path, &out, false)?;
    Ok(path)
}

/// For sh, bash and zsh: nothing is special between single quotes but the quote.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in text {
        if *byte == b'\'' { out.extend(b"'\\''") } else { out.push(*byte) }
    }
    out.push(b'\'');
    out
}

/// For fish, where a backslash is special between single quotes too.
fn quoted_for_fish(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in text {
        if matches!(*byte, b'\'' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'\'');
    out
}
