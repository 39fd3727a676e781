//! `sallyport audit` as a process, on the audit log of a real API server.

mod history;
mod keep;
mod pack;
mod propose;
mod questions;
mod reconcile;
mod report;
mod tail;

use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::{Plane, PlaneOptions, Ran};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use tokio::process::Command;

async fn audit(args: &[&str]) -> Result<Ran> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
    command.arg("audit").args(args);
    Ran::of(command).await
}

const SECRET: &str = "s3cret-that-nobody-may-keep";
/// The same as a Secret's data have it: in base64.
const SENT: &str = "czNjcmV0LXRoYXQtbm9ib2R5LW1heS1rZWVw";

#[tokio::test(flavor = "multi_thread")]
async fn p20_what_a_real_api_server_wrote_is_found_again_and_its_secrets_are_not() -> Result<()> {
    let plane = Plane::start(PlaneOptions::new("audit")).await?;
    let kubectl = plane.kubectl();
    for args in [
        &["create", "namespace", "payments"][..],
        &["-n", "payments", "create", "configmap", "checkout", "--from-literal=a=b"],
        &["-n", "payments", "create", "secret", "generic", "card", &format!("--from-literal=key={SECRET}")],
        &["-n", "payments", "get", "configmaps"],
        &["-n", "payments", "get", "secrets", "--as=dana"],
        &["get", "--raw", &format!("/version?token={SECRET}")],
        &["-n", "payments", "delete", "configmap", "checkout"],
    ] {
        kubectl.run(args).await?;
    }
    let log = plane.audit_log().context("the plane keeps an audit log")?;
    let dir = tempfile::tempdir()?;
    let archive = dir.path().join("archive");
    let archive = archive.to_str().context("a path that is no text")?;
    let at = |args: &[&'static str]| -> Vec<&str> { [args, &["--archive", archive]].concat() };

    let none = audit(&at(&["query"])).await?;
    ensure!(none.code == 2 && none.err.contains("audit import"), "{} {}", none.code, none.err);
    // The last call's line is written before its answer is sent, and the file is written as it comes.
    let log = log.to_str().context("a path that is no text")?;
    let import = at(&["import", "--cluster", "eu-1", "-o", "json"]);
    let first = audit(&[&import[..], &[log]].concat()).await?;
    ensure!(first.code == 0, "{} {} {}", first.code, first.out, first.err);
    let first = first.json()?;
    let kept = first["events"].as_u64().context("events")?;
    ensure!(kept >= 7 && first["files"][0]["bad"] == 0, "{first}");
    ensure!(fs::metadata(archive)?.permissions().mode() & 0o77 == 0, "the archive is its owner's alone");

    // Only what the plane wrote since then.
    let again = audit(&[&import[..], &[log]].concat()).await?.json()?;
    ensure!(again["files"][0]["from"] == first["files"][0]["to"], "{again}");

    let deleted =
        audit(&at(&["who-deleted", "configmaps", "checkout", "-n", "payments", "-o", "json"])).await?;
    ensure!(deleted.code == 0, "{}", deleted.err);
    let deleted = deleted.json()?;
    let named: Vec<&Value> = deleted["deletions"]
        .as_array()
        .context("deletions")?
        .iter()
        .filter(|one| one["how"] == "named")
        .collect();
    ensure!(named.len() == 1, "{deleted}");
    let call = &named[0]["call"];
    ensure!(
        call["verb"] == "delete"
            && call["code"] == 200
            && call["cluster"] == "eu-1"
            && call["decision"] == "allow"
            && call["client"].as_str().is_some_and(|client| client.starts_with("kubectl/")),
        "{call}"
    );

    let dana = audit(&at(&["query", "--person", "dana", "--resource", "secrets"])).await?;
    ensure!(dana.code == 0 && dana.out.lines().count() == 1, "{}", dana.out);
    ensure!(
        dana.out.contains("  eu-1  403  ") && dana.out.contains(" as dana  list secrets in payments"),
        "{}",
        dana.out
    );
    let count = audit(&at(&["query", "--count", "--code", "4xx", "--decision", "forbid"])).await?;
    ensure!(count.code == 0 && count.out.trim().parse::<u64>()? >= 1, "{}", count.out);
    let by = audit(&at(&["query", "--by", "verb", "-o", "json"])).await?.json()?;
    let of =
        |verb: &str| by["by"].as_array().and_then(|all| all.iter().find(|one| one["text"] == verb).cloned());
    ensure!(of("create").is_some() && of("list").is_some(), "{by}");
    let nothing = audit(&at(&["query", "--name", "no-such-thing"])).await?;
    ensure!(nothing.code == 1 && nothing.out.contains("Nothing was found"), "{}", nothing.out);

    // The address that was asked for had it, and so had the log.
    ensure!(fs::read_to_string(log)?.contains(SECRET), "the log has the secret");
    let raw = audit(&at(&["query", "--raw", "--all-stages", "--limit", "1000000"])).await?;
    ensure!(raw.out.lines().count() as u64 >= kept && !raw.out.contains(SECRET), "it is in the raw events");
    ensure!(raw.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "each is JSON");
    for entry in fs::read_dir(archive)? {
        let bytes = fs::read(entry?.path())?;
        ensure!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "it is in a file");
    }

    let status = audit(&at(&["status", "--verify", "-o", "json"])).await?;
    ensure!(status.code == 0, "{}", status.out);
    let status = status.json()?;
    ensure!(status["damaged"] == 0 && status["verified"] == status["events"], "{status}");
    ensure!(status["sources"]["eu-1"]["redactions"].as_u64() >= Some(1), "{status}");
    Ok(())
}

