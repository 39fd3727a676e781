//! A desktop of an older release, without a window, told what to do line by line. It is copied into a checkout of that
//! release and built there: nothing of this workspace is in it, and this workspace does not build it.
//!
//! On standard input a JSON object with `do` per line; on standard output a JSON object per answer, and `{"browser": url}`
//! whenever the person's browser is opened.

use sallyport_app::{App, AppError, Dirs, Host, Keyring, Options};
use sallyport_ipc::{Event, OpenInput};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::io::{AsyncBufReadExt, BufReader};

struct Line;

impl Host for Line {
    fn open_browser(&self, url: &str) -> Result<(), AppError> {
        println!("{}", json!({"browser": url}));
        Ok(())
    }
    fn tell(&self, _: Event) {}
    fn exit(&self) {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = std::env::args().nth(1).expect("a home");
    let options = Options {
        deadline: Duration::from_secs(5),
        broker: Duration::from_secs(20),
        keyring: Keyring::Off,
        ..Options::default()
    };
    let app = App::start(Dirs::under(Path::new(&home)), options, Arc::new(Line)).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let order: Value = serde_json::from_str(&line)?;
        let text = |key: &str| order[key].as_str().unwrap_or_default().to_owned();
        let answer: Result<Value, AppError> = match order["do"].as_str().unwrap_or_default() {
            "join" => app.workspace_join(text("text")).await.map(|_| Value::Null),
            "sign_in" => app.sign_in(None).await.map(|_| Value::Null),
            "clusters" => app.clusters_list().await.map(|view| json!(view)),
            "sessions" => app.sessions_list().await.map(|view| json!(view)),
            "leave" => app.session_leave(text("id")).await.map(|()| Value::Null),
            "verify" => app.audit_verify().await.map(|view| json!(view)),
            "open" => {
                let input = OpenInput {
                    cluster: text("cluster"),
                    profile: Some(text("profile")),
                    reason: Some("INC-4312 p99 latency after deploy".to_owned()),
                    namespaces: None,
                    duration_seconds: None,
                };
                app.session_open(input).await.map(|view| json!(view))
            }
            "quit" => {
                app.shut_down().await;
                println!("{}", json!({"ok": null}));
                return Ok(());
            }
            other => panic!("nobody can {other}"),
        };
        println!("{}", match answer {
            Ok(ok) => json!({"ok": ok}),
            Err(error) => json!({"error": error.to_string()}),
        });
    }
    Ok(())
}
