//! Leaving depends on nobody (fault A10): provider, hub and broker down, each alone and all together, a sign-in that was
//! revoked, a person who was disabled. The rights on the target end at once, by the session's own token, which is seen
//! from outside; the hub is told when it can hear; what can't be ended is named with place and time.

use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use sallyport_fleet::Fleet;
use sallyport_fleet::four::{FOUR, Outside};
use sallyport_fleet::headless::{Desktop, input, proof, until};
use sallyport_ipc::{ProofKind, ProofState, SessionState, SessionView};
use sallyport_testkit::idp::{Account, Endpoint, Fault};
use std::time::{Duration, Instant};

/// So short that a provider that is down is felt at once.
const ID_TOKEN_SECONDS: u32 = 5;
/// Much longer than any of it takes on a machine that does other work beside it, and much shorter than a session. How
/// quick it is `make bench BENCH=leaving` measures.
const GONE_WITHIN: Duration = Duration::from_secs(10);
/// Everybody is back by then, and the hub has heard.
const TOLD_WITHIN: Duration = Duration::from_secs(90);

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    fleet.offer_four().await?;
    fleet.idp.set_id_token_seconds(ID_TOKEN_SECONDS).await?;
    let played = all(fleet, lines).await;
    fleet.idp.set_id_token_seconds(3600).await?;
    fleet.withdraw_four().await?;
    played
}

async fn all(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    for bits in 0..8_u8 {
        let down = Down { fleet, provider: bits & 1 > 0, hub: bits & 2 > 0, broker: bits & 4 > 0 };
        left_alone(&desktop, &down, lines).await?;
    }
    signed_out_alone(fleet, &desktop, lines).await?;
    revoked_sign_in(fleet, &desktop, lines).await?;
    disabled_person(fleet, &desktop, lines).await?;
    taken_out_of_the_team(fleet, &desktop, lines).await?;
    named_when_it_stays(fleet, &desktop, lines).await?;
    desktop.app.shut_down().await;
    Ok(())
}

/// Who does not answer.
struct Down<'a> {
    fleet: &'a Fleet,
    provider: bool,
    hub: bool,
    broker: bool,
}

impl Down<'_> {
    async fn begin(&self) -> Result<()> {
        if self.provider {
            provider(self.fleet, Some(Fault::Hang)).await?;
            // Nobody can renew it now, and what there is runs out.
            tokio::time::sleep(Duration::from_secs(u64::from(ID_TOKEN_SECONDS) + 1)).await;
        }
        if self.hub {
            self.fleet.hub.pause()?;
        }
        if self.broker {
            self.fleet.target().broker.pause()?;
        }
        Ok(())
    }

    async fn end(&self) -> Result<()> {
        if self.provider {
            provider(self.fleet, None).await?;
        }
        if self.hub {
            self.fleet.hub.resume()?;
        }
        if self.broker {
            self.fleet.target().broker.resume()?;
        }
        Ok(())
    }

    fn words(&self) -> String {
        let all = [(self.provider, "provider"), (self.hub, "hub"), (self.broker, "broker")];
        let down: Vec<&str> = all.iter().filter(|(down, _)| *down).map(|(_, name)| *name).collect();
        if down.is_empty() { "everybody up".to_owned() } else { format!("{} down", down.join(", ")) }
    }
}

async fn provider(fleet: &Fleet, fault: Option<Fault>) -> Result<()> {
    for endpoint in [Endpoint::Discovery, Endpoint::Jwks, Endpoint::Token, Endpoint::Revocation] {
        fleet.idp.fault(endpoint, fault).await?;
    }
    Ok(())
}

/// Opens a session of four rights, once the desktop is offered its profile.
pub(crate) async fn open_four(fleet: &Fleet, desktop: &Desktop) -> Result<(SessionView, Outside)> {
    let cluster = fleet.target().spec.name;
    let started = until("the profile", Duration::from_secs(60), async || {
        desktop.app.session_open(input(cluster, FOUR)).await.ok()
    })
    .await?;
    let open = desktop.until(&started.id, |v| v.state != SessionState::Opening).await?;
    ensure!(open.state == SessionState::Open, "it did not open: {:?}", open.error);
    let outside = Outside::of(fleet.target(), &open).await?;
    let allowed = outside.allowed().await?;
    ensure!(allowed == 4, "{allowed} of 4 are allowed while it is open");
    Ok((open, outside))
}

