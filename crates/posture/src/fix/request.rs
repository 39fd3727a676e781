//! The text of a pull request, for whoever keeps these objects in a repository. Names from outside stand in code, so that
//! none is taken for a link or a mention.

use crate::change::Patch;
use crate::check::Finding;
use crate::effect::{Effect, Lately, Outcome, Source};
use crate::ground::said;
use crate::said::{capital, count};

/// Lines of one list.
const TOLD: usize = 20;

/// A pull request in Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
}

/// In code whatever stands in it: no run of backticks inside is as long as the fence.
fn code(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

pub(super) fn of(finding: &Finding, title: &str, patches: &[Patch], effect: &Effect) -> PullRequest {
    let mut body = format!("{} ({})\n", code(&finding.said), finding.check);
    let list = |body: &mut String, title: &str, lines: &[String]| {
        if lines.is_empty() {
            return;
        }
        body.push_str(&format!("\n**{title}**\n\n"));
        for line in lines.iter().take(TOLD) {
            body.push_str(&format!("- {line}\n"));
        }
        if lines.len() > TOLD {
            body.push_str(&format!("- … and {} more\n", lines.len() - TOLD));
        }
    };
    let proof: Vec<String> = finding
        .evidence
        .iter()
        .map(|one| {
            let role = code(&crate::change::named(&one.role));
            let rule = one.rule.map_or(String::new(), |rule| format!(", rule {}", rule + 1));
            match &one.binding {
                Some(binding) => format!("{} gives {role}{rule}", code(&crate::change::named(binding))),
                None => format!("{role}{rule}, once it is bound"),
            }
        })
        .collect();
    list(&mut body, "What proves it", &proof);
    list(&mut body, "What this changes", &patches.iter().map(|one| code(&one.said)).collect::<Vec<_>>());
    let mut effects = Vec::new();
    for one in &effect.losses {
        let lately = lately(&one.lately);
        effects.push(format!(
            "{} loses {}: {}{lately}",
            code(&capital(&said(&one.loss.subject))),
            count(one.said.len(), "right"),
            code(&one.said.join("; "))
        ));
    }
    if effect.losses.is_empty() {
        effects.push("Nobody loses a right.".to_owned());
    }
    list(&mut body, "Who loses what", &effects);
    let outcome = match effect.outcome {
        Some(Outcome::Gone) => "The finding is gone with it.",
        Some(Outcome::Lesser(_)) => "The finding is less with it, and not gone.",
        Some(Outcome::Still) => "The finding stays, but a way to more is closed.",
        None => "",
    };
    if !outcome.is_empty() {
        body.push_str(&format!("\n{outcome}\n"));
    }
    list(&mut body, "Before you merge", &effect.warnings.iter().map(|one| code(one)).collect::<Vec<_>>());
    list(&mut body, "Not known", &effect.gaps.iter().map(|one| code(one)).collect::<Vec<_>>());
    body.push_str("\n```yaml\n");
    // No line of ours begins with backticks, and names are escaped.
    body.push_str(&patches.iter().map(|one| one.yaml.as_str()).collect::<Vec<_>>().join("---\n"));
    body.push_str("```\n");
    PullRequest { title: title.replace('`', "'"), body }
}

/// When it was used last. Whose calls those were is left out: this text goes to a repository.
fn lately(lately: &Lately) -> String {
    let by = |source: &Source| match source {
        Source::History => "sessions of one desktop",
        Source::AuditLog => "the audit events of an archive",
    };
    match lately {
        Lately::NotKnown => String::new(),
        Lately::NotSince { since, source, .. } => {
            format!("; not used since {}, as far as {} tell", crate::when::date(*since), by(source))
        }
        Lately::At { at, times, source, .. } => {
            let calls = count(usize::try_from(*times).unwrap_or(usize::MAX), "call");
            format!("; **used last on {} ({calls})**, by {}", crate::when::date(*at), by(source))
        }
    }
}
