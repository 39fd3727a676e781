//! What `make run` starts, as a person meets it: played to its end, stopped by Ctrl+C, failed.
//!
//! The program is the very one that `make run` ends in, under a real make on a real terminal, with a folder for
//! temporary files of its own, which has to be empty afterwards.

mod person;

use anyhow::{Result, ensure};
use person::{Person, Terminal};
use sallyport_fleet::window::{Desk, binary};
use sallyport_testkit::VictoriaLogs;
use std::time::Duration;

/// A whole play on a slow machine that does other things, too.
const PLAY: Duration = Duration::from_secs(600);
/// A fleet that starts, or one that is taken down.
const FLEET: Duration = Duration::from_secs(120);

const REMOVED: &str = "Everything the demo made was removed";
const PLAYED: &str = "The whole story was played.";

#[test]
fn fault_e5_what_make_run_plays_is_played_to_its_end() -> Result<()> {
    let person = Person::new()?;
    let mut terminal = Terminal::make(&person, &[])?;
    let code = terminal.ended(PLAY)?;
    let said = terminal.said();
    ensure!(code == 0 && said.contains(PLAYED), "make ended with {code}:\n{said}");
    let pictures = [
        "first-run-light",
        "session-dark",
        "closing-proof-dark",
        "inbox-light",
        "less-dark",
        "more-time-dark",
        "held-dark",
        "by-itself-dark",
        "who-can-1920-dark",
        "posture-dark",
        "signed-out-proof-dark",
    ];
    // Where no store is built, the play leaves that part out.
    let of_store = VictoriaLogs::is_built().then_some("audit-store-hub-dark");
    for name in pictures.into_iter().chain(of_store) {
        let picture = person.pictures().join(format!("{name}.png"));
        ensure!(picture.is_file(), "{} was not taken", picture.display());
    }
    for name in ["dana", "lee", "browser"] {
        let picture = person.pictures().join(format!("failed-{name}.png"));
        ensure!(!picture.exists(), "a play that passed has a picture of a failure");
    }
    person.nothing_left()
}

#[test]
fn fault_e5_a_play_that_fails_says_where_and_how_to_go_on() -> Result<()> {
    let person = Person::new()?;
    // The app without what leads to the demo: its door is missing.
    let app =
        person.script("app", &format!("unset SALLYPORT_DEMO\nexec '{}' \"$@\"", binary()?.display()))?;
    let picture = person.pictures().join("failed-dana.png");
    let mut terminal = Terminal::make(&person, &[("SALLYPORT_WINDOW_BIN", &app.display().to_string())])?;
    let code = terminal.ended(PLAY)?;
    let said = terminal.said();
    ensure!(code != 0 && said.contains("Error 1"), "make ended with {code}:\n{said}");
    for wanted in [
        "demo: it stopped in “way in”, at its first step",
        "Try the demo",
        &picture.display().to_string(),
        "To go on by hand: with a display, `make run`",
    ] {
        ensure!(said.contains(wanted), "“{wanted}” is not said:\n{said}");
    }
    ensure!(!said.contains(PLAYED) && picture.is_file(), "{said}");
    ensure!(person.pictures().join("failed-lee.png").is_file(), "nothing of lee's window is left:\n{said}");
    person.nothing_left()
}

/// Presses Ctrl+C once `when` is on the terminal and `then` has been done.
fn stopped(
    env: &[(&str, &str)],
    when: &str,
    then: impl FnOnce(&Person, &mut Terminal) -> Result<()>,
) -> Result<()> {
    let person = Person::new()?;
    let mut terminal = Terminal::make(&person, env)?;
    terminal.until(when, PLAY)?;
    then(&person, &mut terminal)?;
    terminal.press("\u{3}")?;
    let code = terminal.ended(FLEET)?;
    let said = terminal.said();
    let ended = format!("Stopped by Ctrl+C. {REMOVED}");
    ensure!(code == 0 && said.contains(&ended), "make ended with {code}:\n{said}");
    for bad in ["***", "Error", "demo: ", "panicked", PLAYED] {
        ensure!(!said.contains(bad), "“{bad}” is said after Ctrl+C:\n{said}");
    }
    person.nothing_left()
}

