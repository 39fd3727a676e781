//! A handful of checks in the real window: the debug build of the app under Xvfb, on a real fleet.
//!
//! Everything that can be seen without a window is tested without one; these are the things that only the whole
//! program shows.

mod audit;
mod chain;
mod checks;
mod deciding;
mod posture;
mod story;
mod told;

use anyhow::Result;
use futures::future::LocalBoxFuture;
use sallyport_fleet::window::Set;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A check by its name.
type Check = for<'a> fn(&'a Set) -> LocalBoxFuture<'a, Result<String>>;

const CHECKS: &[(&str, Check)] = &[
    ("launches_and_the_page_is_ready_within_a_second", |s| Box::pin(checks::launches(s))),
    ("p23_the_pages_policy_is_in_force", |s| Box::pin(checks::policy(s))),
    ("p23_a_command_that_is_not_listed_is_refused", |s| Box::pin(checks::commands(s))),
    ("fault_e4_p23_the_window_stays_on_its_own_page", |s| Box::pin(checks::stays(s))),
    ("one_click_in_a_terminal_and_out_with_proof", |s| Box::pin(story::in_and_out(s))),
    ("fault_e5_p13_a_proof_whose_stages_end_together_is_waited_for_by_its_end", |s| {
        Box::pin(story::ends_together(s))
    }),
    ("colours_in_the_terminal_survive_the_pages_policy", |s| Box::pin(story::colours(s))),
    ("who_is_asked_is_told_on_the_desktop_and_a_click_leads_there", |s| Box::pin(told::asked(s))),
    ("who_is_asked_says_no_by_keys_and_whoever_asked_hears_why", |s| Box::pin(deciding::denied(s))),
    ("a_fleet_is_scanned_by_two_keys_and_a_path_to_everything_is_read", |s| Box::pin(posture::scanned(s))),
    ("a_call_is_read_by_keys_from_its_row_to_the_event_and_to_its_session", |s| Box::pin(audit::read(s))),
    ("a_session_is_one_chain_by_keys_with_its_commands_as_rows_and_a_replay_that_follows", |s| {
        Box::pin(chain::followed(s))
    }),
    ("quitting_with_a_session_open_asks_and_flushes", |s| Box::pin(story::quits(s))),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
    let (passed, failed) = runtime.block_on(check_all(&wanted));
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn check_all(wanted: &[String]) -> (usize, usize) {
    let (mut passed, mut failed) = (0, 0);
    let set = match Set::start().await {
        Ok(set) => set,
        Err(error) => {
            println!("FAILED  the fleet and the desk start: {error:#}");
            return (0, 1);
        }
    };
    for (name, check) in
        CHECKS.iter().filter(|(n, _)| wanted.is_empty() || wanted.iter().any(|w| n.contains(w.as_str())))
    {
        let began = Instant::now();
        // A check that hangs is a failure, not a hung run.
        let seen = tokio::time::timeout(Duration::from_secs(180), check(&set)).await;
        let ms = began.elapsed().as_millis();
        match seen {
            Ok(Ok(detail)) => {
                passed += 1;
                println!("    ok {ms:>6} ms  {name} ({detail})");
            }
            Ok(Err(error)) => {
                failed += 1;
                println!("FAILED {ms:>6} ms  {name}: {error:#}");
            }
            Err(_) => {
                failed += 1;
                println!("FAILED {ms:>6} ms  {name}: still running");
            }
        }
    }
    drop(set);
    (passed, failed)
}
