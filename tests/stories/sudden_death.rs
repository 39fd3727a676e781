//! Apps and broker are killed with -9 at random moments of asking, approving, opening, extending, reaffirming and leaving; each
//! next start finds what was left and removes it, and nothing stays (P14). The seed is printed: `SALLYPORT_SEED` plays the same
//! again.
//!
//! A first walk that nobody disturbs tells what each step takes. A death is a part of that into its step; a step that is over
//! sooner is met at its end, where the next one begins.

mod left;
mod process;
pub(crate) mod restless;
mod steps;

use crate::dice::Dice;
use crate::lines::Lines;
use anyhow::{Context, Result};
use left::{left, request, unbounded};
use process::{Restless, was_killed};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::until;
use sallyport_fleet::window::Desk;
use sallyport_model::Phase;
use sallyport_testkit::idp::Quirks;
use sallyport_testkit::profiles::EDITOR;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use steps::{ASKED, Death, Dies, HISTORY, PLAIN, Step, VOUCHED, deaths};

/// Leftovers are removed by the next start: its sign-in, the hub's word, the broker's flush.
const CLEAN: Duration = Duration::from_secs(40);
/// A step comes within this; also where a broker has to come back first.
const STEP: Duration = Duration::from_secs(60);
/// So long at most for the rounds of every run: less than the story has, so that what they changed is put back either way.
const ROUNDS: Duration = Duration::from_secs(200);
/// The same for fifty.
const MANY_ROUNDS: Duration = Duration::from_secs(1700);
/// What is asked for at most, seconds.
const LONGEST_ASKED: u32 = 1800;
/// How far the provider's clock is behind, seconds: a word of it is good for five minutes, and so the next is due a
/// second after each.
const BEHIND: i64 = 299;

/// Ten rounds, for every run.
pub(crate) async fn ten(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    play(fleet, lines, 10, ROUNDS).await
}

/// Fifty.
pub(crate) async fn fifty(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    play(fleet, lines, 50, MANY_ROUNDS).await
}

async fn play(fleet: &Fleet, lines: &mut Lines, rounds: usize, within: Duration) -> Result<()> {
    let (mut dice, seed) = Dice::from_environment();
    let deaths = deaths(&mut dice, rounds);
    let in_each = Step::ALL.map(|step| (step, deaths.iter().filter(|death| death.step == step).count()));
    let said: Vec<String> = in_each.iter().map(|(step, count)| format!("{step} {count}")).collect();
    lines.check(
        "the dice are thrown: somebody dies in each step",
        in_each.iter().all(|(_, count)| *count > 0),
        format!("SALLYPORT_SEED={seed}; {}", said.join(", ")),
    );
    // Stories that come after this one have the same provider, with the clock that is left to it.
    let played = tokio::time::timeout(within, with_profiles(fleet, lines, &deaths)).await;
    let played = played.with_context(|| format!("still at it after {} s", within.as_secs()));
    fleet.idp.set_clock(0).await?;
    fleet.idp.imitate(&Quirks::default()).await?;
    let profiles = ["delete", "accessprofile", PLAIN, VOUCHED, "--ignore-not-found"];
    fleet.hub.kubectl().ok(&[&profiles[..], &EDITOR[..]].concat()).await?;
    fleet
        .hub
        .kubectl()
        .ok(&["delete", "clusterrolebinding,clusterrole", PLAIN, "--ignore-not-found"])
        .await?;
    played?
}

/// A profile of the story's own, which opens at once for whoever is signed in.
fn profile(name: &str, reaffirm: Option<Value>) -> Value {
    let mut profile = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name},
        "spec": {"clusters": ["*"], "roles": ["sallyport:debug"], "namespaces": ["payments", "checkout"],
            "maxDuration": "1h", "approvals": 0},
    });
    if let Some(reaffirm) = reaffirm {
        profile["spec"]["reaffirm"] = reaffirm;
    }
    profile
}

