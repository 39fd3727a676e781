//! The JSON schemas of the outputs, made from the shapes themselves and committed under `schema/`.

use crate::args::Output;
use schemars::schema_for;

impl Output {
    /// All of them, and the file each is committed in.
    #[cfg(test)]
    const ALL: [(Self, &'static str); 7] = [
        (Self::Report, "report.json"),
        (Self::WhoCan, "who-can.json"),
        (Self::Can, "can.json"),
        (Self::Why, "why.json"),
        (Self::Paths, "paths.json"),
        (Self::Diff, "diff.json"),
        (Self::Fix, "fix.json"),
    ];

    /// Its schema, JSON Schema 2020-12.
    pub(crate) fn schema(self) -> String {
        let schema = match self {
            Self::Report => schema_for!(sallyport_report::view::ReportView),
            Self::WhoCan => schema_for!(crate::who::WhoCanView),
            Self::Can => schema_for!(crate::held::CanView),
            Self::Why => schema_for!(crate::who::WhyView),
            Self::Paths => schema_for!(crate::paths::PathsView),
            Self::Diff => schema_for!(crate::diff::DiffView),
            Self::Fix => schema_for!(sallyport_report::fix::FixesView),
        };
        crate::answer::schema(&schema)
    }
}

#[cfg(test)]
mod tests {
    use crate::args::Output;

    /// `SALLYPORT_WRITE_SCHEMAS=1` writes them anew.
    #[test]
    fn the_committed_schemas_are_those_of_the_shapes() {
        let posture = Output::ALL.map(|(output, file)| (output.schema(), file));
        let audit = crate::audit::args::Output::ALL.map(|(output, file)| (output.schema(), file));
        for (schema, file) in posture.into_iter().chain(audit) {
            let path = std::path::Path::new("schema").join(file);
            if std::env::var_os("SALLYPORT_WRITE_SCHEMAS").is_some() {
                std::fs::write(&path, &schema).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == schema,
                "{file} is not what the shape says: SALLYPORT_WRITE_SCHEMAS=1 writes it"
            );
        }
    }
}
