//! A profile has its terminals recorded: the person sees it before asking, the broker gives nothing to a desktop that does not
//! say that it records, what is replayed is what was on screen, a full disk stops what is typed and nothing else, and what a
//! killed desktop left is closed by its next start.

use crate::crash;
use crate::lines::Lines;
use anyhow::{Context, Result};
use kube::Api;
use sallyport_api::{AccessProfile, AccessRequest, RecordingField};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, Desktop, id_token, until, walk};
use sallyport_hub::seal::KeyPair;
use sallyport_hub::{Ask, Hub};
use sallyport_ipc::{
    AuditEntryView, AuditFilter, MomentKind, RecordedMoment, RecordingView, SegmentState, TerminalSize,
};
use sallyport_model::{EndReason, Phase, ProfileRevision, Recording, Scope, SignIn, Terms, Ttl};
use sallyport_testkit::disk::SmallDisk;
use sallyport_testkit::idp::Account;
use sallyport_testkit::profiles::EDITOR;
use sallyport_testkit::repository::deploy;
use serde_json::json;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A group of the story's own.
const RECORDED: &str = "recorded";
const SIZE: TerminalSize = TerminalSize { cols: 100, rows: 30 };
const LARGER: TerminalSize = TerminalSize { cols: 120, rows: 40 };
/// What a shell on a busy machine may take.
const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let mut account = fleet.idp.account("dana").clone();
    account.groups.push(RECORDED.to_owned());
    let played = all(fleet, lines, &account).await;
    fleet.idp.put_account(fleet.idp.account("dana")).await?;
    let profiles = ["delete", "accessprofile", "recorded", "recorded-input", "--ignore-not-found"];
    fleet.hub.kubectl().ok(&[&profiles[..], &EDITOR[..]].concat()).await?;
    fleet.hub.kubectl().ok(&["delete", "clusterrolebinding,clusterrole", "-l", "story=recording"]).await?;
    fleet.hub.make_profiles(&deploy("demo/profiles")).await?;
    played
}

async fn all(fleet: &Fleet, lines: &mut Lines, account: &Account) -> Result<()> {
    fleet.idp.put_account(account).await?;
    for (name, recording) in [("recorded", "Output"), ("recorded-input", "OutputAndInput")] {
        fleet.hub.kubectl().apply(&right(name)).await?;
        fleet
            .hub
            .make_profile(&json!({
                "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name},
                "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
                    "approvals": 0, "reasonRequired": false, "recording": recording},
            }))
            .await?;
    }
    let dana = Desktop::signed_in(fleet, "dana").await?;
    for name in ["recorded", "recorded-input"] {
        until("the profile is offered", SOON, async || {
            let detail = dana.app.cluster_detail(fleet.target().spec.name.to_owned()).await.ok()?;
            detail.profiles.into_iter().find(|p| *p.name == *name && p.recording.is_some())
        })
        .await?;
    }
    lines.seen("the person reads before asking that terminals are recorded", "");
    one_that_does_not_record(fleet, lines).await?;
    let session = replayed(fleet, &dana, lines).await?;
    typed(fleet, &dana, lines).await?;
    let parts = entries(&dana, "recorded", &session).await?;
    lines.check(
        "the history has each part with its hash",
        !parts.is_empty() && parts.iter().all(|e| fact(e, "sha256").is_some_and(|hash| hash.len() == 64)),
        parts.first().map(|entry| entry.sentence.to_string()).unwrap_or_default(),
    );
    dana.app.shut_down().await;
    full(fleet, lines).await?;
    killed(fleet, lines).await
}

/// The right to ask under one profile.
fn right(profile: &str) -> String {
    let (name, labels) = (format!("story:{profile}"), json!({"story": "recording"}));
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "labels": labels},
        "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"], "resourceNames": [profile],
            "verbs": ["request"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": format!("oidc:{RECORDED}")}],
    });
    format!("{role}\n---\n{binding}")
}

