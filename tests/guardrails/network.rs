//! What of a session is reached from outside, and which storage it claims (fault A4; attack 1).

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::reach::{APPS, CORE};
use anyhow::Result;
use serde_json::{Value, json};

const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/payments/ingresses";

pub(crate) async fn network(board: &mut Board, who: &Person, wide: &Person) -> Result<()> {
    println!("\nWhat a session opens to the outside, and which storage it claims");
    new_services(board, who).await;
    services(board, who).await?;
    ingresses(board, who, wide).await?;
    claims(board, who, wide).await;
    Ok(())
}

fn service(spec: Value) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "story"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    for (key, value) in spec.as_object().into_iter().flatten() {
        body["spec"][key] = value.clone();
    }
    body
}

async fn new_services(board: &mut Board, who: &Person) {
    let path = format!("{CORE}/services");
    let made = "a session makes Services of type ClusterIP";
    for (title, spec) in [
        ("takes an address from outside", json!({"externalIPs": ["203.0.113.1"]})),
        ("opens a port on every node", json!({"type": "NodePort"})),
        ("takes a load balancer", json!({"type": "LoadBalancer"})),
        (
            "takes a load balancer by class",
            json!({"type": "LoadBalancer", "loadBalancerClass": "example.test/x"}),
        ),
        ("takes a load balancer's address", json!({"type": "LoadBalancer", "loadBalancerIP": "203.0.113.1"})),
        (
            "is an alias of a host outside",
            json!({"type": "ExternalName", "externalName": "evil.example.test"}),
        ),
    ] {
        let body = service(spec);
        let forms = vec![
            Ask::create(&path, &body),
            Ask::create(&path, &body).dry(),
            Ask::apply(&format!("{path}/story"), "attacker", &body),
        ];
        board.refused("1", &format!("fault_a4: makes a Service that {title}"), who, forms, made).await;
    }
    let mut published = service(json!({}));
    published["metadata"]["annotations"] =
        json!({"external-dns.alpha.kubernetes.io/hostname": "shop.example.test"});
    board
        .refused(
            "1",
            "fault_a4: makes a Service with a name in DNS",
            who,
            vec![Ask::create(&path, &published)],
            "annotations that load balancers",
        )
        .await;
    for (title, spec) in [
        ("a Service", json!({})),
        ("a headless Service", json!({"clusterIP": "None"})),
        ("a Service that keeps clients together", json!({"sessionAffinity": "ClientIP"})),
    ] {
        board
            .allowed("1", &format!("fault_a4: makes {title}"), who, Ask::create(&path, &service(spec)).dry())
            .await;
    }
}

