use super::*;
use sallyport_vault::Keyring;

/// A desktop nobody looks at.
struct Nobody;

impl Host for Nobody {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Err(AppError::failed("there is no browser here"))
    }
    fn tell(&self, _: Event) {}
    fn exit(&self) {}
}

/// Waits until the app of before has let go of its directory.
async fn started(home: &std::path::Path) -> App {
    let begun = std::time::Instant::now();
    loop {
        let options = Options { keyring: Keyring::Off, ..Options::default() };
        match App::start(Dirs::under(home), options, Arc::new(Nobody)).await {
            Err(_) if begun.elapsed() < Duration::from_secs(10) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            app => return app.unwrap_or_else(|error| panic!("{}", error.chain())),
        }
    }
}

#[test]
fn fault_e6_every_start_is_one_entry_and_says_its_version() {
    let home = tempfile::tempdir().unwrap();
    for start in 1..=2 {
        // A runtime of its own for each: what an app still has running ends with it, as with its process.
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let app = started(home.path()).await;
            let page = app.audit_page(sallyport_ipc::AuditFilter::default(), None, 100).await.unwrap();
            let starts: Vec<String> =
                page.entries.iter().filter(|e| e.action == "app_started").map(|e| format!("{e:?}")).collect();
            assert_eq!(starts.len(), start, "{starts:?}");
            assert!(starts[0].contains(env!("CARGO_PKG_VERSION")), "{starts:?}");
            app.shut_down().await;
        });
    }
}
