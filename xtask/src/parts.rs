//! The parts inside `app`: each is a folder that owns its state, and nobody calls upwards.

use crate::circles::{Modules, imports_of};

/// The crate with parts, and its parts from the one that knows nobody upwards. What is not in one of them stands above all.
const APP: &str = "crates/app";
const PARTS: [&str; 13] = [
    "desk",
    "history",
    "evidence",
    "recordings",
    "person",
    "inventory",
    "holds",
    "sessions",
    "scans",
    "approvals",
    "reach",
    "told",
    "support",
];

/// What looks upwards in a crate.
pub(crate) fn check(krate: &str, modules: &Modules, wrong: &mut Vec<String>) {
    if krate != APP {
        return;
    }
    for (name, imports) in imports_of(modules) {
        for other in imports.iter().filter(|other| place(other) > place(&name)) {
            wrong.push(format!(
                "{krate}: {name} imports {other}, which stands above it: {}",
                PARTS.join(" → ")
            ));
        }
    }
}

/// Where a module stands.
fn place(module: &str) -> usize {
    let part = module.split("::").next().unwrap_or(module);
    PARTS.iter().position(|known| *known == part).unwrap_or(PARTS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_upwards_and_everybody_down() {
        let files = |person: &str| -> Modules {
            [
                ("", "mod app;\nmod desk;\nmod inventory;\nmod person;"),
                ("app", "use crate::person::Person;\nuse crate::inventory::Inventory;"),
                ("desk", "pub struct Desk;"),
                ("inventory", "use crate::person::Person;"),
                ("person", person),
                ("person::seat", "use super::Person;\nuse crate::desk::Desk;"),
            ]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
        };
        let found = |krate: &str, person: &str| {
            let mut wrong = Vec::new();
            check(krate, &files(person), &mut wrong);
            wrong
        };
        assert_eq!(found(APP, "use crate::desk::Desk;"), Vec::<String>::new());
        for upwards in ["use crate::inventory::Inventory;", "fn f() { crate::app::f() }"] {
            let wrong = found(APP, upwards);
            assert!(wrong.len() == 1 && wrong[0].starts_with("crates/app: person imports "), "{wrong:?}");
            assert!(found("crates/gateway", upwards).is_empty());
        }
    }
}