async fn left_alone(desktop: &Desktop, down: &Down<'_>, lines: &mut Lines) -> Result<()> {
    let (session, outside) = open_four(down.fleet, desktop).await?;
    down.begin().await?;
    let seen = leave(desktop, &session, &outside).await;
    down.end().await?;
    let (gone, view) = seen?;
    shown(lines, &format!("fault_a10_p13 {}: every right is gone", down.words()), gone, &view);
    told(down.fleet, &session, lines).await
}

/// Leaves; milliseconds until nothing is allowed as seen from outside, and the session once it has shown that itself.
async fn leave(desktop: &Desktop, session: &SessionView, outside: &Outside) -> Result<(u128, SessionView)> {
    let start = Instant::now();
    desktop.app.session_leave(session.id.clone()).await?;
    let gone = outside.until_gone(start, GONE_WITHIN).await?;
    let view =
        desktop.until(&session.id, |v| proof(v, ProofKind::RightsGone).0 == Some(ProofState::Done)).await?;
    Ok((gone, view))
}

fn shown(lines: &mut Lines, what: &str, gone: u128, view: &SessionView) {
    let (state, ms, detail) = proof(view, ProofKind::RightsGone);
    lines.check(
        what,
        state == Some(ProofState::Done) && detail.contains("all 4"),
        format!("last right gone after {gone} ms, shown after {ms} ms: {detail}"),
    );
}

/// The hub hears of it, and the broker says that its person left.
async fn told(fleet: &Fleet, session: &SessionView, lines: &mut Lines) -> Result<()> {
    let uid = session.request.clone().context("it was asked for")?;
    let began = Instant::now();
    let reason = until("the hub's word", TOLD_WITHIN, async || ended(fleet, &uid).await).await;
    let reason = reason.unwrap_or_else(|error| format!("{error:#}"));
    lines.check(
        "fault_a10 and the hub is told when it can hear",
        reason == "Left",
        format!("{reason}, {} ms later", began.elapsed().as_millis()),
    );
    Ok(())
}

/// The reason a request ended with, once it is closed.
async fn ended(fleet: &Fleet, uid: &str) -> Option<String> {
    let status = format!("{{.items[?(@.metadata.uid=='{uid}')].status");
    let path = format!("-o=jsonpath={status}.phase}} {status}.conditions[?(@.type=='Ended')].reason}}");
    let said = fleet.hub.kubectl().ok(&["get", "accessrequests", "-n", "team-payments", &path]).await.ok()?;
    said.trim().strip_prefix("Closed ").map(str::to_owned)
}

/// Signing out with nobody there.
async fn signed_out_alone(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let (session, outside) = open_four(fleet, desktop).await?;
    let down = Down { fleet, provider: true, hub: true, broker: true };
    down.begin().await?;
    let start = Instant::now();
    let (out, gone) = tokio::join!(desktop.app.sign_out(), outside.until_gone(start, GONE_WITHIN));
    let view = desktop.session(&session.id).await;
    // Long enough that the word on the account can't come from anybody else.
    let alone = desktop.until(&session.id, |v| v.state == SessionState::Closed).await;
    down.end().await?;
    let said = out.err().map(|error| error.message().to_owned()).unwrap_or_default();
    shown(lines, "fault_a10_p13 signing out with all of them down: every right is gone", gone?, &view?);
    lines.check(
        "fault_a10 and what the provider did not confirm is said, and no right is said to be left",
        said.contains("provider did not confirm") && !said.contains("stay until"),
        said,
    );
    let (state, ms, detail) = proof(&alone?, ProofKind::AccountRemoved);
    lines.check(
        "fault_a10_p13 and the session shows by itself that its account is gone",
        state == Some(ProofState::Done) && detail.contains("by this session itself"),
        format!("{ms} ms: {detail}"),
    );
    sign_in(fleet, desktop).await?;
    told(fleet, &session, lines).await
}

