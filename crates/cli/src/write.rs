//! Files that name who may do what.

use crate::end::Stop;
use sallyport_report::words::shown;
use std::io::Write as _;
use std::path::Path;

/// Whole or not at all, and readable by its owner alone.
pub(crate) fn write(text: &str, path: &Path) -> Result<(), Stop> {
    let failed =
        |why: String| Stop(format!("{} can't be written: {why}", shown(&path.display().to_string())));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Such files are made for their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
    file.write_all(text.as_bytes()).map_err(|error| failed(error.to_string()))?;
    file.as_file().sync_all().map_err(|error| failed(error.to_string()))?;
    file.persist(path).map_err(|error| failed(error.error.to_string()))?;
    Ok(())
}
