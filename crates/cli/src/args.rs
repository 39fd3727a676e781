use crate::answer::Answer;
use clap::{Args, Parser, Subcommand, ValueEnum};
use sallyport_posture::Severity;
use std::path::PathBuf;

/// Opens Kubernetes clusters for one person, one purpose and a limited time; says where they are weak, and what was done there.
#[derive(Debug, Parser)]
#[command(name = "sallyport", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Where a cluster is weak: who can reach and do what, and what to fix first.
    #[command(subcommand)]
    Posture(Posture),
    /// What API servers' audit logs tell: who did what, kept in an archive of your own.
    #[command(subcommand)]
    Audit(crate::audit::args::Audit),
}

const EXITS: &str = "Exit codes:
  0  it was read, and nothing was found at or above --fail-on
  1  something was found at or above --fail-on that nobody excepted (with --fail-on-unknown: or a check could not be
     answered)
  2  bad arguments or input, or no role and no binding could be read (diff: what was found before may be there still)";

const EXITS_ASKED: &str = "Exit codes:
  0  it was answered (why: they may)
  1  why: they may not
  2  bad arguments or input, or what the answer depends on was not read";

const EXITS_FIX: &str = "Exit codes:
  0  a change is proposed; with --apply: it was made, all of it
  1  there is no exact change to propose: the advice in words is all; with --apply: nothing was changed, since the API
     server refused to, or nobody said yes
  2  bad arguments or input, or nothing is found that is called so
  3  with --apply: a part was made, or the API server did not answer and it may have been made: look";

const EXITS_REPORT: &str = "Exit codes:
  0  the page was written
  1  with --fail-on: something is this bad or worse in one of the clusters, or an exception has ended or is about nothing
  2  bad arguments or input, or of one of the clusters nothing could be read";

#[derive(Debug, Subcommand)]
pub(crate) enum Posture {
    /// Asks every check, and shows what it found with what proves it.
    #[command(after_help = EXITS)]
    Scan(Scan),
    /// Who can do something: `who-can get secrets -n payments`.
    #[command(after_help = EXITS_ASKED)]
    WhoCan(WhoCan),
    /// What somebody can do: `can sa:ci/deployer`.
    #[command(after_help = EXITS_ASKED)]
    Can(Can),
    /// Why somebody may do something: `why user:alice create pods/exec -n payments`.
    #[command(after_help = EXITS_ASKED)]
    Why(Why),
    /// Ways of several steps to everything, to a node's root or to Secrets, and the binding to cut first.
    #[command(after_help = EXITS_ASKED)]
    Paths(Paths),
    /// What is new and what is gone between two kept snapshots or folders.
    #[command(after_help = EXITS)]
    Diff(Diff),
    /// What to do about a finding: the least change, as kubectl takes it, and who loses what by it.
    #[command(after_help = EXITS_FIX)]
    Fix(Fix),
    /// One HTML page on one cluster or many: grid, practices, what to fix first, findings with their proof, paths.
    #[command(after_help = EXITS_REPORT)]
    Report(ReportArgs),
    /// Prints the JSON schema of an output.
    Schema {
        /// Of which output.
        of: Output,
    },
}

/// Where to read: an API server, or files.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Reads the API server that a context of this kubeconfig names, with that context's own rights. Several are merged
    /// as kubectl merges them. Nothing that it names is run.
    #[arg(long, value_name = "FILE", required_unless_present = "snapshot")]
    pub(crate) kubeconfig: Vec<PathBuf>,
    /// The context; without it the current one.
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub(crate) context: Option<String>,
    /// Reads a folder of YAML and JSON, one such file, or a snapshot that `scan --save` kept.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["kubeconfig", "context"])]
    pub(crate) snapshot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) whole: Whole,
}

/// What files hold.
#[derive(Debug, Default, Args)]
pub(crate) struct Whole {
    /// The files hold every object of these kinds (resources such as `clusterroles`, or `rbac`, or `all`). Without it
    /// they may lack some, and no check passes.
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) whole: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    pub(crate) source: Source,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    /// Ends with 1 when something is this bad or worse; what comes with Kubernetes does not count.
    #[arg(long, value_enum, default_value_t = FailOn::High)]
    pub(crate) fail_on: FailOn,
    /// Ends with 1 also when a check could not be answered.
    #[arg(long)]
    pub(crate) fail_on_unknown: bool,
    /// Keeps what was read in this file: objects reduced to what posture looks at, readable by you alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Lists everything: what comes with Kubernetes, and each of many findings of one check.
    #[arg(long)]
    pub(crate) all: bool,
    /// Asks nothing without your credential. Else about twenty connections of their own look at the API server as whoever
    /// does not sign in sees it: TLS, certificate, and a dozen GETs.
    #[arg(long, conflicts_with = "snapshot")]
    pub(crate) no_probes: bool,
    /// Asks nobody anything: judges the kubeconfig alone, as for a context that would run a program or believe any
    /// server, which is not signed in by.
    #[arg(long, requires = "kubeconfig", conflicts_with = "no_probes")]
    pub(crate) offline: bool,
    /// Tries with your own rights, in each namespace but those of the system, whether a privileged pod would be taken: a
    /// server-side dry run, of which nothing is kept, after one with a harmless pod.
    #[arg(long, requires = "kubeconfig", conflicts_with_all = ["offline", "snapshot"])]
    pub(crate) dry_run_pods: bool,
    #[command(flatten)]
    pub(crate) excepting: Excepting,
}

