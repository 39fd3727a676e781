//! Which shell runs, and the start-up files that keep a terminal on its cluster whatever the person's own say.

mod bash;
mod fish;
mod nested;
mod sh;
mod shim;
mod zsh;

use crate::environment::Environment;
use crate::private;
use crate::processes::MARK;
use crate::remark::Remark;
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

/// A shell of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its program.
    pub path: PathBuf,
    /// What it is.
    pub shell: Shell,
}

/// The shells that this machine says are ones (shells(5)) and that are programs; each program once, by its first name.
pub fn installed() -> Vec<Installed> {
    listed(&std::fs::read_to_string("/etc/shells").unwrap_or_default())
}

fn listed(text: &str) -> Vec<Installed> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| line.starts_with('/')) {
        let path = PathBuf::from(line);
        let name = path.file_name().map(OsStr::to_owned);
        // `/bin/bash` and `/usr/bin/bash` are one where /bin is a link; busybox is several under one program.
        let program = std::fs::canonicalize(&path).map(|program| (program, name));
        if let Ok(program) = program
            && is_program(&path)
            && !seen.contains(&program)
        {
            seen.push(program);
            found.push(Installed { shell: Shell::of(&path), path });
        }
    }
    found
}

/// The person's own, where it is known and there.
pub fn own() -> Option<PathBuf> {
    std::env::var_os("SHELL").map(PathBuf::from).filter(|shell| is_program(shell))
}

/// Where, in a terminal's own directory, its shells leave their signs.
pub(crate) const SIGNS: &str = "signs";
/// Where, in it, what multiplexes terminals keeps its sockets: a server of another terminal, with another kubeconfig,
/// must not be joined from here.
const SOCKETS: &[(&str, &str)] =
    &[("TMUX_TMPDIR", "tmux"), ("SCREENDIR", "screen"), ("ZELLIJ_SOCKET_DIR", "zellij")];

/// What the start-up files have to know.
pub(crate) struct Place<'a> {
    /// The terminal's own directory.
    pub(crate) dir: &'a Path,
    /// Where the guarded tools are; first in PATH.
    pub(crate) bin: &'a Path,
    /// Whether programs can be run from there.
    pub(crate) runs_programs: bool,
    /// For KUBECACHEDIR.
    pub(crate) cache: &'a Path,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) cluster: &'a str,
    /// What the prompt begins with: cluster and namespace. Letters, digits, dots, dashes, a slash.
    pub(crate) label: &'a str,
    pub(crate) remarks: &'a [Remark],
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
    private::directory(&place.dir.join(SIGNS))?;
    let tools = shim::write(place, environment)?;
    let shell = Shell::of(program);
    let scripts = Scripts { place, tools: tools.join(" ") };
    let bash = bash::write(&scripts)?;
    let zsh = zsh::write(&scripts)?;
    let fish = fish::write(&scripts)?;
    // What else reads commands and knows no start-up file of its own: for sh, dash and ksh, inner ones too.
    // The shell expands what ENV says, so that a path with a dollar in it must come from a variable.
    environment.set("SALLYPORT_SHRC", sh::write(&scripts)?);
    environment.set("ENV", "$SALLYPORT_SHRC");
    let inner = nested::write(place, environment, program)?;
    let args = match shell {
        Shell::Bash => bash,
        Shell::Fish => fish,
        Shell::Zsh => {
            zsh.prepare(environment);
            vec!["-i".into()]
        }
        Shell::Posix => vec!["-i".into()],
    };
    environment.prepend_path(&[place.bin]);
    for (name, value) in own_variables(place) {
        environment.set(name, value);
    }
    for (_, dir) in SOCKETS {
        private::directory(&place.dir.join(dir))?;
    }
    environment.set("TERM", "xterm-256color");
    environment.set("COLORTERM", "truecolor");
    // What starts a shell by this variable (tmux, an editor) starts a guarded one.
    let inner = inner.filter(|_| place.runs_programs);
    environment.set("SHELL", inner.unwrap_or_else(|| program.to_owned()));
    environment.set("SALLYPORT_KUBECONFIG", place.kubeconfig);
    environment.set(MARK, place.dir);
    for list in ["NO_PROXY", "no_proxy"] {
        environment.add_to_list(list, "127.0.0.1");
    }
    Ok(Start { program: program.to_owned(), args, shell })
}

/// The variables that a terminal keeps, whatever a start-up file sets them to.
fn own_variables(place: &Place<'_>) -> Vec<(&'static str, PathBuf)> {
    let mut all = vec![("KUBECONFIG", place.kubeconfig.to_owned()), ("KUBECACHEDIR", place.cache.to_owned())];
    all.extend(SOCKETS.iter().map(|(name, dir)| (*name, place.dir.join(dir))));
    all
}

pub(crate) fn is_program(path: &Path) -> bool {
    path.is_absolute()
        && std::fs::metadata(path)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// What start-up files are made of.
struct Scripts<'a> {
    place: &'a Place<'a>,
    /// The guarded tools, with spaces between.
    tools: String,
}

impl Scripts<'_> {
    /// Fills a template and writes it.
    fn write(&self, name: &str, template: &str, quote: fn(&[u8]) -> Vec<u8>) -> io::Result<PathBuf> {
        let place = self.place;
        let signs = place.dir.join(SIGNS);
        let body = filled(
            template,
            &[
                ("@dir@", place.dir.as_os_str().as_bytes()),
                ("@bin@", place.bin.as_os_str().as_bytes()),
                ("@signs@", signs.as_os_str().as_bytes()),
                ("@cache@", place.cache.as_os_str().as_bytes()),
                ("@kubeconfig@", place.kubeconfig.as_os_str().as_bytes()),
                ("@cluster@", place.cluster.as_bytes()),
                ("@label@", place.label.as_bytes()),
                ("@tools@", self.tools.as_bytes()),
            ],
            quote,
        );
        let path = place.dir.join(name);
        private::file(&path, &body, false)?;
        Ok(path)
    }
}

/// Fills a template's `@name@` places, in one pass, so that a value that contains a place's name stays as it is.
fn filled(template: &str, places: &[(&str, &[u8])], quote: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(template.len() + 512);
    let mut rest = template;
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
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_are_what_is_listed_and_there_each_once() {
        let text = "# /etc/shells: valid login shells\n/bin/sh\n  /usr/bin/sh\n/bin/bash\n/nowhere/zsh\nbash\n/etc/passwd\n/etc\n";
        let found = listed(text);
        let shells: Vec<(&str, Shell)> =
            found.iter().map(|it| (it.path.to_str().unwrap(), it.shell)).collect();
        assert_eq!(shells.iter().filter(|(path, _)| path.ends_with("/bash")).count(), 1, "{shells:?}");
        assert!(shells.contains(&("/bin/bash", Shell::Bash)) && shells[0] == ("/bin/sh", Shell::Posix));
        assert!(
            shells.iter().all(|(path, _)| path.ends_with("/sh") || path.ends_with("/bash")),
            "{shells:?}"
        );
        assert_eq!(listed(""), []);
    }
}
