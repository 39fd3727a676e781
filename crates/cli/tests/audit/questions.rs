//! What is asked of an archive: what an answer must not pass over in silence, double or take for something else.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::{Plane, PlaneOptions};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
";

#[tokio::test(flavor = "multi_thread")]
async fn who_removed_a_namespace_and_a_kind_is_what_a_real_api_server_wrote() -> Result<()> {
    let plane = Plane::start(PlaneOptions::new("questions")).await?;
    let kubectl = plane.kubectl();
    let dir = tempfile::tempdir()?;
    let crd = dir.path().join("crd.yaml");
    fs::write(&crd, CRD)?;
    let crd = crd.to_str().context("a path that is no text")?;
    for args in [
        &["create", "namespace", "payments"][..],
        &["create", "namespace", "shop"],
        &["-n", "payments", "create", "configmap", "checkout", "--from-literal=a=b"],
        &["-n", "payments", "get", "secrets"],
        &["create", "-f", crd],
        &["delete", "--wait=false", "crd", "widgets.example.com"],
        &["delete", "--wait=false", "namespace", "payments"],
    ] {
        kubectl.ok(args).await?;
    }
    // A WebSocket's exec, of a pod that is not there.
    kubectl
        .run(&["get", "--raw", "/api/v1/namespaces/payments/pods/none/exec?command=id&stdout=true"])
        .await?;
    let archive = dir.path().join("archive");
    let archive = archive.to_str().context("a path that is no text")?;
    let log = plane.audit_log().context("the plane keeps an audit log")?;
    let log = log.to_str().context("a path that is no text")?;
    let import = audit(&["import", "--archive", archive, "--cluster", "eu-1", log]).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    for (object, how) in [
        (&["namespaces", "payments"][..], &["named"][..]),
        (&["namespaces", "payments", "-n", "payments"], &["named"]),
        (&["namespaces", "shop"], &[]),
        (&["configmaps", "checkout", "-n", "payments"], &["namespace"]),
        (&["widgets.example.com", "one", "-n", "shop"], &["kind"]),
        (&["gadgets.example.com", "one", "-n", "shop"], &[]),
    ] {
        let ran = audit(&[&["who-deleted", "--archive", archive, "-o", "json"][..], object].concat()).await?;
        ensure!(ran.code == i32::from(how.is_empty()), "{object:?}: {} {}", ran.code, ran.err);
        let said = ran.json()?;
        let deletions = said["deletions"].as_array().context("deletions")?;
        // The controllers' own calls (the namespace's collections) are ways as well.
        let ways: Vec<&Value> =
            deletions.iter().map(|one| &one["how"]).filter(|how| *how != "collection").collect();
        ensure!(ways == how.iter().collect::<Vec<_>>(), "{object:?}: {said}");
    }

    // Of several resources each counts with what was said of it.
    let count = async |args: &[&str]| -> Result<u64> {
        let ran = audit(&[&["query", "--archive", archive, "--count"][..], args].concat()).await?;
        Ok(ran.out.lines().next().unwrap_or_default().parse()?)
    };
    let secrets = count(&["--resource", "secrets"]).await?;
    let exec = count(&["--resource", "pods/exec"]).await?;
    ensure!(secrets >= 1 && exec == 1, "{secrets} {exec}");
    let both = count(&["--resource", "secrets", "--resource", "pods/exec"]).await?;
    ensure!(both == secrets + exec, "{both} of {secrets} and {exec}");
    ensure!(count(&["--resource", "pods/", "--name", "none"]).await? == 0, "an exec is not the pod");

    // The API server's own watches have begun, and are not over.
    let watches = audit(&["query", "--archive", archive, "--verb", "watch", "-o", "json"]).await?.json()?;
    let every = count(&["--verb", "watch", "--all-stages"]).await?;
    let over = watches["calls"].as_array().context("calls")?.len() as u64;
    ensure!(watches["begun"].as_u64() == Some(every - over), "{every} {watches}");
    ensure!(
        count(&["--verb", "watch", "--stage", "response-started"]).await? == every - over,
        "{every} {over}"
    );
    Ok(())
}

