//! Exceptions on the command line: the file they stand in.

use crate::end::Stop;
use sallyport_report::exceptions::Excepting;
use sallyport_report::words::shown;
use std::path::Path;

/// Those of a file, for a cluster.
pub(crate) fn read(file: Option<&Path>, cluster: &str) -> Result<Excepting, Stop> {
    let now = jiff::Timestamp::now().as_second();
    let Some(path) = file else { return Ok(Excepting::none().for_cluster(cluster)) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Stop(format!("{} can't be read: {error}", shown(&name))))?;
    Excepting::parse(&text, &name, cluster, now).map_err(|error| Stop(format!("{}: {error}", shown(&name))))
}
