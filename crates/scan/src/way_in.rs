//! How a kubeconfig gets its person into one cluster, as data. Nothing that it names is run; files that it names are read
//! for the chosen context alone (promise P5), and nothing of a credential is kept but what it says of itself.

use crate::certificate::{bundle, hex};
use crate::error::{shown, shown_path};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sallyport_kubeconfig::{Entry, Kept, Kubeconfig, User};
use sallyport_model::{Digest, Secret};
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{Certificate, ExecSeen, Part, TokenSeen, WayIn, WaysIn};
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The longest token that is looked at, in bytes.
const TOKEN: u64 = 64 << 10;

/// The ways that a kubeconfig holds into the cluster of `chosen`: each context whose server is the same. `files` are those
/// that it was read from, for their modes. Contexts of other clusters are looked at for the same credential alone.
pub fn ways_in(config: &Kubeconfig, chosen: &Entry<'_>, files: &[PathBuf]) -> WaysIn {
    let entries: Vec<Entry<'_>> =
        config.contexts().filter_map(|name| config.entry(Some(name)).ok()).collect();
    let secrets: Vec<(usize, Secret<String>)> = entries
        .iter()
        .enumerate()
        .filter_map(|(at, entry)| Some((at, credential(entry.user?, entry.context == chosen.context)?)))
        .collect();
    let secret_of = |at: usize| secrets.iter().find(|(own, _)| *own == at).map(|(_, secret)| secret.expose());
    let mut ways = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if entry.cluster.server != chosen.cluster.server {
            continue;
        }
        let mut way = way(entry, entry.context == chosen.context);
        if let Some(own) = secret_of(at) {
            let same = |(other, entry): &(usize, &Entry<'_>)| {
                entry.cluster.server != chosen.cluster.server && secret_of(*other) == Some(own)
            };
            way.same_as =
                entries.iter().enumerate().filter(same).map(|(_, entry)| shown(entry.context)).collect();
        }
        ways.push(way);
    }
    WaysIn {
        file: files.iter().map(|file| shown_path(file)).collect::<Vec<_>>().join(", "),
        mode: mode(files),
        in_repository: files.iter().any(|file| in_repository(file)),
        ways,
    }
}

fn way(entry: &Entry<'_>, chosen: bool) -> WayIn {
    let cluster = entry.cluster;
    let after = cluster.server.split_once("://").map_or(cluster.server.as_str(), |(_, after)| after);
    let host = after.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let loopback = ["127.", "localhost", "[::1]"].iter().any(|own| host.starts_with(own));
    let mut way = WayIn {
        context: shown(entry.context),
        plain: cluster.server.to_ascii_lowercase().starts_with("http://"),
        loopback,
        insecure: cluster.insecure,
        authority: cluster.authority.is_some(),
        other_name: cluster
            .tls_server_name
            .as_ref()
            .is_some_and(|name| !host.starts_with(&name.to_ascii_lowercase())),
        user_info: cluster.has_user_info(),
        ..WayIn::default()
    };
    let Some(user) = entry.user else { return way };
    way.basic = user.basic;
    way.auth_provider = user.auth_provider.as_ref().map(|name| shown(name));
    way.certificate = user.certificate.as_ref().map(|kept| certificate(kept, chosen));
    way.token = token(user, chosen);
    way.exec = user.exec.as_ref().map(|exec| ExecSeen {
        command: shown_path(&exec.command),
        path: exec.command.components().count() > 1,
        env: exec.env.iter().map(|name| shown(name)).collect(),
        secret_argument: exec.args.iter().any(|arg| is_secret(arg)),
    });
    way
}

/// Whether an argument looks like one that holds a secret: `--token=…`. Its value is not looked at.
fn is_secret(argument: &str) -> bool {
    let Some((name, value)) = argument.split_once('=') else { return false };
    let name = name.to_ascii_lowercase();
    !value.is_empty()
        && ["token", "password", "secret", "passwd", "api-key"].iter().any(|part| name.ends_with(part))
}

const NOT_CHOSEN: &str = "it stands in a file, and files are read for the chosen context alone";