async fn services(board: &mut Board, who: &Person) -> Result<()> {
    let inner = format!("{CORE}/services/inner");
    let live = Ask::get(&inner).send(&who.client).await?.body;
    let not = "of one that is there it changes what it selects and its ports";
    for (title, spec) in [
        ("takes an address from outside", json!({"externalIPs": ["203.0.113.1"]})),
        ("becomes a port on every node", json!({"type": "NodePort"})),
        ("becomes a load balancer", json!({"type": "LoadBalancer"})),
    ] {
        let forms = every_form(&inner, &live, &json!({"spec": spec}));
        board.refused("1", &format!("fault_a4: a Service {title}"), who, forms, not).await;
    }
    let alias = json!({"spec": {"type": "ExternalName", "externalName": "evil.example.test", "clusterIP": null, "clusterIPs": null, "ports": null}});
    board
        .refused(
            "1",
            "fault_a4: a Service becomes an alias of a host outside",
            who,
            vec![Ask::merge(&inner, &alias)],
            not,
        )
        .await;
    let web = format!("{CORE}/services/web");
    for (title, spec) in [
        ("a load balancer opens to the world", json!({"loadBalancerSourceRanges": null})),
        ("a load balancer takes another source", json!({"loadBalancerSourceRanges": ["0.0.0.0/0"]})),
        ("a load balancer keeps to the node", json!({"externalTrafficPolicy": "Local"})),
    ] {
        let forms =
            vec![Ask::merge(&web, &json!({"spec": spec})), Ask::merge(&web, &json!({"spec": spec})).dry()];
        board.refused("1", &format!("fault_a4: {title}"), who, forms, not).await;
    }
    let more = json!({"spec": {"ports": [{"name": "admin", "port": 8081}]}});
    board
        .refused(
            "1",
            "fault_a4: a load balancer opens another port",
            who,
            vec![Ask::strategic(&web, &more)],
            "opens no more ports of a Service",
        )
        .await;
    let notes = "annotations that load balancers, ingress controllers and DNS act upon";
    for (title, note) in [
        ("becomes public", json!({"service.beta.kubernetes.io/aws-load-balancer-internal": "false"})),
        (
            "loses what keeps it internal",
            json!({"service.beta.kubernetes.io/aws-load-balancer-internal": null}),
        ),
        ("joins another network", json!({"tailscale.com/expose": "true"})),
    ] {
        let change = json!({"metadata": {"annotations": note}});
        board
            .refused(
                "1",
                &format!("fault_a4: a Service {title}"),
                who,
                vec![Ask::merge(&web, &change)],
                notes,
            )
            .await;
    }
    for (title, path, change) in [
        ("selects other pods", &web, json!({"spec": {"selector": {"app": "web", "version": "2"}}})),
        (
            "sends a port that is open to another of its pods",
            &web,
            json!({"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8081}]}}),
        ),
        (
            "inside the cluster opens a port",
            &inner,
            json!({"spec": {"ports": [{"name": "more", "port": 8081}]}}),
        ),
        ("is described", &web, json!({"metadata": {"annotations": {"kubernetes.io/description": "x"}}})),
    ] {
        board
            .allowed("1", &format!("fault_a4: a Service {title}"), who, Ask::strategic(path, &change).dry())
            .await;
    }
    Ok(())
}

async fn ingresses(board: &mut Board, who: &Person, wide: &Person) -> Result<()> {
    let web = format!("{INGRESSES}/web");
    let paths = |name: &str| json!({"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}}]});
    let rule = |host: &str| json!({"host": host, "http": paths("web")});
    let at = |path: &str| {
        let mut one = rule("shop.example.test");
        one["http"]["paths"][0]["path"] = json!(path);
        one["http"]["paths"][0]["pathType"] = json!("ImplementationSpecific");
        json!({"rules": [one]})
    };
    let path = "a session writes paths of an Ingress in letters";
    let host = "a session publishes no new host";
    let what = "a session publishes Services of its namespace, with the certificates that are there";
    let resource = json!({"paths": [{"path": "/", "pathType": "Prefix", "backend": {"resource": {"apiGroup": "example.test", "kind": "Bucket", "name": "x"}}}]});
    for (title, spec, fragment) in [
        (
            "publishes another host",
            json!({"rules": [rule("shop.example.test"), rule("bank.example.test")]}),
            host,
        ),
        ("publishes every host", json!({"rules": [rule("shop.example.test"), {"http": paths("web")}]}), host),
        ("publishes hosts by wildcard", json!({"rules": [rule("*.example.test")]}), host),
        (
            "takes a certificate for another host",
            json!({"tls": [{"hosts": ["bank.example.test"], "secretName": "shop-tls"}]}),
            host,
        ),
        (
            "takes another certificate",
            json!({"tls": [{"hosts": ["shop.example.test"], "secretName": "bank-tls"}]}),
            what,
        ),
        ("serves a resource", json!({"rules": [{"host": "shop.example.test", "http": resource}]}), what),
        ("writes into the controller's configuration", at("/x{} } location /y {"), path),
        ("ends a line of the controller's configuration", at("/x;\nreturn 200;"), path),
        ("serves paths by pattern", at("/x(.*)"), path),
        (
            "moves to another controller",
            json!({"ingressClassName": "public"}),
            "changes the rules of an Ingress alone: not ingressClassName",
        ),
        (
            "answers for everything else",
            json!({"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}),
            "not defaultBackend",
        ),
    ] {
        let forms =
            vec![Ask::merge(&web, &json!({"spec": spec})), Ask::merge(&web, &json!({"spec": spec})).dry()];
        board.refused("1", &format!("fault_a4: an Ingress {title}"), who, forms, fragment).await;
    }
    let notes = "annotations that load balancers, ingress controllers and DNS act upon";
    for (title, note) in [
        (
            "runs configuration in the controller",
            json!({"nginx.ingress.kubernetes.io/server-snippet": "return 200;"}),
        ),
        (
            "runs configuration in the controller, by location",
            json!({"nginx.ingress.kubernetes.io/configuration-snippet": "x"}),
        ),
        (
            "signs people in elsewhere",
            json!({"nginx.ingress.kubernetes.io/auth-url": "https://evil.example.test"}),
        ),
        ("opens to the world", json!({"nginx.ingress.kubernetes.io/whitelist-source-range": null})),
        ("is routed by another controller", json!({"traefik.ingress.kubernetes.io/router.middlewares": "x"})),
    ] {
        let change = json!({"metadata": {"annotations": note}});
        board
            .refused(
                "1",
                &format!("fault_a4: an Ingress {title}"),
                who,
                vec![Ask::merge(&web, &change)],
                notes,
            )
            .await;
    }
    let new = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "story"}, "spec": {"rules": [rule("bank.example.test")]}});
    board
        .refused(
            "1",
            "fault_a4: makes an Ingress, where its role allows it",
            wide,
            vec![Ask::create(INGRESSES, &new)],
            host,
        )
        .await;
    for (title, change) in [
        (
            "goes to another Service of the namespace",
            json!({"spec": {"rules": [{"host": "shop.example.test", "http": paths("inner")}]}}),
        ),
        ("serves another path", json!({"spec": at("/v2/~team/a-b_c.html")})),
        (
            "is annotated by kubectl",
            json!({"metadata": {"annotations": {"kubernetes.io/change-cause": "x"}}}),
        ),
        ("gives up its certificate", json!({"spec": {"tls": null}})),
    ] {
        board
            .allowed("1", &format!("fault_a4: an Ingress {title}"), who, Ask::merge(&web, &change).dry())
            .await;
    }
    Ok(())
}

async fn claims(board: &mut Board, who: &Person, wide: &Person) {
    let claim = |spec: Value| {
        let mut whole =
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        for (key, value) in spec.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        whole
    };
    let no = "a session claims storage of a class alone";
    for (title, spec) in [
        ("a volume by its name", json!({"volumeName": "somebodys"})),
        ("a volume without a class", json!({"storageClassName": ""})),
        ("a volume by its labels", json!({"selector": {"matchLabels": {"a": "b"}}})),
        (
            "a copy of another claim",
            json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "ledger"}}),
        ),
        (
            "a copy of a snapshot",
            json!({"dataSourceRef": {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "x"}}),
        ),
    ] {
        let spec = claim(spec);
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "story"}, "spec": {"serviceName": "x",
            "selector": {"matchLabels": {"a": "b"}}, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": spec}],
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}}});
        board
            .refused(
                "1",
                &format!("fault_a4: makes a StatefulSet that claims {title}"),
                who,
                vec![Ask::create(&format!("{APPS}/statefulsets"), &set)],
                no,
            )
            .await;
        let one = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "story"}, "spec": spec});
        let path = format!("{CORE}/persistentvolumeclaims");
        board
            .refused(
                "1",
                &format!("fault_a4_fault_a9: claims {title}, where its role allows claims"),
                wide,
                vec![Ask::create(&path, &one), Ask::create(&path, &one).dry()],
                no,
            )
            .await;
    }
    let plain = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "story"}, "spec": claim(json!({"storageClassName": "fast"}))});
    board
        .allowed(
            "1",
            "fault_a4: claims new storage, where its role allows claims",
            wide,
            Ask::create(&format!("{CORE}/persistentvolumeclaims"), &plain).dry(),
        )
        .await;
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "story"}, "spec": {"serviceName": "x",
        "selector": {"matchLabels": {"a": "b"}}, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim(json!({}))}],
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}}});
    board
        .allowed(
            "1",
            "fault_a4: makes a StatefulSet with new storage",
            who,
            Ask::create(&format!("{APPS}/statefulsets"), &set).dry(),
        )
        .await;
}
