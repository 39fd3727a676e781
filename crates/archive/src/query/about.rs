//! Who deleted this?

use super::{Answer, Bounds, Call, Clock};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::column::Column;
use crate::filter::Filter;

/// An object of a cluster, as far as somebody knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRef {
    /// On which cluster; on any without it.
    pub cluster: Option<String>,
    /// The resource as kubectl writes it: `pods`, `deployments.apps`.
    pub resource: String,
    /// The namespace; empty for what is in none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A call that may have removed an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The call.
    pub call: Call,
    /// How it may have.
    pub how: How,
}

/// How a call removes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// By its name.
    Named,
    /// With all of its kind in the namespace, or those that a selector fits (`deletecollection`): whether it was among
    /// them, only the call's answer says.
    Collection,
    /// With its namespace.
    Namespace,
    /// By an eviction (`create pods/eviction`), which removes a pod.
    Evicted,
    /// With its kind: the CRD was removed, by its name or with others.
    Kind,
}

/// What may have removed an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Newest first.
    pub found: Vec<Deletion>,
    /// Whether there are older ones of some way, beyond the limit.
    pub has_more: bool,
    /// Events that say only that a call began which would have removed it. Of a call that is over another event tells,
    /// which is found where the call was not refused.
    pub begun: u64,
    /// Events that break off before they say about what they are: one of them may be it.
    pub untold: u64,
}

impl ObjectRef {
    /// Calls about this very object.
    pub fn filter(&self) -> Filter {
        self.of_kind().only(Column::Name, &self.name)
    }

    fn on_cluster(&self) -> Filter {
        match &self.cluster {
            Some(cluster) => Filter::default().only(Column::Cluster, cluster),
            None => Filter::default(),
        }
    }

    fn of_kind(&self) -> Filter {
        let filter = self.on_cluster().only(Column::Resource, &self.resource);
        // A namespace is in none, and the API server writes its own name in both fields of some of its calls.
        if self.resource == "namespaces" { filter } else { filter.only(Column::Namespace, &self.namespace) }
    }

    /// In which ways it may have been removed, each with what its calls have in common.
    fn ways(&self) -> Vec<(How, Filter)> {
        let itself = |filter: Filter| filter.only(Column::Subresource, "");
        let named = |filter: Filter| itself(filter).only(Column::Verb, "delete");
        let all =
            |filter: Filter| itself(filter).only(Column::Verb, "deletecollection").only(Column::Name, "");
        let mut ways = vec![(How::Named, named(self.filter())), (How::Collection, all(self.of_kind()))];
        if !self.namespace.is_empty() && self.resource != "namespaces" {
            let namespace =
                self.on_cluster().only(Column::Resource, "namespaces").only(Column::Name, &self.namespace);
            ways.push((How::Namespace, named(namespace)));
        }
        if self.resource == "pods" {
            let eviction = self.filter().only(Column::Subresource, "eviction").only(Column::Verb, "create");
            ways.push((How::Evicted, eviction));
        }
        if self.resource.contains('.') {
            // What a CRD is called is exactly how its kind's resource is written.
            let crds =
                || self.on_cluster().only(Column::Resource, "customresourcedefinitions.apiextensions.k8s.io");
            ways.push((How::Kind, named(crds().only(Column::Name, &self.resource))));
            ways.push((How::Kind, all(crds())));
        }
        ways
    }
}

impl Archive {
    /// Calls that may have removed an object and were not refused, newest first, at most `limit` of each way. Its
    /// owner's removal is not among them: garbage collection then makes a call of its own, which is. Nor is a call of
    /// which no more is told than that it began; those are counted.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn deletions(
        &self,
        object: &ObjectRef,
        limit: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Deletions>, ArchiveError> {
        let clock = Clock::start(bounds);
        let mut answer = Answer::begun(self, Deletions::default());
        for (how, filter) in object.ways() {
            // A refusal removed nothing; a line that breaks off before it says how the call ended may have.
            let filter = filter.but_codes(400, 999);
            let begun = self.count(&filter.clone().begun(), &clock.left())?;
            answer.is_whole &= begun.is_whole;
            answer.value.begun += begun.value;
            let filter = filter.ended();
            let page = self.page(&filter, None, limit, &clock.left())?;
            answer.is_whole &= page.is_whole;
            answer.damaged = answer.damaged.max(page.damaged);
            answer.value.has_more |= page.value.next.is_some();
            answer.value.found.extend(page.value.calls.into_iter().map(|call| Deletion { call, how }));
        }
        let untold = object.on_cluster().only(Column::Resource, "").partial().ended();
        let untold = self.count(&untold, &clock.left())?;
        answer.is_whole &= untold.is_whole;
        answer.value.untold = untold.value;
        answer.value.found.sort_by_key(|deletion| std::cmp::Reverse((deletion.call.at, deletion.call.id)));
        Ok(answer)
    }
}
