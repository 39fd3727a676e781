use crate::{Reading, ScanError, Whole, folder};
use sallyport_posture::{Coverage, Kind};
use std::path::Path;

fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    dir
}

fn read(files: &[(&str, &str)]) -> Reading {
    folder(written(files).path(), &Whole::default()).unwrap()
}

fn refused(path: &Path) -> String {
    folder(path, &Whole::default()).unwrap_err().to_string()
}

const ROLE: &str = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}";

#[test]
fn documents_lists_and_lists_of_lists_are_taken_apart() {
    let many = format!(
        "{ROLE}\n---\n# nothing\n---\nkind: List\napiVersion: v1\nitems:\n- {ROLE}\n- kind: RoleList\n  apiVersion: \
         rbac.authorization.k8s.io/v1\n  items: [{{metadata: {{name: x, namespace: n}}}}]\n---\nreplicas: 3\n---\n\
         {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}}}\n"
    );
    let reading = read(&[
        ("a/b.yml", &many),
        (
            "c.json",
            "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"}}",
        ),
        ("notes.txt", "{{"),
    ]);
    let counts = reading.counts();
    assert_eq!((counts[&Kind::ClusterRole], counts[&Kind::Role], counts[&Kind::Pod]), (2, 1, 1));
    assert_eq!(reading.files[&("Role".to_owned(), "n".to_owned(), "x".to_owned())], "a/b.yml");
    assert!(reading.unread.is_empty(), "{:?}", reading.unread);
    // A group that is not Kubernetes' own has kinds of the same name.
    let other = "apiVersion: example.com/v1\nkind: Role\nmetadata: {name: r}";
    let dir = written(&[("a.yaml", other)]);
    assert!(refused(dir.path()).contains("holds no object"));
    let nearly = format!(
        "{ROLE}\n---\napiVersion: authorization.openshift.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: b}}"
    );
    let reading = read(&[("a.yaml", &nearly)]);
    assert!(reading.unread[0].contains("which is not read"), "{:?}", reading.unread);
}

#[test]
fn p21_nothing_is_whole_where_nothing_is_or_links_were_left_out() {
    let all = Whole(Kind::ALL.iter().copied().collect());
    let dir = written(&[("b.yaml", "replicas: 1")]);
    assert!(folder(dir.path(), &all).is_err(), "the wrong folder");
    let dir = written(&[("a.yaml", ROLE)]);
    std::os::unix::fs::symlink(dir.path().join("a.yaml"), dir.path().join("b.yaml")).unwrap();
    let snapshot = folder(dir.path(), &all).unwrap().snapshot();
    assert!(matches!(snapshot.coverage(Kind::ClusterRole), Coverage::Cut(_)));
}

#[test]
fn p21_what_no_file_holds_is_not_known() {
    let reading = read(&[("a.yaml", ROLE)]);
    let snapshot = reading.snapshot();
    assert!(matches!(snapshot.coverage(Kind::ClusterRole), Coverage::Cut(_)));
    assert_eq!(snapshot.coverage(Kind::Role), Coverage::NotAsked);
    let dir = written(&[("a.yaml", ROLE)]);
    let whole = folder(dir.path(), &Whole(Kind::RBAC.iter().copied().collect())).unwrap().snapshot();
    assert_eq!(whole.coverage(Kind::ClusterRole), Coverage::Read);
    assert_eq!(whole.coverage(Kind::Role), Coverage::Read);
    assert_eq!(whole.coverage(Kind::Pod), Coverage::NotAsked);
}

#[test]
fn cluster_admin_is_known_where_files_bind_it_alone() {
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: \
                   {kind: ClusterRole, name: cluster-admin}\n";
    let reading = read(&[("a.yaml", binding)]);
    assert_eq!((reading.counts()[&Kind::ClusterRole], reading.assumed.len()), (1, 1));
    assert!(matches!(reading.coverage[&Kind::ClusterRole], Coverage::Cut(_)));
    let own = ROLE.replace("name: r", "name: cluster-admin");
    let held = read(&[("a.yaml", binding), ("b.yaml", &own)]);
    assert_eq!((held.counts()[&Kind::ClusterRole], held.assumed.len()), (1, 0), "theirs, whatever it says");
    let dir = written(&[("a.yaml", binding)]);
    let whole = folder(dir.path(), &Whole(Kind::RBAC.iter().copied().collect())).unwrap();
    assert!(whole.assumed.is_empty(), "there is none");
}

#[test]
fn p21_a_file_that_can_not_be_read_may_hold_anything() {
    for broken in
        ["{{ template }}\n a", "a: [1", "a: 1\na: 2", "\u{0}", "kind: List\nitems: 3\napiVersion: v1"]
    {
        let dir = written(&[("a.yaml", ROLE), ("b.yaml", broken)]);
        let reading = folder(dir.path(), &Whole(Kind::ALL.iter().copied().collect())).unwrap();
        assert_eq!(reading.unread.len(), 1, "{broken}: {:?}", reading.unread);
        assert!(Kind::ALL.iter().all(|kind| matches!(reading.coverage[kind], Coverage::Cut(_))), "{broken}");
    }
    let dir = written(&[("a.yaml", "token: s3cret\n  - : [")]);
    let reading = folder(dir.path(), &Whole::default()).unwrap();
    assert!(!format!("{:?}", reading.unread).contains("s3cret"), "{:?}", reading.unread);
}

