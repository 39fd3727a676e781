//! The exclusions of docs/siem, held against what a real broker and a real API server wrote: each leaves out what minting
//! trips, all of it, and nothing that looks like it. What is not tried is the products that they are for.

mod terms;

use crate::lines::Lines;
use anyhow::{Context, Result, bail, ensure};
use sallyport_fleet::Target;
use sallyport_testkit::process::Scratch;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use terms::{Language, holds, matches};
use tokio::process::Command;

const BROKER: &str = "system:serviceaccount:sallyport-system:broker";
const SESSIONS: &str = "system:serviceaccount:sallyport-sessions:";

/// What rules of SIEMs look for, each by what its exclusion is called.
const RULES: [&str; 4] = ["token", "account", "binding", "review"];

/// Which of them an event trips, whoever made the call.
fn tripped(event: &Value) -> Option<&'static str> {
    let object = &event["objectRef"];
    let below = object["subresource"].as_str().unwrap_or_default();
    match (event["verb"].as_str()?, object["resource"].as_str()?, below) {
        ("create", "serviceaccounts", "token") => Some("token"),
        ("create" | "delete", "serviceaccounts", "") => Some("account"),
        ("create" | "delete", "rolebindings" | "clusterrolebindings", "") => Some("binding"),
        ("create", "selfsubjectaccessreviews", "") => Some("review"),
        _ => None,
    }
}

/// Whether it is Sallyport's: by who made it, and that it was let through. Not by names, which is what exclusions are by.
fn is_ours(rule: &str, event: &Value) -> bool {
    let user = event["user"]["username"].as_str().unwrap_or_default();
    let is_direct = event["impersonatedUser"].is_null();
    let is_let_through = matches!(event["responseStatus"]["code"].as_u64(), Some(200 | 201));
    match rule {
        "review" => is_direct && user.starts_with(SESSIONS),
        _ => is_direct && is_let_through && user == BROKER,
    }
}

/// What somebody else might do that looks like it: each must stay in sight. Where a language can't tell names apart but by
/// how they begin, a name begins otherwise.
fn lookalikes(rule: &str, event: &Value) -> Vec<(&'static str, Value)> {
    let with = |what: &'static str, at: &str, value: Value| {
        let mut other = event.clone();
        let (parent, last) = at.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(fields)) = other.pointer_mut(parent) {
            fields.insert(last.to_owned(), value);
        }
        (what, other)
    };
    let mut all = vec![
        with("by another account", "/user/username", json!("system:serviceaccount:default:broker")),
        with("by nobody", "/user/username", json!("system:anonymous")),
        with("as somebody else", "/impersonatedUser", json!({"username": "system:admin"})),
        with("with another verb", "/verb", json!("patch")),
        with("on something else", "/objectRef/resource", json!("secrets")),
    ];
    if rule != "review" {
        all.push(with("refused", "/responseStatus", json!({"code": 403})));
        all.push(with("under another name", "/objectRef/name", json!("cluster-admin")));
    }
    if rule == "token" || rule == "account" {
        all.push(with("elsewhere", "/objectRef/namespace", json!("kube-system")));
    }
    all
}

/// Each product's exclusions: whether they leave out each event that trips this rule.
struct Products {
    sigma: Value,
    falco: BTreeMap<String, String>,
    elastic: Vec<String>,
}

