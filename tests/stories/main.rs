//! Stories: what a person does, played without a window against a real fleet. `stories [NAME …]`; without a name all, and
//! with `--part 1/4` one part of them.
//!
//! One fleet serves all stories of a run. Every line is one thing seen, with the milliseconds since the line before.

mod approvals;
mod audit_engine;
mod audit_faults;
mod audit_join;
mod auto;
mod bad_days;
mod closing_report;
mod crash;
mod dice;
mod ends;
mod extend;
mod hindered;
mod hold;
mod hub_set;
mod keycloak;
mod leaving_alone;
mod lines;
mod looking_on;
mod many_requests;
mod posture_fix;
mod posture_fleet;
mod posture_matrix;
mod posture_oracle;
mod profile_change;
mod providers;
mod reaffirm;
mod recording;
mod step_up;
mod sudden_death;
mod support;
mod tamper;
mod team_days;
mod tools;
mod upgrade;
mod waiting;
mod way_in_and_out;
mod who_can;

use anyhow::Result;
use futures::future::LocalBoxFuture;
use lines::Lines;
use sallyport_fleet::{Fleet, FleetOptions};
use std::process::ExitCode;
use std::time::Duration;

/// A story by its name.
type Story = for<'a> fn(&'a Fleet, &'a mut Lines) -> LocalBoxFuture<'a, Result<()>>;

/// Played by `make test`, and by name: parts that take about as long, since each needs no more than a fleet of its own,
/// and all wait more than they work.
const PARTS: [&[(&str, Story)]; 4] = [
    &[
        ("way_in_and_out", |f, l| Box::pin(way_in_and_out::play(f, l))),
        ("step_up", |f, l| Box::pin(step_up::play(f, l))),
        ("providers", |f, l| Box::pin(providers::play(f, l))),
        ("two_clicks", |f, l| Box::pin(ends::two_clicks(f, l))),
        ("revoked", |f, l| Box::pin(ends::revoked(f, l))),
        ("role_grows", |f, l| Box::pin(ends::role_grows(f, l))),
        ("ends", |f, l| Box::pin(hindered::play(f, l))),
        ("sign_out", |f, l| Box::pin(ends::sign_out(f, l))),
        ("bad_input", |f, l| Box::pin(bad_days::bad_input(f, l))),
        ("bad_days", |f, l| Box::pin(bad_days::bad_days(f, l))),
        ("reaffirm", |f, l| Box::pin(reaffirm::play(f, l))),
        // Last: it starts the hub again, which then refuses every ask for up to 30 s.
        ("looking_on", |f, l| Box::pin(looking_on::play(f, l))),
    ],
    &[
        ("recording", |f, l| Box::pin(recording::play(f, l))),
        ("closing_report", |f, l| Box::pin(closing_report::play(f, l))),
        ("support", |f, l| Box::pin(support::play(f, l))),
        ("tamper", |f, l| Box::pin(tamper::play(f, l))),
        ("kubectl", |f, l| Box::pin(tools::kubectl(f, l))),
        ("team_days", |f, l| Box::pin(team_days::play(f, l))),
        ("audit_join", |f, l| Box::pin(audit_join::play(f, l))),
        ("audit_faults", |_, l| Box::pin(audit_faults::play(l))),
        ("leaving_alone", |f, l| Box::pin(leaving_alone::play(f, l))),
    ],
    &[
        ("approvals", |f, l| Box::pin(approvals::play(f, l))),
        ("extend", |f, l| Box::pin(extend::play(f, l))),
        ("hold", |f, l| Box::pin(hold::play(f, l))),
        ("auto", |f, l| Box::pin(auto::play(f, l))),
        ("waiting", |f, l| Box::pin(waiting::play(f, l))),
        ("who_can", |f, l| Box::pin(who_can::play(f, l))),
        ("hub_set", |f, l| Box::pin(hub_set::play(f, l))),
        ("profile_change", |f, l| Box::pin(profile_change::play(f, l))),
        ("ten_deaths", |f, l| Box::pin(sudden_death::ten(f, l))),
        ("killed", |f, l| Box::pin(crash::killed(f, l))),
        ("remembered", |f, l| Box::pin(many_requests::some(f, l))),
    ],
    &[
        ("oracle_tenth", |_, l| Box::pin(posture_oracle::tenth(l))),
        ("matrix_four", |f, l| Box::pin(posture_matrix::four(f, l))),
        ("posture_fix", |_, l| Box::pin(posture_fix::play(l))),
        ("audit_engine", |f, l| Box::pin(audit_engine::play(f, l))),
        ("posture_fleet", |f, l| Box::pin(posture_fleet::play(f, l))),
    ],
];

