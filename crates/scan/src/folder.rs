use crate::error::{ScanError, shown, shown_path, unread};
use crate::{Reading, file, names};
use sallyport_posture::{Coverage, Kind};
use serde_json::{Value, json};
use serde_saphyr::options::DuplicateKeyPolicy;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Of which kinds files hold every object of the cluster. Files can't tell that themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole(pub BTreeSet<Kind>);

/// The largest file, in bytes.
const FILE_MOST: u64 = 128 << 20;
/// The most of all files, in bytes.
const ALL_MOST: u64 = 512 << 20;
/// The most files.
const FILES_MOST: usize = 50_000;
/// The deepest folder.
const DEEP: usize = 32;
/// Lists may hold lists, to some end.
const LISTS_DEEP: usize = 4;

/// Reads a folder of YAML and JSON (`.yaml`, `.yml`, `.json`; several documents to a file, lists, single objects), one
/// such file, or a snapshot that was kept. Symbolic links are not followed. Nothing is said of what no file holds.
///
/// # Errors
/// [`ScanError`]: the path can't be read, holds too much or nothing. A single file that can't be read is told in
/// [`Reading::unread`], and makes every kind one that was read in part: it may hold anything.
pub fn folder(path: &Path, whole: &Whole) -> Result<Reading, ScanError> {
    let meta = std::fs::metadata(path).map_err(|error| unread(path, &error))?;
    let (mut files, mut links) = (Vec::new(), Vec::new());
    if meta.is_dir() {
        walk(path, 0, &mut files, &mut links)?;
    } else {
        files.push(path.to_owned());
    }
    let mut reading = Reading { source: shown_path(path), ..Reading::default() };
    let (mut bytes, mut found) = (0, 0);
    for file in &files {
        let text = match text_of(file) {
            Ok(text) => text,
            Err(why) => {
                reading.unread.push(format!("{}: {why}", shown_path(file)));
                continue;
            }
        };
        bytes += text.len() as u64;
        if bytes > ALL_MOST {
            return Err(ScanError::TooMuch { path: shown_path(path), what: "more than 512 MiB" });
        }
        match documents(file, &text) {
            Ok(documents) => {
                if let [one] = documents.as_slice()
                    && file::is_snapshot(one)
                {
                    if files.len() > 1 {
                        let why = "it lies among other files; name it by itself".to_owned();
                        return Err(ScanError::Snapshot { path: shown_path(file), why });
                    }
                    return file::of_value(documents.into_iter().next().unwrap_or_default(), file);
                }
                let place = told(path, file);
                documents.into_iter().for_each(|one| found += take(&mut reading, one, None, &place, 0));
            }
            Err(why) => reading.unread.push(format!("{}: {why}", shown_path(file))),
        }
    }
    // Whatever is said to be whole: where nothing is, the wrong place was looked at.
    if found == 0 && reading.unread.is_empty() {
        return Err(ScanError::Nothing(shown_path(path)));
    }
    let not_followed =
        |link: &PathBuf| format!("{}: a symbolic link, which is not followed", shown_path(link));
    reading.unread.extend(links.iter().map(not_followed));
    if !whole.0.contains(&Kind::ClusterRole) {
        assume(&mut reading);
    }
    cover(&mut reading, whole);
    Ok(reading)
}

/// How a file is told: from where the program was started when the folder was named so, as code scanning wants it; else
/// from the folder.
fn told(folder: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(folder).ok().filter(|inside| !inside.as_os_str().is_empty());
    let told = if folder.is_relative() { file } else { inside.unwrap_or(file) };
    told.to_string_lossy().into_owned()
}

/// Takes cluster-admin for what Kubernetes ships, where files bind it and do not hold it: manifests never do, and what
/// they give by it is the worst that can be found in them.
fn assume(reading: &mut Reading) {
    const NAME: &str = "cluster-admin";
    let text = |object: &Value, path: &str| object.pointer(path).and_then(Value::as_str) == Some(NAME);
    let held =
        reading.objects.iter().any(|(kind, one)| *kind == Kind::ClusterRole && text(one, "/metadata/name"));
    let bound = reading.objects.iter().any(|(_, one)| {
        text(one, "/roleRef/name")
            && one.pointer("/roleRef/kind").and_then(Value::as_str) == Some("ClusterRole")
    });
    if bound && !held {
        let everything = json!([
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
        ]);
        reading.add(Kind::ClusterRole, json!({"metadata": {"name": NAME}, "rules": everything}));
        reading.assumed.push(format!(
            "The files bind ClusterRole {NAME} and do not hold it; it is taken as Kubernetes ships it."
        ));
    }
}

