//! Whether a request opens without people. The broker judges it once; before asking, the desktop judges the same.

use sallyport_model::{AutoApproval, Conditions, Profile, Scope, Terms, Ttl, clip, visible};
use std::collections::BTreeMap;

/// How far ahead it is looked for what a clock changes, in seconds.
const AHEAD: i64 = 8 * 24 * 3600;
/// Changes of clocks that are looked at for that.
const CHANGES: usize = 64;
/// What a record of it may hold, in characters. The CRD holds the same.
const SAW_MOST: usize = 512;

/// What is asked, as far as autoApprovals look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking<'a> {
    /// The groups it is asked with.
    pub groups: &'a [String],
    /// Where.
    pub scope: &'a Scope,
    /// How long.
    pub duration: Ttl,
    /// How often each autoApproval of the profile opened for this person on this cluster within 24 hours, by its name;
    /// `None`: that was not counted.
    pub opened: Option<&'a BTreeMap<String, u32>>,
}

/// The autoApproval that was met, and what was seen then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Its name.
    pub name: String,
    /// For people: what each condition saw.
    pub saw: String,
}

/// One that was not, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Its name.
    pub name: String,
    /// For people: the first condition that was not met.
    pub why: String,
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}

/// How a profile answers, and what the clock makes of it. Times are Unix seconds by the clock that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It opens at once.
    AtOnce {
        /// By which autoApproval; `None`: the profile wants nobody's yes.
        by: Option<Met>,
        /// When that ends; `None`: not within a week.
        until: Option<i64>,
    },
    /// So many people have to say yes.
    People {
        /// How many.
        need: u8,
        /// Why each autoApproval is not met.
        unmet: Vec<Unmet>,
        /// When one of them will be, if nothing but the clock changes; `None`: not within a week.
        opens_at: Option<i64>,
    },
}

/// The first autoApproval that is met at `now` (Unix seconds, the hub's clock), or why each is not. What can't be evaluated
/// is not met.
pub fn evaluate(autos: &[AutoApproval], asking: &Asking<'_>, now: i64) -> Result<Met, Vec<Unmet>> {
    let mut unmet = Vec::new();
    for auto in autos {
        let judged = match &auto.conditions {
            Ok(conditions) => judge(&auto.name, conditions, asking, now),
            Err(why) => Err(format!("it can't be read: {why}")),
        };
        match judged {
            Ok(saw) => {
                return Ok(Met { name: auto.name.clone(), saw: clip(&visible(&saw.join("; ")), SAW_MOST) });
            }
            Err(why) => unmet.push(Unmet { name: auto.name.clone(), why: clip(&visible(&why), SAW_MOST) }),
        }
    }
    Err(unmet)
}

/// Whether the autoApproval that a request was recorded to open by still is one of its profile, and gives what is asked for.
/// Nothing else is judged again: its hours may be over by now.
pub(crate) fn still(recorded: &Met, profile: &Profile, terms: &Terms) -> Result<Met, Vec<Unmet>> {
    let not = |why: &str| Err(vec![Unmet { name: recorded.name.clone(), why: why.to_owned() }]);
    let Some(auto) = profile.auto_approvals.iter().find(|auto| auto.name == recorded.name) else {
        return not("the profile has none of that name");
    };
    match auto.conditions.as_ref().map(|conditions| bounds(conditions, &terms.scope, terms.duration)) {
        Ok(Ok(_)) => Ok(recorded.clone()),
        Ok(Err(why)) => not(&why),
        Err(why) => not(&format!("it can't be read: {why}")),
    }
}

/// Each condition's word of what it saw, or the first that is not met.
fn judge(name: &str, conditions: &Conditions, asking: &Asking<'_>, now: i64) -> Result<Vec<String>, String> {
    let mut saw = Vec::new();
    if let Some(groups) = conditions.groups() {
        let own = asking.groups.iter().find(|group| groups.contains(*group));
        saw.push(own.ok_or("it is for other groups")?.clone());
    }
    if let Some(when) = conditions.when() {
        if !when.holds(now) {
            return Err(format!("it is {} there, and it is met {when}", when.wall(now)));
        }
        saw.push(format!("{}, within {when}", when.wall(now)));
    }
    saw.extend(bounds(conditions, asking.scope, asking.duration)?);
    if let Some(most) = conditions.per_day() {
        let opened = asking.opened.ok_or("how often it was met within 24 hours is not known")?;
        let before = opened.get(name).copied().unwrap_or_default();
        if before >= most {
            return Err(format!("it was met {before} of {most} times within 24 hours"));
        }
        saw.push(format!("{} of {most} within 24 hours", before + 1));
    }
    Ok(saw)
}

/// Where and how long.
fn bounds(conditions: &Conditions, scope: &Scope, duration: Ttl) -> Result<Vec<String>, String> {
    let mut saw = Vec::new();
    if let Some(most) = conditions.duration() {
        if duration > most {
            return Err(format!("{duration} is longer than {most}"));
        }
        saw.push(format!("{duration} of at most {most}"));
    }
    if let Some(within) = conditions.scope() {
        if !scope.within(within) {
            return Err(format!("it is met in {} alone", clip(&within.to_string(), 120)));
        }
        saw.push(clip(&scope.to_string(), 120));
    }
    Ok(saw)
}

/// How `profile` answers what is asked at `now`, and when the clock makes another answer of it.
pub fn outlook(profile: &Profile, asking: &Asking<'_>, now: i64) -> Outlook {
    if profile.approvals == 0 {
        return Outlook::AtOnce { by: None, until: None };
    }
    let at = |now| evaluate(&profile.auto_approvals, asking, now);
    let is_met = at(now);
    let other = changes(&profile.auto_approvals, now).find(|then| at(*then).is_ok() != is_met.is_ok());
    match is_met {
        Ok(met) => Outlook::AtOnce { by: Some(met), until: other },
        Err(unmet) => Outlook::People { need: profile.approvals, unmet, opens_at: other },
    }
}

/// When one of their clocks says something else, one after the other.
pub fn changes(autos: &[AutoApproval], now: i64) -> impl Iterator<Item = i64> {
    let next = |now: i64| {
        let whens = autos.iter().filter_map(|auto| auto.conditions.as_ref().ok()?.when());
        whens.filter_map(|when| when.changes_after(now)).min()
    };
    let last = now.saturating_add(AHEAD);
    std::iter::successors(next(now), move |then| next(*then))
        .take(CHANGES)
        .take_while(move |then| *then <= last)
}

#[cfg(test)]
mod tests;
