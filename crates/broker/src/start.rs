//! What both binaries do: flags, log, TLS provider, runtime.

use crate::{Config, run};
use anyhow::{Context, Result};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Runs the broker from the command line until it is told to end.
///
/// # Errors
/// When the configuration can't be used.
pub fn start() -> Result<()> {
    sallyport_client::keep_out_of_core_dumps();
    let config = Config::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // kube logs bodies that it can't parse; the broker's own words are enough.
    let filter = filter.add_directive("kube_client=error".parse().context("a log directive")?);
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider was installed already"))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(config))
}