fn text(kept: &Kept, chosen: bool) -> Result<Secret<String>, String> {
    match kept {
        Kept::File(_) if !chosen => Err(NOT_CHOSEN.to_owned()),
        kept => kept.read(),
    }
}

fn certificate(kept: &Kept, chosen: bool) -> Part<Certificate> {
    let pem = match text(kept, chosen) {
        Ok(pem) => pem,
        Err(why) => return Part::without(Coverage::Cut(why)),
    };
    match bundle(pem.expose()).0.into_iter().next() {
        Some(own) => Part::read(own),
        None => Part::without(Coverage::Cut("it holds no certificate that can be read".to_owned())),
    }
}

/// The token's text, where it may be read. In a file wins, as in kubectl.
fn token_text(user: &User, chosen: bool) -> Option<Result<Secret<String>, String>> {
    match (&user.token_file, &user.token) {
        (Some(_), _) if !chosen => Some(Err(NOT_CHOSEN.to_owned())),
        (Some(file), _) => Some(read(file)),
        (None, Some(token)) => Some(Ok(token.clone())),
        (None, None) => None,
    }
}

fn read(file: &Path) -> Result<Secret<String>, String> {
    let unread = |why: String| format!("{} can't be read: {why}", shown_path(file));
    let failed = |error: std::io::Error| unread(shown(&error.to_string()));
    // A pipe or a device would be waited for.
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(unread("it is no plain file".to_owned()));
    }
    let mut text = String::new();
    std::fs::File::open(file).map_err(failed)?.take(TOKEN + 1).read_to_string(&mut text).map_err(failed)?;
    match text.len() as u64 > TOKEN {
        true => Err(unread("it is larger than any token".to_owned())),
        false => Ok(Secret::new(text.trim().to_owned())),
    }
}

fn token(user: &User, chosen: bool) -> Option<Part<TokenSeen>> {
    Some(match token_text(user, chosen)? {
        Ok(token) => Part::read(seen(token.expose())),
        Err(why) => Part::without(Coverage::Cut(why)),
    })
}

/// What a token says of itself. Nobody checks its signature here: it is the person's own.
fn seen(token: &str) -> TokenSeen {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return TokenSeen::default();
    };
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok();
    let Some(Value::Object(claims)) = claims.and_then(|claims| serde_json::from_slice(&claims).ok()) else {
        return TokenSeen::default();
    };
    // Some providers write them with a fraction.
    #[allow(clippy::cast_possible_truncation, reason = "a moment beyond i64 is as good as never")]
    let moment =
        |name: &str| claims.get(name).and_then(|value| value.as_i64().or(value.as_f64().map(|at| at as i64)));
    let amr = claims.get("amr").and_then(Value::as_array).into_iter().flatten();
    TokenSeen {
        jwt: true,
        issued: moment("iat"),
        expires: moment("exp"),
        account: claims
            .get("sub")
            .and_then(Value::as_str)
            .is_some_and(|sub| sub.starts_with("system:serviceaccount:")),
        amr: amr.filter_map(Value::as_str).take(20).map(shown).collect(),
    }
}

/// What tells one credential from another, in memory alone: a certificate's key, or the token.
fn credential(user: &User, chosen: bool) -> Option<Secret<String>> {
    if let Some(kept) = &user.certificate {
        let part = certificate(kept, chosen);
        return part.whole().map(|own| Secret::new(own.key_fingerprint.clone()));
    }
    let token = token_text(user, chosen)?.ok()?;
    Some(Secret::new(hex(Digest::of(token.expose().as_bytes()).bytes())))
}

#[cfg(unix)]
fn mode(files: &[PathBuf]) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let modes: Option<Vec<u32>> =
        files.iter().map(|file| Some(std::fs::metadata(file).ok()?.permissions().mode() & 0o777)).collect();
    modes.filter(|modes| !modes.is_empty()).map(|modes| modes.into_iter().fold(0, |all, one| all | one))
}

#[cfg(not(unix))]
fn mode(_: &[PathBuf]) -> Option<u32> {
    None
}

fn in_repository(file: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return false };
    file.ancestors().skip(1).any(|folder| folder.join(".git").exists())
}