/// How far each kind counts as read.
fn cover(reading: &mut Reading, whole: &Whole) {
    let counts = reading.counts();
    for kind in Kind::ALL {
        let coverage = match (reading.unread.len(), whole.0.contains(kind), counts.contains_key(kind)) {
            (0, true, _) => Coverage::Read,
            (0, false, true) => Coverage::Cut(
                "files can't say whether they hold all of it; --whole says that they do".to_owned(),
            ),
            (0, false, false) => continue,
            (unread, _, _) => {
                Coverage::Cut(format!("{unread} of the files could not be read, and may hold some of it"))
            }
        };
        reading.coverage.insert(*kind, coverage);
    }
}

fn walk(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    links: &mut Vec<PathBuf>,
) -> Result<(), ScanError> {
    let too_much = |what| Err(ScanError::TooMuch { path: shown_path(folder), what });
    if depth > DEEP {
        return too_much("folders deeper than 32");
    }
    let entries = std::fs::read_dir(folder).map_err(|error| unread(folder, &error))?;
    let mut all = entries.collect::<Result<Vec<_>, _>>().map_err(|error| unread(folder, &error))?;
    all.sort_by_key(std::fs::DirEntry::file_name);
    for entry in all {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unread(&path, &error))?;
        let extension = path.extension().and_then(|one| one.to_str()).map(str::to_ascii_lowercase);
        if kind.is_dir() {
            walk(&path, depth + 1, files, links)?;
        } else if matches!(extension.as_deref(), Some("yaml" | "yml" | "json")) || kind.is_symlink() {
            if kind.is_file() { files.push(path) } else { links.push(path) }
        }
        if files.len() + links.len() > FILES_MOST {
            return too_much("more than 50,000 files");
        }
    }
    Ok(())
}

fn text_of(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| shown(&error.to_string());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_MOST {
        return Err("it is larger than 128 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it holds no text".to_owned())
}

/// All documents of a file. JSON is tried first: it is read many times faster.
fn documents(path: &Path, text: &str) -> Result<Vec<Value>, String> {
    let json = serde_json::Deserializer::from_str(text).into_iter::<Value>().collect::<Result<Vec<_>, _>>();
    let is_json = path.extension().is_some_and(|one| one.eq_ignore_ascii_case("json"));
    match json {
        Ok(documents) => return Ok(documents),
        Err(error) if is_json => return Err(format!("it is no whole JSON: {}", shown(&error.to_string()))),
        Err(_) => {}
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        // `no` and `n` are names, too.
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_anchors: 1_000, max_aliases: 10_000, max_depth: 128, max_nodes: 20_000_000, max_events: 40_000_000,
            max_documents: 100_000, max_total_scalar_bytes: 512 << 20,
        },
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let place = error.location().map_or_else(String::new, |place| format!(" at line {}", place.line()));
        // What stands there is not repeated: it may be a Secret's value.
        format!("it is no YAML{place}; a template has to be rendered first")
    })
}

/// Whether a kind is one by which somebody gets rights.
fn is_roles(kind: &str) -> bool {
    Kind::RBAC.iter().any(|known| known.name() == kind)
}

/// Takes in a document, and says how many objects of it posture looks at.
fn take(reading: &mut Reading, document: Value, of_list: Option<Kind>, file: &str, depth: usize) -> usize {
    let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    if kind.ends_with("List") && document.get("items").is_some() {
        let items_are = kind.strip_suffix("List").and_then(|kind| names::kind_of(kind, &api_version));
        let Value::Object(mut list) = document else { return 0 };
        let items = match list.remove("items") {
            Some(Value::Array(items)) if depth < LISTS_DEEP => items,
            Some(Value::Null) => return 0,
            _ => {
                reading.unread.push(format!("{}: it has a list that is none", shown(file)));
                return 0;
            }
        };
        return items.into_iter().map(|item| take(reading, item, items_are, file, depth + 1)).sum();
    }
    let own = if kind.is_empty() { of_list } else { names::kind_of(&kind, &api_version) };
    let Some(kind) = own else {
        // OpenShift's own, of an old version, or mistyped: what it gives is not known. Others have kinds of these names that
        // are about something else.
        let of_roles = api_version.contains("rbac") || api_version.contains("authorization");
        if of_roles && is_roles(&kind) {
            reading.unread.push(format!("{}: {kind} of {api_version:?}, which is not read", shown(file)));
        }
        return 0;
    };
    let meta = |field: &str| {
        document.pointer(&format!("/metadata/{field}")).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let place = (kind.name().to_owned(), meta("namespace"), meta("name"));
    reading.files.insert(place, file.to_owned());
    reading.add(kind, document);
    1
}
