use super::{DEADLINE, hub};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{
    authentication::v1::TokenRequest,
    core::v1::{Secret as KubeSecret, ServiceAccount},
    rbac::v1::ClusterRoleBinding,
};
use kube::{Api, api::PostParams};
use sallyport_client::{Credential, Endpoint, Fault, Timeouts, clock_difference, connect, probe_get, within};
use sallyport_hub::Hub;
use sallyport_model::Secret;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn p13_a_probe_sees_rights_come_and_go_with_the_binding_and_the_token_with_its_account() -> Result<()> {
    let plane = hub().await?;
    let admin = plane.admin()?;
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), "default");
    let bindings: Api<ClusterRoleBinding> = Api::all(admin.clone());
    let account: ServiceAccount = serde_json::from_value(json!({"metadata": {"name": "probed"}}))?;
    accounts.create(&PostParams::default(), &account).await?;
    let mint = || async {
        let asked = TokenRequest { spec: Default::default(), ..Default::default() };
        let minted = accounts.create_token_request("probed", &PostParams::default(), &asked).await?;
        let token = minted.status.context("a status")?.token;
        anyhow::Ok(Secret::new(token.context("a token")?))
    };
    let (token, unused) = (mint().await?, mint().await?);
    let endpoint = Endpoint::parse(plane.url(), Some(&plane.ca_pem()), None)?;
    let path = "/api/v1/namespaces?limit=1";
    let ask = |token: Option<Secret<String>>| {
        let endpoint = endpoint.clone();
        async move { probe_get(&endpoint, token.as_ref(), path, DEADLINE).await }
    };
    ensure!(ask(Some(token.clone())).await?.status == 403);
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "probed"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "probed"}],
    }))?;
    bindings.create(&PostParams::default(), &binding).await?;
    let until = |wanted: u16| {
        let (ask, token) = (&ask, token.clone());
        async move {
            for _ in 0..3000 {
                if ask(Some(token.clone())).await?.status == wanted {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            anyhow::bail!("never answered {wanted}")
        }
    };
    until(200).await?;

    let own = connect(&endpoint, Credential::Token(token.clone()), Timeouts::both(DEADLINE))?;
    let me = Hub::new(own.clone(), DEADLINE).whoami().await?;
    ensure!(me.user.as_str() == "system:serviceaccount:default:probed", "{me:?}");
    let secrets: Api<KubeSecret> = Api::namespaced(own, "default");
    let refused = within(DEADLINE, secrets.get("any")).await;
    ensure!(matches!(&refused, Err(Fault::Forbidden(m)) if m.contains("cannot get resource")), "{refused:?}");

    bindings.delete("probed", &Default::default()).await?;
    until(403).await?;
    accounts.delete("probed", &Default::default()).await?;
    // Never used before, so no cache of the API server answers for it.
    ensure!(ask(Some(unused)).await?.status == 401);
    ensure!(ask(Some(Secret::new("not.a.token".into()))).await?.status == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_and_a_date_header_do_what_they_should() -> Result<()> {
    let plane = hub().await?;
    let endpoint = Endpoint::parse(plane.url(), Some(&plane.ca_pem()), None)?;
    let admin = &plane.pki().admin;
    let credential =
        Credential::Certificate { chain: admin.cert_pem.clone(), key: Secret::new(admin.key_pem.clone()) };
    let me = Hub::new(connect(&endpoint, credential, Timeouts::both(DEADLINE))?, DEADLINE).whoami().await?;
    ensure!(me.groups.contains(&"system:masters".to_owned()), "{me:?}");

    let sent = jiff::Timestamp::now().as_millisecond();
    let answer = probe_get(&endpoint, None, "/version", DEADLINE).await?;
    let date = answer.date.context("a Date header")?;
    ensure!(clock_difference(date, sent, jiff::Timestamp::now().as_millisecond()) == 0);
    Ok(())
}
