//! What is said of a tool before it runs.

/// Something a person should know before they use a tool in this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The tool: `helm`.
    pub tool: String,
    /// The subcommands it is said at. Letters and dashes.
    pub at: Vec<String>,
    /// Unless this variable is set to something.
    pub unless: String,
    /// One sentence or two.
    pub words: String,
}
