//! What whoever a finding is about was seen to use: of the kept scan, and of the clusters' logs.

use super::Parts;
use crate::desk::AppError;
use crate::scans::WhoCalled;
use sallyport_ipc::UseView;

impl Parts {
    pub(crate) async fn finding_used(&self, cluster: String, finding: String) -> Result<UseView, AppError> {
        let subject = match self.scans.whose(&cluster, finding).await? {
            WhoCalled::Calls(subject) => subject,
            WhoCalled::Nobodys(none) => return Ok(*none),
        };
        let name = sallyport_archive::Whose::Person(subject.name().to_owned());
        let seen = self.evidence.seen_on(&cluster, name).await?;
        self.scans.narrowed(cluster, subject, seen).await
    }
}
