//! A day's time under a profile (attack 20).

use super::*;
use crate::{KEPT_AT_LEAST, Past, Spell};

fn counted(spells: Vec<Spell>) -> (Request, Profile, Facts) {
    let facts = Facts { past: Some(Past { spells, ..Past::default() }), ..facts() };
    (request(&facts), Profile { max_per_day: Some(Ttl::minutes(120)), ..profile() }, facts)
}

fn open(minutes: i64, left: i64) -> Spell {
    Spell::Known { from: NOW + (left - minutes) * 60, to: NOW + left * 60 }
}

#[test]
fn attack_20_what_is_used_up_is_denied_with_the_numbers() {
    let (request, profile, facts) = counted(vec![open(61, -30)]);
    let refusal = refused(decide(&request, Some(&profile), &facts, NOW));
    assert_eq!(refusal.reason, EndReason::Denied);
    assert_eq!(
        refusal.message,
        "profile debug gives one person at most 2h within 24 hours on this cluster: 1h1m of it is used or given, 59m is left, \
         and this would take 1h"
    );
    let (request, profile, facts) = counted(vec![open(60, -30)]);
    assert!(permitted(&decide(&request, Some(&profile), &facts, NOW)), "to the minute");
    // What overlaps is one time: an hour more beside one that is open for that hour takes nothing.
    let (request, profile, facts) = counted(vec![open(120, 60)]);
    assert!(permitted(&decide(&request, Some(&profile), &facts, NOW)));
    let (request, profile, facts) = counted(vec![open(120, 59)]);
    assert!(refused(decide(&request, Some(&profile), &facts, NOW)).message.contains("2h of it is used"));
    let (request, profile, facts) = counted(vec![open(60, -10), Spell::ToCome(Ttl::minutes(1))]);
    assert!(refused(decide(&request, Some(&profile), &facts, NOW)).message.contains("59m is left"));
}

#[test]
fn attack_20_what_approvers_took_off_is_not_counted_and_what_is_granted_has_had_its_turn() {
    let (mut request, profile, facts) = counted(vec![open(90, -10)]);
    let half = Limits::new(Some(Ttl::minutes(30)), None).unwrap();
    request.approvals[0].limits = half;
    assert!(permitted(&decide(&request, Some(&profile), &facts, NOW)));
    request.approvals[0].limits = Limits::default();
    request.phase = Phase::Approved;
    let refusal = refused(decide(&request, Some(&profile), &facts, NOW));
    assert_eq!(refusal.reason, EndReason::Failed, "approved, and not begun before the day was used up");
    request.is_granted = true;
    assert!(permitted(&decide(&request, Some(&profile), &facts, NOW)));
}

#[test]
fn attack_20_what_can_not_be_counted_is_a_no() {
    let (request, profile, mut facts) = counted(Vec::new());
    facts.kept = KEPT_AT_LEAST - 1;
    let refusal = refused(decide(&request, Some(&profile), &facts, NOW));
    assert!(refusal.reason == EndReason::Failed && refusal.message.contains("it takes 48h"), "{refusal:?}");
    facts.kept = KEPT_AT_LEAST;
    facts.past = None;
    assert!(refused(decide(&request, Some(&profile), &facts, NOW)).message.contains("was not counted"));
}
