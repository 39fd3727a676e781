//! Scans of the API server itself.

use crate::{CHANGES, HIDDEN, found, kind, plane, posture, reader, says, schema, text, verdict};
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::another_clock::AnotherClock;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_what_was_planted_with_what_proves_it() -> Result<()> {
    let config = plane().await?.admin_kubeconfig();
    let ran = posture(&["scan", "--kubeconfig", text(&config)?, "-o", "json"]).await?;
    let report = ran.json()?;
    schema::holds("report", &report)?;
    ensure!(ran.code == 1, "something critical is there: {} {}", ran.code, ran.err);
    ensure!(report["read"]["user"] == "kubernetes-admin", "{}", report["read"]);
    let devs = found(&report, "RB-01", "devs\u{202e}ged").expect("everything for a group");
    ensure!(devs["severity"] == "critical", "{devs}");
    ensure!(devs["evidence"][0]["binding"]["name"] == "devs-everything", "{devs}");
    ensure!(devs["said"].as_str().is_some_and(|said| said.contains("devs⟨U+202E⟩ged")), "p24: {devs}");
    let deployer = found(&report, "RB-09", "deployer").expect("tokens in payments");
    ensure!(deployer["subject"] == json!({"kind": "ServiceAccount", "namespace": "ci", "name": "deployer"}));
    ensure!(deployer["namespaces"] == json!(["payments"]), "{deployer}");

    // P21: nothing asks for Secrets, and what depends on them is unknown with the reason.
    for (name, coverage) in
        [("ClusterRole", "read"), ("Pod", "read"), ("ConfigMap", "read"), ("Secret", "forbidden")]
    {
        ensure!(kind(&report, name)["coverage"] == coverage, "{}", kind(&report, name));
    }
    ensure!(verdict(&report, "SA-01")["verdict"] == "unknown", "{}", verdict(&report, "SA-01"));
    let audit = std::fs::read_to_string(plane().await?.audit_log().expect("an audit log"))?;
    let asked = audit.lines().filter(|line| line.contains("\"userAgent\":\"sallyport/"));
    let verbs: std::collections::BTreeSet<String> = asked
        .clone()
        .filter_map(|line| {
            Some(serde_json::from_str::<serde_json::Value>(line).ok()?["verb"].as_str()?.to_owned())
        })
        .collect();
    ensure!(asked.clone().count() > 10, "the audit log has the scan");
    ensure!(!asked.clone().any(|line| line.contains("\"resource\":\"secrets\"")), "no verb on Secrets");
    // Creates are the two reviews, which nobody keeps.
    ensure!(verbs.iter().all(|verb| ["get", "list", "create"].contains(&verb.as_str())), "{verbs:?}");
    let creates = asked.filter(|line| line.contains("\"verb\":\"create\""));
    // Another test asks for a try, which is none of a scan's own.
    let own = |line: &&str| !line.contains("dryRun=All") && !line.contains("selfsubjectaccessreviews");
    ensure!(creates.filter(own).all(|line| line.contains("selfsubject")), "only reviews of oneself");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_words_with_hidden_characters_visible() -> Result<()> {
    let config = plane().await?.admin_kubeconfig();
    let ran = posture(&["scan", "--kubeconfig", text(&config)?]).await?;
    says(&ran, "CRITICAL\n  RB-01  Somebody can do everything in the cluster\n")?;
    says(&ran, "Group devs⟨U+202E⟩ged can do everything everywhere.")?;
    says(&ran, "by ClusterRoleBinding devs-everything and ClusterRole cluster-admin, rule 1")?;
    says(&ran, "Collapsed: ")?;
    says(&ran, "NOT KNOWN\n")?;
    ensure!(!ran.out.contains('\u{202e}') && !ran.out.contains('\u{1b}'), "p24: {}", ran.out);
    let all = posture(&["scan", "--kubeconfig", text(&config)?, "--all", "--fail-on", "never"]).await?;
    ensure!(all.code == 0 && all.out.lines().count() > ran.out.lines().count(), "--all lists more");
    says(&all, "(comes with Kubernetes)")?;
    let csv = posture(&["scan", "--kubeconfig", text(&config)?, "-o", "csv"]).await?;
    says(&csv, "RB-01,critical,Somebody can do everything in the cluster,Group,,devs⟨U+202E⟩ged,*,")?;
    let columns = csv.out.lines().next().map(|line| line.split(',').count());
    ensure!(columns == Some(17), "{columns:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p21_who_may_read_little_passes_little_and_is_told_which_right_is_missing() -> Result<()> {
    let config = reader().await?;
    let ran = posture(&["scan", "--kubeconfig", text(&config)?, "-o", "json"]).await?;
    let report = ran.json()?;
    schema::holds("report", &report)?;
    ensure!(report["read"]["user"] == "system:serviceaccount:ci:reader", "{}", report["read"]["user"]);
    for (name, right) in [
        ("Role", "list roles.rbac.authorization.k8s.io in all namespaces"),
        ("Pod", "list pods in all namespaces"),
        ("Namespace", "list namespaces"),
        ("ConfigMap", "get the ConfigMap"),
    ] {
        let read = kind(&report, name);
        ensure!(read["coverage"] == "forbidden", "{read}");
        ensure!(read["why"].as_str().is_some_and(|why| why.contains(right)), "{read}");
    }
    ensure!(kind(&report, "ClusterRole")["coverage"] == "read", "{}", kind(&report, "ClusterRole"));
    ensure!(found(&report, "RB-01", "devs\u{202e}ged").is_some(), "what was read is judged");
    let checks = report["checks"].as_array().expect("checks");
    // What is seen without a right: by whoever does not sign in, in the kubeconfig, of the version and of oneself.
    let free = |id: &str| {
        id.starts_with("KC-") || ["AP-01", "AP-02", "AP-03", "AP-04", "AP-05", "AN-03", "VR-01"].contains(&id)
    };
    let passed = checks.iter().filter(|one| one["verdict"] == "pass").filter_map(|one| one["id"].as_str());
    let passed: Vec<_> = passed.filter(|id| !free(id)).collect();
    ensure!(passed.is_empty(), "every other check needs something that was not read: {passed:?}");
    for (id, why) in [("AU-02", "get /metrics is missing"), ("AP-07", "get /flagz is missing")] {
        let verdict = verdict(&report, id);
        ensure!(verdict["why"].as_str().is_some_and(|said| said.contains(why)), "{verdict}");
    }
    ensure!(verdict(&report, "RB-09")["why"].as_str().is_some_and(|why| why.contains("list roles.")));
    // The same in words, and in the exit code.
    let words = posture(&["scan", "--kubeconfig", text(&config)?]).await?;
    says(&words, "the right to list pods in all namespaces is missing")?;
    let quiet = ["scan", "--kubeconfig", text(&config)?, "--fail-on", "never"];
    ensure!(posture(&quiet).await?.code == 0);
    ensure!(posture(&[&quiet[..], &["--fail-on-unknown"]].concat()).await?.code == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p22_who_can_and_why_say_what_the_api_server_says() -> Result<()> {
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let with = ["--kubeconfig", text(&config)?, "-o", "json"];
    let ask = async |args: &[&str]| posture(&[args, &with[..]].concat()).await;

    let ran = ask(&["who-can", "get", "secrets", "-n", "payments"]).await?;
    let who = ran.json()?;
    schema::holds("who-can", &who)?;
    let given = who["subjects"].as_array().expect("subjects");
    ensure!(
        given.iter().any(|one| one["subject"]["name"] == "deployer" && one["role"]["name"] == "minter"),
        "{who}"
    );

    let deployer = "system:serviceaccount:ci:deployer";
    for (verb, resource, namespace) in [
        ("get", "secrets", "payments"),
        ("get", "secrets", "ci"),
        ("create", "serviceaccounts/token", "payments"),
        ("delete", "pods", "payments"),
    ] {
        let (kind, below) = resource.split_once('/').unwrap_or((resource, ""));
        let below = format!("--subresource={below}");
        let can_i = ["auth", "can-i", verb, kind, &below, "-n", namespace, "--as", deployer];
        let said = plane.kubectl().run(&can_i).await?.text().trim() == "yes";
        let ran = ask(&["why", deployer, verb, resource, "-n", namespace]).await?;
        let why = ran.json()?;
        schema::holds("why", &why)?;
        ensure!(
            (why["allowed"] == "yes") == said && (ran.code == 0) == said,
            "{verb} {resource}: {said} {why}"
        );
    }

    let can = ask(&["can", "sa:ci/deployer"]).await?.json()?;
    schema::holds("can", &can)?;
    ensure!(
        can["holds"].as_array().is_some_and(|all| all.iter().any(|one| one["namespace"] == "payments")),
        "{can}"
    );

    let paths = ask(&["paths", "--to", "secrets:payments"]).await?.json()?;
    schema::holds("paths", &paths)?;
    let ways = paths["paths"].as_array().expect("paths");
    ensure!(ways.iter().any(|way| way["subject"]["name"] == "deployer"), "{paths}");
    let admin = posture(&["paths", "--kubeconfig", text(&config)?]).await?;
    says(&admin, "Ways to everything")?;
    says(&admin, "group devs⟨U+202E⟩ged, 1 step")?;
    Ok(())
}

/// A cluster is its own copy: it has the same client CA, the same keys, and the same accounts.
#[tokio::test(flavor = "multi_thread")]
async fn ways_into_another_cluster_go_by_what_both_believe() -> Result<()> {
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let kept = plane.dir().join("copied.json");
    posture(&["scan", "--kubeconfig", text(&config)?, "--save", text(&kept)?]).await?;
    let with = ["paths", "--snapshot", text(&kept)?, "--into", text(&kept)?];
    let paths = posture(&[&with[..], &["-o", "json"]].concat()).await?.json()?;
    schema::holds("paths", &paths)?;
    let ways = paths["paths"].as_array().expect("paths");
    let devs = ways.iter().find(|way| way["subject"]["name"] == "devs\u{202e}ged").expect("their way");
    ensure!(devs["across"] == 1 && devs["hops"][1]["check"] == "FL-03", "{devs}");
    ensure!(devs["hops"].as_array().is_some_and(|hops| hops.len() == 3), "{devs}");
    let unread = |what: &str| {
        paths["gaps"]
            .as_array()
            .is_some_and(|gaps| gaps.iter().any(|gap| gap.as_str().is_some_and(|gap| gap.starts_with(what))))
    };
    ensure!(!unread("The client CAs") && !unread("The keys"), "{}", paths["gaps"]);
    let words = posture(&with).await?;
    says(&words, "Ways to everything in copied: ")?;
    says(&words, "→ there: everything")?;
    // Of files nobody knows what they believe, and so not that there is no way.
    let files = "./tests/posture/planted.yaml";
    let none = posture(&["paths", "--snapshot", text(&kept)?, "--into", files]).await?;
    ensure!(none.code == 2, "{} {}", none.code, none.out);
    says(&none, "The client CAs of the other cluster were not read")?;
    let missing = posture(&["paths", "--snapshot", text(&kept)?, "--into", "./no-such-file"]).await?;
    ensure!(missing.code == 2 && missing.err.contains("no-such-file"), "{}", missing.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_holds_no_value_and_comes_to_the_same() -> Result<()> {
    let _alone = CHANGES.lock().await;
    let plane = plane().await?;
    let config = plane.admin_kubeconfig();
    let kept = plane.dir().join("kept.json");
    let first =
        posture(&["scan", "--kubeconfig", text(&config)?, "--save", text(&kept)?, "-o", "json"]).await?;
    let content = std::fs::read_to_string(&kept)?;
    ensure!(
        content.contains("\"web\"") && content.contains("coredns"),
        "the pod and the ConfigMap were read"
    );
    ensure!(
        !content.contains(HIDDEN),
        "values of env, args, annotations, ConfigMaps and Secrets are dropped"
    );
    {
        use std::os::unix::fs::PermissionsExt as _;
        ensure!(std::fs::metadata(&kept)?.permissions().mode() & 0o077 == 0, "for its owner alone");
    }
    let second = posture(&["scan", "--snapshot", text(&kept)?, "-o", "json"]).await?;
    ensure!(first.json()? == second.json()?, "a kept snapshot comes to the same report");

    // What changed since.
    let kubectl = plane.kubectl();
    kubectl
        .ok(&["create", "clusterrolebinding", "drift", "--clusterrole=cluster-admin", "--user=mallory"])
        .await?;
    let later = plane.dir().join("later.json");
    posture(&["scan", "--kubeconfig", text(&config)?, "--save", text(&later)?]).await?;
    kubectl.ok(&["delete", "clusterrolebinding", "drift"]).await?;
    let diff = posture(&["diff", text(&kept)?, text(&later)?, "-o", "json"]).await?;
    schema::holds("diff", &diff.json()?)?;
    ensure!(diff.code == 1, "{}", diff.err);
    let new = diff.json()?["new"].clone();
    let about = |one: &serde_json::Value| one["subject"]["name"] == "mallory" && one["check"] == "RB-01";
    ensure!(new.as_array().is_some_and(|new| new.iter().any(about)), "{new}");
    let may = diff.json()?["rights"]["may"].clone();
    let mallory = |one: &serde_json::Value| one["subject"]["name"] == "mallory" && one["namespace"].is_null();
    ensure!(may.as_array().is_some_and(|may| may.iter().any(mallory)), "{may}");
    let back = posture(&["diff", text(&later)?, text(&kept)?]).await?;
    says(&back, "MAY NO LONGER\n  User mallory may no longer")?;
    says(&back, "GONE\n")?;
    ensure!(back.code == 0, "nothing new: {}", back.out);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_in_the_guide_is_enough_for_all_that_is_asked() -> Result<()> {
    const GUIDE: &str = include_str!("../../../../docs/guide/posture.md");
    let role = GUIDE
        .split("```")
        .find(|block| block.contains("name: posture-reader"))
        .and_then(|block| block.strip_prefix("yaml\n"))
        .expect("the role in the guide");
    let kubectl = plane().await?.kubectl();
    kubectl.apply(role).await?;
    kubectl.ok(&["create", "serviceaccount", "pipeline", "-n", "ci"]).await?;
    let binding = ["create", "clusterrolebinding", "pipeline", "--clusterrole=posture-reader"];
    kubectl.ok(&[&binding[..], &["--serviceaccount=ci:pipeline"]].concat()).await?;
    let token = kubectl.ok(&["create", "token", "pipeline", "-n", "ci"]).await?;
    let config = plane().await?.kubeconfig_with_token(token.trim())?;
    let report = posture(&["scan", "--kubeconfig", text(&config)?, "-o", "json"]).await?.json()?;
    let kinds = report["read"]["kinds"].as_array().expect("kinds");
    let missing: Vec<_> =
        kinds.iter().filter(|one| one["coverage"] != "read").map(|one| &one["kind"]).collect();
    ensure!(missing == ["Secret"], "{missing:?}");
    let parts = report["read"]["parts"].as_array().expect("parts");
    let missing: Vec<_> = parts.iter().filter(|one| one["coverage"] != "read").collect();
    ensure!(missing.is_empty(), "{missing:?}");
    // And no more than that: it is no weakness itself.
    ensure!(found(&report, "RB-11", "pipeline").is_none(), "it can't read Secrets");
    Ok(())
}

/// A bad day: the API server's clock and this machine's are hours apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_another_is_said_and_what_ends_is_judged_by_the_servers() -> Result<()> {
    let plane = plane().await?;
    let clock = AnotherClock::before(plane).await?;
    let token = plane.kubectl().ok(&["create", "token", "reader", "-n", "ci"]).await?;
    let dir = tempfile::tempdir()?;
    let (ca, file) = (dir.path().join("ca.pem"), dir.path().join("kubeconfig"));
    std::fs::write(&ca, clock.ca_pem())?;
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": clock.url(), "certificate-authority": text(&ca)?}}],
        "users": [{"name": "u", "user": {"token": token.trim()}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
    std::fs::write(&file, config.to_string())?;
    for (ahead, says) in
        [(7200, "s behind the API server's"), (-7200, "s ahead of the API server's"), (0, "")]
    {
        clock.set_ahead(ahead);
        let ran = posture(&["scan", "--kubeconfig", text(&file)?, "-o", "json", "--no-probes"]).await?;
        let report = ran.json().with_context(|| format!("{} {}", ran.out, ran.err))?;
        schema::holds("report", &report)?;
        let notes = report["notes"].to_string();
        let is_said = !says.is_empty() && notes.contains(says);
        ensure!(is_said == (ahead != 0) && is_said == notes.contains("clock"), "{ahead}: {notes}");
    }
    Ok(())
}
