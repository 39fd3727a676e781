//! What is made from the one list of commands: the TypeScript of all shapes and commands, and the window's capability.

use crate::*;
use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use ts_rs::{Config, TS, TypeVisitor};

/// Where the TypeScript is, from the root of the repository.
pub const PATH: &str = "ui/src/bindings/ipc.ts";
/// Where the capability is.
pub const CAPABILITY: &str = "src-tauri/capabilities/main.json";

/// What the one window may do (promise P23).
pub fn capability() -> String {
    let own = COMMANDS.iter().map(|name| format!("allow-{}", name.replace('_', "-")));
    let events = ["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned);
    let permissions: Vec<String> =
        events.into_iter().chain(own).map(|name| format!("    \"{name}\"")).collect();
    format!(
        r#"{{
  "$schema": "../../gen/schemas/desktop-schema.json",
  "identifier": "main",
  "description": "What the one window may do: our own commands, the event it listens to, and nothing else of the host.",
  "windows": [
    "main"
  ],
  "permissions": [
{}
  ]
}}
"#,
        permissions.join(",\n")
    )
}

/// The whole file.
pub fn render() -> String {
    // JSON numbers are what crosses, and every i64 here (milliseconds, microseconds, counts) is below 2^53.
    let config = Config::new().with_large_int("number");
    let mut out =
        String::from("// Made by `cargo run -p sallyport-ipc --bin bindings`. Change crates/ipc instead.\n");
    for shape in shapes(&config) {
        out.push('\n');
        out.push_str(&shape);
        out.push('\n');
    }
    out.push_str(&format!(
        "\nexport const EVENT = {EVENT:?};\n\n{}\nexport interface Commands {{\n",
        limits()
    ));
    out.push_str(&command_lines(&config));
    out.push_str("}\n");
    out
}

/// One declaration with its doc comment for each shape that a command takes or answers with, or an event tells; by name.
pub fn shapes(config: &Config) -> Vec<String> {
    let mut found = Found { config, seen: HashSet::new(), shapes: BTreeMap::new() };
    found.visit::<ErrorView>();
    found.visit::<Event>();
    macro_rules! collect {
        ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
            => $how:ident$(($action:ident))? $part:ident.$method:ident;)*) => {$({
            $(found.visit::<$ty>();)*
            found.visit::<$out>();
        })*};
    }
    commands!(collect);
    found.shapes.into_values().collect()
}

/// Walks from a shape to all it is made of.
struct Found<'c> {
    config: &'c Config,
    seen: HashSet<TypeId>,
    shapes: BTreeMap<String, String>,
}

impl TypeVisitor for Found<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        // What has no file of its own is no shape of ours: numbers, texts, lists.
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            self.shapes.insert(T::ident(self.config), format!("{docs}export {}", T::decl(self.config)));
        }
    }
}

/// How much a person may write where: what the objects on the hub take.
fn limits() -> String {
    use sallyport_model::{CLUSTER_NAME_MOST, REASON_MOST, USER_NAME_MOST};
    format!(
        "/** How many characters the hub takes at most. */\nexport const LIMITS = {{ userName: {USER_NAME_MOST}, clusterName: \
         {CLUSTER_NAME_MOST}, reason: {REASON_MOST} }} as const;\n"
    )
}

