//! A planted way to everything on a real API server: found, proven by SubjectAccessReviews, ended by the proposed YAML with
//! an admin's own kubeconfig after a server-side dry run, and gone in a new scan. What is said to be lost is asked of the
//! API server before and after, and each kind of fix is tried on it.

mod session;
mod world;

use crate::lines::Lines;
use anyhow::{Context as _, Result, ensure};
use sallyport_posture::effect::{Loses, Outcome};
use sallyport_posture::fix::{Fix, propose};
use sallyport_posture::path::Goal;
use sallyport_posture::{Finding, Ground, Patch, Review, Snapshot};
use sallyport_rbac::who::Subject;
use sallyport_testkit::{Kubectl, Plane, PlaneOptions};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use world::{PLANTED, Seen, allowed, read};

/// More than are planted.
const FIXES_MOST: usize = 40;
/// Until the authorizer has heard of a change.
const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn play(lines: &mut Lines) -> Result<()> {
    let mut options = PlaneOptions::new("fix");
    options.audit_log = false;
    let plane = Plane::start(options).await?;
    let kubectl = plane.kubectl();
    planted(&plane).await?;
    let shipped = shipped(&kubectl).await?;
    lines.seen("an API server is up, and a way to everything is planted", "");

    // Its controllers fill in what they sum up, and make the accounts of namespaces, for some moments more.
    let mut before = read(&plane).await?;
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = read(&plane).await?;
        let stands = now.state() == before.state();
        before = now;
        if stands {
            break;
        }
    }
    let ground = Ground::new(&before);
    let devs = Subject::Group("oidc:devs".to_owned());
    proven(&plane, &ground, &devs, lines).await?;
    let kinds = tried(&plane, &ground, lines).await?;
    let wanted = [
        "DeleteBinding",
        "DeleteSecret",
        "Enforce",
        "FailClosed",
        "NarrowRole",
        "RemoveSubject",
        "Unmount",
        "UnmountPods",
    ];
    lines.check(
        "each kind of fix is taken by a server-side dry run",
        kinds.iter().map(String::as_str).eq(wanted),
        format!("{kinds:?}"),
    );
    lines.check("nothing was changed by that", read(&plane).await?.state() == before.state(), "");

    let finding = found(&ground, "RB-09", &devs)?;
    let proposed = propose(&ground, &finding, None, None);
    let fix = proposed.fixes.first().context("a fix")?;
    lines.seen(
        "the least fix is proposed with its effect",
        format!("{}; {} others", fix.title, proposed.fixes.len() - 1),
    );
    ensure!(fix.effect.outcome == Some(Outcome::Gone), "{:?}", fix.effect.outcome);
    loses_what_it_says(&plane, fix, true, lines).await?;
    let mut sessions_own = false;
    for patch in &fix.patches {
        sessions_own |= applied(&plane, &as_developer(&plane)?, patch, "a developer").await?.code == Some(0);
    }
    lines.check("whoever may not change rights cannot apply it", !sessions_own, "");
    for patch in &fix.patches {
        let answer = applied(&plane, &kubectl, patch, "fix").await?;
        ensure!(answer.code == Some(0), "{}: {}", patch.yaml, answer.stderr);
    }
    loses_what_it_says(&plane, fix, false, lines).await?;

    let after = read(&plane).await?;
    let later = Ground::new(&after);
    let paths = later.paths(&Goal::ClusterAdmin);
    lines.check(
        "a new scan finds neither the weakness nor the way",
        found(&later, "RB-09", &devs).is_err() && paths.is_none_or(|paths| paths.of(&devs).is_none()),
        "",
    );

    // The same file once more is about an object that somebody else has changed by now.
    let first = fix.patches.first().context("a patch")?;
    let late = r#"[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"late"}}]"#;
    let (name, place) = (first.object.name.as_str(), first.object.namespace.as_deref().unwrap_or_default());
    kubectl.ok(&["patch", "rolebinding", name, "-n", place, "--type=json", "-p", late]).await?;
    let again = applied(&plane, &kubectl, first, "again").await?;
    let kept = kubectl.ok(&["get", "rolebinding", name, "-n", place, "-o", "yaml"]).await?;
    lines.check(
        "the same YAML is refused once somebody else has changed the object, and takes nothing of theirs",
        again.code != Some(0) && kept.contains("name: late") && kept.contains("note: kept"),
        again.stderr.lines().next().unwrap_or_default(),
    );

    put_back(&plane, fix).await?;
    let back = read(&plane).await?;
    let way = Ground::new(&back).paths(&Goal::ClusterAdmin).and_then(|paths| paths.of(&devs));
    lines.check("what puts it back does", way.is_some(), "");
    all_ended(&plane, lines).await?;
    lines.check("what comes with Kubernetes is as it was", self::shipped(&kubectl).await? == shipped, "");
    session::play(lines).await
}

