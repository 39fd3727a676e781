//! ines changes a profile as text: refused by the schema, by a guardrail and by somebody else's change, and applied; what
//! waits under it and what is open become what she was told. dana, who lacks the right, is told which.

use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_ipc::{AuditFilter, DriftWay, Outcome, ProfileLook, ProfileVerdict, SessionState, SessionView};
use sallyport_model::ErrorCode;
use sallyport_testkit::profiles::EDITOR;
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
/// What the story changes, and what it makes.
const OPS: &str = "change-ops";
const NEW: &str = "change-new";
/// What this story binds on the hub.
const MADE: &str = "app.kubernetes.io/part-of=profile-change-story";

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    prepare(fleet).await?;
    let ines = Desktop::signed_in(fleet, "ines").await?;
    let dana = Desktop::signed_in(fleet, "dana").await?;
    let played = async {
        looks(fleet, &ines, lines).await?;
        lacks(&dana, lines).await?;
        refused(&ines, lines).await?;
        let open = open_under(fleet, &dana).await?;
        changes(fleet, &ines, &dana, &open, lines).await?;
        waits(fleet, &ines, &dana, lines).await?;
        makes(&ines, lines).await?;
        is_gone(fleet, &ines, lines).await
    }
    .await;
    // The fleet serves other stories.
    let cleared = clear(fleet).await;
    dana.app.shut_down().await;
    ines.app.shut_down().await;
    played.and(cleared)
}

fn profile(approvals: u8) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": OPS, "labels": {"team": "payments"}},
        "spec": {"clusters": ["*-eu-*"], "roles": ["sallyport:view"], "namespaces": ["payments", "checkout"], "maxDuration": "1h",
            "approvals": approvals, "mfa": {"maxAge": "8h"}},
    })
}

async fn prepare(fleet: &Fleet) -> Result<()> {
    fleet.hub.make_profile(&profile(0)).await?;
    let (key, value) = MADE.split_once('=').unwrap_or_default();
    let meta = |name: &str| json!({"name": name, "labels": {key: value}});
    let bound = |name: &str, role: &str, group: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta(name),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
        })
    };
    let ask = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta("change:ask"),
        "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"], "resourceNames": [OPS], "verbs": ["request"]}],
    });
    let items = [
        ask,
        bound("change:ask", "change:ask", "oidc:payments-dev"),
        bound("change:editors", "sallyport:profile-editor", "oidc:platform-admins"),
    ];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    fleet.hub.kubectl().apply(&list.to_string()).await.map(drop)
}

async fn clear(fleet: &Fleet) -> Result<()> {
    let kubectl = fleet.hub.kubectl();
    kubectl.ok(&["delete", "accessprofile", OPS, NEW, "--ignore-not-found", EDITOR[0], EDITOR[1]]).await?;
    kubectl.ok(&["delete", "clusterrolebindings,clusterroles", "-l", MADE]).await.map(drop)
}

/// The text that one may change, once the binding is heard of.
async fn text(desktop: &Desktop, name: &str) -> Result<String> {
    until("the right to change it", SOON, async || {
        let draft = desktop.app.profile_text(Some(name.to_owned()), false).await.ok()?;
        let lines: Vec<&str> = draft.lines.iter().map(|line| line.as_str()).collect();
        draft.lacks.is_none().then(|| format!("{}\n", lines.join("\n")))
    })
    .await
}

async fn look(desktop: &Desktop, text: &str) -> Result<ProfileLook> {
    Ok(desktop.app.profile_look(text.to_owned(), false).await?)
}

/// The entry about a changed profile that begins with these words, once it is written.
async fn entry(desktop: &Desktop, begins: &str) -> Result<(Outcome, String)> {
    until(begins, SOON, async || {
        let filter = AuditFilter { action: Some("profile_changed".into()), ..AuditFilter::default() };
        let page = desktop.app.audit_page(filter, None, 20).await.ok()?;
        let found = page.entries.into_iter().find(|entry| entry.sentence.starts_with(begins))?;
        Some((found.outcome, found.sentence.to_string()))
    })
    .await
}

