//! What has to be built or installed first.

use anyhow::Result;
use sallyport_testkit::listing::Listing;
use std::path::PathBuf;

/// Where the tools are.
pub(super) struct Provided {
    pub(super) kubectl: PathBuf,
    pub(super) helm: PathBuf,
    pub(super) python: PathBuf,
}

impl Provided {
    /// Finds them, building what the cache lacks; progress goes to stderr.
    pub(super) async fn find() -> Result<Self> {
        let tools = Listing::of("tools.sh").await?;
        Ok(Self { kubectl: tools.path("kubectl")?, helm: tools.path("helm")?, python: tools.path("python")? })
    }
}
