//! What an incident needs, typed into kubectl, also on workloads that were privileged before (fault A4).

use crate::board::Board;
use crate::world::World;
use anyhow::Result;
use sallyport_testkit::Kubectl;
use std::time::{Duration, Instant};

/// Nothing for a command that works; else what kubectl says.
type Line = (&'static str, &'static str, &'static str);

const SECRETS: &str = "such a CronJob is run by its schedule";

const LINES: &[Line] = &[
    ("restarts an ordinary Deployment", "rollout restart deployment/shop", ""),
    ("restarts a StatefulSet", "rollout restart statefulset/ledger", ""),
    ("restarts a privileged DaemonSet", "rollout restart daemonset/node-agent", ""),
    ("restarts a privileged Deployment", "rollout restart deployment/agent", ""),
    ("scales a Deployment", "scale deployment/shop --replicas=2", ""),
    ("scales a StatefulSet", "scale statefulset/ledger --replicas=2", ""),
    ("scales a privileged Deployment", "scale deployment/agent --replicas=0", ""),
    (
        "sets the image of a Deployment",
        "set image deployment/shop c=registry.example.test:5000/team/shop:1.5",
        "",
    ),
    ("sets the image of a StatefulSet", "set image statefulset/ledger c=busybox:1.37", ""),
    ("sets the image of a privileged DaemonSet", "set image daemonset/node-agent c=busybox:1.36", ""),
    (
        "sets another image of a privileged DaemonSet",
        "set image daemonset/node-agent c=evil",
        "nothing but the version of its image",
    ),
    ("sets a variable", "set env deployment/shop LEVEL=debug", ""),
    (
        "sets a variable of a privileged DaemonSet",
        "set env daemonset/node-agent LEVEL=debug",
        "nothing but the version of its image",
    ),
    (
        "sets resources of a privileged DaemonSet",
        "set resources daemonset/node-agent --limits=memory=1Gi",
        "",
    ),
    ("runs a CronJob's Job now", "create job again --from=cronjob/nightly", ""),
    (
        "runs a CronJob's Job now that uses Secrets",
        "create job again-with-secrets --from=cronjob/billing",
        SECRETS,
    ),
    (
        "runs a CronJob that uses Secrets by its schedule",
        "patch cronjob billing -p {\"spec\":{\"schedule\":\"*/1_*_*_*_*\"}}",
        "",
    ),
    (
        "copies a pod that uses Secrets to look",
        "debug shop-0 --copy-to=copy --image=busybox --container=c --attach=false",
        "a session adds no host paths || hands none to what does not use it",
    ),
    (
        "copies a plain pod to look",
        "debug web-0 --copy-to=copy --image=busybox --container=c --attach=false --profile=baseline",
        "",
    ),
    (
        "runs a shell on a node",
        "debug node/n --image=busybox --attach=false",
        "cannot get resource \"nodes\" || not found || adds no host access",
    ),
    ("runs a pod", "run plain --image=busybox", ""),
    ("edits a ConfigMap", "create configmap story --from-literal=a=b", ""),
    ("exposes a Deployment inside", "expose deployment/web --port=80 --name=web-inside", ""),
    (
        "exposes a Deployment outside",
        "expose deployment/web --port=80 --name=web-outside --type=LoadBalancer",
        "makes Services of type ClusterIP",
    ),
    ("makes a Deployment", "create deployment plain --image=busybox", ""),
    ("deletes a pod", "delete pod plain --wait=false", ""),
];

const UNDONE: &[(&str, &str)] = &[
    ("rolls back a Deployment", "deployment/shop"),
    ("rolls back a StatefulSet", "statefulset/ledger"),
    ("rolls back a privileged DaemonSet", "daemonset/node-agent"),
];

pub(crate) async fn everyday(world: &World, board: &mut Board, token: &str) -> Result<()> {
    let kubectl = world.target.kubectl_with(&world.target.kubeconfig_with_token(token)?);
    for (title, line, wanted) in LINES {
        let mut args = vec!["-n".to_owned(), "payments".to_owned()];
        args.extend(line.split(' ').map(|word| word.replace("_*", " *")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let answer = kubectl.run(&args).await?;
        let refused = answer.code != Some(0);
        let said = answer.stderr.lines().last().unwrap_or_default().to_owned();
        let holds = match *wanted {
            "" => !refused,
            wanted => refused && wanted.split(" || ").any(|one| answer.stderr.contains(one)),
        };
        let verdict = if refused { "refused" } else { "done" };
        board.check(
            "1",
            &format!("fault_a4: {title}"),
            holds,
            &format!("kubectl {line}: {verdict} · {said}"),
        );
    }
    for (title, workload) in UNDONE {
        let (holds, detail) = undone(&kubectl, workload).await?;
        board.check("1", &format!("fault_a4: {title}"), holds, &detail);
    }
    Ok(())
}

/// Rolls back as soon as the controllers have written the revision that it goes back to.
async fn undone(kubectl: &Kubectl, workload: &str) -> Result<(bool, String)> {
    let started = Instant::now();
    loop {
        let answer = kubectl.run(&["-n", "payments", "rollout", "undo", workload]).await?;
        let waits = answer.code != Some(0) && answer.stderr.contains("no rollout history");
        if !waits || started.elapsed() > Duration::from_secs(60) {
            let said = format!("{}{}", answer.text(), answer.stderr);
            let said = said.lines().last().unwrap_or_default().to_owned();
            return Ok((answer.code == Some(0), format!("kubectl rollout undo {workload}: {said}")));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