/// A pod needs its namespace's default account, which a controller makes.
async fn planted(plane: &Plane) -> Result<()> {
    let file = plane.dir().join("planted.yaml");
    std::fs::write(&file, PLANTED)?;
    let path = file.to_str().context("a path that is no text")?;
    let began = Instant::now();
    loop {
        let answer = plane.kubectl().run(&["apply", "-f", path]).await?;
        if answer.code == Some(0) {
            return Ok(());
        }
        ensure!(
            began.elapsed() < Duration::from_secs(90),
            "what is planted was not taken: {}",
            answer.stderr
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Versions of what Kubernetes ships.
async fn shipped(kubectl: &Kubectl) -> Result<String> {
    kubectl
        .ok(&[
            "get",
            "clusterroles,clusterrolebindings",
            "-l",
            "kubernetes.io/bootstrapping=rbac-defaults",
            "-o",
            "custom-columns=N:.metadata.name,V:.metadata.resourceVersion",
        ])
        .await
}

fn as_developer(plane: &Plane) -> Result<Kubectl> {
    Ok(plane.kubectl_with(&plane.kubeconfig_for_user("dana", &["oidc:devs"])?))
}

fn found(ground: &Ground<'_>, check: &str, subject: &Subject) -> Result<Finding> {
    let report = ground.report();
    let judged = report.checks.iter().find(|one| one.check.id == check).context("a check")?;
    let one = judged.findings.iter().find(|one| one.subject.as_ref() == Some(subject));
    one.cloned().with_context(|| format!("{check} of {subject:?}"))
}

/// The way, and the API server's word for each step.
async fn proven(plane: &Plane, ground: &Ground<'_>, who: &Subject, lines: &mut Lines) -> Result<()> {
    let paths = ground.paths(&Goal::ClusterAdmin).context("a goal")?;
    let path = paths.of(who).context("the planted way")?;
    let steps: Vec<String> = path.hops.iter().map(|hop| format!("{} → {}", hop.what, hop.to)).collect();
    lines.check("the planted way to everything is found", path.hops.len() == 2, steps.join("; "));
    let reviews: Vec<&Review> = path.hops.iter().flat_map(|hop| &hop.reviews).collect();
    let mut yes = 0;
    for review in &reviews {
        yes += usize::from(allowed(plane, &Seen::of(review)).await?);
    }
    lines.check(
        "each step is proven by SubjectAccessReviews",
        yes == reviews.len() && path.hops.iter().all(|hop| !hop.reviews.is_empty()),
        format!("{yes} of {} allowed", reviews.len()),
    );
    Ok(())
}

/// Tries the patches of each finding's fixes; the kinds that were taken.
async fn tried(plane: &Plane, ground: &Ground<'_>, lines: &mut Lines) -> Result<Vec<String>> {
    let mut kinds = BTreeSet::new();
    let mut many = 0;
    for judged in &ground.report().checks {
        for finding in judged.findings.iter().filter(|one| sallyport_posture::area::counts(one)) {
            for fix in propose(ground, finding, None, None).fixes {
                // Further patches are of what the first leaves.
                let (Some(change), Some(patch)) = (fix.changes.first(), fix.patches.first()) else {
                    continue;
                };
                let file = file_of(plane, &patch.yaml, "try")?;
                let path = file.to_str().context("a path that is no text")?;
                let mut args: Vec<&str> = patch.arguments().collect();
                args.extend(["--dry-run=server", "-f", path]);
                let answer = plane.kubectl().run(&args).await?;
                many += 1;
                if answer.code == Some(0) {
                    let kind = format!("{change:?}");
                    kinds.insert(kind.split([' ', '{']).next().unwrap_or_default().to_owned());
                } else {
                    lines.failed(
                        &format!("{} is taken", fix.title),
                        format!("{} {}", patch.yaml, answer.stderr),
                    );
                }
            }
        }
    }
    lines.seen_many(
        many,
        "proposed fixes are tried on the API server",
        format!("{many} by --dry-run=server"),
    );
    Ok(kinds.into_iter().collect())
}

fn file_of(plane: &Plane, yaml: &str, name: &str) -> Result<PathBuf> {
    let file = plane.dir().join(format!("{}.yaml", name.replace(' ', "-")));
    std::fs::write(&file, yaml)?;
    Ok(file)
}

/// After a dry run, which is what a person is told to do.
async fn applied(
    plane: &Plane,
    kubectl: &Kubectl,
    patch: &Patch,
    name: &str,
) -> Result<sallyport_testkit::Answer> {
    let file = file_of(plane, &patch.yaml, name)?;
    let path = file.to_str().context("a path that is no text")?;
    let with = |more: &[&'static str]| patch.arguments().chain(more.iter().copied()).collect::<Vec<_>>();
    let tried = kubectl.run(&[&with(&["--dry-run=server"])[..], &["-f", path]].concat()).await?;
    match tried.code {
        Some(0) => kubectl.run(&[&with(&[])[..], &["-f", path]].concat()).await,
        _ => Ok(tried),
    }
}

/// Whether the API server says of each right that is told as lost what it should: yes before, no after.
async fn loses_what_it_says(plane: &Plane, fix: &Fix, held: bool, lines: &mut Lines) -> Result<()> {
    let asked: Vec<Seen> = fix.effect.losses.iter().flat_map(|one: &Loses| Seen::lost(&one.loss)).collect();
    ensure!(!asked.is_empty(), "something is lost");
    let began = Instant::now();
    let mut wrong = Vec::new();
    for seen in &asked {
        while allowed(plane, seen).await? != held {
            if held || began.elapsed() > SOON {
                wrong.push(format!("{seen:?}"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let what = match held {
        true => "all that is told as lost is held before",
        false => "and is lost after",
    };
    lines.check(what, wrong.is_empty(), format!("{} questions {}", asked.len(), wrong.join(" ")));
    Ok(())
}

/// Makes one fix after the other until no finding has one, each seen by a new scan: what it says is so on the API server.
async fn all_ended(plane: &Plane, lines: &mut Lines) -> Result<()> {
    let mut ended: Vec<String> = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    while ended.len() + wrong.len() < FIXES_MOST {
        let before = read(plane).await?;
        let ground = Ground::new(&before);
        let report = ground.report();
        let findings = report.checks.iter().flat_map(|one| &one.findings);
        let mut proposed =
            findings.filter(|one| sallyport_posture::area::counts(one)).filter_map(|finding| {
                let fixes = propose(&ground, finding, None, None).fixes;
                let fix = fixes.into_iter().find(|fix| fix.effect.outcome == Some(Outcome::Gone))?;
                (!wrong.contains(&finding.said)).then_some((finding.clone(), fix))
            });
        let Some((finding, fix)) = proposed.next() else { break };
        for patch in &fix.patches {
            let answer = applied(plane, &plane.kubectl(), patch, "all").await?;
            ensure!(answer.code == Some(0), "{}: {}", patch.yaml, answer.stderr);
        }
        // A pod that is deleted, or a Secret, may be there for a moment.
        let began = Instant::now();
        let gone = async || -> Result<bool> {
            let after = read(plane).await?;
            let report = Ground::new(&after).report();
            let mut findings = report.checks.iter().flat_map(|one| &one.findings);
            Ok(!findings.any(|one| one.fingerprint() == finding.fingerprint()))
        };
        while !gone().await? && began.elapsed() < SOON {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        match gone().await? {
            true => ended.push(format!("{}: {}", finding.check, fix.title)),
            false => wrong.push(finding.said.clone()),
        }
    }
    lines.check(
        "one fix after the other ends what it is for",
        wrong.is_empty() && ended.len() >= 7,
        format!("{}; {}", ended.join("; "), wrong.join("; ")),
    );
    Ok(())
}

async fn put_back(plane: &Plane, fix: &Fix) -> Result<()> {
    for yaml in &fix.undo {
        let file = file_of(plane, yaml, "undo")?;
        let path = file.to_str().context("a path that is no text")?;
        plane.kubectl().ok(&["apply", "--server-side", "--force-conflicts", "-f", path]).await?;
    }
    Ok(())
}

/// What tells whether something changed.
trait State {
    fn state(&self) -> Vec<String>;
}

impl State for Snapshot {
    fn state(&self) -> Vec<String> {
        let roles = self.roles.iter().map(|one| format!("{:?}", one.meta));
        let bindings = self.bindings.iter().map(|one| format!("{:?}", one.meta));
        let rest = self.namespaces.iter().chain(self.accounts.iter().map(|one| &one.meta));
        roles.chain(bindings).chain(rest.map(|meta| format!("{meta:?}"))).collect()
    }
}
