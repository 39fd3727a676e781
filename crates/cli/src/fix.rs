//! `fix`: what to do about a finding, as kubectl takes it, and what it does.

use crate::answer::Answer;
use crate::answer::json;
use crate::args;
use crate::end::{End, Stop};
use crate::question;
use sallyport_posture::draft::{Draft, draft};
use sallyport_posture::fix::{Fix, Trial};
use sallyport_posture::{Finding, Ground, Report, Snapshot};
use sallyport_rbac::who::{Caller, Subject};
use sallyport_report::fix::{FixView, FixesView};
use sallyport_report::words::{self, count, shown};
use std::path::Path;

/// Lines of one list, for people.
const LISTED: usize = 20;

pub(crate) fn fix(snapshot: &Snapshot, args: &args::Fix) -> Result<(String, End), Stop> {
    let subject = args.subject.as_deref().map(question::subject).transpose()?;
    let ground = Ground::new(snapshot);
    let report = ground.report();
    let finding = find(&report, args, subject.as_ref())?;
    // Whoever read it is whoever would change it.
    let asker = snapshot
        .told
        .identity
        .whole()
        .map(|own| Caller { user: own.user.clone(), groups: own.groups.clone() });
    let mut proposed = Trial::of(&ground, &report).propose(finding, None, asker.as_ref());
    if let (Some(archive), Some(cluster)) = (&args.archive, &args.cluster) {
        let uses = crate::used::uses(archive, cluster, &proposed)?;
        proposed = Trial::of(&ground, &report).propose(finding, Some(&uses), asker.as_ref());
    }
    let cluster = match (&args.cluster, &args.source.snapshot) {
        (Some(name), _) => name.clone(),
        (None, Some(path)) => crate::source::name_of(path),
        (None, None) => args.source.context.clone().unwrap_or_else(|| "CLUSTER".to_owned()),
    };
    let profile = profile(&ground, finding, &cluster);
    let view = FixesView::of(&proposed, profile.as_ref());
    let chosen = proposed.fixes.get(usize::from(args.number) - 1);
    if chosen.is_none() && args.number > 1 {
        let many = count(proposed.fixes.len(), "fix").replace("fixs", "fixes");
        return Err(Stop(format!("there is no fix {}: {many} proposed", args.number)));
    }
    if let (Some(folder), Some(chosen)) = (&args.write, chosen) {
        write(folder, chosen)?;
    }
    if args.apply {
        let Some(chosen) = chosen else { return Ok((told(&view), End::Found)) };
        let mut shown = format!(
            "{}  {}\n{}\n\nFIX {}: {}\n",
            view.check, view.title, view.said, args.number, chosen.title
        );
        one(&mut shown, &FixView::of(chosen));
        return crate::apply::apply(args, chosen, shown, (view.check, &view.fingerprint));
    }
    let end = if view.fixes.is_empty() { End::Found } else { End::Good };
    match args.output {
        Answer::Json => Ok((json(&view)?, end)),
        Answer::Text => Ok((told(&view), end)),
    }
}

/// The one finding that is meant.
fn find<'r>(report: &'r Report, args: &args::Fix, subject: Option<&Subject>) -> Result<&'r Finding, Stop> {
    let wanted = args.finding.as_str();
    let is_print = wanted.len() >= 6 && wanted.chars().all(|c| c.is_ascii_hexdigit());
    let fits = |one: &&Finding| {
        let named = match is_print {
            true => one.fingerprint().starts_with(&wanted.to_ascii_lowercase()),
            false => one.check == wanted,
        };
        named
            && subject.is_none_or(|subject| one.subject.as_ref() == Some(subject))
            && args
                .object
                .as_ref()
                .is_none_or(|name| one.object.as_ref().is_some_and(|own| own.name == *name))
    };
    let found: Vec<&Finding> =
        report.checks.iter().flat_map(|judged| &judged.findings).filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Stop(format!(
            "nothing is found that is called {}; `posture scan -o json` has each finding's fingerprint",
            shown(wanted)
        ))),
        several => {
            let mut text =
                format!("{} findings are called {}; name one of them:", several.len(), shown(wanted));
            for one in several.iter().take(LISTED) {
                let print: String = one.fingerprint().chars().take(12).collect();
                text.push_str(&format!("\n  {print}  {}  {}", one.check, one.said));
            }
            Err(Stop(text))
        }
    }
}