/// A desktop of before asks under the profile: its request does not say that anything is recorded.
async fn one_that_does_not_record(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let hub = Hub::new(fleet.hub.client_with_token(&id_token(fleet, "dana").await?)?, DEADLINE);
    let profile = Api::<AccessProfile>::all(fleet.hub.admin()?).get("recorded").await?;
    let (uid, generation) = (profile.metadata.uid.unwrap_or_default(), profile.metadata.generation);
    let ask = Ask {
        team: "team-payments".parse()?,
        terms: Terms {
            user: format!("oidc:{}", fleet.idp.account("dana").email).parse()?,
            cluster: fleet.target().spec.name.parse()?,
            profile: "recorded".parse()?,
            revision: ProfileRevision::new(&uid, generation.unwrap_or_default())?,
            scope: Scope::from_list(["payments".parse()?]),
            duration: Ttl::minutes(30),
            reason: "INC-1".to_owned(),
            recording: None,
        },
        groups: vec![format!("oidc:{RECORDED}")],
        public_key: KeyPair::generate().public_key_base64(),
        sign_in: SignIn::default(),
        issued_at: None,
        history: None,
    };
    let made = hub.ask(&ask).await?;
    let name = made.metadata.name.context("a name")?;
    let api = Api::<AccessRequest>::namespaced(fleet.hub.admin()?, "team-payments");
    let closed = until("the broker's word", SOON, async || {
        api.get(&name).await.ok().filter(|request| request.phase() == Phase::Closed)
    })
    .await?;
    let ended = closed.condition(sallyport_api::CONDITION_ENDED).context("it ended")?;
    lines.check(
        "a request that does not say that its desktop records is denied, with what to do",
        ended.reason == EndReason::Denied.to_string()
            && ended.message.contains("takes a Sallyport of this version"),
        &ended.message,
    );
    Ok(())
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap_or(NonZero::<u16>::MIN)
}

/// A terminal as somebody sees it: what it showed, on a screen.
#[derive(Clone)]
struct Looked(Arc<Mutex<vt100::Parser>>);

impl Looked {
    fn new(size: TerminalSize) -> Self {
        Self(Arc::new(Mutex::new(vt100::Parser::new(cells(size.rows), cells(size.cols), 500))))
    }

    fn take(&self, bytes: &[u8]) {
        self.0.lock().expect("nobody panics here").process(bytes);
    }

    fn resize(&self, size: TerminalSize) {
        self.0.lock().expect("nobody panics here").screen_mut().set_size(cells(size.rows), cells(size.cols));
    }

    /// All that is on it, colours and cursor too.
    fn screen(&self) -> String {
        self.0.lock().expect("nobody panics here").screen().state_formatted()
    }

    fn text(&self) -> String {
        self.0.lock().expect("nobody panics here").screen().contents()
    }

    async fn shows(&self, what: &str) -> Result<()> {
        until(what, SOON, async || self.text().contains(what).then_some(())).await
    }
}

async fn opened(desktop: &Desktop, session: &str) -> Result<(String, Looked)> {
    let looked = Looked::new(SIZE);
    let seen = looked.clone();
    let output = Box::new(move |bytes: Vec<u8>| {
        seen.take(&bytes);
        true
    });
    let terminal = desktop.app.terminal_open(session.to_owned(), SIZE, output).await?;
    Ok((terminal.id, looked))
}

/// The recording of a session's only terminal, once it is as wanted.
async fn recording(
    desktop: &Desktop,
    session: &str,
    wanted: impl Fn(&RecordingView) -> bool,
) -> Result<RecordingView> {
    until("the recording", SOON, async || {
        let all = desktop.app.recordings_list(session.to_owned()).await.ok()?;
        all.into_iter().next().filter(&wanted)
    })
    .await
}

/// Everything that happened, by the pages that the window reads, with the moment of each.
async fn moments(desktop: &Desktop, view: &RecordingView) -> Result<Vec<(f64, RecordedMoment)>> {
    let (session, terminal) = (view.session.clone(), view.terminal.clone());
    desktop.app.recording_open(session.clone(), terminal.clone()).await?;
    let mut all = Vec::new();
    for segment in 1.. {
        let mut from = 0;
        loop {
            let page = desktop.app.recording_page(session.clone(), terminal.clone(), segment, from).await?;
            if page.state == SegmentState::Missing {
                return Ok(all);
            }
            anyhow::ensure!(page.state != SegmentState::Damaged, "segment {segment} is damaged");
            all.extend(page.moments.into_iter().map(|m| (page.began_at as f64 + m.after_ms, m)));
            match page.next {
                Some(next) => from = next,
                None => break,
            }
        }
    }
    Ok(all)
}

