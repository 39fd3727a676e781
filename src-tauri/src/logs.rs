//! Where the log goes: standard error, at `SALLYPORT_LOG` (default: warnings, and our own information), and its last lines
//! into memory for a support bundle: of those, ours alone, whatever the filter says, since libraries log what servers answer.

use sallyport_app::LogTail;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Installs the subscriber, once. Its last lines are in what it answers.
pub(crate) fn install() -> LogTail {
    let tail = LogTail::default();
    let filter =
        EnvFilter::try_from_env("SALLYPORT_LOG").unwrap_or_else(|_| EnvFilter::new("warn,sallyport=info"));
    let kept = tail.clone();
    let subscriber =
        tracing_subscriber::registry().with(layer().with_writer(std::io::stderr).with_filter(filter)).with(
            layer()
                .with_ansi(false)
                .with_writer(move || kept.clone())
                .with_filter(Targets::new().with_target("sallyport", Level::INFO)),
        );
    if subscriber.try_init().is_err() {
        eprintln!("sallyport: a log subscriber was already installed");
    }
    tail
}