/// A line of an audit log.
pub(super) fn event(id: &str, stage: &str, fields: &Value) -> String {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id, "stage": stage,
        "requestURI": "/api/v1/namespaces/pay/pods/web", "verb": "get", "user": {"username": "ada"},
        "objectRef": {"resource": "pods", "namespace": "pay", "name": "web", "apiVersion": "v1"},
        "requestReceivedTimestamp": "2026-11-29T12:00:00.000000Z", "stageTimestamp": "2026-11-29T12:00:00.001000Z",
    });
    if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object()) {
        event.extend(fields.clone());
    }
    event.to_string()
}

pub(super) async fn imported(dir: &Path, lines: &[String]) -> Result<String> {
    let text = |name: &str| dir.join(name).to_str().map(str::to_owned).context("a path that is no text");
    let (archive, log) = (text("archive")?, text("a.log")?);
    fs::write(&log, lines.join("\n") + "\n")?;
    let ran = audit(&["import", "--archive", &archive, "--cluster", "eu-1", &log]).await?;
    ensure!(ran.code < 2, "{} {}", ran.out, ran.err);
    Ok(archive)
}

#[tokio::test]
async fn a_call_is_told_once_and_one_that_goes_on_is_not_passed_over() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let ok = json!({"responseStatus": {"code": 200}});
    let exec = json!({
        "verb": "create", "responseStatus": {"code": 101},
        "requestURI": "/api/v1/namespaces/pay/pods/web/exec?command=id",
        "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "pay", "name": "web", "apiVersion": "v1"},
    });
    let lines = [
        event("a-1", "RequestReceived", &json!({})),
        event("a-1", "ResponseComplete", &ok),
        event("a-2", "RequestReceived", &json!({})),
        event("a-2", "ResponseComplete", &ok),
        event("a-3", "ResponseStarted", &exec),
    ];
    let archive = imported(dir.path(), &lines).await?;
    let ran = async |args: &[&str]| audit(&[&["query", "--archive", &archive][..], args].concat()).await;
    ensure!(ran(&["--count"]).await?.out == "2\n", "each once");
    ensure!(ran(&["--count", "--all-stages"]).await?.out == "5\n", "each event");
    ensure!(ran(&["--count", "--stage", "request-received"]).await?.out == "2\n", "those that arrived");
    let by = ran(&["--by", "verb", "-o", "json"]).await?.json()?;
    ensure!(by["by"] == json!([{"text": "get", "calls": 2}]) && by["begun"] == 3, "{by}");
    let going_on = ran(&["--resource", "pods/exec"]).await?;
    ensure!(
        going_on.code == 0 && going_on.out.contains("1 more say only that a call began"),
        "{}",
        going_on.out
    );
    let shown = ran(&["--resource", "pods/exec", "--all-stages"]).await?;
    ensure!(shown.out.contains("create pods/exec pay/web: id  (began)"), "{}", shown.out);
    let shown = ran(&["--all-stages", "-o", "json"]).await?.json()?;
    let stages: Vec<&Value> =
        shown["calls"].as_array().context("calls")?.iter().map(|call| &call["stage"]).collect();
    ensure!(
        stages
            == [
                "ResponseStarted",
                "ResponseComplete",
                "RequestReceived",
                "ResponseComplete",
                "RequestReceived"
            ],
        "{shown}"
    );
    Ok(())
}

