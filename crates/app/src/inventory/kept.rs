//! The previews that were read last.

use sallyport_api::AccessPreviewSpec;
use sallyport_model::ClusterName;
use std::collections::VecDeque;
use std::sync::Arc;

/// Previews that are kept.
const KEPT: usize = 32;

/// What was read last: of so many clusters that going back to one reads nothing, and of no more, since each may be half a
/// megabyte.
#[derive(Clone, Debug, Default)]
pub(crate) struct Previews(VecDeque<(ClusterName, Arc<AccessPreviewSpec>)>);

impl Previews {
    pub(super) fn of(&self, cluster: &ClusterName) -> Option<&Arc<AccessPreviewSpec>> {
        self.0.iter().find(|(name, _)| name == cluster).map(|(_, preview)| preview)
    }

    pub(super) fn keep(&mut self, cluster: &ClusterName, preview: Arc<AccessPreviewSpec>) {
        self.0.retain(|(name, _)| name != cluster);
        self.0.push_back((cluster.clone(), preview));
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_previews_are_kept_one_of_each_cluster() {
        let name = |i: usize| format!("c-{i}").parse::<ClusterName>().unwrap();
        let preview = || Arc::new(AccessPreviewSpec::of(Vec::new()));
        let mut previews = Previews::default();
        for i in 0..40 {
            previews.keep(&name(i), preview());
            previews.keep(&name(0), preview());
        }
        assert_eq!(previews.0.len(), KEPT);
        assert!(previews.of(&name(0)).is_some() && previews.of(&name(39)).is_some());
        assert!(previews.of(&name(1)).is_none());
    }
}