/// A real API server takes it, and what it writes then is what is asked for, no more and with no Secret's contents.
#[tokio::test(flavor = "multi_thread")]
async fn p20_the_policy_tells_what_people_and_sessions_do_and_no_secret() -> Result<()> {
    let policy = audit(&["policy"]).await?;
    ensure!(policy.code == 0, "{}", policy.err);
    let mut options = PlaneOptions::new("policy")
        .file_flag("audit-policy-file", "policy-of-ours.yaml", policy.out)
        .flag("--audit-log-path=audit-of-ours.log");
    options.audit_log = false;
    let plane = Plane::start(options).await?;
    let kubectl = plane.kubectl();
    for args in [
        &[
            "create",
            "clusterrolebinding",
            "all",
            "--clusterrole=cluster-admin",
            "--group=system:serviceaccounts",
        ][..],
        &["create", "namespace", "payments"],
        &["create", "namespace", "sallyport-sessions"],
        &["create", "namespace", "ci"],
        &["-n", "sallyport-sessions", "create", "serviceaccount", "s-mfrggzdfmztwq2lk-1796000000"],
        &["-n", "ci", "create", "serviceaccount", "robot"],
        &["-n", "payments", "create", "secret", "generic", "card", &format!("--from-literal=key={SECRET}")],
        &["-n", "payments", "get", "pods"],
    ] {
        kubectl.ok(args).await?;
    }
    // A WebSocket's exec, of a pod that is not there.
    kubectl
        .run(&["get", "--raw", "/api/v1/namespaces/payments/pods/none/exec?command=id&stdout=true"])
        .await?;
    for (namespace, name, makes) in [
        ("sallyport-sessions", "s-mfrggzdfmztwq2lk-1796000000", "of-the-session"),
        ("ci", "robot", "of-the-robot"),
    ] {
        let token = kubectl.ok(&["-n", namespace, "create", "token", name]).await?;
        let account = plane.kubectl_with(&plane.kubeconfig_with_token(token.trim())?);
        account.ok(&["-n", "payments", "get", "services"]).await?;
        account.ok(&["-n", "payments", "create", "service", "clusterip", makes, "--tcp=80"]).await?;
        // Told with what it wrote, but for this: the rule for Secrets comes before the one for sessions.
        let secret = format!("secret-{makes}");
        let value = format!("--from-literal=key={SECRET}");
        account.ok(&["-n", "payments", "create", "secret", "generic", &secret, &value]).await?;
    }
    kubectl.ok(&["get", "--raw", "/livez"]).await?;
    let dir = tempfile::tempdir()?;
    let archive = dir.path().join("archive");
    let archive = archive.to_str().context("a path that is no text")?;
    let log = plane.dir().join("audit-of-ours.log");
    let written = fs::read_to_string(&log)?;
    let probe = |path: &str| format!("\"requestURI\":\"{path}");
    for absent in [SECRET, SENT, "RequestReceived", &probe("/livez"), &probe("/readyz"), &probe("/healthz")] {
        ensure!(!written.contains(absent), "the log says too much: {absent}");
    }
    let of_the_session = written.lines().find(|line| {
        line.contains("\"verb\":\"create\"") && line.contains("\"name\":\"secret-of-the-session\"")
    });
    let of_the_session = of_the_session.context("the session's Secret is told")?;
    ensure!(
        of_the_session.contains("\"level\":\"Metadata\"") && !of_the_session.contains("requestObject"),
        "{of_the_session}"
    );
    let log = log.to_str().context("a path that is no text")?;
    let import = audit(&["import", "--archive", archive, "--cluster", "eu-1", log]).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    let query = async |args: &[&str]| audit(&[&["query", "--archive", archive][..], args].concat()).await;
    let told = [
        (
            true,
            &["--verb", "list", "--resource", "pods", "--person", "kubernetes-admin"][..],
            "a person's read",
        ),
        (true, &["--resource", "pods/exec", "--text", "id"], "an exec of a pod that is not there"),
        (
            true,
            &["--verb", "list", "--resource", "services", "--session", "s-mfrggzdfmztwq2lk-1796000000"],
            "a session's read",
        ),
        (true, &["--verb", "create", "--name", "card"], "that a Secret was made"),
        (true, &["--verb", "create", "--name", "secret-of-the-session"], "that a session made a Secret"),
        (true, &["--verb", "create", "--name", "of-the-robot"], "an account's write"),
        (
            false,
            &["--person", "system:kube-controller-manager", "--verb", "watch", "--resource", "pods"],
            "looks of controllers",
        ),
        (false, &["--resource", "leases.coordination.k8s.io"], "heartbeats"),
        (false, &["--verb", "list", "--person", "system:serviceaccount:ci:robot"], "an account's read"),
    ];
    for (is_told, args, what) in told {
        let ran = query(args).await?;
        ensure!(ran.code == i32::from(!is_told), "{what}: {} {}", ran.out, ran.err);
    }
    // The estimate knows the policy as the API server does: each event was written at the level that it says.
    let estimate = audit(&["policy", "--estimate", "--archive", archive, "-o", "json"]).await?;
    ensure!(estimate.code == 0, "{} {}", estimate.out, estimate.err);
    let estimate = estimate.json()?;
    let rules = estimate["clusters"][0]["rules"].as_array().context("rules")?;
    let of = |rule: &Value, key: &str| rule[key].as_f64().unwrap_or(-1.0);
    ensure!(rules.iter().all(|rule| of(rule, "atAnotherLevel") == 0.0), "{estimate}");
    let none = rules.iter().filter(|rule| rule["level"] == "None");
    ensure!(none.clone().count() >= 4 && none.clone().all(|rule| of(rule, "events") == 0.0), "{estimate}");
    let events: f64 = rules.iter().map(|rule| of(rule, "events")).sum();
    ensure!(of(&estimate["clusters"][0], "events") == events.round() && events > 20.0, "{estimate}");
    // What a cloud would hand on of the same: of every call on AKS, elsewhere all but reads of accounts, of which this
    // policy wrote none.
    for (cloud, is_all) in [("eks", false), ("gke", false), ("aks", true)] {
        let args = ["policy", "--estimate", "--provider", cloud, "--archive", archive, "-o", "json"];
        let ran = audit(&args).await?;
        ensure!(ran.code == 0, "{} {}", ran.out, ran.err);
        let handed_on = ran.json()?;
        let one = &handed_on["clusters"][0];
        let rules = one["rules"].as_array().context("rules")?;
        let sum: f64 = rules.iter().map(|rule| of(rule, "events")).sum();
        ensure!(handed_on["of"] == cloud && (sum - events).abs() < 1.0, "{cloud}: {handed_on}");
        ensure!(
            (!is_all || of(one, "leftOutPerDay") == 0.0) && of(one, "bytesPerDay") > 0.0,
            "{cloud}: {handed_on}"
        );
    }
    // With what was written, where a session or rights are concerned; else without.
    for (name, with_body) in
        [("all", true), ("of-the-session", true), ("secret-of-the-session", false), ("card", false)]
    {
        let raw = query(&["--verb", "create", "--name", name, "--raw"]).await?.out;
        ensure!(raw.contains("requestObject") == with_body, "{name}: {raw}");
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_its_place_and_the_rest_is_kept() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let text =
        |name: &str| dir.path().join(name).to_str().map(str::to_owned).context("a path that is no text");
    let (archive, logs, damaged) = (text("archive")?, text("logs")?, text("archive-2")?);
    fs::create_dir(&logs)?;
    let event = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{"username":"evil\u202e\u001b[2Jgnp"},"objectRef":{"resource":"pods","apiVersion":"v1"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-29T12:00:00.000000Z","stageTimestamp":"2026-11-29T12:00:00.001000Z"}"#;
    fs::write(format!("{logs}/a.log"), format!("{event}\nI1129 started\n{{oops\n"))?;
    fs::write(format!("{logs}/b.log.gz"), [0x1f, 0x8b, 0xff])?;
    let import = ["import", "--archive", &archive, "--cluster", "eu-1"];
    let ran = audit(&[&import[..], &[&logs]].concat()).await?;
    ensure!(ran.code == 2, "{} {} {}", ran.code, ran.out, ran.err);
    ensure!(ran.out.contains("1 event kept of 2 files") && ran.out.contains("line 3:"), "{}", ran.out);
    ensure!(ran.out.contains("foreign: 1 × text") && ran.out.contains("can't be unpacked"), "{}", ran.out);
    let only = audit(&[&import[..], &[&format!("{logs}/a.log")]].concat()).await?;
    ensure!(only.code == 0 && only.out.contains("nothing new"), "{} {}", only.code, only.out);

    // P24: a name from a log reaches no terminal as it is.
    let query = audit(&["query", "--archive", &archive]).await?;
    ensure!(query.code == 0 && !query.out.contains(['\u{202e}', '\u{1b}']), "{:?}", query.out);
    ensure!(query.out.contains("⟨U+202E⟩"), "{}", query.out);

    // What is no file is passed over and said; nothing at all to read is no answer.
    let (links, empty) = (text("links")?, text("empty")?);
    for folder in [&links, &empty] {
        fs::create_dir(folder)?;
    }
    std::os::unix::fs::symlink(format!("{logs}/a.log"), format!("{links}/to-a.log"))?;
    let linked = audit(&[&import[..], &[&links]].concat()).await?;
    ensure!(linked.code == 2 && linked.err.contains("a link"), "{} {}", linked.code, linked.err);
    fs::write(format!("{links}/c.log"), format!("{event}\n"))?;
    let linked = audit(&[&import[..], &["-o", "json", &links]].concat()).await?;
    ensure!(linked.code == 1, "{} {}", linked.code, linked.err);
    let skipped = &linked.json()?["skipped"];
    ensure!(skipped[0]["what"] == "a link" && skipped[1].is_null(), "{skipped}");
    let told = audit(&[&import[..], &[&links]].concat()).await?;
    ensure!(told.code == 1 && told.out.contains("to-a.log: passed over, it is a link"), "{}", told.out);

    for wrong in [
        &["import", "--archive", &damaged, "--cluster", "Not A Name", &logs][..],
        &["import", "--archive", &damaged, "--cluster", "eu-1", &empty],
        &["import", "--archive", &damaged, "--cluster", "eu-1", &format!("{logs}/none")],
        &["import", "--archive", &damaged, "--cluster", "eu-1", "--source", "a\nb", &logs],
        &["query", "--archive", &archive, "--since", "yesterday"],
        &["query", "--archive", &archive, "--code", "99"],
        &["query", "--archive", &archive, "--limit", "0"],
    ] {
        let ran = audit(wrong).await?;
        ensure!(
            ran.code == 2 && !ran.err.is_empty() && !ran.err.contains("panicked"),
            "{wrong:?}: {}",
            ran.err
        );
    }
    ensure!(!fs::exists(&damaged)?, "an archive is not begun for nothing");

    // A damaged file says so, and the program ends with it.
    let segment = fs::read_dir(&archive)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "db"))
        .context("a segment")?;
    let mut bytes = fs::read(&segment)?;
    bytes[..100].fill(b'x');
    fs::write(&segment, bytes)?;
    let status = audit(&["status", "--archive", &archive]).await?;
    ensure!(
        status.code == 1 && status.out.contains("PROBLEM"),
        "{} {} {}",
        status.code,
        status.out,
        status.err
    );
    // Nor does any answer pass for the whole.
    for question in [
        &["query"][..],
        &["query", "--count"],
        &["query", "--by", "verb"],
        &["query", "--raw"],
        &["who-deleted", "pods", "web", "-n", "pay"],
    ] {
        let ran = audit(&[question, &["--archive", &archive]].concat()).await?;
        ensure!(ran.code == 2, "{question:?}: {} {}", ran.code, ran.out);
        let says = ran.out.contains("sallyport audit status") || question.contains(&"--raw");
        ensure!(says, "{question:?}: {}", ran.out);
    }
    let json = audit(&["query", "--archive", &archive, "-o", "json"]).await?.json()?;
    ensure!(json["isWhole"] == false && json["unreadSegments"] == 1, "{json}");
    Ok(())
}