#[test]
fn fault_e9_ctrl_c_while_the_fleet_starts_ends_well() -> Result<()> {
    stopped(&[], "starting an identity provider", |_, _| Ok(()))
}

#[test]
fn fault_e9_ctrl_c_with_a_session_open_ends_well() -> Result<()> {
    stopped(&[], "the terminal has a prompt", |_, _| Ok(()))
}

/// The codes of the people, which are shown once the first window is there.
const CODES: &str = "   lee ";

/// A display, and the environment of somebody who sits before it.
fn display() -> Result<(Desk, Vec<(String, String)>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let desk = runtime.block_on(Desk::start((1280, 800)))?;
    let env = desk.env().into_iter().filter(|(name, _)| name != "SALLYPORT_HOME").collect();
    Ok((desk, env))
}

fn borrowed(env: &[(String, String)]) -> Vec<(&str, &str)> {
    env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn fault_e9_ctrl_c_beside_the_open_app_ends_well() -> Result<()> {
    let (_desk, env) = display()?;
    stopped(&borrowed(&env), CODES, |_, _| Ok(()))
}

#[test]
fn fault_e9_ctrl_c_beside_two_windows_ends_both() -> Result<()> {
    let (_desk, env) = display()?;
    stopped(&borrowed(&env), CODES, |person, terminal| {
        let dana = person.app_of("dana", FLEET)?;
        terminal.press("lee\r")?;
        terminal.until("A window for lee opens", FLEET)?;
        let lee = person.app_of("lee", FLEET)?;
        ensure!(dana != lee, "one app for both");
        Ok(())
    })
}

/// Whoever closes one window goes on with the other; with the last one everything goes.
#[test]
fn windows_are_opened_by_name_and_the_last_one_ends_the_demo() -> Result<()> {
    let (_desk, env) = display()?;
    let person = Person::new()?;
    let mut terminal = Terminal::make(&person, &borrowed(&env))?;
    terminal.until(CODES, PLAY)?;
    let dana = person.app_of("dana", FLEET)?;
    terminal.press("nobody\r")?;
    terminal.until("Nobody here goes by that name. A window opens for dana, pat, lee, ines.", FLEET)?;
    terminal.press("dana\r")?;
    terminal.until("dana's window is open already.", FLEET)?;
    terminal.press("Lee\r")?;
    terminal.until("A window for lee opens", FLEET)?;
    let lee = person.app_of("lee", FLEET)?;
    person.quits(dana)?;
    terminal.until("dana's window is closed. Type the name for it again.", FLEET)?;
    terminal.press("dana\r")?;
    terminal.until("A window for dana opens", FLEET)?;
    let again = person.app_of("dana", FLEET)?;
    ensure!(again != dana, "the window that was closed is still there");
    person.quits(lee)?;
    terminal.until("lee's window is closed.", FLEET)?;
    person.quits(again)?;
    let code = terminal.ended(FLEET)?;
    let said = terminal.said();
    ensure!(code == 0 && said.contains("no process, port or file of the demo is left"), "{code}:\n{said}");
    person.nothing_left()
}

/// Without a terminal make gets the signal too, and passes it on: `kill`, a service that ends, a CI that gives up.
#[test]
fn fault_e9_sigterm_without_a_terminal_leaves_nothing() -> Result<()> {
    let person = Person::new()?;
    let mut make = person.without_terminal()?;
    make.until("starting an identity provider", FLEET)?;
    make.terminate()?;
    make.until(&format!("Stopped by SIGTERM. {REMOVED}"), FLEET)?;
    make.ended(FLEET)?;
    ensure!(!make.said().contains("Error"), "{}", make.said());
    person.nothing_left()
}