/// What a screen shows after these.
fn played(moments: &[(f64, RecordedMoment)]) -> Looked {
    let looked = Looked::new(SIZE);
    for (_, moment) in moments {
        match moment.kind {
            MomentKind::Output => looked.take(moment.data.as_bytes()),
            MomentKind::Resize => {
                let (cols, rows) = moment.data.split_once('x').unwrap_or(("", ""));
                if let (Ok(cols), Ok(rows)) = (cols.parse(), rows.parse()) {
                    looked.resize(TerminalSize { cols, rows });
                }
            }
            MomentKind::Input => {}
        }
    }
    looked
}

async fn entries(desktop: &Desktop, action: &str, session: &str) -> Result<Vec<AuditEntryView>> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        session: Some(session.to_owned()),
        ..AuditFilter::default()
    };
    Ok(desktop.app.audit_page(filter, None, 100).await?.entries)
}

fn fact<'e>(entry: &'e AuditEntryView, name: &str) -> Option<&'e str> {
    entry.detail.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.as_str())
}

/// A real shell with a real kubectl, resized in between, and what is replayed of it.
async fn replayed(fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<String> {
    let session = dana.open(fleet.target().spec.name, "recorded").await?;
    let request = session.request.clone().context("a request")?;
    let all = Api::<AccessRequest>::all(fleet.hub.admin()?).list(&Default::default()).await?;
    let spec = all
        .into_iter()
        .find(|one| one.metadata.uid.as_deref() == Some(&*request))
        .context("the request")?
        .spec;
    lines.check(
        "the request says on the hub what is recorded, and the session shows it",
        spec.recording == Some(RecordingField::Output) && session.recording == Some(Recording::Output),
        "",
    );
    let (terminal, looked) = opened(dana, &session.id).await?;
    let shown = dana.session(&session.id).await?.terminals.first().and_then(|t| t.recording.clone());
    lines.check(
        "and so does the terminal",
        shown.is_some_and(|recording| !recording.input && recording.stopped.is_none()),
        "",
    );
    let types = async |text: &str| dana.app.terminal_write(terminal.clone(), text.to_owned()).await;
    types("kubectl get deploy -n payments -o name\n").await?;
    looked.shows("deployment.apps/worker").await?;
    types("printf '\\e[1;31mr\\u00fct\\e[0m \\U1f600 \\xff\\n'\n").await?;
    looked.shows("r\u{fc}t").await?;
    // Quiet, so that both see the new size between the same bytes.
    tokio::time::sleep(Duration::from_millis(800)).await;
    // As a window does: first what is looked at, then the shell.
    looked.resize(LARGER);
    dana.app.terminal_resize(terminal.clone(), LARGER).await?;
    tokio::time::sleep(Duration::from_millis(800)).await;
    types("printf '\\e[2J\\e[5;10Hplaced'; stty size; seq 1 200 | tail -3; echo e''nd\n").await?;
    looked.shows("end").await?;
    let before = dana.app.recording_page(session.id.clone(), "no-such".to_owned(), 1, 0).await;
    lines.check("nothing is read of a recording that nobody opened", before.is_err(), "");
    types("exit\n").await?;
    let view = recording(dana, &session.id, |view| view.ended_at.is_some()).await?;
    let all = moments(dana, &view).await?;
    let replay = played(&all);
    lines.check(
        "what is replayed is what was on screen, colours and cursor too, over a resize",
        replay.screen() == looked.screen() && looked.text().contains("40 120"),
        format!("{} moments in {} parts", all.len(), view.segments.len()),
    );
    let calls = entries(dana, "call", &session.id).await?;
    let call = calls.iter().find(|call| {
        call.sentence.contains("deployments") || call.detail.iter().any(|(_, v)| v.contains("deployments"))
    });
    let at = call.context("the call of kubectl")?.at_us as f64 / 1000.0;
    let until_call: Vec<_> = all.iter().filter(|(ms, _)| *ms <= at).cloned().collect();
    let answered = all.iter().position(|(ms, m)| *ms >= at && m.data.contains("deployment.apps/worker"));
    let (before, then) = (played(&until_call).text(), answered.map(|place| played(&all[..=place]).text()));
    lines.check(
        "a call's time leads to the moment before its answer is shown",
        before.contains("kubectl get deploy")
            && !before.contains("deployment.apps/worker")
            && then.is_some_and(|text| text.contains("deployment.apps/worker")),
        answered.map(|place| format!("{:.0} ms later", all[place].0 - at)).unwrap_or_default(),
    );
    let watched = until("the entry", SOON, async || {
        entries(dana, "recording_watched", &session.id).await.ok().filter(|found| !found.is_empty())
    })
    .await?;
    lines.check(
        "that somebody watched it is an entry with their name",
        watched.first().is_some_and(|entry| !entry.user.is_empty() && entry.sentence.contains("Watched")),
        watched.first().map(|entry| entry.sentence.to_string()).unwrap_or_default(),
    );
    dana.app.session_leave(session.id.clone()).await?;
    Ok(session.id)
}

/// What is typed while the terminal echoes it, and a password.
async fn typed(fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let session = dana.open(fleet.target().spec.name, "recorded-input").await?;
    let (terminal, looked) = opened(dana, &session.id).await?;
    let types = async |text: &str| dana.app.terminal_write(terminal.clone(), text.to_owned()).await;
    types("echo re''ady; cat\n").await?;
    looked.shows("ready").await?;
    types("a line for cat\n").await?;
    until("cat answers", SOON, async || (looked.text().matches("a line for cat").count() >= 2).then_some(()))
        .await?;
    types("\u{4}").await?;
    types("read -rsp 'pass''word: ' x; echo got-${#x}\n").await?;
    looked.shows("password: ").await?;
    types("hunter2\n").await?;
    looked.shows("got-7").await?;
    types("exit\n").await?;
    let view = recording(dana, &session.id, |view| view.ended_at.is_some()).await?;
    let all = moments(dana, &view).await?;
    let said =
        |kind| all.iter().filter(|(_, m)| m.kind == kind).map(|(_, m)| m.data.as_str()).collect::<String>();
    let (output, input) = (said(MomentKind::Output), said(MomentKind::Input));
    lines.check(
        "what is typed is recorded while the terminal echoes it, and a password never",
        input.contains("a line for cat") && !input.contains("hunter2") && !output.contains("hunter2"),
        format!("{} characters typed are kept", input.len()),
    );
    let files = walk(&dana.home.path().join("data/recordings"))?;
    let mode = |path: &std::path::PathBuf| std::fs::metadata(path).map(|m| m.permissions().mode() & 0o777);
    lines.check(
        "no file of it can be read by others, and none holds the password",
        files.iter().all(|f| mode(f).is_ok_and(|mode| mode == 0o600))
            && files
                .iter()
                .all(|f| std::fs::read(f).is_ok_and(|text| !text.windows(7).any(|w| w == b"hunter2"))),
        format!("{} files", files.len()),
    );
    dana.app.session_leave(session.id).await?;
    Ok(())
}

/// A disk that is full.
async fn full(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let Some(disk) = SmallDisk::mount("900k")? else {
        lines.seen(
            "NOT TRIED: a full disk, since nothing can be mounted here",
            sallyport_testkit::disk::UNTRIED,
        );
        return Ok(());
    };
    let home = tempfile::tempdir()?;
    std::fs::create_dir(home.path().join("data"))?;
    std::os::unix::fs::symlink(disk.path(), home.path().join("data/recordings"))?;
    let dana = Desktop::at(fleet, "dana", home).await?;
    dana.app.workspace_join(fleet.workspace_file()).await?;
    dana.app.sign_in(None).await?;
    dana.until_listed(fleet).await?;
    let session = dana.open(fleet.target().spec.name, "recorded").await?;
    let (terminal, looked) = opened(&dana, &session.id).await?;
    let types = async |text: &str| dana.app.terminal_write(terminal.clone(), text.to_owned()).await;
    types("echo re''ady\n").await?;
    looked.shows("ready").await?;
    // Begun before the disk is full: its output goes on all the same.
    types("(sleep 2; seq 1 9000; sleep 4; echo still-sh''own) &\n").await?;
    disk.fill()?;
    let stopped = |terminal: &sallyport_ipc::TerminalView| {
        terminal.recording.as_ref().and_then(|recording| recording.stopped.clone())
    };
    let view = dana.until(&session.id, |v| v.terminals.iter().any(|t| stopped(t).is_some())).await?;
    let why = view.terminals.first().and_then(stopped).map(|why| why.to_string()).unwrap_or_default();
    let refused = types("echo typed-while-full\n").await;
    let words = refused.err().map(|error| error.message().to_owned()).unwrap_or_default();
    lines.check(
        "a full disk stops what is typed, and the terminal says why",
        why.contains("No space left") && words.contains("nothing was typed"),
        &why,
    );
    looked.shows("still-shown").await?;
    lines.seen("what runs goes on, and is shown", "");
    disk.free()?;
    dana.until(&session.id, |v| v.terminals.iter().all(|t| stopped(t).is_none())).await?;
    types("echo aft''er\n").await?;
    looked.shows("after").await?;
    types("exit\n").await?;
    let view = recording(&dana, &session.id, |view| view.ended_at.is_some()).await?;
    let all = moments(&dana, &view).await?;
    let replay = played(&all);
    lines.check(
        "with room again it goes on by itself, with all that was shown meanwhile",
        replay.screen() == looked.screen()
            && all.iter().any(|(_, m)| m.data.contains("still-shown"))
            && !looked.text().contains("typed-while-full"),
        format!("{} moments", all.len()),
    );
    let gaps = entries(&dana, "gap", &session.id).await?;
    lines.check(
        "the history has the gap and its end (P19)",
        gaps.iter().any(|gap| gap.sentence.contains("can't be written"))
            && gaps.iter().any(|gap| gap.sentence.contains("written again")),
        format!("{} entries", gaps.len()),
    );
    dana.app.shut_down().await;
    Ok(())
}

/// A desktop that is killed with -9 while it records.
async fn killed(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut child = crash::spawn(fleet, home.path(), "recorded", "").await?;
    let pid = crash::hears(&mut child, "open").await?;
    // What is told is on the disk within a second, on a machine that has one to spare.
    until("it is on the disk", SOON, async || {
        let files = walk(&home.path().join("data/recordings")).ok()?;
        let told = |file: &PathBuf| {
            std::fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("pid:{pid}")))
        };
        files.iter().any(told).then_some(())
    })
    .await?;
    child.kill()?;
    child.wait()?;
    let next = Desktop::at(fleet, "dana", home).await?;
    let session =
        std::fs::read_dir(next.home.path().join("data/recordings"))?.next().context("a recording")??;
    let session = session.file_name().into_string().ok().context("an id")?;
    let view = recording(&next, &session, |view| view.ended_at.is_some()).await?;
    let all = moments(&next, &view).await?;
    lines.check(
        "what a killed desktop recorded is there but for its last second, and says that it was cut off",
        view.cut_off && view.segments.len() == 1 && played(&all).text().contains("pid:"),
        format!("{} moments", all.len()),
    );
    let found = until("the entries", SOON, async || {
        let gaps = entries(&next, "gap", &session).await.ok()?;
        let parts = entries(&next, "recorded", &session).await.ok()?;
        let are_there = gaps.iter().any(|gap| gap.sentence.contains("cut off")) && !parts.is_empty();
        are_there.then_some((gaps, parts))
    })
    .await;
    let (gaps, parts) = found.unwrap_or_default();
    lines.check(
        "its unclean end is an entry, and so is the part that was found",
        gaps.iter().any(|gap| gap.sentence.contains("cut off")) && parts.len() == 1,
        gaps.first().map(|gap| gap.sentence.to_string()).unwrap_or_default(),
    );
    next.app.sign_in(None).await?;
    next.app.shut_down().await;
    Ok(())
}
