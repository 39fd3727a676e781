use super::*;
use crate::exceptions::Excepting;
use sallyport_posture::fleet::{self, Around, Limits, Traits};
use sallyport_posture::path::Goal;
use sallyport_posture::{Ground, fix};

const HOSTILE: &str =
    "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='x\u{202e}\u{0}&amp;";

/// A folder in which every name that may be anything is hostile, and what is read of it.
fn reading() -> sallyport_scan::Reading {
    let dir = tempfile::tempdir().unwrap();
    let name = serde_json::Value::from(HOSTILE).to_string();
    let yaml = format!(
        r#"apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: ci}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}}}
rules:
- {{apiGroups: [""], resources: [serviceaccounts/token, {name}], verbs: [create, {name}]}}
- {{apiGroups: ["*"], resources: ["*"], verbs: [list, {name}], resourceNames: [{name}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: all}}
rules:
- {{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {name}, namespace: ci}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}
subjects:
- {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: {name}}}
- {{kind: ServiceAccount, name: {name}, namespace: {name}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}}
subjects:
- {{kind: ServiceAccount, name: {name}, namespace: ci}}
- {{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}
"#
    );
    std::fs::write(dir.path().join("all.yaml"), yaml).unwrap();
    sallyport_scan::folder(dir.path(), &sallyport_scan::Whole::default()).unwrap()
}

fn hostile(clusters: usize) -> String {
    let mut reading = reading();
    reading.source = HOSTILE.to_owned();
    reading.user = Some(HOSTILE.to_owned());
    reading.version = Some(HOSTILE.to_owned());
    reading.taken = Some(HOSTILE.to_owned());
    reading.unread = vec![HOSTILE.to_owned()];
    reading.assumed = vec![HOSTILE.to_owned()];
    let snapshot = reading.snapshot();
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let all: Vec<Cluster> = (0..clusters)
        .map(|number| {
            let name = format!("{HOSTILE}{number}");
            let view = ReportView::of(&reading, &report, &Excepting::none(), |kind| snapshot.coverage(kind));
            let findings: Vec<_> = report.checks.iter().flat_map(|one| &one.findings).take(8).collect();
            let around = Around { traits: Traits::of(&ground), ..Around::default() };
            Cluster {
                scanned: Scanned::of(&name, &report, around, |_| false),
                ways: ground
                    .paths(&Goal::ClusterAdmin)
                    .map(|paths| paths.iter().take(4).collect())
                    .unwrap_or_default(),
                many_ways: 9,
                cut: Some(HOSTILE.to_owned()),
                proposed: findings.into_iter().map(|one| fix::propose(&ground, one, None, None)).collect(),
                report: view,
                name,
            }
        })
        .collect();
    let scanned: Vec<Scanned> = all.iter().map(|one| one.scanned.clone()).collect();
    page(&Page {
        weaknesses: fleet::weaknesses(&scanned),
        shared: fleet::shared(&scanned, &[HOSTILE.to_owned()], &Limits::default(), 0),
        coverage: fleet::coverage(&scanned, 3),
        scanned,
        clusters: all.iter().enumerate().map(|(at, one)| Told::of(at, one, clusters == 1)).collect(),
        stale: vec![StaleView {
            check: "EX-01",
            severity: crate::finding::SeverityView::Medium,
            said: HOSTILE.to_owned(),
            fix: "",
            file: HOSTILE.to_owned(),
            line: 1,
        }],
        made: HOSTILE.to_owned(),
    })
}

/// Tags of a page, with what stands in them.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

#[test]
fn p24_no_name_becomes_a_tag_an_attribute_or_hides() {
    for clusters in [1, 2] {
        let page = hostile(clusters);
        assert!(page.matches("alert(1)").count() > 20, "names are told");
        let known = [
            "!doctype",
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "h1",
            "h2",
            "h3",
            "h4",
            "p",
            "main",
            "section",
            "ol",
            "ul",
            "li",
            "div",
            "span",
            "strong",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "bdi",
            "a",
            "br",
            "pre",
            "article",
            "figure",
            "svg",
            "line",
            "circle",
            "text",
            "figcaption",
            "footer",
        ];
        for tag in tags(&page) {
            let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
            assert!(known.contains(&name), "<{tag}>");
            // A title is the one attribute that holds a text of others.
            let own = tag.split(" title=\"").next().unwrap_or_default();
            assert!(!own.contains("alert") && !tag.contains("onload='"), "<{tag}>");
        }
        assert!(!page.contains(['\u{202e}', '\u{0}']), "hidden characters are visible");
        let inside = page.split("<body>").nth(1).unwrap();
        for bad in ["http:", "https:", "src=", "url(", "@import", "javascript:"] {
            let ours = inside.replace("src=x", "");
            assert!(!ours.contains(bad), "nothing is loaded from elsewhere: {bad}");
        }
        assert!(page.contains("default-src 'none'") && !page.contains("<script"));
    }
}

#[test]
fn tags_are_closed() {
    for page in [hostile(1), hostile(3)] {
        for name in [
            "section", "table", "tbody", "tr", "td", "th", "ul", "ol", "li", "p", "bdi", "span", "svg",
            "figure", "article", "pre", "div", "a",
        ] {
            let open =
                page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
            assert_eq!(open, page.matches(&format!("</{name}>")).count(), "{name}");
        }
    }
}
