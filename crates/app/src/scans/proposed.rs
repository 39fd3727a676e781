//! A proposed fix as text for whoever makes it: what to apply, what it would do, and the profile that could take a grant's place.

use super::words::subject_named;
use crate::desk::AppError;
use sallyport_ipc::{EffectLine, FixView, Shown};
use sallyport_model::ErrorCode;
use sallyport_posture::change::WorkloadCall;
use sallyport_posture::draft::draft;
use sallyport_posture::{Finding, Ground, Snapshot, fix};

/// Lines of what a fix would do.
const EFFECT: usize = 40;

/// A fix as it is shown.
pub(super) fn fix_view(cluster: &str, ground: &Ground<'_>, found: &Finding, one: &fix::Fix) -> FixView {
    let yaml: Vec<&str> = one.patches.iter().map(|patch| patch.yaml.trim_end()).collect();
    let many = one.patches.len() > 1;
    let file = |at: usize| if many { format!("fix-{}.yaml", at + 1) } else { "fix.yaml".to_owned() };
    let commands: Vec<String> =
        one.patches.iter().enumerate().map(|(at, patch)| patch.command(&file(at))).collect();
    let effect = &one.effect;
    let other =
        |about: &str, text: &String| EffectLine { about: about.into(), text: text.into(), used: None };
    // First, since nobody is to miss them behind what is listed in its hundreds.
    let mut lines: Vec<EffectLine> =
        effect.warnings.iter().map(|text| other("Before you do", text)).collect();
    lines.extend(effect.losses.iter().map(|loses| EffectLine {
        about: subject_named(&loses.loss.subject).into(),
        text: loses.said.join("; ").into(),
        used: sallyport_report::lately::lately(&loses.lately).map(Shown::from),
    }));
    lines.extend(effect.also_gone.iter().map(|text| other("Gone with it", text)));
    lines.extend(effect.new.iter().map(|text| other("Comes with it", text)));
    let more = lines.len().saturating_sub(EFFECT);
    lines.truncate(EFFECT);
    let closes = (!effect.closes.is_empty()).then(|| effect.closes.iter().all(|one| one.after.is_none()));
    let (profile, profile_note) = drafted(cluster, ground, found);
    FixView {
        title: one.title.as_str().into(),
        yaml: lined(&yaml.join("\n---\n")),
        commands: commands.into_iter().map(Shown::from).collect(),
        pull_request: lined(&format!("{}\n\n{}", one.request.title, one.request.body)),
        effect: lines,
        effect_more: u32::try_from(more).unwrap_or(u32::MAX),
        gaps: effect.gaps.iter().map(Shown::from).collect(),
        in_session: is_for_a_session(one, ground.snapshot()),
        // What was not read may hide another way.
        closes: closes.filter(|closes| !closes || effect.gaps.is_empty()),
        profile,
        profile_note,
    }
}

/// Line by line: what is hidden in one of them is seen.
pub(super) fn lined(text: &str) -> Vec<Shown> {
    text.lines().map(Shown::from).collect()
}

/// A profile that gives the same for as long as it is needed, or why none can.
fn drafted(cluster: &str, ground: &Ground<'_>, found: &Finding) -> (Vec<Shown>, Option<Shown>) {
    let binding = found.evidence.first().and_then(|one| one.binding.as_ref());
    let Some((binding, subject)) = binding.zip(found.subject.as_ref()) else { return (Vec::new(), None) };
    match draft(ground, binding, subject, cluster, None) {
        Ok(draft) => {
            let text = [Some(&draft.profile), draft.role.as_ref(), Some(&draft.ask)];
            let text: Vec<&str> = text.into_iter().flatten().map(|one| one.trim_end()).collect();
            let notes = (!draft.notes.is_empty()).then(|| draft.notes.join(" ").into());
            (lined(&text.join("\n---\n")), notes)
        }
        Err(why) => (Vec::new(), Some(format!("No profile can take its place: {why}.").into())),
    }
}

/// What a fix is as requests of a session; an error where no session may make it.
pub(super) fn for_a_session(fix: &fix::Fix, before: &Snapshot) -> Result<Vec<WorkloadCall>, AppError> {
    let mut calls = Vec::new();
    for change in &fix.changes {
        let call = WorkloadCall::of(change, before).ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, format!("no session makes this change: {}", change.said()))
                .hint("Apply it with an admin's own credentials, or hand it over as a pull request.")
        })?;
        calls.push(call.map_err(|why| {
            AppError::new(ErrorCode::BadInput, why.to_string()).hint("Scan the cluster again.")
        })?);
    }
    Ok(calls)
}

/// Whether a fix is one that a session may make: of workloads and of nothing else.
fn is_for_a_session(fix: &fix::Fix, before: &Snapshot) -> bool {
    !fix.changes.is_empty() && for_a_session(fix, before).is_ok()
}