fn all_words(look: &ProfileLook) -> String {
    serde_json::to_string(&look.difference).unwrap_or_default()
}

async fn looks(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let names = ines.app.profile_names().await?;
    let text = text(ines, OPS).await?;
    lines.check(
        "ines reads a profile as text, without what the hub sets of it",
        names.iter().any(|name| *name == OPS)
            && text.contains("team: payments")
            && text.contains("maxDuration: 1h")
            && !text.contains("managedFields")
            && !text.contains("resourceVersion"),
        format!("{} lines", text.lines().count()),
    );
    let same = look(ines, &text).await?;
    lines.check("the same text changes nothing", same.verdict == ProfileVerdict::Same, "");
    let digest = same.digest.to_string();
    let refused = ines.app.profile_apply(digest).await.err();
    lines.check(
        "and there is nothing to apply",
        refused.is_some_and(|error| error.code() == ErrorCode::BadInput),
        "",
    );
    // Its broker reports a new profile a moment after it is made.
    let cluster = fleet.target().spec.name;
    until("the broker reports it", SOON, async || {
        let view = ines.app.who_can().await.ok()?;
        let at = view.profiles.iter().position(|one| one.name == OPS)?;
        let there = view.clusters.iter().find(|one| one.name == cluster)?;
        let found = there.profiles.iter().find(|one| usize::try_from(one.profile).ok() == Some(at))?;
        found.rights.is_some().then_some(())
    })
    .await
}

async fn lacks(dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let draft = dana.app.profile_text(Some(OPS.into()), false).await?;
    let what = draft.lacks.as_ref().map(|lack| format!("{}, given by {}", lack.what, lack.given_by));
    lines.check(
        "dana, who may not change it, is told which right she lacks, and that she may ask for it",
        what.as_deref()
            == Some(
                "update accessprofiles.access.sallyport.dev/change-ops, given by sallyport:profile-editor",
            )
            && draft.remarks.iter().any(|remark| remark.contains("ask for this profile yourself")),
        what.unwrap_or_default(),
    );
    let text = draft.lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
    let tried = look(dana, &text.replace("maxDuration: 1h", "maxDuration: 2h")).await?;
    let why = match &tried.verdict {
        ProfileVerdict::Refused { why } => why.to_string(),
        other => format!("{other:?}"),
    };
    lines.check(
        "the hub refuses her trial in its words, and she sees what it would change all the same",
        why.contains("cannot update")
            && all_words(&tried).contains("lasts up to 120 min instead of 60 min")
            && all_words(&tried).contains("sallyport:hub-auditor")
            && tried.digest.is_empty(),
        why,
    );
    Ok(())
}

async fn refused(ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let text = text(ines, OPS).await?;
    for (from, to, why) in [
        ("approvals: 0", "approvals: many", "integer"),
        ("approvals: 0", "approvals: 11", "10"),
        ("approvals: 0", "approvalz: 0", "knows no field"),
        ("kind: AccessProfile", "kind: AccessHold", "a profile has AccessProfile"),
        ("name: change-ops", "name: change-opt", "no profile is renamed"),
        ("maxDuration: 1h", "maxDuration: 1h\n  maxDuration: 2h", "a second time"),
    ] {
        let changed = text.replace(from, to);
        let line = changed.lines().position(|line| line.contains(to.lines().last().unwrap_or_default()));
        let wrong = look(ines, &changed).await?;
        let first = wrong.problems.first();
        lines.check(
            &format!("`{}` is refused with its line", to.replace('\n', ", ")),
            wrong.verdict == ProfileVerdict::Wrong
                && first.is_some_and(|problem| {
                    problem.text.contains(why)
                        && problem.line == line.and_then(|at| u32::try_from(at + 1).ok())
                }),
            format!("{:?}", wrong.problems),
        );
    }
    let operate = ines.app.profile_text(Some("operate".into()), false).await?;
    let text = operate.lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
    let tried = look(ines, &text.replace("maxDuration: 1h", "maxDuration: 2h")).await?;
    let (outcome, sentence) = entry(ines, "Profile operate was not changed").await?;
    lines.check(
        "a6 what she may ask for herself a guardrail lets her change by no trial, and the history has it",
        matches!(&tried.verdict, ProfileVerdict::Refused { why } if why.contains("may ask under profile operate and so may not edit it"))
            && outcome == Outcome::Refused
            && sentence.contains("operate"),
        sentence,
    );
    Ok(())
}