/// Played by name alone: they build more than `make test` may, and say so.
const ON_DEMAND: &[(&str, Story)] = &[
    // An older kubectl, helm (two minutes of building each) and the Python client; and what takes long.
    ("tools", |f, l| Box::pin(tools::all(f, l))),
    ("posture_oracle", |_, l| Box::pin(posture_oracle::whole(l))),
    ("posture_matrix", |f, l| Box::pin(posture_matrix::whole(f, l))),
    ("many_requests", |f, l| Box::pin(many_requests::most(f, l))),
    ("sudden_death", |f, l| Box::pin(sudden_death::fifty(f, l))),
    ("keycloak", |f, l| Box::pin(keycloak::play(f, l))),
    ("upgrade", |f, l| Box::pin(upgrade::play(f, l))),
];

/// How long a story may take before it counts as hung; one on demand may have to build first.
const LONGEST: Duration = Duration::from_secs(240);
const LONGEST_ON_DEMAND: Duration = Duration::from_secs(1800);

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let part = args.iter().position(|a| a == "--part").map(|at| args.drain(at..).nth(1).unwrap_or_default());
    args.retain(|a| !a.starts_with("--"));
    if args.first().is_some_and(|a| a == crash::CHILD) {
        return crash::child();
    }
    let known: Vec<&str> = PARTS.into_iter().flatten().chain(ON_DEMAND).map(|(name, _)| *name).collect();
    if let Some(unknown) = args.iter().find(|a| !known.contains(&a.as_str())) {
        eprintln!("there is no story {unknown}; known: {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    if args.is_empty() {
        let parts = match part.as_deref() {
            None => &PARTS[..],
            Some(said) => {
                let known = (1..).zip(&PARTS).find(|(number, _)| said == format!("{number}/{}", PARTS.len()));
                let Some((_, one)) = known else {
                    eprintln!("there is no part {said}; known: 1/{0} to {0}/{0}", PARTS.len());
                    return ExitCode::FAILURE;
                };
                std::slice::from_ref(one)
            }
        };
        args = parts.iter().copied().flatten().map(|(name, _)| (*name).to_owned()).collect();
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
    let (passed, failed) = runtime.block_on(play_all(&args));
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn play_all(names: &[String]) -> (usize, usize) {
    let mut lines = Lines::new("fleet");
    let fleet = match Fleet::start(FleetOptions::default()).await {
        Ok(fleet) => fleet,
        Err(error) => {
            lines.failed("the fleet starts", format!("{error:#}"));
            return lines.count();
        }
    };
    lines.seen("identity provider, hub, target with pods and broker are up", "");
    let timed = |stories: &'static [(&'static str, Story)], longest: Duration| {
        stories.iter().map(move |(name, story)| (*name, *story, longest))
    };
    let parts = PARTS.into_iter().flat_map(|part| timed(part, LONGEST));
    let all = parts.chain(timed(ON_DEMAND, LONGEST_ON_DEMAND));
    for (name, story, longest) in all.filter(|(name, ..)| names.iter().any(|n| n == name)) {
        lines.begin(name);
        // A story that hangs is a failure, not a hung run.
        match tokio::time::timeout(longest, story(&fleet, &mut lines)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => lines.failed("the story goes on", format!("{error:#}")),
            Err(_) => {
                lines.failed("the story ends", format!("it was still running after {} s", longest.as_secs()));
            }
        }
    }
    drop(fleet);
    lines.count()
}
