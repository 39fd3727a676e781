//! The import rules of ARCHITECTURE.md, enforced over `cargo metadata` and the sources; sizes only warn.

use crate::circles::{self, Modules};
use crate::parts;
use crate::shell::{output, program, root};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// What each crate of ours may import of ours, outside its tests. Anything else fails.
const EDGES: [(&str, &[&str]); 33] = [
    ("model", &[]),
    ("rbac", &["model"]),
    ("posture", &["model", "rbac"]),
    ("policy", &["model", "rbac"]),
    ("audit", &["model"]),
    ("events", &["model", "audit"]),
    ("api", &["model", "rbac"]),
    ("client", &["model"]),
    ("kubeconfig", &["model"]),
    ("ipc", &["model"]),
    ("oidc", &["model"]),
    ("vault", &["model"]),
    ("hub", &["model", "rbac", "policy", "api", "client"]),
    ("provision", &["model", "rbac", "policy", "api", "client"]),
    ("gateway", &["model", "policy", "client"]),
    ("scan", &["model", "posture", "client", "kubeconfig"]),
    ("report", &["model", "rbac", "audit", "posture", "scan", "archive"]),
    ("terminal", &["model"]),
    ("recording", &["model"]),
    ("store", &["model", "audit"]),
    ("archive", &["model", "rbac", "events", "store"]),
    ("engine", &["model", "events"]),
    ("collect", &["model", "events", "engine"]),
    ("feeds", &["model", "events", "archive", "engine"]),
    (
        "app",
        &[
            "model",
            "rbac",
            "posture",
            "policy",
            "audit",
            "api",
            "client",
            "ipc",
            "oidc",
            "vault",
            "hub",
            "provision",
            "gateway",
            "scan",
            "report",
            "terminal",
            "recording",
            "store",
            "events",
            "archive",
            "feeds",
            "engine",
        ],
    ),
    ("broker", &["model", "policy", "rbac", "api", "client", "hub", "provision"]),
    (
        "cli",
        &[
            "model",
            "rbac",
            "posture",
            "client",
            "kubeconfig",
            "scan",
            "report",
            "audit",
            "events",
            "archive",
            "engine",
            "collect",
            "feeds",
            "store",
        ],
    ),
    ("testkit", &[]), // so that everybody's tests can use it
    ("fleet", &["testkit", "api", "ipc", "oidc", "app"]),
    ("demo", &["testkit", "fleet"]),
    (
        "bench",
        &[
            "testkit",
            "fleet",
            "model",
            "rbac",
            "posture",
            "policy",
            "api",
            "client",
            "kubeconfig",
            "scan",
            "ipc",
            "gateway",
            "hub",
            "events",
            "archive",
        ],
    ),
    ("desktop", &["app", "ipc"]), // its composition root
    ("xtask", &[]),
];

/// Crates outside that only some of ours may touch: (crate, who).
const OUTSIDE: [(&str, &[&str]); 6] = [
    ("tauri", &["desktop"]),
    ("rusqlite", &["store", "archive"]),
    ("openidconnect", &["oidc"]),
    ("secret-service", &["vault"]),
    ("portable-pty", &["terminal"]),
    ("kube", &["api", "client", "hub", "provision", "scan", "app", "broker", "testkit", "fleet", "bench"]),
];

const RUST_LINES: usize = 500;
const UI_LINES: usize = 250;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

