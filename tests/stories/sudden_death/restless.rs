//! What the two who are killed do in processes of their own, and say of it as they do it: a line for each step that begins. One
//! walks a lap under the profile that it is told, the other says yes to whatever waits. Closing their input is how they are told
//! to quit.

use super::steps::{ASKED, ENOUGH, HISTORY, PLAIN, VOUCHED};
use anyhow::Result;
use sallyport_app::App;
use sallyport_fleet::headless::{input, proof, until};
use sallyport_ipc::{AuditFilter, Decide, OpenInput, ProofKind, ProofState, SessionState, SessionView};
use std::io::BufRead as _;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// The first of them, and the second, as what they are asked to open.
pub(crate) const ASKS: &str = "restless-asks";
pub(crate) const APPROVES: &str = "restless-approves";

/// How long a turn of a session is waited for. Where somebody is killed in between, their whole start may have to come first:
/// longer than whoever listens waits for the word of it.
const TURN: Duration = Duration::from_secs(180);
/// What is asked for and what an extension asks for, seconds.
const SHORT: u32 = 900;
const LONGER: u32 = super::LONGEST_ASKED;

/// Walks a lap for each line that it reads. What fails since a broker was killed ends that lap.
pub(crate) async fn asks(app: App, cluster: &str) -> Result<()> {
    say("ready", "");
    let mut orders = orders();
    let mut next = tokio::select! {
        first = orders.recv() => first,
        () = leave_all(&app) => None,
    };
    while let Some(order) = next {
        next = lap(&app, cluster, &order, &mut orders).await;
    }
    app.shut_down().await;
    Ok(())
}

/// One lap, and the order after it; none where its input was closed.
async fn lap(
    app: &App,
    cluster: &str,
    order: &str,
    orders: &mut mpsc::UnboundedReceiver<String>,
) -> Option<String> {
    // One that comes when its lap is over already is none to walk.
    if order != ENOUGH {
        let enough = Notify::new();
        let mut walking = std::pin::pin!(walk(app, cluster, order, &enough));
        loop {
            tokio::select! {
                () = &mut walking => break,
                told = orders.recv() => {
                    told?;
                    enough.notify_one();
                }
            }
        }
        say("over", "");
    }
    orders.recv().await
}

/// Says yes to whatever waits.
pub(crate) async fn approves(app: App) -> Result<()> {
    say("ready", "");
    let mut orders = orders();
    tokio::select! {
        _ = orders.recv() => {}
        () = says_yes(&app) => {}
    }
    app.shut_down().await;
    Ok(())
}

async fn says_yes(app: &App) {
    loop {
        for one in app.requests_list().await.map(|view| view.requests).unwrap_or_default() {
            if let Some(offer) = one.offer.filter(|_| one.decide == Decide::Yes) {
                say("approving", &one.id);
                // What was taken back meanwhile, or whose hub is busy, is refused; the next look finds what is left.
                let said = app.request_approve(one.id.to_string(), offer.digest.to_string(), None).await;
                say(if said.is_ok() { "approved" } else { "refused" }, &one.id);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn say(word: &str, of: &str) {
    println!("{word} {of}");
}

/// What it is told, until its input is closed.
fn orders() -> mpsc::UnboundedReceiver<String> {
    let (tell, orders) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines();
        lines.map_while(Result::ok).for_each(|line| drop(tell.send(line)));
    });
    orders
}

/// A request that waited for people is taken up again by the next start, as it should be. Here it is in the way.
async fn leave_all(app: &App) {
    loop {
        for one in app.sessions_list().await.unwrap_or_default() {
            if matches!(one.state, SessionState::Opening | SessionState::Open) {
                let _ = app.session_leave(one.id).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn walk(app: &App, cluster: &str, order: &str, enough: &Notify) {
    if order == HISTORY {
        return history(app).await;
    }
    say("asking", order);
    let short = OpenInput { duration_seconds: Some(SHORT), ..input(cluster, order) };
    let Ok(session) = app.session_open(short).await else {
        // As much as a person who tries again at once.
        return tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let id = &session.id;
    let is = |state: SessionState| seen(app, id, move |view| (view.state == state).then_some(()));
    let asked = seen(app, id, |view| view.request.clone()).await;
    let of = asked.map(|uid| uid.to_string()).unwrap_or_default();
    say(if order == ASKED { "waiting" } else { "opening" }, &of);
    if is(SessionState::Open).await.is_some() {
        say("open", &of);
        match order {
            PLAIN => extend(app, id).await,
            // Until it is told: whoever listens has a broker to start meanwhile, on a machine that does other things, too.
            VOUCHED => tokio::select! {
                () = vouch(app, id, &of) => {}
                () = enough.notified() => {}
            },
            _ => {}
        }
    }
    say("leaving", &of);
    let _ = app.session_leave(id.clone()).await;
    // That the token is refused too is seen up to ten seconds later, when nothing is left to go wrong.
    seen(app, id, |view| (proof(view, ProofKind::RightsGone).0 == Some(ProofState::Done)).then_some(()))
        .await;
}

async fn extend(app: &App, id: &str) {
    say("extending", "");
    if let Ok(more) = app.session_extend(id.to_owned(), Some(LONGER)).await {
        seen(app, &more.id, |view| matches!(view.state, SessionState::Closing).then_some(())).await;
    }
}

/// Says of when the provider's word is that it knows of, and of each that comes after, for as long as one comes.
async fn vouch(app: &App, id: &str, of: &str) {
    let mut known = 0;
    loop {
        let newer = |view: &SessionView| {
            let at = view.vouching.as_ref()?.vouched_at?;
            (at > known && view.state == SessionState::Open).then_some(at)
        };
        let Some(at) = seen(app, id, newer).await else { return };
        say("vouched", &format!("{of} {}", at / 1000));
        known = at;
    }
}

/// What its history says of the deaths, and whether it is whole.
async fn history(app: &App) {
    let filter = AuditFilter { action: Some("gap".into()), ..AuditFilter::default() };
    let gaps = app.audit_page(filter, None, 200).await.map(|page| page.entries.len());
    let verdict = app.audit_verify().await.map(|view| view.verdict);
    say("history", &format!("{} {verdict:?}", gaps.unwrap_or_default()));
}

/// What there is to see of a session, once there is.
async fn seen<T>(app: &App, id: &str, look: impl Fn(&SessionView) -> Option<T>) -> Option<T> {
    let looked = async || {
        let all = app.sessions_list().await.ok()?;
        all.iter().find(|one| one.id == id).and_then(&look)
    };
    until("a session's turn", TURN, looked).await.ok()
}