async fn with_profiles(fleet: &Fleet, lines: &mut Lines, deaths: &[Death]) -> Result<()> {
    fleet.hub.make_profile(&profile(PLAIN, None)).await?;
    fleet.hub.make_profile(&profile(VOUCHED, Some(json!({"every": "5m", "grace": "1m"})))).await?;
    fleet.hub.allow(PLAIN, "oidc:payments-dev", &["request"], &[PLAIN, VOUCHED]).await?;
    fleet.idp.imitate(&Quirks { no_date: true, ..Quirks::default() }).await?;
    fleet.idp.set_clock(-BEHIND).await?;
    let desk = Desk::start((64, 64)).await?;
    let (home, approvers) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let place = Place { fleet, bus: desk.bus_address(), home: home.path(), approvers: approvers.path() };
    // Whatever stories before this one left is theirs to explain.
    until("a clean start", CLEAN, async || place.is_clean().await).await?;
    let mut approver = place.approver().await?;
    let mut app_deaths = 0;
    let mut took = Vec::new();
    for (round, death) in (1..).zip(deaths) {
        let mut app = place.app().await?;
        place.begins_clean(lines, round).await;
        if took.is_empty() {
            took = place.undisturbed(&mut app, &mut approver, lines).await?;
        }
        app_deaths += usize::from(death.dies.app());
        approver = place.dies(round, *death, &took, (app, approver), lines).await?;
    }
    let mut app = place.app().await?;
    place.begins_clean(lines, deaths.len() + 1).await;
    app.walks(HISTORY)?;
    let said = app.hears("history", STEP).await?;
    let (gaps, verdict) = said.split_once(' ').context("how many gaps, and a verdict")?;
    lines.check(
        "p19 the history is whole, and each sudden end of the app is an entry",
        verdict == "Ok(Verified)" && gaps.parse::<usize>()? >= app_deaths,
        format!("{gaps} of {app_deaths}, {verdict}"),
    );
    app.quits().await?;
    approver.quits().await
}

/// Where it is played.
struct Place<'a> {
    fleet: &'a Fleet,
    bus: String,
    /// Of whoever asks, and of whoever says yes.
    home: &'a Path,
    approvers: &'a Path,
}

