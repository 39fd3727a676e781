//! The TypeScript of all shapes and commands, in one file: `ui/src/bindings/ipc.ts`.

use crate::*;
use ts_rs::{Config, TS};

/// Where the file is, from the root of the repository.
pub const PATH: &str = "ui/src/bindings/ipc.ts";

/// The whole file.
pub fn render() -> String {
    // JSON numbers are what crosses, and every i64 here (milliseconds, microseconds, counts) is below 2^53.
    let config = Config::new().with_large_int("number");
    let mut out =
        String::from("// Made by `cargo run -p sallyport-ipc --bin bindings`. Change crates/ipc instead.\n");
    for shape in shapes(&config) {
        out.push('\n');
        out.push_str(&shape);
        out.push('\n');
    }
    out.push_str(&format!("\nexport const EVENT = {EVENT:?};\n\nexport interface Commands {{\n"));
    out.push_str(&command_lines(&config));
    out.push_str("}\n");
    out
}

/// One declaration with its doc comment for each exported shape, in the order of the list below.
pub fn shapes(config: &Config) -> Vec<String> {
    macro_rules! declare {
        ($($ty:ty),* $(,)?) => { vec![$(declaration::<$ty>(config)),*] };
    }
    declare![
        ErrorCode,
        StepUp,
        ErrorView,
        Phase,
        WorkspaceView,
        WorkspacePreview,
        User,
        SignInStep,
        SignIn,
        Vault,
        HubLink,
        HubState,
        Demo,
        Theme,
        HistoryState,
        CleanupProof,
        Cleanup,
        AppState,
        EnvironmentKind,
        Broker,
        Way,
        ClusterView,
        ClustersView,
        Mfa,
        Right,
        Rights,
        Refused,
        ProfileView,
        LastOpening,
        Carried,
        Guardrails,
        ClusterDetail,
        OpenInput,
        SessionState,
        StepKind,
        StepState,
        Step,
        Call,
        Calls,
        ProofKind,
        ProofState,
        Proof,
        EndReason,
        Ended,
        TerminalSize,
        TerminalGuard,
        TerminalView,
        SessionView,
        AuditFilter,
        Outcome,
        AuditIds,
        AuditEntryView,
        AuditPage,
        Verdict,
        VerifyView,
        AuditPosition,
        NoticeLevel,
        Notice,
        Event,
    ]
}

fn declaration<T: TS + 'static>(config: &Config) -> String {
    let docs = T::docs().unwrap_or_default();
    format!("{docs}export {}", T::decl(config))
}

fn command_lines(config: &Config) -> String {
    let mut out = String::new();
    macro_rules! line {
        ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {$({
            let args: &[String] = &[$(format!("{}: {}", stringify!($arg), <$ty as TS>::name(config))),*];
            // `null` is how an empty JSON result arrives.
            out.push_str(&format!(
                "  {}: {{ args: {{ {} }}; result: {} }};\n",
                stringify!($name), args.join("; "), <$out as TS>::name(config),
            ));
        })*};
    }
    commands!(line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_bindings_are_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
        let committed = std::fs::read_to_string(format!("{path}{PATH}")).expect("the bindings are committed");
        assert!(committed == render(), "run `cargo run -p sallyport-ipc --bin bindings` and commit {PATH}");
    }

    #[test]
    fn p1_no_shape_has_a_place_for_a_credential() {
        let text: String = shapes(&Config::new().with_large_int("number")).concat();
        // Doc comments may speak of tokens; fields may not be one.
        let code = without_comments(&text);
        let fields: Vec<&str> = code
            .split(['{', ',', ';', '}', '('])
            .filter_map(|part| {
                part.split_once(':').map(|(name, _)| name.trim().trim_end_matches('?').trim_matches('"'))
            })
            .collect();
        assert!(fields.len() > 150, "the walk sees the fields: {}", fields.len());
        assert!(
            fields.contains(&"stepUp") && fields.contains(&"jti") && fields.contains(&"hubCaFingerprint")
        );
        for field in fields {
            let lower = field.to_lowercase();
            for word in [
                "token",
                "secret",
                "password",
                "kubeconfig",
                "credential",
                "privatekey",
                "pem",
                "bearer",
                "refresh",
            ] {
                assert!(!lower.contains(word), "field {field} could carry a credential");
            }
            assert!(!lower.ends_with("key"), "field {field} could carry a key");
        }
    }

    #[test]
    fn p23_every_command_is_named_once() {
        let mut names = COMMANDS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    fn without_comments(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("/*") {
            out.push_str(&rest[..start]);
            rest = rest[start..].split_once("*/").map_or("", |(_, after)| after);
        }
        out.push_str(rest);
        out
    }
}
