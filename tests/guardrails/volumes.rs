//! The kinds of volumes a session may add: those without the host's and without foreign data (fault A4).

use crate::board::{Board, Person};
use crate::workloads::{cron_job, deployment, edit_web, pod, spec};
use serde_json::{Value, json};

/// Every other kind that Kubernetes has; a kind that a later version adds is refused as these are, since none is named.
fn foreign() -> Vec<(&'static str, Value)> {
    let claim = |extra: Value| {
        let mut spec =
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        for (key, value) in extra.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        json!({"ephemeral": {"volumeClaimTemplate": {"spec": spec}}})
    };
    let token = json!({"serviceAccountToken": {"path": "t", "audience": "vault"}});
    vec![
        ("a path of the host", json!({"hostPath": {"path": "/"}})),
        (
            "a CSI driver's",
            json!({"csi": {"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"secretProviderClass": "x"}}}),
        ),
        ("NFS", json!({"nfs": {"server": "203.0.113.1", "path": "/"}})),
        ("flexVolume", json!({"flexVolume": {"driver": "example.test/x"}})),
        (
            "iSCSI",
            json!({"iscsi": {"targetPortal": "203.0.113.1:3260", "iqn": "iqn.2001-04.com.example:x", "lun": 0}}),
        ),
        ("Fibre Channel", json!({"fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0}})),
        ("CephFS", json!({"cephfs": {"monitors": ["203.0.113.1"]}})),
        ("RBD", json!({"rbd": {"monitors": ["203.0.113.1"], "image": "x"}})),
        ("Glusterfs", json!({"glusterfs": {"endpoints": "x", "path": "x"}})),
        ("Cinder", json!({"cinder": {"volumeID": "x"}})),
        ("an AWS disk", json!({"awsElasticBlockStore": {"volumeID": "x"}})),
        ("a GCE disk", json!({"gcePersistentDisk": {"pdName": "x"}})),
        (
            "an Azure disk",
            json!({"azureDisk": {"diskName": "x", "diskURI": "https://x.blob.core.windows.net/c/d.vhd"}}),
        ),
        ("an Azure file share", json!({"azureFile": {"secretName": "root-password", "shareName": "x"}})),
        ("vSphere", json!({"vsphereVolume": {"volumePath": "x"}})),
        ("Portworx", json!({"portworxVolume": {"volumeID": "x"}})),
        (
            "ScaleIO",
            json!({"scaleIO": {"gateway": "x", "system": "x", "volumeName": "x", "secretRef": {"name": "root-password"}}}),
        ),
        ("StorageOS", json!({"storageos": {"volumeName": "x"}})),
        ("Quobyte", json!({"quobyte": {"registry": "x:1", "volume": "x"}})),
        ("Flocker", json!({"flocker": {"datasetName": "x"}})),
        ("a claim on a volume by its name", claim(json!({"volumeName": "somebodys"}))),
        ("a claim on a volume without a class", claim(json!({"storageClassName": ""}))),
        ("a claim on a volume by its labels", claim(json!({"selector": {"matchLabels": {"a": "b"}}}))),
        (
            "a copy of another claim",
            claim(json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "ledger"}})),
        ),
        (
            "a copy of a snapshot",
            claim(
                json!({"dataSourceRef": {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "x"}}),
            ),
        ),
        ("a token", json!({"projected": {"sources": [token]}})),
        (
            "a token among harmless sources",
            json!({"projected": {"sources": [{"configMap": {"name": "x"}}, token]}}),
        ),
    ]
}

fn mounted(volume: &Value) -> Value {
    let mut volume = volume.clone();
    volume["name"] = json!("v");
    json!({"containers": [{"name": "c", "image": "busybox", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}], "volumes": [volume]})
}

pub(crate) async fn volumes(board: &mut Board, who: &Person) {
    let no = "only volumes without foreign data: not v";
    for (title, volume) in foreign() {
        let spec = mounted(&volume);
        let forms = vec![pod(&spec), pod(&spec).dry(), deployment(&spec), cron_job(&spec), edit_web(&spec)];
        board.refused("1", &format!("fault_a4: adds a volume: {title}"), who, forms, no).await;
    }
    // Where the API server does not know this kind yet it drops it, and says that nothing is left.
    let certificate = mounted(
        &json!({"projected": {"sources": [{"podCertificate": {"signerName": "example.test/x", "keyType": "ED25519", "credentialBundlePath": "c.pem"}}]}}),
    );
    board
        .refused(
            "1",
            "fault_a4: adds a volume: a certificate of its own",
            who,
            vec![pod(&certificate), deployment(&certificate)],
            &format!("{no} || must specify"),
        )
        .await;
    let storage = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}});
    for (title, volume) in [
        ("an empty one", json!({"emptyDir": {"medium": "Memory"}})),
        ("a ConfigMap", json!({"configMap": {"name": "x"}})),
        (
            "what the pod is called",
            json!({"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}}),
        ),
        ("a claim of the namespace", json!({"persistentVolumeClaim": {"claimName": "data"}})),
        (
            "harmless sources",
            json!({"projected": {"sources": [{"configMap": {"name": "x"}}, {"downwardAPI": {"items": []}}]}}),
        ),
        ("new storage", json!({"ephemeral": {"volumeClaimTemplate": {"spec": storage}}})),
    ] {
        let spec = mounted(&volume);
        for (kind, ask) in
            [("pod", pod(&spec)), ("Deployment", deployment(&spec)), ("CronJob", cron_job(&spec))]
        {
            board.allowed("1", &format!("fault_a4: a {kind} with a volume: {title}"), who, ask.dry()).await;
        }
        board
            .allowed(
                "1",
                &format!("fault_a4: adds a volume to a workload: {title}"),
                who,
                edit_web(&spec).dry(),
            )
            .await;
    }
    board.allowed("1", "fault_a4: runs a pod without volumes", who, pod(&spec(&json!({}))).dry()).await;
}