#[tokio::test]
async fn a_deletion_that_breaks_off_or_evicts_is_told_and_so_is_what_is_left_out() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let delete =
        event("b-1", "ResponseComplete", &json!({"verb": "delete", "responseStatus": {"code": 200}}));
    // As a writer that was killed leaves it, in an API server's order: after the object, before the status.
    let cut = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"b-2","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/pay/pods/web","verb":"delete","user":{"username":"cut"},"sourceIPs":["10.0.0.1"],"objectRef":{"resource":"pods","namespace":"pay","name":"web","apiVersion":"v1"},"responseSta"#.to_owned();
    let eviction = json!({
        "verb": "create", "responseStatus": {"code": 201}, "user": {"username": "drain"},
        "requestURI": "/api/v1/namespaces/pay/pods/web/eviction",
        "objectRef": {"resource": "pods", "subresource": "eviction", "namespace": "pay", "name": "web"},
    });
    let mut lines: Vec<String> = (0..201).map(|n| delete.replace("b-1", &format!("c-{n}"))).collect();
    lines.extend([cut, event("b-3", "ResponseComplete", &eviction)]);
    let archive = imported(dir.path(), &lines).await?;
    let ask = ["who-deleted", "--archive", &archive, "--within", "30", "pods", "web", "-n", "pay"];
    let said = audit(&[&ask[..], &["-o", "json"]].concat()).await?.json()?;
    let deletions = said["deletions"].as_array().context("deletions")?;
    ensure!(deletions.len() == 201 && said["hasMore"] == true && said["isWhole"] == true, "{said}");
    ensure!(
        deletions.iter().any(|one| one["how"] == "evicted" && one["call"]["person"] == "drain"),
        "{said}"
    );
    ensure!(deletions.iter().any(|one| one["call"]["isPartial"] == true), "{said}");
    let begun =
        event("b-4", "RequestReceived", &json!({"verb": "delete", "requestURI": "/api/v1/namespaces/pay"}));
    let begun = begun.replace("\"web\"", "\"other\"");
    let other = tempfile::tempdir()?;
    let other = imported(other.path(), &[begun]).await?;
    let none = audit(&["who-deleted", "--archive", &other, "pods", "other", "-n", "pay"]).await?;
    ensure!(none.code == 1 && none.out.contains("1 events say that a call"), "{}", none.out);
    let text = audit(&ask).await?.out;
    ensure!(text.contains("There are older ones") && text.contains("  (evicted)"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_folder_without_an_archive_is_no_answer_and_stays_as_it_is() -> Result<()> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("notes.txt"), "mine")?;
    let path = dir.path().to_str().context("a path that is no text")?;
    for ask in [&["query"][..], &["query", "--count"], &["who-deleted", "pods", "web"], &["status"]] {
        let ran = audit(&[ask, &["--archive", path]].concat()).await?;
        ensure!(
            ran.code == 2 && ran.err.contains("there is no archive in"),
            "{ask:?}: {} {}",
            ran.code,
            ran.err
        );
    }
    ensure!(fs::read_dir(dir.path())?.count() == 1, "something was left there");
    Ok(())
}

/// P24: what a log says reaches no terminal as it is, whatever the output.
#[tokio::test]
async fn p24_hidden_characters_are_escaped_in_every_output() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let evil = "evil\u{9b}2J\u{202e}gnp\u{2028}\u{2066}\u{7f}ä";
    let line = event("d-1", "ResponseComplete", &json!({"user": {"username": evil}, "userAgent": evil}));
    let long = format!(
        "/api/v1/namespaces/pay/pods/web/exec?command=sh&command={}&command=curl+evil",
        "x".repeat(5000)
    );
    let exec = event(
        "d-2",
        "ResponseComplete",
        &json!({
            "requestURI": long,
            "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "pay", "name": "web"},
        }),
    );
    let archive = imported(dir.path(), &[line, exec]).await?;
    for args in [
        &["query"][..],
        &["query", "--raw"],
        &["query", "-o", "json"],
        &["query", "--by", "person"],
        &["query", "--by", "person", "-o", "json"],
        &["status", "-o", "json"],
    ] {
        let out = audit(&[args, &["--archive", &archive]].concat()).await?.out;
        let hidden = ['\u{9b}', '\u{202e}', '\u{2028}', '\u{2066}', '\u{7f}'];
        ensure!(!out.contains(hidden), "{args:?}: {out:?}");
        if args.contains(&"json") && !args.contains(&"status") {
            let said: Value = serde_json::from_str(&out)?;
            ensure!(said.to_string().contains(evil), "{args:?} says something else: {said}");
        }
    }
    let raw = audit(&["query", "--raw", "--name", "web", "--archive", &archive]).await?.out;
    let first = raw.lines().find(|line| line.contains("d-1")).context("the event")?;
    ensure!(serde_json::from_str::<Value>(first)?["user"]["username"] == evil, "{first}");

    // What stands behind something long is found and seen.
    let found = audit(&["query", "--archive", &archive, "--text", "curl evil"]).await?;
    ensure!(
        found.code == 0 && found.out.contains("characters left out") && found.out.contains("curl evil"),
        "{}",
        found.out
    );
    Ok(())
}

