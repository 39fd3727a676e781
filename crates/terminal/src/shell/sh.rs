use super::{Place, quoted, write};
use crate::environment::Environment;
use std::ffi::OsString;
use std::io;

/// What a POSIX shell reads from ENV when it is interactive. It has no hooks: the guarded tools are what holds.
const RC: &str = r#"# Made by Sallyport for one terminal, and removed with it.
KUBECONFIG=@kubeconfig@
export KUBECONFIG
PATH=@bin@:${PATH#@bin@:}
PS1=@label@' $ '
unset ENV
"#;

pub(super) fn prepare(place: &Place<'_>, environment: &mut Environment) -> io::Result<Vec<OsString>> {
    let rc = write(place, "shrc", RC, quoted)?;
    environment.set("ENV", rc);
    Ok(vec!["-i".into()])
}
