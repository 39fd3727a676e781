//! Every crate that ships must come under a licence that Apache-2.0 can live with.

use crate::shell::{output, program};
use anyhow::{Context, Result};
use serde::Deserialize;

/// Licences that may ship. `MPL-2.0` is file-level copyleft and asks nothing of our own files.
const ALLOWED: [&str; 16] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-1-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "CC0-1.0",
    "0BSD",
    "MPL-2.0",
    "Unlicense",
    "CDLA-Permissive-2.0",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Reads the locked dependency graph and names what is not allowed.
pub(crate) fn run() -> Result<bool> {
    let metadata = output(program("cargo", &["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("could not read cargo metadata")?;
    let mut good = true;
    for package in metadata.packages {
        let licence = package.license.unwrap_or_default();
        if !allowed(&licence) {
            println!("licences: {} {} is under `{licence}`", package.name, package.version);
            good = false;
        }
    }
    Ok(good)
}

/// An SPDX expression holds when one side of each `OR` and all sides of each `AND` are allowed. Expressions in the
/// graph nest at most one level of parentheses, which this reads; anything else is refused and so seen.
fn allowed(expression: &str) -> bool {
    let text = expression.trim().replace('/', " OR ");
    split(&text, " AND ").iter().all(|part| {
        let part = part.trim();
        let inner = part.strip_prefix('(').and_then(|p| p.strip_suffix(')'));
        match inner {
            Some(inner) => allowed(inner),
            None => split(part, " OR ").iter().any(|one| {
                let one = one.trim();
                ALLOWED.contains(&one) || (one.starts_with('(') && allowed(one))
            }),
        }
    })
}

/// Splits at `separator` outside parentheses.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && at >= start && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 AND ISC",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND AGPL-3.0", "", "LicenseRef-ring"] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