fn command_lines(config: &Config) -> String {
    let mut out = String::new();
    macro_rules! line {
        ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
            => $how:ident$(($action:ident))? $part:ident.$method:ident;)*) => {$({
            let args: &[String] = &[$(format!("{}: {}", stringify!($arg), <$ty as TS>::name(config))),*];
            // `null` is how an empty JSON result arrives.
            out.push_str(&format!(
                "  {}: {{ args: {{ {} }}; result: {} }};\n",
                stringify!($name), args.join("; "), <$out as TS>::name(config),
            ));
        })*};
    }
    commands!(line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_bindings_are_current() {
        let path = "../../";
        let committed = std::fs::read_to_string(format!("{path}{PATH}")).expect("the bindings are committed");
        assert!(committed == render(), "run `make codegen` and commit {PATH}");
        let committed = std::fs::read_to_string(format!("{path}{CAPABILITY}")).expect("it is committed");
        assert!(committed == capability(), "run `make codegen` and commit {CAPABILITY}");
    }

    #[test]
    fn p1_no_shape_has_a_place_for_a_credential() {
        let text: String = shapes(&Config::new().with_large_int("number")).concat();
        // Doc comments may speak of tokens; fields may not be one.
        let code = without_comments(&text);
        let fields: Vec<&str> = code
            .split(['{', ',', ';', '}', '('])
            .filter_map(|part| {
                part.split_once(':').map(|(name, _)| name.trim().trim_end_matches('?').trim_matches('"'))
            })
            .collect();
        assert!(fields.len() > 150, "the walk sees the fields: {}", fields.len());
        assert!(
            fields.contains(&"stepUp") && fields.contains(&"jti") && fields.contains(&"hubCaFingerprint")
        );
        for field in fields {
            let lower = field.to_lowercase();
            for word in [
                "token",
                "secret",
                "password",
                "kubeconfig",
                "credential",
                "privatekey",
                "pem",
                "bearer",
                "refresh",
            ] {
                assert!(!lower.contains(word), "field {field} could carry a credential");
            }
            assert!(!lower.ends_with("key"), "field {field} could carry a key");
        }
    }

    #[test]
    fn p24_what_is_plain_text_is_an_id_a_word_of_ours_or_the_windows_own() {
        // What the window sends, and what it sends back to the letter.
        let own = [
            "AuditFilter",
            "DeletedQuestion",
            "TimelineFilter",
            "ExceptionInput",
            "ExportInput",
            "HoldInput",
            "LimitsInput",
            "OpenInput",
            "ReviewInput",
            "StoreDraft",
            "WhoQuestion",
        ];
        let ours = [
            ("AppState", "platform"),
            ("AppState", "version"),
            ("AuditEntryView", "action"),
            ("BundleFile", "name"),
            ("BundleView", "id"),
            ("Event", "id"),
            ("ExceptionView", "id"),
            ("FindingLine", "id"),
            ("FixTrial", "id"),
            ("FixTrial", "session"),
            ("Notice", "session"),
            // Bytes for a terminal that answers nothing.
            ("RecordedMoment", "data"),
            ("RecordedSession", "session"),
            ("RecordingView", "session"),
            ("RecordingView", "terminal"),
            ("ScanState", "session"),
            ("SessionView", "extends"),
            ("SessionView", "id"),
            ("StepUp", "acr"),
            ("StepUp", "amr"),
            ("TerminalView", "id"),
            ("TerminalView", "session"),
            ("WeakPlace", "finding"),
            ("Weakness", "id"),
        ];
        let mut plain = Vec::new();
        for shape in shapes(&Config::new().with_large_int("number")) {
            let code = without_comments(&shape);
            let name = code.split_whitespace().nth(2).unwrap_or_default().to_owned();
            if own.contains(&name.as_str()) || name == "Shown" {
                continue;
            }
            let fields = code.split(['{', ',', ';', '}']).filter_map(|part| part.split_once(':'));
            for (field, kind) in fields.filter(|(_, kind)| kind.contains("string")) {
                plain.push((name.clone(), field.trim().trim_matches('"').to_owned(), kind.trim().to_owned()));
            }
        }
        for (shape, field, kind) in &plain {
            assert!(ours.contains(&(shape.as_str(), field.as_str())), "{shape}.{field}: {kind} is no Shown");
        }
        // One that several variants of a shape have is one.
        plain.dedup();
        assert_eq!(plain.len(), ours.len(), "{plain:?}");
    }

    #[test]
    fn p23_every_command_is_named_once() {
        let mut names = COMMANDS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    fn without_comments(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("/*") {
            out.push_str(&rest[..start]);
            rest = rest[start..].split_once("*/").map_or("", |(_, after)| after);
        }
        out.push_str(rest);
        out
    }
}
