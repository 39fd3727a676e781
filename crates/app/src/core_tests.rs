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

#[tokio::test(flavor = "multi_thread")]
async fn fault_e6_every_start_is_one_entry_and_says_its_version() {
    let home = tempfile::tempdir().unwrap();
    for start in 1..=2 {
        let options = Options { keyring: Keyring::Off, ..Options::default() };
        let app = App::start(Dirs::under(home.path()), options, Arc::new(Nobody)).await.unwrap();
        let page = app.audit_page(sallyport_ipc::AuditFilter::default(), None, 100).await.unwrap();
        let starts: Vec<String> =
            page.entries.iter().filter(|e| e.action == "app_started").map(|e| format!("{e:?}")).collect();
        assert_eq!(starts.len(), start, "{starts:?}");
        assert!(starts[0].contains(env!("CARGO_PKG_VERSION")), "{starts:?}");
        app.shut_down().await;
    }
}
