//! What a changed profile asks of whoever wants it, and where it holds. Pure.

use crate::reach::drift::{self, Terms, some};
use crate::reach::view::{mfa, terms};
use sallyport_ipc::{DriftLine, DriftWay};
use sallyport_model::{Mfa, Profile, Reaffirm, Recording, Scope};
use std::collections::BTreeSet;

/// Its conditions now against before, of a new one all of them; and `rest`, what the profile does not say.
pub(super) fn difference(
    before: Option<&Profile>,
    after: &Profile,
    rest: Vec<(DriftWay, String)>,
) -> Vec<DriftLine> {
    let mut lines = match before {
        None => new(after),
        Some(before) => between(before, after),
    };
    lines.extend(rest);
    lines.sort_by_key(|(way, _)| *way);
    let about = format!("profile {}", after.name);
    lines.into_iter().map(|(way, text)| drift::line(way, &about, text)).collect()
}

fn new(after: &Profile) -> Vec<(DriftWay, String)> {
    let nothing = Terms { approvals: u8::MAX, ..Terms::default() };
    let is = terms(after);
    let say = |text: String| (DriftWay::Wider, text);
    let mut lines = vec![
        say(format!("is new, for clusters {}", all(&after.clusters))),
        say(format!("binds {} {}", all(&after.roles), place(&after.scope))),
        say(match is.approvals {
            0 => "opens at once, without anybody's yes".to_owned(),
            1 => "wants 1 approval".to_owned(),
            n => format!("wants {n} approvals"),
        }),
        say(format!("lasts up to {}", after.max_duration)),
        say(match mfa(after).as_slice() {
            [] => "wants nothing of a sign-in: any will do".to_owned(),
            words => format!("wants of a sign-in: {}", words.join(", ")),
        }),
    ];
    // The rest has no default that somebody would take for granted.
    let rest = drift::terms(
        &Terms { mfa: is.mfa.clone(), approvals: is.approvals, longest: is.longest, ..nothing },
        &is,
    );
    lines.extend(rest.into_iter().map(|(_, text)| say(text)));
    lines.extend(after.reaffirm.map(|reaffirm| say(format!("is reaffirmed {reaffirm}"))));
    lines.extend(after.recording.map(|recording| say(format!("has {recording} recorded"))));
    lines
}

fn between(before: &Profile, after: &Profile) -> Vec<(DriftWay, String)> {
    // How a sign-in is looser than before the words alone do not say.
    let was = Terms { mfa: Vec::new(), ..terms(before) };
    let is = Terms { mfa: Vec::new(), ..terms(after) };
    let mut lines = drift::terms(&was, &is);
    if before.mfa != after.mfa {
        let words = |profile: &Profile| match mfa(profile).as_slice() {
            [] => "nothing".to_owned(),
            words => words.join(", "),
        };
        let text = format!("wants of a sign-in: {}; before: {}", words(after), words(before));
        lines.push((way(is_looser(&before.mfa, &after.mfa), is_looser(&after.mfa, &before.mfa)), text));
    }
    if before.reaffirm != after.reaffirm {
        let words =
            |reaffirm: Option<Reaffirm>| reaffirm.map_or("never".to_owned(), |reaffirm| reaffirm.to_string());
        let text = format!("is reaffirmed {}; before: {}", words(after.reaffirm), words(before.reaffirm));
        let bound = |one: &Profile| {
            one.reaffirm.map_or(u64::MAX, |r| r.every().as_seconds() + r.grace().as_seconds())
        };
        lines.push((way(bound(after) > bound(before), bound(after) < bound(before)), text));
    }
    if before.recording != after.recording {
        let words = |one: Option<Recording>| one.map_or("nothing".to_owned(), |one| one.to_string());
        let text = format!("has {} recorded; before: {}", words(after.recording), words(before.recording));
        // What is recorded less is held to less.
        lines.push((way(after.recording < before.recording, after.recording > before.recording), text));
    }
    if before.scope != after.scope {
        lines.extend(scopes(&before.scope, &after.scope));
    }
    lines.extend(listed("ClusterRole", "binds", &before.roles, &after.roles));
    lines.extend(listed("clusters named", "is for", &before.clusters, &after.clusters));
    lines
}

/// Both ways is neither.
fn way(wider: bool, narrower: bool) -> DriftWay {
    match (wider, narrower) {
        // What is looser in one respect is not made up for by another.
        (true, _) => DriftWay::Wider,
        (false, true) => DriftWay::Narrower,
        (false, false) => DriftWay::Other,
    }
}

/// Whether some sign-in will do that would not before.
fn is_looser(was: &Mfa, is: &Mfa) -> bool {
    let accepts = |was: &[String], is: &[String]| {
        !was.is_empty() && (is.is_empty() || is.iter().any(|value| !was.contains(value)))
    };
    let age = |mfa: &Mfa| mfa.max_age.map_or(u64::MAX, |age| age.as_seconds());
    accepts(&was.acr, &is.acr) || accepts(&was.amr, &is.amr) || age(is) > age(was)
}

/// What is in one list and not in the other.
fn listed<T: ToString>(what: &str, verb: &str, was: &[T], is: &[T]) -> Vec<(DriftWay, String)> {
    let set = |list: &[T]| list.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    let (was, is) = (set(was), set(is));
    let (gained, lost): (Vec<&String>, Vec<&String>) =
        (is.difference(&was).collect(), was.difference(&is).collect());
    // What comes is never cut short: whoever wrote the text would choose what is left out.
    let more = gained.iter().map(|one| (DriftWay::Wider, format!("{verb} {what} {one} too")));
    let mut lines: Vec<_> = more.collect();
    if !lost.is_empty() {
        lines.push((DriftWay::Narrower, format!("no longer {verb} {what} {}", some(&lost))));
    }
    lines
}

/// Where it holds now and did not, and the other way round.
fn scopes(was: &Scope, is: &Scope) -> Vec<(DriftWay, String)> {
    match (was, is) {
        (Scope::Namespaces(_), Scope::Namespaces(_)) => {
            listed("namespaces", "holds in", &was.to_list(), &is.to_list())
        }
        _ => vec![(
            way(!is.within(was), !was.within(is)),
            format!("holds {} instead of {}", place(is), place(was)),
        )],
    }
}

fn place(scope: &Scope) -> String {
    match scope {
        Scope::ClusterWide => "cluster-wide".to_owned(),
        Scope::Namespaces(_) => format!("in {}", all(&scope.to_list())),
    }
}

fn all<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
