//! Who deleted this?

use super::{Answer, Bounds, Call};
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
        self.on_cluster().only(Column::Resource, &self.resource).only(Column::Namespace, &self.namespace)
    }
}

impl Archive {
    /// Calls that may have removed an object and were not refused, newest first, at most `limit` of each way. Its
    /// owner's removal is not among them: garbage collection then makes a call of its own, which is.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn deletions(
        &self,
        object: &ObjectRef,
        limit: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Vec<Deletion>>, ArchiveError> {
        let named = object.filter().only(Column::Verb, "delete");
        let collection = object.of_kind().only(Column::Verb, "deletecollection").only(Column::Name, "");
        let mut ways = vec![(How::Named, named), (How::Collection, collection)];
        if !object.namespace.is_empty() {
            // The API server writes a namespace's own name in both fields.
            let namespace = object
                .on_cluster()
                .only(Column::Resource, "namespaces")
                .only(Column::Name, &object.namespace)
                .only(Column::Verb, "delete");
            ways.push((How::Namespace, namespace));
        }
        let mut answer = Answer { value: Vec::new(), is_whole: true, damaged: 0 };
        for (how, filter) in ways {
            // A subresource of an object is not the object, and a refusal removed nothing.
            let page = self.page(&filter.only(Column::Subresource, "").codes(0, 399), None, limit, bounds)?;
            answer.is_whole &= page.is_whole;
            answer.damaged = answer.damaged.max(page.damaged);
            answer.value.extend(page.value.calls.into_iter().map(|call| Deletion { call, how }));
        }
        answer.value.sort_by_key(|deletion| std::cmp::Reverse((deletion.call.at, deletion.call.id)));
        Ok(answer)
    }
}
