//! What becomes of what waits and what is open when a profile is changed, as brokers see it: a request names the revision
//! that was asked for, so one that is not open yet is void with the next (`policy::decide`); what is open was decided, and
//! goes on. Pure.

use crate::reach::drift::some;
use sallyport_api::AccessRequest;
use sallyport_model::{NamespaceName, Phase};

/// What was read of a profile's requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Those that are not closed, of the teams that could be read.
    pub(super) requests: Vec<AccessRequest>,
    /// The teams that could not.
    pub(super) unread: Vec<NamespaceName>,
}

/// Told in sentences; `is_void` where the change makes another revision of the profile.
pub(super) fn told(standing: &Standing, is_void: bool) -> Vec<String> {
    if !is_void {
        return vec![
            "Nothing that waits or is open is touched: what may be asked for stays as it is.".to_owned(),
        ];
    }
    let (open, waiting): (Vec<_>, Vec<_>) =
        standing.requests.iter().partition(|request| request.phase() == Phase::Active);
    let names = |requests: &[&AccessRequest]| {
        let mut all: Vec<String> =
            requests.iter().map(|r| format!("{} on {}", r.spec.user, r.spec.cluster)).collect();
        all.sort();
        some(&all.iter().collect::<Vec<_>>())
    };
    let mut out = vec![match waiting.len() {
        0 => "No request that you may read waits under it.".to_owned(),
        1 => format!(
            "1 request that is not open yet is closed by its broker, and has to be made again: {}.",
            names(&waiting)
        ),
        n => format!(
            "{n} requests that are not open yet are closed by their brokers, and have to be made again: {}.",
            names(&waiting)
        ),
    }];
    if !open.is_empty() {
        out.push(format!(
            "{} under it: {}. What is open goes on until its end with what it was given; more time is asked for under the changed profile. Who may end it does that in Requests.",
            if open.len() == 1 { "1 session is open".to_owned() } else { format!("{} sessions are open", open.len()) },
            names(&open)
        ));
    }
    if !standing.unread.is_empty() {
        let teams: Vec<String> = standing.unread.iter().map(ToString::to_string).collect();
        out.push(format!(
            "You may not read the requests of {}: what waits and is open there is not counted, and the same becomes of it.",
            some(&teams.iter().collect::<Vec<_>>())
        ));
    }
    out
}

#[cfg(test)]
mod tests;
