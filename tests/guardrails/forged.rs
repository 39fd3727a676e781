//! What a session may write into a request, and what of it the policies on its reach read.
//!
//! They read five things. `request.userInfo` and `request.resource`, `subResource`, `operation`, `namespace`: the API
//! server's own, from the token and the path. `object`: the session's, so every rule is about it. `oldObject`: what is
//! stored, which whoever wrote it answers for; a session's earlier write was held to the same rules, so nothing is gained
//! in two steps. `authorizer`: RBAC. Not read, and so worth nothing when forged: `metadata.managedFields`, `ownerReferences`,
//! `finalizers`, `generateName`, labels, `creationTimestamp`, `options`.

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::reach::{APPS, BATCH, CORE};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn forged(board: &mut Board, who: &Person) -> Result<()> {
    println!("\nForged by a session");
    origins(board, who).await?;
    metadata(board, who).await;
    forms(board, who).await?;
    two_steps(board, who).await
}

/// A Job that says which CronJob it comes from, as `kubectl create job --from` writes it: anybody can.
async fn origins(board: &mut Board, who: &Person) -> Result<()> {
    let cron = Ask::get(&format!("{BATCH}/cronjobs/billing")).send(&who.client).await?.body;
    let owner = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "billing", "uid": cron["metadata"]["uid"], "controller": true}]);
    let uses = |name: &str| json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "envFrom": [{"secretRef": {"name": name}}]}]});
    for (title, secret) in [("the CronJob's own", "db"), ("another", "root-password")] {
        let meta = json!({"name": "story", "ownerReferences": owner, "annotations": {"cronjob.kubernetes.io/instantiate": "manual"}});
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": {"spec": uses(secret)}}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": uses(secret)});
        let forms =
            vec![Ask::create(&format!("{BATCH}/jobs"), &job), Ask::create(&format!("{CORE}/pods"), &pod)];
        board
            .refused(
                "1",
                &format!("fault_a4: says that a Job comes from a CronJob, and uses a Secret: {title}"),
                who,
                forms,
                "hands none to what does not use it already",
            )
            .await;
    }
    Ok(())
}

async fn metadata(board: &mut Board, who: &Person) {
    let pods = format!("{CORE}/pods");
    let spec = json!({"hostPID": true, "containers": [{"name": "c", "image": "busybox"}]});
    let many: Vec<Value> = (0..50)
        .map(|n| json!({"manager": format!("kube-controller-manager-{n}"), "operation": "Update", "apiVersion": "v1", "time": "2099-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {}}))
        .collect();
    for (title, meta) in [
        ("with a generated name", json!({"generateName": "coredns-"})),
        (
            "as a DaemonSet's",
            json!({"name": "story", "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "node-agent", "uid": "x", "controller": true}]}),
        ),
        ("with a finalizer", json!({"name": "story", "finalizers": ["example.test/stay"]})),
        ("written by others, in the future", json!({"name": "story", "managedFields": many})),
        (
            "written by others, at no time",
            json!({"name": "story", "managedFields": [{"manager": "x", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}]}),
        ),
        (
            "made long ago",
            json!({"name": "story", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9, "uid": "x"}),
        ),
        (
            "about to go",
            json!({"name": "story", "deletionTimestamp": "2001-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}),
        ),
        (
            "as the system's",
            json!({"name": "story", "labels": {"k8s-app": "kube-proxy", "app.kubernetes.io/managed-by": "kubelet"}}),
        ),
    ] {
        let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec});
        board
            .refused(
                "1",
                &format!("fault_a4: runs a pod on the host {title}"),
                who,
                vec![Ask::create(&pods, &body), Ask::create(&pods, &body).dry()],
                "a session adds no host access",
            )
            .await;
    }
}

/// One change as PUT, as each kind of patch, applied by force and as a dry run.
async fn forms(board: &mut Board, who: &Person) -> Result<()> {
    let web = format!("{APPS}/deployments/web");
    let live = Ask::get(&web).send(&who.client).await?.body;
    let with = |extra: Value| {
        let mut container = json!({"name": "c", "image": "busybox"});
        for (key, value) in extra.as_object().into_iter().flatten() {
            container[key] = value.clone();
        }
        json!({"spec": {"template": {"spec": {"containers": [container]}}}})
    };
    for (title, change, fragment) in [
        (
            "the host's processes",
            json!({"spec": {"template": {"spec": {"hostPID": true}}}}),
            "a session adds no host access",
        ),
        (
            "a Secret",
            with(json!({"envFrom": [{"secretRef": {"name": "root-password"}}]})),
            "hands none to what does not use it already",
        ),
        (
            "privileges",
            with(json!({"securityContext": {"privileged": true}})),
            "adds no privileged containers",
        ),
        (
            "a volume of others",
            json!({"spec": {"template": {"spec": {"volumes": [{"name": "v", "nfs": {"server": "203.0.113.1", "path": "/"}}]}}}}),
            "only volumes without foreign data",
        ),
        (
            "a port of the node",
            with(json!({"ports": [{"containerPort": 80, "hostPort": 80}]})),
            "opens no ports of the node",
        ),
    ] {
        board
            .refused(
                "1",
                &format!("fault_a4: gives a Deployment {title}, in every form"),
                who,
                every_form(&web, &live, &change),
                fragment,
            )
            .await;
    }
    let image = with(json!({"image": "busybox:1.36"}));
    for form in every_form(&web, &live, &image) {
        let title = format!("fault_a4: sets an image by {}", form.form);
        board.allowed("1", &title, who, form.dry()).await;
    }
    Ok(())
}

/// The first step is refused already: what a session wrote counts as what was there in the second.
async fn two_steps(board: &mut Board, who: &Person) -> Result<()> {
    let shop = format!("{APPS}/deployments/shop");
    let edit = |spec: Value| Ask::strategic(&shop, &json!({"spec": {"template": {"spec": spec}}}));
    let volume = json!({"volumes": [{"name": "other", "secret": {"secretName": "root-password"}}]});
    board
        .refused(
            "1",
            "fault_a4: adds a Secret's volume that nothing mounts yet",
            who,
            vec![edit(volume)],
            "hands none to what does not use it already",
        )
        .await;
    let idle = json!({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]});
    board
        .refused(
            "1",
            "fault_a4: adds a path of the host that nothing mounts yet",
            who,
            vec![edit(idle)],
            "a session adds no host paths",
        )
        .await;
    let optional = json!({"containers": [{"name": "c", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "root-password", "key": "x", "optional": true}}}]}]});
    board
        .refused(
            "1",
            "fault_a4: names a Secret that need not exist",
            who,
            vec![edit(optional)],
            "hands none to what does not use it already",
        )
        .await;
    Ok(())
}