impl Place<'_> {
    async fn app(&self) -> Result<Restless> {
        Restless::spawn(self.fleet, "dana", self.home, restless::ASKS, &self.bus).await
    }

    async fn approver(&self) -> Result<Restless> {
        Restless::spawn(self.fleet, "lee", self.approvers, restless::APPROVES, &self.bus).await
    }

    async fn is_clean(&self) -> Option<()> {
        left(self.fleet, self.home).await.ok()?.is_empty().then_some(())
    }

    /// The start of a round has removed what the one before left.
    async fn begins_clean(&self, lines: &mut Lines, round: usize) {
        let began = Instant::now();
        let is_clean = until("nothing left", CLEAN, async || self.is_clean().await).await.is_ok();
        let what = if is_clean { Vec::new() } else { left(self.fleet, self.home).await.unwrap_or_default() };
        lines.check(
            &format!("p14 round {round} begins with nothing of the one before"),
            is_clean,
            format!("after {} ms {}", began.elapsed().as_millis(), what.join(", ")),
        );
    }

    /// What each step takes, where nobody dies.
    async fn undisturbed(
        &self,
        app: &mut Restless,
        approver: &mut Restless,
        lines: &mut Lines,
    ) -> Result<Vec<(Step, Duration)>> {
        for profile in [PLAIN, ASKED] {
            app.walks(profile)?;
            app.hears("over", STEP).await?;
        }
        approver.catch_up();
        app.walks(VOUCHED)?;
        app.begins(self.fleet, Step::Reaffirming, STEP).await?;
        app.hears("vouched", STEP).await?;
        let reaffirming = app.took(Step::Reaffirming);
        app.has_enough()?;
        app.hears("over", STEP).await?;
        let mut took = Vec::new();
        for step in Step::ALL {
            let known = match step {
                Step::Approving => approver.took(step),
                Step::Reaffirming => reaffirming,
                _ => app.took(step),
            };
            took.push((step, known.with_context(|| format!("nobody saw {step}"))?));
        }
        let said: Vec<String> =
            took.iter().map(|(step, took)| format!("{step} {} ms", took.as_millis())).collect();
        lines.seen("once everything without a death", said.join(", "));
        Ok(took)
    }

    /// One of the deaths and what comes of it; the approver's app, which may be another by then.
    async fn dies(
        &self,
        round: usize,
        Death { step, dies, thousandth, walks_before }: Death,
        took: &[(Step, Duration)],
        (mut app, mut approver): (Restless, Restless),
        lines: &mut Lines,
    ) -> Result<Restless> {
        let broker = &self.fleet.target().broker;
        if walks_before {
            app.walks(step.profile())?;
            app.hears("over", STEP).await?;
        }
        approver.catch_up();
        app.walks(step.profile())?;
        let whole = took.iter().find(|(known, _)| *known == step).context("a step that was met")?.1;
        let into = whole * u32::try_from(thousandth)? / 1000;
        let acting = if step == Step::Approving { &mut approver } else { &mut app };
        acting.begins(self.fleet, step, STEP).await?;
        let is_over = acting.goes_on_within(into).await;
        // As the brokers' machines do, it goes first where both go.
        let mut ran = true;
        if dies.broker() {
            ran &= broker.runs();
            broker.kill();
        }
        if dies.app() {
            ran &= was_killed(app.kill().await?);
        }
        if dies == Dies::Approver {
            ran &= was_killed(approver.kill().await?);
        }
        let at = if is_over { "at the end of" } else { "into" };
        lines.check(
            &format!("round {round}: {dies} died {} ms {at} {step}", into.as_millis()),
            ran,
            if ran { format!("of {} ms", whole.as_millis()) } else { "not by this death".to_owned() },
        );
        self.ends_by_itself(round, lines).await?;
        if dies.broker() {
            broker.restart().await?;
        }
        match step {
            Step::Approving => {
                if dies == Dies::Approver {
                    approver = self.approver().await?;
                }
                if !dies.app() {
                    self.opens_by_one_yes(round, &mut app, lines).await?;
                }
            }
            Step::Reaffirming => self.counts_or_closes(round, &mut app, dies, lines).await?,
            _ => {}
        }
        if !dies.app() {
            app.quits().await?;
        }
        Ok(approver)
    }

    /// P10: whoever is dead, what is left on the target has an end that it was given at first.
    async fn ends_by_itself(&self, round: usize, lines: &mut Lines) -> Result<()> {
        let latest = jiff::Timestamp::now().as_second() + i64::from(LONGEST_ASKED) + 60;
        let (count, wrong) = unbounded(self.fleet, latest).await?;
        lines.check(
            &format!("p10 round {round}: what the dead left has its end in its name, and belongs to a grant"),
            wrong.is_empty(),
            format!("{count} on the target {}", wrong.join(", ")),
        );
        Ok(())
    }

    /// Whoever waits for a yes gets it: what was said counts, and what was not is said by the next start.
    async fn opens_by_one_yes(&self, round: usize, app: &mut Restless, lines: &mut Lines) -> Result<()> {
        let uid = app.has_said("open", STEP).await?;
        let found = request(self.fleet, &uid).await?;
        let yeses = found.status.map(|status| status.approvals).unwrap_or_default();
        lines.check(
            &format!("round {round}: whoever waits gets one yes, and it opens"),
            yeses.len() == 1,
            format!("{} by {:?}", yeses.len(), yeses.first().map(|yes| &yes.by)),
        );
        Ok(())
    }

    /// The hub knows of each word that the app knows of; where the app lives, its session goes on with the next one. Where it
    /// does not, the next start closes it.
    async fn counts_or_closes(
        &self,
        round: usize,
        app: &mut Restless,
        dies: Dies,
        lines: &mut Lines,
    ) -> Result<()> {
        let said = match dies.app() {
            true => app.has_said("vouched", STEP).await?,
            false => {
                // What it said until now may be of before the death.
                app.catch_up();
                app.hears("vouched", STEP).await?
            }
        };
        let (uid, known) = said.split_once(' ').context("a request and a moment")?;
        let known: i64 = known.parse()?;
        let found = request(self.fleet, uid).await?;
        let (phase, on_hub) = (found.phase(), found.vouched_at());
        lines.check(
            &format!("round {round}: each word of the provider that the app goes by is on the hub"),
            on_hub.is_some_and(|on_hub| on_hub >= known) && (dies.app() || phase == Phase::Active),
            format!("{phase:?}, {known} and {on_hub:?}"),
        );
        Ok(())
    }
}
