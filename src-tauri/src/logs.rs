//! Where the log goes: standard error, at `SALLYPORT_LOG` (default: warnings, and our own information), and its last lines
//! into memory for a support bundle.

use sallyport_app::LogTail;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Installs the subscriber, once. Its last lines are in what it answers.
pub(crate) fn install() -> LogTail {
    let tail = LogTail::default();
    let filter =
        EnvFilter::try_from_env("SALLYPORT_LOG").unwrap_or_else(|_| EnvFilter::new("warn,sallyport=info"));
    let kept = tail.clone();
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(layer().with_writer(std::io::stderr))
        .with(layer().with_ansi(false).with_writer(move || kept.clone()));
    if subscriber.try_init().is_err() {
        eprintln!("sallyport: a log subscriber was already installed");
    }
    tail
}
