//! The broker's token for the hub: one hour long, renewed at half life, kept in its file.

use sallyport_api::BROKERS_NAMESPACE;
use sallyport_client::{token_claims, token_in, token_request, within};
use sallyport_model::{ClusterName, Secret};
use serde::Deserialize;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// What the broker asks for; admission allows no more.
const LIFE: i64 = 3600;
/// Wait after a failed renewal.
const AGAIN: Duration = Duration::from_secs(15);

/// Renews the token in `file` for ever.
pub(crate) async fn keep(hub: kube::Client, cluster: ClusterName, file: PathBuf, deadline: Duration) {
    loop {
        let wait = match due_in(&file, jiff::Timestamp::now().as_second()) {
            Ok(wait) => wait,
            Err(why) => {
                tracing::error!(file = %file.display(), why, "the hub token is not usable; an admin has to enrol again");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        // Asked again at least every minute: the file may be replaced by hand meanwhile.
        if !wait.is_zero() {
            tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
            continue;
        }
        match renew(&hub, &cluster, deadline).await.and_then(|token| write(&file, &token)) {
            Ok(()) => tracing::info!("the hub token was renewed"),
            Err(why) => {
                tracing::warn!(why, "the hub token can't be renewed");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iat: i64,
    exp: i64,
}

/// How long until half of the token's life is over.
fn due_in(file: &Path, now: i64) -> Result<Duration, String> {
    let token = Secret::new(fs::read_to_string(file).map_err(|e| e.to_string())?);
    let claims: Claims = token_claims(&token)?;
    let half = claims.iat + (claims.exp - claims.iat) / 2;
    Ok(Duration::from_secs(u64::try_from(half - now).unwrap_or(0)))
}

async fn renew(
    hub: &kube::Client,
    cluster: &ClusterName,
    deadline: Duration,
) -> Result<Secret<String>, String> {
    let request = token_request(BROKERS_NAMESPACE, cluster.as_str(), LIFE).map_err(|e| e.to_string())?;
    let answer = within(deadline, hub.request_text(request)).await.map_err(|fault| fault.to_string())?;
    Ok(token_in(&Secret::new(answer))?)
}

/// Replaces the file in one step, readable by us alone.
fn write(file: &Path, token: &Secret<String>) -> Result<(), String> {
    let fresh = file.with_extension("new");
    let put = || -> std::io::Result<()> {
        // A leftover of a crash may have other permissions.
        let _ = fs::remove_file(&fresh);
        let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        out.write_all(token.expose().as_bytes())?;
        out.sync_all()?;
        fs::rename(&fresh, file)
    };
    put().map_err(|e| format!("{} can't be written: {e}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use std::os::unix::fs::PermissionsExt;

    fn jwt(claims: &str) -> Secret<String> {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn attack_12_the_token_is_replaced_at_half_life_in_one_step_and_for_us_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("token");
        fs::write(&file, "old").expect("writes");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("sets");
        fs::write(dir.path().join("token.new"), "left by a crash").expect("writes");
        write(&file, &jwt(r#"{"iat":1000,"exp":4600}"#)).expect("writes");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
        assert_eq!(due_in(&file, 1000).expect("a token").as_secs(), 1800);
        assert_eq!(due_in(&file, 2800).expect("a token").as_secs(), 0);
        assert_eq!(due_in(&file, 9000).expect("a token").as_secs(), 0);
    }

    #[test]
    fn a_file_that_holds_no_token_is_said_without_quoting_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("token");
        assert!(due_in(&file, 0).is_err());
        for bad in ["", "eyJsecret", "a.eyJ!.c", "a.e30.c"] {
            fs::write(&file, bad).expect("writes");
            let said = due_in(&file, 0).expect_err("no token");
            assert!(!said.contains("eyJ"), "{said}");
        }
    }
}
