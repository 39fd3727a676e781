//! Circles of files within a crate: files that import each other can only be read, moved and tested together.

use std::collections::{BTreeMap, BTreeSet};

/// A crate's files as modules (`shell`, `shell::bash`, and `` for the crate's root), with their text.
pub(crate) type Modules = BTreeMap<String, String>;

/// The circles of a crate, each as its files in order.
pub(crate) fn of(modules: &Modules) -> Vec<Vec<String>> {
    let imports = imports_of(modules);
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|name| (name.as_str(), reach(name, &imports))).collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (name, all) in &reached {
        let circle = all.iter().filter(|other| reached[**other].contains(name));
        let circle: Vec<String> = circle.map(ToString::to_string).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// What each module of a crate imports of it.
pub(crate) fn imports_of(modules: &Modules) -> BTreeMap<String, BTreeSet<String>> {
    let named = reexported(modules);
    let files = modules.iter().filter(|(name, _)| !name.is_empty());
    files.map(|(name, text)| (name.clone(), imports(name, text, modules, &named))).collect()
}

/// A source file as a module of its crate: the crate's folder and the module's name; `None` for a program of its own and
/// for tests.
pub(crate) fn module(path: &str) -> Option<(String, String)> {
    let (krate, file) = path.strip_suffix(".rs")?.split_once("/src/")?;
    let is_other =
        file.starts_with("bin/") || file.ends_with("tests") || file.split('/').any(|part| part == "tests");
    let name = if matches!(file, "lib" | "main") { String::new() } else { file.replace('/', "::") };
    (!is_other).then(|| (krate.to_owned(), name))
}

/// What is wrong with a crate, and how many circles it has.
pub(crate) fn check(krate: &str, modules: &Modules, wrong: &mut Vec<String>) -> usize {
    let circles = of(modules);
    for circle in &circles {
        wrong.push(format!(
            "{krate}: {} import each other; move what they share below them",
            circle.join(", ")
        ));
    }
    circles.len()
}

/// Everything that can be reached from a module by imports; itself only by a circle.
fn reach<'m>(from: &str, imports: &'m BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'m str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(name) = next.pop() {
        for to in imports.get(name).into_iter().flatten() {
            if reached.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    reached
}

/// Names the root takes from a module: `pub use call::{Call, CutReason}` makes `crate::CutReason` mean `call`.
fn reexported(modules: &Modules) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    let root = modules.get("").map(|text| without_tests(text)).unwrap_or_default();
    for line in root.split(';').map(str::trim) {
        let Some((_, path)) = line.rsplit_once("use ") else { continue };
        for path in paths(path.trim_start_matches("crate::")) {
            if let Some((module, name)) = path.rsplit_once("::")
                && modules.contains_key(module)
            {
                named.insert(name.to_owned(), module.to_owned());
            }
        }
    }
    named
}

fn imports(name: &str, text: &str, modules: &Modules, named: &BTreeMap<String, String>) -> BTreeSet<String> {
    // What a comment names nobody imports.
    let text = without_tests(text);
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = code.collect::<Vec<_>>().join("\n");
    let parent = name.rsplit_once("::").map_or("", |(parent, _)| parent);
    // A file and its folder belong together: what its parts import it imports, and they may look up to it.
    let is_part = |other: &str, of: &str| other.strip_prefix(of).is_some_and(|rest| rest.starts_with("::"));
    let mut found: BTreeSet<String> = modules.keys().filter(|other| is_part(other, name)).cloned().collect();
    for (mark, base) in [("crate::", ""), ("super::", parent)] {
        for rest in text.split(mark).skip(1) {
            for path in paths(rest) {
                let whole = if base.is_empty() { path } else { format!("{base}::{path}") };
                let module = module_of(&whole, modules, named);
                found.extend(module.filter(|module| module != name && !is_part(name, module)));
            }
        }
    }
    found
}

/// The deepest module a path begins with, or the one its first name comes from.
fn module_of(path: &str, modules: &Modules, named: &BTreeMap<String, String>) -> Option<String> {
    let mut part = path;
    loop {
        if modules.contains_key(part) {
            return Some(part.to_owned()).filter(|module| !module.is_empty());
        }
        match part.rsplit_once("::") {
            Some((shorter, _)) => part = shorter,
            None => return named.get(part).cloned(),
        }
    }
}

