//! How much time somebody had within a day, and what is left of it (attack 20). Pure.

use sallyport_model::{EndReason, Ending, Profile, Ttl};
use std::collections::BTreeMap;

/// The day that is counted: the 24 hours before, whatever the calendar says.
pub const DAY: i64 = 24 * 3600;
/// A broker that deletes closed requests sooner can't count a day, in seconds: what was opened early in it may have
/// been asked for a day before.
pub const KEPT_AT_LEAST: i64 = 2 * DAY;

/// When somebody has rights by one request. Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spell {
    /// From when to when: of a closed one to its real end, of an open one to the end of all that was given.
    Known {
        /// Its beginning.
        from: i64,
        /// Its end.
        to: i64,
    },
    /// Approved and not begun: when is not known, so that it lies beside everything else.
    ToCome(Ttl),
}

/// What a person's other requests under one profile and on one cluster came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Their time.
    pub spells: Vec<Spell>,
    /// How often each autoApproval opened one of them within the last [`DAY`], by its name.
    pub opened: BTreeMap<String, u32>,
}

/// The time of all of them in the [`DAY`] before `now` and after it. What overlaps counts once.
///
/// What was spent before `now` and is given beyond it is at most `maxPerDay` whenever more is given; so it is in every 24
/// hours: the last request that began in them was given with all the others of those hours in view.
pub fn spent(spells: impl IntoIterator<Item = Spell>, now: i64) -> Ttl {
    let since = now.saturating_sub(DAY);
    let (mut known, mut seconds) = (Vec::new(), 0u64);
    for spell in spells {
        match spell {
            Spell::Known { from, to } if to > since.max(from) => known.push((from.max(since), to)),
            Spell::Known { .. } => {}
            Spell::ToCome(given) => seconds = seconds.saturating_add(given.as_seconds()),
        }
    }
    known.sort_unstable();
    let mut counted = since;
    for (from, to) in known {
        let length = to.saturating_sub(from.max(counted));
        seconds = seconds.saturating_add(u64::try_from(length).unwrap_or(0));
        counted = counted.max(to);
    }
    Ttl::seconds(seconds)
}

impl Past {
    /// How much of the day is used or given.
    fn spent(&self, now: i64) -> Ttl {
        spent(self.spells.iter().copied(), now)
    }

    /// What it leaves of `most`.
    fn leaves(&self, most: Ttl, now: i64) -> Ttl {
        Ttl::seconds(most.as_seconds().saturating_sub(self.spent(now).as_seconds()))
    }

    /// Whether so much more, from `now` on, keeps within `most` a day.
    pub fn has_room(&self, most: Ttl, duration: Ttl, now: i64) -> bool {
        let asked = Spell::Known { from: now, to: now.saturating_add(duration.as_seconds_i64()) };
        spent(self.spells.iter().copied().chain([asked]), now) <= most
    }
}

/// What is left of a profile's day; `None` where it counts none, or where nobody counted.
pub fn left_of_day(profile: &Profile, past: Option<&Past>, now: i64) -> Option<Ttl> {
    Some(past?.leaves(profile.max_per_day?, now))
}

/// Why a profile that counts a day can't be granted by a broker that keeps closed requests for so many seconds.
pub fn uncountable(profile: &Profile, kept: i64) -> Option<String> {
    let counts = profile.max_per_day.is_some() && kept < KEPT_AT_LEAST;
    counts.then(|| {
        format!(
            "profile {} counts a person's time per day, and the broker keeps closed requests for {}; it takes {} \
             (--retention)",
            profile.name,
            Ttl::seconds(kept.unsigned_abs()),
            Ttl::seconds(KEPT_AT_LEAST.unsigned_abs())
        )
    })
}

/// Whether so much is left of the day, by a broker that keeps closed requests for `kept` seconds.
///
/// # Errors
/// How a request for it would end: what can't be counted is a no.
pub(crate) fn within_day(
    profile: &Profile,
    duration: Ttl,
    past: Option<&Past>,
    kept: i64,
    now: i64,
) -> Result<(), Ending> {
    let Some(most) = profile.max_per_day else { return Ok(()) };
    let failed = |message: String| Err(Ending::new(EndReason::Failed, message));
    if let Some(why) = uncountable(profile, kept) {
        return failed(why);
    }
    let Some(past) = past else {
        return failed(format!("how much of its day is used under profile {} was not counted", profile.name));
    };
    if past.has_room(most, duration, now) {
        return Ok(());
    }
    let (before, left) = (past.spent(now), past.leaves(most, now));
    Err(Ending::new(
        EndReason::Denied,
        format!(
            "profile {} gives one person at most {most} within 24 hours on this cluster: {before} of it is used or given, \
             {left} is left, and this would take {duration}",
            profile.name
        ),
    ))
}

#[cfg(test)]
mod tests;
