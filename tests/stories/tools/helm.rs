//! helm keeps what it knows of a release in Secrets: a profile that opens them is what it needs.

use super::{NAMESPACE, Tool, output, program, verb};
use crate::lines::Lines;
use anyhow::{Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const RELEASE: &str = "settings";

/// A chart of one ConfigMap.
const CHART: [(&str, &str); 3] = [
    ("Chart.yaml", "apiVersion: v2\nname: settings\nversion: 0.1.0\n"),
    ("values.yaml", "level: info\n"),
    (
        "templates/settings.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  level: {{ .Values.level | quote }}\n",
    ),
];

struct Helm<'a> {
    program: &'a PathBuf,
    tool: &'a Tool,
    dir: &'a Path,
}

impl Helm<'_> {
    async fn run(&self, args: &[&str]) -> Result<String> {
        let mut command = program(self.program, self.tool.kubectl.kubeconfig(), &self.dir.join("home"));
        command.current_dir(self.dir).args(["--namespace", NAMESPACE]).args(args);
        output(command).await
    }

    /// What the chart's ConfigMap says, asked of the API server with kubectl.
    async fn level(&self) -> Result<String> {
        let args = ["get", "configmap", RELEASE, "-n", NAMESPACE, "-o=jsonpath={.data.level}"];
        self.tool.kubectl.ok(&args).await
    }
}

/// A folder with the chart and a home.
fn folder() -> Result<tempfile::TempDir> {
    let dir = tempfile::tempdir()?;
    fs::create_dir_all(dir.path().join("home"))?;
    for (name, text) in CHART {
        let path = dir.path().join("settings").join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
        fs::write(path, text)?;
    }
    Ok(dir)
}

/// Under a profile that opens Secrets for releases: the life of a release.
pub(super) async fn verbs(helm: &PathBuf, tool: &Tool, lines: &mut Lines) -> Result<()> {
    let dir = folder()?;
    let helm = Helm { program: helm, tool, dir: dir.path() };
    verb(lines, "helm", "version", helm.run(&["version", "--short"])).await;
    verb(lines, "helm", "fault_c9 install", install(&helm)).await;
    verb(lines, "helm", "fault_c9 list", shows(&helm, &["list"], RELEASE)).await;
    verb(lines, "helm", "fault_c9 status", shows(&helm, &["status", RELEASE], "deployed")).await;
    verb(lines, "helm", "fault_c9 upgrade", upgrade(&helm)).await;
    verb(lines, "helm", "fault_c9 history", shows(&helm, &["history", RELEASE], "superseded")).await;
    verb(lines, "helm", "fault_c9 rollback", rollback(&helm)).await;
    verb(lines, "helm", "fault_c9 uninstall", uninstall(&helm)).await;
    Ok(())
}

/// Under any other: it is the API server who refuses, and the words name Secrets.
pub(super) async fn without_secrets(helm: &PathBuf, tool: &Tool, lines: &mut Lines) {
    let refused = async {
        let dir = folder()?;
        let helm = Helm { program: helm, tool, dir: dir.path() };
        match helm.run(&["list"]).await {
            Ok(said) => bail!("it was not refused: {said}"),
            Err(error) => {
                let said = format!("{error:#}");
                ensure!(said.contains("secrets is forbidden"), "{said}");
                Ok("its Secrets are refused".to_owned())
            }
        }
    };
    verb(lines, "helm", "fault_c9 list under a profile without releases", refused).await;
}

async fn shows(helm: &Helm<'_>, args: &[&str], wanted: &str) -> Result<String> {
    let said = helm.run(args).await?;
    ensure!(said.contains(wanted), "no {wanted} in {said}");
    Ok(String::new())
}

async fn install(helm: &Helm<'_>) -> Result<String> {
    shows(helm, &["install", RELEASE, "./settings"], "deployed").await?;
    ensure!(helm.level().await? == "info");
    Ok("its ConfigMap is there".to_owned())
}

async fn upgrade(helm: &Helm<'_>) -> Result<String> {
    shows(helm, &["upgrade", RELEASE, "./settings", "--set", "level=debug"], "has been upgraded").await?;
    ensure!(helm.level().await? == "debug");
    Ok("its ConfigMap is changed".to_owned())
}

async fn rollback(helm: &Helm<'_>) -> Result<String> {
    shows(helm, &["rollback", RELEASE, "1"], "Rollback was a success").await?;
    ensure!(helm.level().await? == "info");
    Ok(String::new())
}

async fn uninstall(helm: &Helm<'_>) -> Result<String> {
    shows(helm, &["uninstall", RELEASE], "uninstalled").await?;
    ensure!(helm.level().await.is_err(), "its ConfigMap is still there");
    Ok("its ConfigMap is gone".to_owned())
}
