//! Where rules speak of a resource, so that a question is put to few of them.

use super::Role;
use crate::{Ask, Rule};
use std::collections::HashMap;
use std::sync::Arc;

/// Role and rule, by their places.
pub(super) type Place = (usize, usize);

/// Rules by each entry of their `resources`, and those with paths. What a rule allows is asked of the rule: this only
/// finds the few that may.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    resources: HashMap<String, Vec<Place>>,
    paths: Vec<Place>,
}

impl Entries {
    pub(super) fn of(roles: &[Arc<Role>]) -> Self {
        let mut all = Self::default();
        let rules = roles.iter().enumerate().flat_map(|(at, role)| {
            role.rules.iter().enumerate().map(move |(number, rule)| ((at, number), rule))
        });
        for (place, rule) in rules {
            all.add(place, rule);
        }
        all
    }

    fn add(&mut self, place: Place, rule: &Rule) {
        for entry in &rule.resources {
            match self.resources.get_mut(entry) {
                // An entry that is written twice is one.
                Some(places) if places.last() == Some(&place) => {}
                Some(places) => places.push(place),
                None => drop(self.resources.insert(entry.clone(), vec![place])),
            }
        }
        if !rule.non_resource_urls.is_empty() {
            self.paths.push(place);
        }
    }

    /// Every rule that may allow it, by role and then by rule, each once.
    pub(super) fn candidates(&self, ask: Ask<'_>) -> Vec<Place> {
        let mut found = match ask {
            Ask::Path { .. } => self.paths.clone(),
            Ask::Resource { resource, subresource, .. } => {
                let keys = match subresource {
                    "" => vec!["*".to_owned(), resource.to_owned()],
                    sub => vec!["*".to_owned(), format!("{resource}/{sub}"), format!("*/{sub}")],
                };
                keys.iter().filter_map(|key| self.resources.get(key)).flatten().copied().collect()
            }
        };
        found.sort_unstable();
        found.dedup();
        found
    }
}