/// dana's session under the profile, which opens at once.
async fn open_under(fleet: &Fleet, dana: &Desktop) -> Result<SessionView> {
    dana.open(fleet.target().spec.name, OPS).await
}

async fn changes(
    fleet: &Fleet,
    ines: &Desktop,
    dana: &Desktop,
    open: &SessionView,
    lines: &mut Lines,
) -> Result<()> {
    let text = text(ines, OPS).await?;
    let changed = text.replace("approvals: 0", "approvals: 1").replace("sallyport:view", "sallyport:operate");
    let tried = look(ines, &changed).await?;
    let difference = tried.difference.as_ref().context("there is a difference")?;
    let words = all_words(&tried);
    lines.check(
        "the difference in conditions, in rules on the cluster, and in what is open",
        tried.verdict == ProfileVerdict::Taken
            && words.contains("wants 1 approval instead of 0")
            && difference.rules.iter().any(|one| {
                one.way == DriftWay::Wider
                    && one.gained.iter().any(|right| right.writes)
                    && one.clusters.iter().any(|name| *name == fleet.target().spec.name)
            })
            && words.contains("1 session is open under it"),
        difference.standing.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(" "),
    );
    lines.check(
        "and that none of the team could say the yes it wants now",
        difference.unknown.iter().any(|one| one.contains("may approve it, so nobody opens it")),
        format!("{:?}", difference.unknown),
    );
    let stored = fleet.hub.kubectl().ok(&["get", "accessprofile", OPS, "-o", "json"]).await?;
    let stored: Value = serde_json::from_str(&stored)?;
    lines.check(
        "nothing of a trial is stored",
        stored["spec"]["approvals"] == 0 && stored["metadata"]["generation"] == 1,
        "",
    );

    // Somebody else writes in between.
    let kubectl = fleet.hub.kubectl();
    let label = ["label", "accessprofile", OPS, "by=somebody", EDITOR[0], EDITOR[1]];
    kubectl.ok(&label).await?;
    let error = ines.app.profile_apply(tried.digest.to_string()).await.err().context("it is refused")?;
    let (outcome, sentence) = entry(ines, "Profile change-ops was not changed").await?;
    lines.check(
        "what somebody else changed in between is a conflict, and the history has it",
        error.code() == ErrorCode::ProfileChanged && outcome == Outcome::Refused,
        sentence,
    );
    let behind = look(ines, &changed).await?;
    lines.check("and so is the next look", behind.verdict == ProfileVerdict::Changed, "");
    let again = ines.app.profile_look(changed.clone(), true).await?;
    ensure!(again.verdict == ProfileVerdict::Taken, "{:?}", again.verdict);
    let other = ines.app.profile_apply("0".repeat(64)).await.err();
    ines.app.profile_apply(again.digest.to_string()).await?;
    let (outcome, sentence) = entry(ines, "Changed profile change-ops").await?;
    lines.check(
        "compared with how it is now, it is applied once: what was looked at, and no other",
        other.is_some_and(|error| error.code() == ErrorCode::BadInput)
            && outcome == Outcome::Done
            && sentence.contains("wants 1 approval instead of 0"),
        sentence,
    );
    let stored: Value =
        serde_json::from_str(&kubectl.ok(&["get", "accessprofile", OPS, "-o", "json"]).await?)?;
    lines.check(
        "the hub stores it",
        stored["spec"]["approvals"] == 1 && stored["metadata"]["generation"] == 2,
        format!("generation {}", stored["metadata"]["generation"]),
    );
    // The broker has seen the new one by the time it reports it.
    reported(fleet, 2).await?;
    let view = dana.session(&open.id).await?;
    lines.check(
        "what is open goes on, as was said",
        view.state == SessionState::Open,
        format!("{:?}", view.state),
    );
    dana.app.session_leave(open.id.clone()).await?;
    Ok(())
}