#[test]
fn bombs_and_depths_cost_little() {
    let begun = std::time::Instant::now();
    let row =
        |own: char, other: char| format!("{own}: &{own} [{}]\n", vec![format!("*{other}"); 9].join(","));
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        ('b'..='i').zip('a'..).map(|(own, other)| row(own, other)).collect::<String>()
    );
    let deep = format!("a: {}", "[".repeat(200_000));
    let deep_json = "[".repeat(200_000);
    let lists =
        format!("{}{}", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[".repeat(60), "]}".repeat(60));
    let dir = written(&[
        ("a.yaml", &bomb),
        ("b.yaml", &deep),
        ("c.json", &deep_json),
        ("d.json", &lists),
        ("e.yaml", ROLE),
    ]);
    let reading = folder(dir.path(), &Whole::default()).unwrap();
    assert_eq!(reading.unread.len(), 4, "{:?}", reading.unread);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn links_are_not_followed_and_paths_are_shown_as_they_are() {
    let outside = written(&[("a.yaml", ROLE)]);
    let dir = written(&[("b.yaml", "replicas: 1")]);
    std::os::unix::fs::symlink(outside.path(), dir.path().join("out")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("a.yaml"), dir.path().join("a.yaml")).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("round")).unwrap();
    assert!(refused(dir.path()).contains("holds no object"), "{}", refused(dir.path()));
    assert!(refused(Path::new("/nonexistent/\u{202e}x")).starts_with("/nonexistent/⟨U+202E⟩x can't be read"));
}

#[test]
fn a_kept_snapshot_is_read_as_it_was_and_refused_when_it_is_not() {
    let mut reading = read(&[("a.yaml", ROLE)]);
    reading.server = Some((1, 37));
    reading.coverage.insert(Kind::Pod, Coverage::Forbidden("list pods".to_owned()));
    let dir = written(&[("kept.json", &reading.to_json().unwrap())]);
    let path = dir.path().join("kept.json");
    let again = folder(&path, &Whole::default()).unwrap();
    assert_eq!(again.coverage, reading.coverage);
    assert_eq!((again.server, again.counts()), (reading.server, reading.counts()));
    // --whole can't make it say more than it read.
    let whole = folder(&path, &Whole(Kind::ALL.iter().copied().collect())).unwrap();
    assert_eq!(whole.coverage, reading.coverage);
    let edited = |from: &str, to: &str| {
        let text = reading.to_json().unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        refused(&path)
    };
    assert!(edited("\"count\": 1", "\"count\": 2").contains("says that it has 2 objects and has 1"));
    assert!(edited("v1alpha3", "v9").contains("it is posture.sallyport.dev/v9"));
    // One of a version before lacks what that did not read.
    for before in ["v1alpha1", "v1alpha2"] {
        std::fs::write(&path, reading.to_json().unwrap().replace("v1alpha3", before)).unwrap();
        assert_eq!(folder(&path, &Whole::default()).unwrap().coverage, reading.coverage);
    }
    assert!(edited("\"coverage\"", "\"more\": 1, \"coverage\"").contains("it was edited"));
    assert!(edited("\"kind\": \"ClusterRole\"", "\"kind\": \"Door\"").contains("does not look at"));
    std::fs::write(dir.path().join("kept.json"), reading.to_json().unwrap()).unwrap();
    std::fs::write(dir.path().join("other.yaml"), ROLE).unwrap();
    let error = folder(dir.path(), &Whole::default()).unwrap_err();
    assert!(
        matches!(&error, ScanError::Snapshot { why, .. } if why.contains("among other files")),
        "{error}"
    );
}

/// Of a template no more is kept than of a pod: whom it runs as, and the tokens it asks for.
#[test]
fn of_workloads_nothing_is_kept_that_may_hold_a_secret() {
    let pod = "      serviceAccountName: bot
      nodeName: HIDDEN
      containers: [{name: HIDDEN, image: HIDDEN, args: [HIDDEN], env: [{name: A, value: HIDDEN}]}]
      volumes:
      - {name: HIDDEN, configMap: {name: HIDDEN}}
      - name: HIDDEN
        projected:
          sources:
          - {serviceAccountToken: {audience: vault, expirationSeconds: 7200, path: HIDDEN}}
          - {secret: {name: HIDDEN}}
";
    let deployment = format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: app, annotations: {{note: HIDDEN}}}}
spec:
  selector: {{matchLabels: {{HIDDEN: HIDDEN}}}}
  template:
    metadata: {{annotations: {{note: HIDDEN}}, labels: {{a: HIDDEN}}}}
    spec:
{pod}"
    );
    let owned = format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: app
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-x, uid: u-1, controller: true, more: HIDDEN}}]
spec:
{pod}
      - name: kube-api-access-abc
        projected: {{sources: [{{serviceAccountToken: {{expirationSeconds: 3607, path: token}}}}]}}
"
    );
    let reading = read(&[("a.yaml", &deployment), ("b.yaml", &owned)]);
    let kept = reading.to_json().unwrap();
    assert!(!kept.contains("HIDDEN"), "{kept}");
    for (reading, how) in [(reading, "read"), (crate::Reading::from_json(&kept).unwrap(), "kept")] {
        let snapshot = reading.snapshot();
        let (workload, pod) = (&snapshot.workloads[0], &snapshot.pods[0]);
        assert_eq!((workload.account.as_str(), workload.kind), ("bot", Kind::Deployment), "{how}");
        assert_eq!((workload.tokens.len(), workload.tokens[0].seconds), (1, 7200), "{how}");
        assert_eq!(pod.tokens, workload.tokens, "the API server's own is told by another field, {how}");
        let maker = pod.controller.as_ref().unwrap();
        assert_eq!((maker.kind.as_str(), maker.uid.as_deref()), ("ReplicaSet", Some("u-1")), "{how}");
    }
}