/// As `export` and the window write them: a call is a line of either form, and nobody's name is a formula.
#[tokio::test]
async fn calls_are_written_for_a_spreadsheet_and_for_a_siem() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let hostile = json!({
        "responseStatus": {"code": 403}, "user": {"username": "=HYPERLINK(1)\u{202e}\r\n@x"},
        "requestURI": "/api/v1/namespaces/pay/pods/web?x=\u{9b}31m",
    });
    let lines = [
        event("a-1", "ResponseComplete", &json!({"responseStatus": {"code": 200}})),
        event("a-2", "RequestReceived", &json!({})),
        event("a-3", "ResponseComplete", &hostile),
    ];
    let archive = imported(dir.path(), &lines).await?;
    let query = async |args: &[&str]| audit(&[&["query", "--archive", &archive][..], args].concat()).await;

    let csv = query(&["-o", "csv"]).await?;
    ensure!(csv.code == 0, "{}", csv.err);
    let rows: Vec<&str> = csv.out.split_terminator("\r\n").collect();
    ensure!(rows.len() == 3 && rows[0].starts_with("sequence,at,action,"), "{}", csv.out);
    ensure!(csv.out.contains("\"'=HYPERLINK(1)⟨U+202E⟩⟨U+000D⟩␊@x\""), "{}", csv.out);
    ensure!(!csv.out.contains(['\u{202e}', '\u{9b}']), "{}", csv.out);
    ensure!(csv.out.contains(",cluster,get,pods,pay,web,200"), "{}", csv.out);
    // What is to be said beside them is said where no program reads lines.
    ensure!(csv.err.contains("1 more say only that a call began"), "{}", csv.err);

    let ocsf = query(&["-o", "ocsf", "--limit", "1"]).await?;
    ensure!(ocsf.code == 0 && ocsf.err.contains("--limit shows more"), "{} {}", ocsf.code, ocsf.err);
    ensure!(ocsf.out.lines().count() == 1 && !ocsf.out.contains(['\u{202e}', '\u{9b}']), "{}", ocsf.out);
    let ocsf = query(&["-o", "ocsf"]).await?;
    let events: Vec<Value> = ocsf.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let refused = events.iter().find(|one| one["http_request"]["uid"] == "a-3").context("the call")?;
    ensure!(refused["class_uid"] == 6003 && refused["status"] == "Failure", "{refused}");
    ensure!(refused["actor"]["user"]["name"] == hostile["user"]["username"], "it says the same: {refused}");
    let raw = refused["unmapped"]["kubernetes"]["event"].as_str().context("the event")?;
    ensure!(serde_json::from_str::<Value>(raw)?["auditID"] == "a-3", "{raw}");

    let none = query(&["-o", "csv", "--name", "none"]).await?;
    ensure!(none.code == 1 && none.out.lines().count() == 1, "{} {}", none.code, none.out);
    for wrong in [&["-o", "csv", "--count"][..], &["-o", "ocsf", "--by", "verb"], &["-o", "csv", "--raw"]] {
        let ran = query(wrong).await?;
        ensure!(
            ran.code == 2 && ran.out.is_empty() && ran.err.contains("one on each line"),
            "{wrong:?}: {}",
            ran.err
        );
    }
    Ok(())
}
