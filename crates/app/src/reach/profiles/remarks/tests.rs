use super::*;
use serde_json::json;

#[test]
fn whoever_keeps_it_in_git_is_named_with_the_mark_they_left() {
    for (metadata, keeper, by) in [
        (
            json!({"annotations": {"argocd.argoproj.io/tracking-id": "hub:access/x"}}),
            "Argo CD",
            "tracking-id: hub:access/x",
        ),
        (
            json!({"managedFields": [{"manager": "kubectl"}, {"manager": "argocd-controller"}]}),
            "Argo CD",
            "written by argocd-controller",
        ),
        (json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "profiles"}}), "Flux", "name: profiles"),
        (
            json!({"managedFields": [{"manager": "kustomize-controller"}]}),
            "Flux",
            "written by kustomize-controller",
        ),
        (
            json!({"annotations": {"meta.helm.sh/release-name": "sallyport\u{202e}"}}),
            "Helm",
            "sallyport⟨U+202E⟩",
        ),
        (json!({"managedFields": [{"manager": "helm"}]}), "Helm", "written by helm"),
    ] {
        let said = super::keeper(&json!({"metadata": metadata})).unwrap();
        assert!(said.contains(&format!("kept by {keeper}")) && said.contains(by), "{said}");
        assert!(said.contains("pull request"));
    }
    for metadata in [
        json!({}),
        json!({"managedFields": [{"manager": "kubectl-client-side-apply"}, {"manager": "helmsman"}, {"manager": "sallyport-desktop"}]}),
        json!({"labels": {"app.kubernetes.io/instance": "x"}}),
        json!({"managedFields": "odd", "labels": []}),
    ] {
        assert_eq!(super::keeper(&json!({"metadata": metadata})), None, "{metadata}");
    }
}

#[test]
fn an_editor_who_may_profit_is_told_so() {
    let rights = |request, approve| ProfileRights { request, approve, revoke: true };
    assert!(own(rights(true, false)).unwrap().contains("may ask for this profile yourself"));
    assert!(own(rights(false, true)).unwrap().contains("may approve this profile yourself"));
    assert!(own(rights(true, true)).unwrap().contains("ask for this profile and approve it"));
    assert_eq!(own(rights(false, false)), None);
}
