//! Where the log goes: standard error, at `SALLYPORT_LOG` (default: warnings, and our own information).

use tracing_subscriber::EnvFilter;

/// Installs the subscriber, once.
pub(crate) fn install() {
    let filter =
        EnvFilter::try_from_env("SALLYPORT_LOG").unwrap_or_else(|_| EnvFilter::new("warn,sallyport=info"));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    if subscriber.try_init().is_err() {
        eprintln!("sallyport: a log subscriber was already installed");
    }
}