/// Findings that somebody answers for.
#[derive(Debug, Args)]
pub(crate) struct Excepting {
    /// A file of exceptions: what they are about is shown with who answers for it, and counts for no exit code. One that
    /// has ended, or is about nothing, is a finding itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) exceptions: Option<PathBuf>,
    /// What the cluster is called in exceptions; without it the context's, the file's or the folder's name.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Fix {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The finding: the beginning of its fingerprint (`scan -o json` has it), or a check's id with `--subject` or
    /// `--object`.
    pub(crate) finding: String,
    /// Whom it is about: `user:NAME`, `group:NAME`, or `sa:NAMESPACE/NAME`.
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// What it is about, by its name.
    #[arg(long)]
    pub(crate) object: Option<String>,
    /// How the cluster is called in the inventory, for a drafted profile and in an archive.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// An archive of audit events (`sallyport audit import`) that tells who used lately what a fix takes.
    #[arg(long, value_name = "FOLDER", requires = "cluster")]
    pub(crate) archive: Option<PathBuf>,
    /// Which of several fixes is written or applied; the first is the one that takes least.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) number: u16,
    /// Makes the change on the API server with the kubeconfig's own rights: tries all of it there first (a server-side dry
    /// run, which its authorizer and admission answer), shows what came of that, and asks before it goes on. Of an object
    /// that changed since it was read nothing is changed, and nothing at all where the trial of any part is refused.
    #[arg(long, requires = "kubeconfig", conflicts_with = "snapshot")]
    pub(crate) apply: bool,
    /// Does not ask.
    #[arg(long, requires = "apply")]
    pub(crate) yes: bool,
    /// Writes the files of that fix into this folder, which must be there.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) write: Option<PathBuf>,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Kept snapshots, files and folders of YAML and JSON: each is a cluster, called as its file or folder.
    #[arg(required_unless_present = "kubeconfig", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Each file of the folders that are given is a cluster of its own.
    #[arg(long)]
    pub(crate) each: bool,
    /// Reads the API server of this kubeconfig too.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Vec<PathBuf>,
    /// The contexts, each a cluster; without it the current one.
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub(crate) context: Vec<String>,
    #[command(flatten)]
    pub(crate) whole: Whole,
    /// A file of exceptions.
    #[arg(long, value_name = "FILE")]
    pub(crate) exceptions: Option<PathBuf>,
    /// Writes the page to this file, readable by you alone, and not to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Ends with 1 when something is this bad or worse.
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(crate) fail_on: FailOn,
    /// Asks no API server anything without your credential, as for a scan.
    #[arg(long)]
    pub(crate) no_probes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WhoCan {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) question: Question,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

/// A question to an API server.
#[derive(Debug, Args)]
pub(crate) struct Question {
    /// e.g. `get`, `create`, `impersonate`.
    pub(crate) verb: String,
    /// e.g. `pods`, `pods/exec`, `deployments.apps/scale`; or a path such as `/metrics`.
    pub(crate) resource: String,
    /// The object's name, where the request carries one.
    pub(crate) name: Option<String>,
    /// The namespace; without it: in every namespace, or for what is in none.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
}

/// Somebody.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// `user:NAME`, `group:NAME`, or `sa:NAMESPACE/NAME`.
    pub(crate) subject: String,
    /// A group that the user is in, beside those that everybody of their kind is in. May be repeated.
    #[arg(long = "group", value_name = "NAME")]
    pub(crate) groups: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Can {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) who: Who,
    /// Only what holds in this namespace.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) question: Question,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Paths {
    #[command(flatten)]
    pub(crate) source: Source,
    /// `cluster-admin`, `node-root`, `kube-system`, or `secrets:NAMESPACE`.
    #[arg(long, default_value = "cluster-admin")]
    pub(crate) to: String,
    /// Ways into another cluster, by what both believe: a client CA, the keys that sign tokens, an issuer. A snapshot
    /// that `scan --save` kept of it; the goal is one there.
    #[arg(long, value_name = "PATH")]
    pub(crate) into: Option<PathBuf>,
    /// Only the way of this subject: `user:NAME`, `group:NAME`, or `sa:NAMESPACE/NAME`.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Also those whose first step comes with Kubernetes or its vendor.
    #[arg(long)]
    pub(crate) all: bool,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier one.
    pub(crate) before: PathBuf,
    /// The later one.
    pub(crate) after: PathBuf,
    #[command(flatten)]
    pub(crate) whole: Whole,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
    /// Ends with 1 when something new is this bad or worse.
    #[arg(long, value_enum, default_value_t = FailOn::High)]
    pub(crate) fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// JSON, of `posture schema report`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// One line for each finding.
    Csv,
}

/// An output with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// `scan -o json`.
    Report,
    /// `who-can -o json`.
    WhoCan,
    /// `can -o json`.
    Can,
    /// `why -o json`.
    Why,
    /// `paths -o json`.
    Paths,
    /// `diff -o json`.
    Diff,
    /// `fix -o json`.
    Fix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Info,
    Never,
}

impl FailOn {
    /// Whether a severity is at or above it.
    pub(crate) fn holds(self, severity: Severity) -> bool {
        let from = match self {
            Self::Critical => Severity::Critical,
            Self::High => Severity::High,
            Self::Medium => Severity::Medium,
            Self::Low => Severity::Low,
            Self::Info => Severity::Info,
            Self::Never => return false,
        };
        severity >= from
    }
}