/// The paths a text begins with: one, or those of a tree in braces.
fn paths(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let Some(tree) = rest.strip_prefix('{') else { return vec![path.trim_end_matches("::").to_owned()] };
    let mut depth = 1;
    let (mut begins, mut parts) = (0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            parts.push(tree[begins..at].trim());
            begins = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .flat_map(paths)
        .map(|part| format!("{path}{part}"))
        .collect()
}

/// Tests may look at everything. What is for tests alone is the one item below its attribute, and what stands behind it
/// is looked at again: as the formatter writes it, the item ends with its first line, or with the first line that is as
/// far in as the attribute is and closes something.
fn without_tests(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("#[cfg(test)]").filter(|before| before.trim().is_empty()) else {
            kept.push_str(line);
            kept.push('\n');
            continue;
        };
        let is_over = |line: &str| line.ends_with(['}', ';', ',']);
        let closes =
            |line: &str| line.strip_prefix(indent).is_some_and(|rest| rest.starts_with(['}', ']', ')']));
        let first = lines.by_ref().find(|line| !line.trim_start().starts_with(['#', '/']));
        if first.is_some_and(|line| !is_over(line)) {
            lines.by_ref().find(|line| closes(line) && is_over(line));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> Modules {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        let open = modules(&[
            ("", "mod a;\nmod b;\npub use a::{A, deep::{B as C}};"),
            ("a", "use crate::b::{self, X};\n#[cfg(test)]\nmod tests { use crate::c::Y; }"),
            ("b", "/// As [`crate::A`] says.\nuse std::fmt;"),
            ("c", "use crate::a::A;"),
        ]);
        assert_eq!(of(&open), Vec::<Vec<String>>::new());
        for closes in [
            "use crate::{\n    c::Y,\n    a::{A, deep::B},\n};",
            "fn f() { crate::a::f() }",
            "use crate::A;",
            "use crate::c::Y;",
            "use super::a;",
        ] {
            let mut closed = open.clone();
            closed.insert("b".into(), closes.into());
            let circles = of(&closed);
            assert_eq!(circles.len(), 1, "{closes}: {circles:?}");
            assert!(circles[0].starts_with(&["a".into(), "b".into()]), "{closes}: {circles:?}");
            let mut wrong = Vec::new();
            check("crates/gateway", &closed, &mut wrong);
            assert!(wrong.len() == 1 && wrong[0].starts_with("crates/gateway: a, b"), "{wrong:?}");
        }
    }

    #[test]
    fn what_stands_behind_something_for_tests_is_looked_at() {
        for behind in [
            "#[cfg(test)]\nmod tests;\nuse crate::c::Y;",
            "#[cfg(test)]\n#[path = \"x.rs\"]\npub(crate) mod tests;\n\nfn f() { crate::c::f() }",
            "#[cfg(test)]\nuse crate::d::X;\nuse crate::c::Y;",
            "#[cfg(test)]\nmod tests {\n    const A: &str = \"}\";\n    use crate::d::X;\n}\nuse crate::c::Y;",
            "impl A {\n    #[cfg(test)]\n    const A: [u8; 1] = [\n        1,\n    ];\n    fn f() {\n        crate::c::f()\n    }\n}",
            "impl A {\n    #[cfg(test)]\n    fn only() {\n        crate::d::x()\n    }\n}\nuse crate::c::Y;",
        ] {
            let files = modules(&[("a", behind), ("c", "use crate::a::A;"), ("d", "use crate::a::A;")]);
            assert_eq!(of(&files), [["a", "c"]], "{behind}");
        }
    }

    #[test]
    fn files_are_modules_but_for_tests_and_programs() {
        let named = |path: &str| module(path).map(|(krate, name)| format!("{krate} {name}"));
        assert_eq!(named("crates/gateway/src/lib.rs").as_deref(), Some("crates/gateway "));
        assert_eq!(
            named("crates/terminal/src/shell/bash.rs").as_deref(),
            Some("crates/terminal shell::bash")
        );
        for other in [
            "crates/app/src/leaving_tests.rs",
            "crates/policy/src/decide/tests.rs",
            "tools/bench/src/bin/bench_way_in.rs",
            "crates/hub/tests/x.rs",
            "ui/src/host/tauri.ts",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn a_child_and_its_parent_are_told_apart() {
        let files = modules(&[
            ("shell", "mod bash;\nuse crate::shell::bash::RC;"),
            ("shell::bash", "use super::quote::quoted;\nuse super::Place;"),
            ("shell::quote", ""),
            ("terminal", "use crate::shell;"),
        ]);
        assert_eq!(of(&files), Vec::<Vec<String>>::new());
        let mut closed = files.clone();
        closed.insert("shell::quote".into(), "use crate::terminal::Remark;".into());
        assert_eq!(of(&closed), [["shell", "shell::bash", "shell::quote", "terminal"]]);
    }
}