/// Waits until the target's broker reports this generation of the profile.
async fn reported(fleet: &Fleet, generation: i64) -> Result<()> {
    let name = fleet.target().spec.name;
    until("the broker reports the changed profile", SOON, async || {
        let read = fleet.hub.kubectl().ok(&["get", "accesscluster", name, "-o", "json"]).await.ok()?;
        let read: Value = serde_json::from_str(&read).ok()?;
        let profiles = read["status"]["profiles"].as_array()?;
        let report = profiles.iter().find(|one| one["name"] == OPS)?;
        report["revision"].as_str()?.ends_with(&format!("/{generation}")).then_some(())
    })
    .await
}

async fn waits(fleet: &Fleet, ines: &Desktop, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let wanted = input(fleet.target().spec.name, OPS);
    // Her desktop hears of the changed profile a moment later.
    let waiting = until("dana's request waits", SOON, async || {
        let id = dana.app.session_open(wanted.clone()).await.ok()?.id;
        let settled = |view: &SessionView| view.state != SessionState::Opening || view.waiting_for.is_some();
        let view = dana.until_within(&id, SOON, settled).await.ok()?;
        view.waiting_for.is_some().then_some(view)
    })
    .await?;
    let text = text(ines, OPS).await?;
    let tried = look(ines, &text.replace("maxDuration: 1h", "maxDuration: 30m")).await?;
    lines.check(
        "that a waiting request is void by it is said before",
        tried.verdict == ProfileVerdict::Taken
            && all_words(&tried).contains("1 request that is not open yet is closed by its broker"),
        tried
            .difference
            .iter()
            .flat_map(|d| &d.standing)
            .map(|one| one.as_str())
            .collect::<Vec<_>>()
            .join(" "),
    );
    let labels = look(ines, &text.replace("team: payments", "team: other")).await?;
    lines.check(
        "labels alone touch nothing that waits",
        all_words(&labels).contains("Nothing that waits or is open is touched"),
        "",
    );
    let tried = look(ines, &text.replace("maxDuration: 1h", "maxDuration: 30m")).await?;
    ines.app.profile_apply(tried.digest.to_string()).await?;
    let over = dana.until_within(&waiting.id, SOON, |view| view.state != SessionState::Opening).await?;
    let why = over.error.as_ref().map(|error| error.message.to_string()).unwrap_or_default();
    lines.check(
        "and so it is: dana is told to ask again",
        why.contains("has changed since it was asked for"),
        why,
    );
    Ok(())
}

async fn makes(ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let draft = ines.app.profile_text(None, true).await?;
    let text = draft.lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
    let taken = look(ines, &text.replace("name: new-profile", "name: change-ops")).await?;
    lines.check(
        "a new one does not take another's name",
        taken
            .problems
            .first()
            .is_some_and(|problem| problem.text.contains("there is a profile change-ops already")),
        format!("{:?}", taken.problems),
    );
    let tried = look(ines, &text.replace("name: new-profile", &format!("name: {NEW}"))).await?;
    lines.check(
        "of a new one it is said that nobody may ask for it yet",
        tried.verdict == ProfileVerdict::Taken
            && tried.is_new
            && all_words(&tried).contains("Nobody but system:masters may ask for it"),
        format!("{:?}", tried.verdict),
    );
    ines.app.profile_apply(tried.digest.to_string()).await?;
    let (outcome, sentence) = entry(ines, "Made profile change-new").await?;
    lines.check("and it is made", outcome == Outcome::Done, sentence);
    Ok(())
}

async fn is_gone(fleet: &Fleet, ines: &Desktop, lines: &mut Lines) -> Result<()> {
    let text = text(ines, NEW).await?;
    fleet.hub.remove_profiles(&[NEW]).await?;
    let changed = text.replace("approvals: 1", "approvals: 2");
    let first = look(ines, &changed).await?;
    let again = ines.app.profile_look(changed, true).await?;
    lines.check(
        "one that somebody deleted is gone, and is not made again by a change of it",
        first.verdict == ProfileVerdict::Gone && again.verdict == ProfileVerdict::Gone,
        format!("{:?}", first.verdict),
    );
    Ok(())
}
