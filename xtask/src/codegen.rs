//! What is generated and committed: the CRDs and the outline of the hub's policies under `deploy/`, the window's types under
//! `ui/src/bindings` and its capability.

use crate::shell::{output, passes, program, root};
use anyhow::{Result, bail};
use std::{collections::BTreeMap, fs, path::Path};

const PRINTED: [(&str, &str); 3] = [
    ("hub", "deploy/hub/crds.yaml"),
    ("target", "deploy/target/crds.yaml"),
    // The number is HUB_SET's; the version after compares hubs with it.
    ("set", "deploy/hub/sets/2.yaml"),
];
/// Folders where everything is generated: the window's types, and what it may call.
const FOLDERS: [&str; 2] = ["ui/src/bindings", "src-tauri/capabilities"];

/// Rewrites all of it.
pub(crate) fn write() -> Result<()> {
    for (which, path) in PRINTED {
        let args = ["run", "-q", "--locked", "-p", "sallyport-api", "--bin", "crdgen", which];
        fs::write(root().join(path), output(program("cargo", &args))?)?;
    }
    if !passes(program("cargo", &["run", "-q", "--locked", "-p", "sallyport-ipc", "--bin", "bindings"]))? {
        bail!("the bindings could not be written");
    }
    Ok(())
}

/// Whether what is committed is what would be written. Leaves the tree as it was.
pub(crate) fn is_current() -> Result<bool> {
    let before = snapshot()?;
    let written = write();
    let after = snapshot()?;
    for (path, content) in &before {
        fs::write(root().join(path), content)?;
    }
    for path in after.keys().filter(|p| !before.contains_key(*p)) {
        fs::remove_file(root().join(path))?;
    }
    written?;
    let stale: Vec<&String> =
        after.iter().filter(|(p, c)| before.get(*p) != Some(c)).map(|(p, _)| p).collect();
    for path in &stale {
        println!("generated: {path} is not what the code generates; run `make codegen`");
    }
    Ok(stale.is_empty())
}

fn snapshot() -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for (_, path) in PRINTED {
        if let Ok(content) = fs::read(root().join(path)) {
            files.insert(path.to_owned(), content);
        }
    }
    for folder in FOLDERS {
        read_folder(Path::new(folder), &mut files)?;
    }
    Ok(files)
}

fn read_folder(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read_folder(&path, files)?;
        } else {
            files.insert(path.display().to_string(), fs::read(entry.path())?);
        }
    }
    Ok(())
}