/// Checks everything; prints what is wrong and what is merely long.
pub(crate) fn run() -> Result<bool> {
    let metadata = output(program("cargo", &["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("could not read cargo metadata")?;
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        edges(package, &mut wrong);
    }
    let mut crates: BTreeMap<String, Modules> = BTreeMap::new();
    walk(&root(), &mut |path, text| {
        sources(path, text, &mut wrong);
        let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        if let Some((krate, module)) = circles::module(&shown) {
            crates.entry(krate).or_default().insert(module, text.to_owned());
        }
    })?;
    let mut found = 0;
    for (krate, modules) in &crates {
        found += circles::check(krate, modules, &mut wrong);
        parts::check(krate, modules, &mut wrong);
    }
    for line in &wrong {
        println!("tidy: {line}");
    }
    println!("circles: {found}, in {} crates", crates.len());
    Ok(wrong.is_empty())
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("sallyport-").or((name == "xtask").then_some(name))
}

fn edges(package: &Package, wrong: &mut Vec<String>) {
    let Some(from) = short(&package.name) else { return };
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == from) else {
        wrong.push(format!("{} has no line in xtask's import rules", package.name));
        return;
    };
    for dependency in &package.dependencies {
        if dependency.kind.as_deref() == Some("dev") {
            for_tests(from, dependency, wrong);
            continue;
        }
        if let Some(to) = short(&dependency.name)
            && !allowed.contains(&to)
        {
            wrong.push(format!("{} may not import {}", package.name, dependency.name));
        }
        if let Some((outside, who)) = OUTSIDE.iter().find(|(name, _)| *name == dependency.name)
            && !who.contains(&from)
        {
            wrong.push(format!("{} may not import {outside}; that is for {}", package.name, who.join(", ")));
        }
    }
}

/// Tests may import what they like, but for two: one crate's tests never wait for the whole product to be built, and
/// `testkit` is there for everybody.
fn for_tests(from: &str, dependency: &Dependency, wrong: &mut Vec<String>) {
    let Some(to) = short(&dependency.name) else { return };
    if from == "testkit" || to == "fleet" {
        wrong.push(format!("the tests of {from} may not import {}", dependency.name));
    }
}

/// Looks at one source file.
fn sources(path: &Path, text: &str, wrong: &mut Vec<String>) {
    let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let (budget, is_ui) = match extension {
        "rs" => (RUST_LINES, false),
        "ts" | "svelte" => (UI_LINES, true),
        _ => return,
    };
    let lines = text.lines().count();
    if lines > budget {
        println!("tidy: note: {shown} has {lines} lines, more than {budget}");
    }
    // Under tests/ a file of its own would be a test program; there `common/mod.rs` is how cargo wants it.
    if extension == "rs" && path.file_name().is_some_and(|n| n == "mod.rs") && !shown.contains("/tests/") {
        wrong.push(format!("{shown}: name it after its folder instead of mod.rs"));
    }
    if is_ui {
        ui(&shown, text, wrong);
    }
}

/// Only `host` talks to Tauri, strings are never markup, and tiers import downwards only.
fn ui(shown: &str, text: &str, wrong: &mut Vec<String>) {
    if text.contains("@tauri-apps/") && !shown.starts_with("ui/src/host/") {
        wrong.push(format!("{shown}: only ui/src/host imports @tauri-apps"));
    }
    if text.contains("{@html") {
        wrong.push(format!("{shown}: {{@html}} would show a cluster's text as markup (P24)"));
    }
    const TIERS: [&str; 6] = ["bindings", "host", "shared", "desktop", "features", "views"];
    let tier_of = |path: &str| TIERS.iter().position(|tier| path.contains(&format!("/{tier}/")));
    let Some(own) = shown.strip_prefix("ui/src").and_then(tier_of) else { return };
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|l| l.trim_start().starts_with("import ") || l.contains(" from ")) {
        if let Some(other) = line
            .split(['\'', '"'])
            .find(|part| part.starts_with('.'))
            .and_then(|part| TIERS.iter().position(|tier| part.split('/').any(|segment| segment == *tier)))
            && other > own.max(1)
            && seen.insert(other)
        {
            wrong.push(format!("{shown}: {} may not import {}", TIERS[own], TIERS[other]));
        }
    }
}

fn walk(folder: &Path, see: &mut impl FnMut(&Path, &str)) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !matches!(&*name, "target" | "node_modules" | "dist" | "gen" | ".git" | "autogenerated") {
                walk(&path, see)?;
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            see(&path, &text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, on: &str) -> Vec<String> {
        of_kind(name, on, None)
    }

    fn of_kind(name: &str, on: &str, kind: Option<&str>) -> Vec<String> {
        let mut wrong = Vec::new();
        let dependencies = vec![Dependency { name: on.to_owned(), kind: kind.map(str::to_owned) }];
        edges(&Package { name: name.to_owned(), dependencies }, &mut wrong);
        wrong
    }

    #[test]
    fn a_forbidden_edge_is_found_and_an_allowed_one_is_not() {
        assert_eq!(package("sallyport-gateway", "sallyport-policy"), Vec::<String>::new());
        assert_eq!(package("sallyport-gateway", "sallyport-vault").len(), 1);
        assert_eq!(package("sallyport-model", "kube").len(), 1);
        assert_eq!(package("sallyport-broker", "sallyport-app").len(), 1);
        assert_eq!(package("sallyport-nobody", "serde").len(), 1);
        assert_eq!(package("sallyport-testkit", "sallyport-model").len(), 1);
    }

    #[test]
    fn tests_import_what_they_like_but_not_the_whole_product() {
        let tests = |name: &str, on: &str| of_kind(name, on, Some("dev")).len();
        assert_eq!(tests("sallyport-hub", "sallyport-testkit"), 0);
        assert_eq!(tests("sallyport-gateway", "portable-pty"), 0);
        assert_eq!(tests("sallyport-broker", "sallyport-fleet"), 1);
        assert_eq!(tests("sallyport-testkit", "sallyport-api"), 1);
    }

    #[test]
    fn p24_markup_from_strings_and_tauri_outside_the_host_are_found() {
        let mut wrong = Vec::new();
        ui("ui/src/shared/A.svelte", "import x from '@tauri-apps/api'; {@html evil}", &mut wrong);
        ui("ui/src/shared/B.ts", "import { a } from '../views/c'", &mut wrong);
        ui("ui/src/views/B.ts", "import { a } from '../features/c'", &mut wrong);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
