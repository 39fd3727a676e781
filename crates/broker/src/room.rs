//! How much a cluster's preview holds: what the CRD takes, and what fits well below the limit of the hub's etcd.

use sallyport_api::RuleSummary;
use sallyport_policy::{Offer, too_large_to_show};

/// Rules in all profiles together.
const RULES_IN_ALL: usize = 1024;
/// Bytes of all rules together, as JSON: an object has to stay well below etcd's 1.5 MiB.
const BYTES_IN_ALL: usize = 512 * 1024;

/// What is left for the rules of the profiles to come.
pub(crate) struct Room {
    rules: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { rules: RULES_IN_ALL, bytes: BYTES_IN_ALL }
    }
}

impl Room {
    /// The rules of an offer, all of them or none: half of a list would look like less than it is, and one rule that the CRD
    /// does not take would keep every profile's from being written. The report's number of rules tells that some are missing.
    pub(crate) fn take(&mut self, offer: &Offer) -> Vec<RuleSummary> {
        if too_large_to_show(offer).is_some() || offer.rules.len() > self.rules {
            return Vec::new();
        }
        let rules: Vec<RuleSummary> = offer.rules.iter().map(RuleSummary::from).collect();
        let Some(bytes) = serde_json::to_vec(&rules).ok().and_then(|text| self.bytes.checked_sub(text.len()))
        else {
            return Vec::new();
        };
        (self.rules, self.bytes) = (self.rules - rules.len(), bytes);
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_model::Scope;
    use sallyport_rbac::Rule;

    fn offer(rules: impl IntoIterator<Item = Rule>) -> Offer {
        let role = "sallyport:view".parse().expect("a role");
        let parsed = ("aa/3".parse().expect("a revision"), "pay-eu".parse().expect("a cluster"));
        sallyport_policy::offer(
            &parsed.0,
            &parsed.1,
            &Scope::ClusterWide,
            &[role],
            rules,
            "https://t:6443",
            "ca",
        )
    }

    fn rules(count: usize, long: usize) -> Vec<Rule> {
        let role = "sallyport:view".parse().expect("a role");
        let names = |i: usize| (0..32).map(move |j| format!("{i}-{j}-{}", "r".repeat(long)));
        let one = |i: usize| Rule {
            resource_names: names(i).collect(),
            ..Rule::on(&role, vec!["get"], vec![""], vec!["pods"])
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn what_the_hub_would_not_take_is_left_out_and_keeps_nothing_else_from_being_shown() {
        let role = "sallyport:view".parse().expect("a role");
        let long = "r".repeat(300);
        let overlong = offer([Rule::on(&role, vec!["get"], vec![""], vec![long.as_str()])]);
        assert_eq!(overlong.rules.len(), 1);
        let mut room = Room::default();
        assert_eq!(room.take(&overlong), []);
        assert_eq!(room.take(&offer(rules(2, 5))).len(), 2);
    }

    #[test]
    fn all_rules_together_are_bounded_in_number_and_in_bytes() {
        let many = offer(rules(100, 5));
        let mut room = Room { rules: 150, bytes: BYTES_IN_ALL };
        assert_eq!((room.take(&many).len(), room.take(&many).len()), (100, 0));
        assert_eq!(room.take(&offer(rules(50, 5))).len(), 50, "a smaller one still fits");

        // 128 rules of 32 names of 200 characters are 800 KiB: too much by themselves.
        let mut room = Room::default();
        assert_eq!(room.take(&offer(rules(128, 200))), []);
        let mut held = 0;
        for _ in 0..64 {
            held += serde_json::to_vec(&room.take(&offer(rules(16, 200)))).expect("JSON").len();
        }
        assert!((BYTES_IN_ALL / 2..=BYTES_IN_ALL + 64 * 2).contains(&held), "{held}");
    }
}