/// The provider takes back what renews the sign-in.
async fn revoked_sign_in(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let (session, outside) = open_four(fleet, desktop).await?;
    fleet.idp.revoke_sign_ins("dana").await?;
    tokio::time::sleep(Duration::from_secs(u64::from(ID_TOKEN_SECONDS) + 1)).await;
    let (gone, view) = leave(desktop, &session, &outside).await?;
    shown(lines, "fault_a10_p13 the sign-in was revoked: every right is gone", gone, &view);
    sign_in(fleet, desktop).await?;
    told(fleet, &session, lines).await
}

/// The person may not sign in any more.
async fn disabled_person(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let (session, outside) = open_four(fleet, desktop).await?;
    let dana = fleet.idp.account("dana").clone();
    fleet.idp.put_account(&Account { disabled: true, ..dana.clone() }).await?;
    tokio::time::sleep(Duration::from_secs(u64::from(ID_TOKEN_SECONDS) + 1)).await;
    let seen = leave(desktop, &session, &outside).await;
    fleet.idp.put_account(&dana).await?;
    let (gone, view) = seen?;
    shown(lines, "fault_a10_p13 the person was disabled: every right is gone", gone, &view);
    sign_in(fleet, desktop).await?;
    told(fleet, &session, lines).await
}

/// The hub says no to its person for a while: it is told again until it says yes.
async fn taken_out_of_the_team(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let (session, outside) = open_four(fleet, desktop).await?;
    let hub = fleet.hub.kubectl();
    let team = ["rolebinding", "sallyport:requesters", "-n", "team-payments"];
    let kept = hub.ok(&[&["get"], &team[..], &["-o", "json"]].concat()).await?;
    let mut kept: serde_json::Value = serde_json::from_str(&kept)?;
    kept["metadata"] = serde_json::json!({"name": team[1], "namespace": team[3]});
    hub.ok(&[&["delete"], &team[..]].concat()).await?;
    let may = ["auth", "can-i", "patch", "accessrequests", "--subresource=status", "-n", team[3]];
    let dana = ["--as=oidc:dana@meridian.example", "--as-group=oidc:payments-dev"];
    let out = until("the hub's no", Duration::from_secs(60), async || {
        (hub.run(&[&may[..], &dana[..]].concat()).await.ok()?.code != Some(0)).then_some(())
    })
    .await;
    let seen = leave(desktop, &session, &outside).await;
    // It was told by then, and has said no.
    tokio::time::sleep(Duration::from_secs(1)).await;
    hub.apply(&kept.to_string()).await?;
    out?;
    let (gone, view) = seen?;
    shown(lines, "fault_a10_p13 taken out of the team: every right is gone", gone, &view);
    told(fleet, &session, lines).await
}

/// A target that does not answer: nothing can be ended there, and signing out says so.
async fn named_when_it_stays(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let (session, outside) = open_four(fleet, desktop).await?;
    fleet.target().plane.pause()?;
    let out = desktop.app.sign_out().await;
    fleet.target().plane.resume()?;
    let said = out.err().map(|error| error.message().to_owned()).unwrap_or_default();
    let place = format!("rights on {} stay until ", fleet.target().spec.name);
    lines.check(
        "fault_a10 what could not be ended is named with place and time",
        said.contains(&place),
        said,
    );
    let start = Instant::now();
    let gone = outside.until_gone(start, Duration::from_secs(60)).await?;
    lines.check("fault_a10_p13 and is ended as soon as the target answers", true, format!("{gone} ms later"));
    told(fleet, &session, lines).await
}

async fn sign_in(fleet: &Fleet, desktop: &Desktop) -> Result<()> {
    drop(desktop.app.sign_out().await);
    desktop.app.sign_in(None).await?;
    desktop.until_listed(fleet).await
}
