//! What telling asks of the parts below. The product answers with [`super::below`], the tests of this part with fakes.

use crate::approvals::Asks;
use crate::sessions::Standing;
use tokio::sync::watch;

/// Whose doings are told of, as they stand at the moment of the question.
pub(super) trait Below: Send + Sync + 'static {
    /// Who asks the person in front.
    fn asks(&self) -> Asks;
    /// The person's own sessions, and what they wait for.
    fn standings(&self) -> Vec<Standing>;
    /// Changes of the first, and of the second.
    fn moves(&self) -> (watch::Receiver<u64>, watch::Receiver<u64>);
}
