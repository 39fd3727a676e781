//! What is good to know before a profile is changed by hand: who keeps it, and that its editor may profit. Pure.

use sallyport_hub::ProfileRights;
use sallyport_model::{clip, visible};
use serde_json::Value;

/// What programs that keep objects as they stand in git leave on them: a label, an annotation, or the name they write under.
const KEEPERS: [(&str, &[&str], &[&str]); 4] = [
    ("Argo CD", &["argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id"], &["argocd"]),
    (
        "Flux",
        &["kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"],
        &["kustomize-controller", "helm-controller", "flux"],
    ),
    ("Helm", &["meta.helm.sh/release-name"], &["helm"]),
    ("Config Sync", &["configsync.gke.io/resource-id", "configmanagement.gke.io/managed"], &["configsync"]),
];

/// Who keeps the object in line with what stands elsewhere, and by what that is known.
pub(super) fn keeper(stored: &Value) -> Option<String> {
    let metadata = &stored["metadata"];
    let marks = ["labels", "annotations"];
    for (keeper, names, managers) in KEEPERS {
        let mark = names.iter().find_map(|name| {
            let value = marks.iter().find_map(|place| metadata[place][name].as_str())?;
            Some(format!("{name}: {}", clip(&visible(value), 80)))
        });
        let fields = metadata["managedFields"].as_array().into_iter().flatten();
        let writer = fields
            .filter_map(|entry| entry["manager"].as_str())
            .find(|writer| managers.iter().any(|manager| is_by(writer, manager)))
            .map(|writer| format!("written by {}", clip(&visible(writer), 80)));
        if let Some(by) = mark.or(writer) {
            return Some(format!(
                "It is kept by {keeper} ({by}): its next sync may undo what is changed here. Copy the text into a pull request instead."
            ));
        }
    }
    None
}

/// A field manager's name is the program's own, or begins with it.
fn is_by(writer: &str, manager: &str) -> bool {
    writer == manager || writer.strip_prefix(manager).is_some_and(|rest| rest.starts_with('-'))
}

/// That its editor may ask or say yes under it.
pub(super) fn own(rights: ProfileRights) -> Option<String> {
    let what = match (rights.request, rights.approve) {
        (true, true) => "ask for this profile and approve it",
        (true, false) => "ask for this profile",
        (false, true) => "approve this profile",
        (false, false) => return None,
    };
    Some(format!(
        "You may {what} yourself, and the hub takes no change of a profile from whoever may: somebody else has to apply it."
    ))
}

#[cfg(test)]
mod tests;
