//! SARIF 2.1.0: what the standard's schema requires of the parts we write, and what it ties together.

use crate::{plane, posture, text};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn sarif_is_whole_and_its_parts_refer_to_each_other() -> Result<()> {
    let config = plane().await?.admin_kubeconfig();
    let ran = posture(&["scan", "--kubeconfig", text(&config)?, "-o", "sarif"]).await?;
    let log = ran.json()?;
    ensure!(log["version"] == "2.1.0" && only(&log, &["$schema", "version", "runs"]), "{log}");
    let run = &log["runs"][0];
    ensure!(only(run, &["tool", "automationDetails", "invocations", "columnKind", "results"]));
    let driver = &run["tool"]["driver"];
    ensure!(driver["name"] == "sallyport", "a driver must have a name");
    ensure!(run["invocations"][0]["executionSuccessful"] == true, "an invocation must say it");
    let rules = driver["rules"].as_array().context("rules")?;
    let ids: BTreeSet<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    ensure!(ids.len() == rules.len(), "each rule has an id of its own");
    ensure!(rules.iter().all(|rule| rule["shortDescription"]["text"].is_string()));

    let results = run["results"].as_array().context("results")?;
    ensure!(results.len() > 10, "{}", results.len());
    for result in results {
        let at = usize::try_from(result["ruleIndex"].as_u64().context("ruleIndex")?)?;
        ensure!(rules[at]["id"] == result["ruleId"], "{result}");
        ensure!(result["message"]["text"].is_string(), "a result must have a message: {result}");
        ensure!(["none", "note", "warning", "error"].contains(&result["level"].as_str().context("level")?));
        let kind = result["kind"].as_str().context("kind")?;
        ensure!(["fail", "open", "review", "informational"].contains(&kind), "{kind}");
        ensure!(kind == "fail" || result["level"] == "none", "only a failure has a level: {result}");
        if kind == "fail" {
            ensure!(result["partialFingerprints"]["sallyport/v1"].is_string(), "{result}");
            place(&result["locations"][0]).with_context(|| result.to_string())?;
        }
        for related in result["relatedLocations"].as_array().into_iter().flatten() {
            place(related)?;
        }
    }
    let of = |kind: &str| results.iter().filter(|one| one["kind"] == kind).count();
    ensure!(of("open") > 0, "what is unknown is told");
    ensure!(results.iter().any(|one| one["suppressions"][0]["kind"] == "external"), "defaults are set apart");
    ensure!(!ran.out.contains('\u{202e}'), "p24: hidden characters are visible");
    fits_the_standard(&log)?;
    // That a log does not fit is noticed, wherever it does not.
    let spoilt = |path: &str, field: &str, value: Value| {
        let mut log = log.clone();
        if let Some(object) = log.pointer_mut(path).and_then(Value::as_object_mut) {
            object.insert(field.to_owned(), value);
        }
        log
    };
    for bad in [
        spoilt("", "made", json!("up")),
        spoilt("/runs/0", "tool", Value::Null),
        spoilt("/runs/0/results/0", "severity", json!("high")),
        spoilt("/runs/0/results/0", "message", json!("a text")),
        spoilt("/runs/0/results/0", "ruleIndex", json!("first")),
        spoilt("/runs/0/tool/driver", "rules", json!([{"name": "without an id"}])),
    ] {
        ensure!(fits_the_standard(&bad).is_err(), "it is no SARIF: {}", bad["runs"][0]["results"][0]);
    }
    Ok(())
}

/// Read by types that are made of the standard's own schema (2.1.0, OASIS), and written again: a field that is missing or of
/// another type is an error, and one that the schema does not have is not written. Values of enumerations are plain there, and
/// are looked at above.
fn fits_the_standard(log: &Value) -> Result<()> {
    let read: serde_sarif::sarif::Sarif = serde_json::from_value(log.clone())?;
    ensure!(serde_json::to_value(&read)? == *log, "something in it is no field of the standard");
    Ok(())
}

/// A place that code scanning takes: a relative URI in ASCII, a line from 1.
fn place(location: &Value) -> Result<()> {
    let physical = &location["physicalLocation"];
    let uri = physical["artifactLocation"]["uri"].as_str().context("a uri")?;
    ensure!(uri.is_ascii() && !uri.starts_with('/') && !uri.contains([' ', ':']), "{uri}");
    ensure!(physical["region"]["startLine"] == 1);
    ensure!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
    Ok(())
}

/// The standard's schema allows no other fields.
fn only(object: &Value, fields: &[&str]) -> bool {
    object.as_object().is_some_and(|object| object.keys().all(|key| fields.contains(&key.as_str())))
}
