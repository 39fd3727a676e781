//! The official Python client, which sends `Origin` where a browser would.

use super::{NAMESPACE, Tool, output, program, verb};
use crate::lines::Lines;
use anyhow::Result;
use std::path::PathBuf;

/// Takes the verb, the namespace and a pod.
const CLIENT: &str = include_str!("client.py");

pub(super) async fn verbs(python: &PathBuf, tool: &Tool, lines: &mut Lines) {
    let all =
        ["version", "list", "watch", "log", "fault_c2 exec", "fault_c2 attach", "fault_c2 port_forward"];
    for name in all {
        verb(lines, "Python client", name, call(python, tool, name.trim_start_matches("fault_c2 "))).await;
    }
}

async fn call(python: &PathBuf, tool: &Tool, name: &str) -> Result<String> {
    let home = tempfile::tempdir()?;
    let mut command = program(python, tool.kubectl.kubeconfig(), home.path());
    command.args(["-c", CLIENT, name, NAMESPACE, &tool.pod]);
    output(command).await
}