/// A profile for what a person or group holds by the binding that proves it; none: it is about no such thing.
fn profile(ground: &Ground<'_>, finding: &Finding, cluster: &str) -> Option<Result<Draft, String>> {
    let subject = finding.subject.as_ref().filter(|subject| subject.as_account().is_none())?;
    let binding = finding.evidence.iter().find_map(|one| one.binding.as_ref())?;
    Some(draft(ground, binding, subject, cluster, None).map_err(|why| why.to_string()))
}

/// One file for each change, in the order they are to be made.
fn write(folder: &Path, fix: &Fix) -> Result<(), Stop> {
    for (at, patch) in fix.patches.iter().enumerate() {
        crate::write::write(&patch.yaml, &folder.join(format!("fix-{}.yaml", at + 1)))?;
    }
    for (at, yaml) in fix.undo.iter().enumerate() {
        crate::write::write(yaml, &folder.join(format!("undo-{}.yaml", at + 1)))?;
    }
    Ok(())
}

fn told(view: &FixesView) -> String {
    let mut text = format!("{}  {}\n{}\n\nAdvice: {}\n", view.check, view.title, view.said, view.advice);
    for note in &view.notes {
        text.push_str(&format!("Note: {note}\n"));
    }
    for (at, fix) in view.fixes.iter().enumerate() {
        text.push_str(&format!("\nFIX {}: {}\n", at + 1, fix.title));
        one(&mut text, fix);
    }
    if let Some(profile) = &view.profile {
        text.push_str("\nINSTEAD, A PROFILE\n");
        match (&profile.yaml, &profile.refused) {
            (Some(yaml), _) => {
                text.push_str(&indented(yaml));
                profile.notes.iter().for_each(|note| text.push_str(&format!("  {note}\n")));
            }
            (None, Some(why)) => text.push_str(&format!("  None is drafted: {}\n", shown(why))),
            (None, None) => {}
        }
    }
    text
}

fn indented(yaml: &str) -> String {
    yaml.lines().map(|line| format!("    {line}\n")).collect()
}

fn one(text: &mut String, fix: &FixView) {
    for (at, patch) in fix.patches.iter().enumerate() {
        let file = format!("fix-{}.yaml", at + 1);
        text.push_str(&format!("  {file}:\n{}", indented(&patch.yaml)));
        text.push_str(&format!("  try:   {} --dry-run=server -f {file}\n", patch.command));
        text.push_str(&format!("  apply: {} -f {file}\n", patch.command));
    }
    let effect = &fix.effect;
    text.push_str(&format!("  Effect: {}\n", effect.outcome));
    for one in &effect.closes {
        text.push_str(&format!("    {one}\n"));
    }
    if effect.loses.is_empty() {
        text.push_str("    Nobody loses a right.\n");
    }
    for loss in effect.loses.iter().take(LISTED) {
        let used = loss.used.as_deref().unwrap_or("whether it was used lately is not known");
        text.push_str(&format!(
            "    {} loses {} ({used}):\n",
            shown(&loss.said),
            count(loss.rights.len(), "right")
        ));
        for right in loss.rights.iter().take(LISTED) {
            text.push_str(&format!("      {}\n", words::shown(right)));
        }
        if loss.rights.len() > LISTED {
            text.push_str(&format!("      … and {} more\n", loss.rights.len() - LISTED));
        }
    }
    if effect.loses.len() > LISTED {
        text.push_str(&format!("    … and {} more subjects\n", effect.loses.len() - LISTED));
    }
    if !effect.also_gone.is_empty() {
        text.push_str(&format!(
            "    {} gone with it.\n",
            match effect.also_gone.len() {
                1 => "1 other finding is".to_owned(),
                many => format!("{many} other findings are"),
            }
        ));
    }
    effect.warnings.iter().for_each(|one| text.push_str(&format!("    Warning: {one}\n")));
    effect.gaps.iter().for_each(|one| text.push_str(&format!("    Not known: {one}\n")));
}