impl Products {
    fn read() -> Result<Self> {
        let file = |name: &str| {
            let path = sallyport_testkit::repository::root().join("docs/siem").join(name);
            std::fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        let sigma: Value = serde_saphyr::from_str(&file("sigma.yaml")?)?;
        let macros: Vec<BTreeMap<String, String>> = serde_saphyr::from_str(&file("falco.yaml")?)?;
        let falco =
            macros.into_iter().filter_map(|mut one| Some((one.remove("macro")?, one.remove("condition")?)));
        let elastic = file("elastic.md")?;
        let elastic = elastic.split("```").skip(1).step_by(2).map(str::to_owned).collect();
        Ok(Self { sigma: sigma["detection"].clone(), falco: falco.collect(), elastic })
    }

    fn sigma(&self, rule: &str, event: &Value) -> Result<bool> {
        let filter = self.sigma[format!("filter_sallyport_{rule}")].as_object().context("a filter")?;
        for (key, wanted) in filter {
            let (field, is_pattern) =
                key.strip_suffix("|re").map_or((key.as_str(), false), |field| (field, true));
            let found = terms::field(event, field);
            let is_one = |wanted: &Value| match (wanted, &found) {
                (Value::Null, found) => Ok(found.is_none()),
                (_, None) => Ok(false),
                (Value::String(pattern), Some(found)) if is_pattern => matches(pattern, found),
                (Value::String(text), Some(found)) => Ok(text == found),
                (number, Some(found)) => {
                    let number = number.to_string();
                    Ok(number == *found)
                }
            };
            let holds = match wanted {
                Value::Array(any) => any.iter().map(is_one).collect::<Result<Vec<_>>>()?.contains(&true),
                one => is_one(one)?,
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where there is one: Falco has none for reviews, which its rules do not look for.
    fn falco(&self, rule: &str, event: &Value) -> Result<Option<bool>> {
        let name = match rule {
            "token" | "account" => "sallyport_account",
            "binding" => "sallyport_binding",
            _ => return Ok(None),
        };
        let condition = self.falco.get(name).context("a macro")?;
        holds(&Language::Falco(&self.falco), condition, event).map(Some)
    }

    fn elastic(&self, rule: &str, event: &Value) -> Result<bool> {
        let place = match rule {
            "token" => 0,
            "account" | "binding" => 1,
            _ => 2,
        };
        holds(&Language::Kql, self.elastic.get(place).context("an exception")?, event)
    }
}

/// What `panther.py` says of each; `None` where nobody can run it.
async fn panther(events: &[&Value]) -> Result<Option<Vec<bool>>> {
    let scratch = Scratch::new("siem")?;
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    scratch.write("events.jsonl", text)?;
    let folder = sallyport_testkit::repository::root().join("docs/siem");
    let program = "import json,sys\nfrom panther import ours\nfor line in open(sys.argv[1]):\n    print(ours(json.loads(line)))\n";
    let mut python = Command::new("python3");
    python.args(["-B", "-c", program]).arg(scratch.path().join("events.jsonl")).env("PYTHONPATH", folder);
    let ran = match python.output().await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        ran => ran?,
    };
    ensure!(ran.status.success(), "panther.py: {}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout)?;
    let said = said.lines().map(|line| match line {
        "True" => Ok(true),
        "False" => Ok(false),
        other => bail!("panther.py says {other}"),
    });
    said.collect::<Result<Vec<_>>>().map(Some)
}

/// After a session that was closed.
pub(super) async fn excluded(target: &Target, lines: &mut Lines) -> Result<()> {
    // The same, by an admin: names as the broker's among them.
    let kubectl = target.plane.kubectl();
    for args in [
        &["create", "serviceaccount", "s-abcdefgh-1796004000", "-n", "default"][..],
        &["create", "token", "s-abcdefgh-1796004000", "-n", "default"],
        &["create", "rolebinding", "g-abcdefgh-1", "-n", "default", "--clusterrole=view", "--user=eve"],
        &["create", "clusterrolebinding", "g-abcdefgh-2", "--clusterrole=view", "--user=eve"],
        &["delete", "clusterrolebinding", "g-abcdefgh-2"],
        &["delete", "rolebinding", "g-abcdefgh-1", "-n", "default"],
        &["delete", "serviceaccount", "s-abcdefgh-1796004000", "-n", "default"],
    ] {
        kubectl.ok(args).await?;
    }
    let mut events = Vec::new();
    for line in target.plane.audit_text()?.lines() {
        let event: Value = serde_json::from_str(line)?;
        if event["stage"] == "ResponseComplete"
            && let Some(rule) = tripped(&event)
        {
            events.push((rule, is_ours(rule, &event), "as it was", event));
        }
    }
    let (ours, all) = (events.iter().filter(|one| one.1).count(), events.len());
    for rule in RULES {
        let seen = |is_ours: bool| events.iter().filter(|one| one.0 == rule && one.1 == is_ours).count();
        ensure!(seen(true) > 0, "minting did not trip {rule}: there is nothing to try it on");
        ensure!(rule == "review" || seen(false) > 0, "nobody else tripped {rule}");
    }
    let made = |verb: &str| {
        events.iter().any(|(rule, ours, _, event)| *rule == "binding" && *ours && event["verb"] == verb)
    };
    ensure!(made("create") && made("delete"), "the broker makes bindings and removes them");
    let others: Vec<_> = events
        .iter()
        .filter(|one| one.1)
        .flat_map(|(rule, _, _, event)| {
            lookalikes(rule, event).into_iter().map(move |(what, event)| (*rule, false, what, event))
        })
        .collect();
    let tried = others.len();
    events.extend(others);

    let products = Products::read()?;
    let only: Vec<&Value> = events.iter().map(|one| &one.3).collect();
    let panther = panther(&only).await?;
    let mut wrong = Vec::new();
    for (place, (rule, is_ours, what, event)) in events.iter().enumerate() {
        let mut said = vec![
            ("Sigma", Some(products.sigma(rule, event)?)),
            ("Falco", products.falco(rule, event)?),
            ("Elastic", Some(products.elastic(rule, event)?)),
        ];
        said.push(("Panther", panther.as_ref().and_then(|said| said.get(place).copied())));
        for (product, left_out) in said {
            if left_out.is_some_and(|left_out| left_out != *is_ours) {
                let verb = if *is_ours { "does not leave out" } else { "leaves out" };
                wrong.push(format!("{product}, {rule}: {verb} one {what}: {event:.600}"));
            }
        }
    }
    if panther.is_none() {
        lines.seen("NOT TRIED: docs/siem/panther.py, since there is no python3", "");
    }
    for wrong in wrong.iter().take(10) {
        lines.failed("an exclusion of docs/siem is right", wrong);
    }
    lines.check(
        "the exclusions of docs/siem leave out what minting trips, and nothing that looks like it",
        wrong.is_empty(),
        format!("{ours} of {all} events that rules look for are ours, and {tried} look like them"),
    );
    Ok(())
}
