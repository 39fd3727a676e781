//! Taking in objects that say how the API server is reached and run, and not who may do what.

use super::shape::parse;
use super::{
    ApiService, CertificateRequest, Endpoints, IngressObject, Kind, Meta, NodeObject, ServiceObject,
    Snapshot, shape,
};
use serde_json::Value;

impl Snapshot {
    /// Keeps an object of one of these kinds.
    pub(super) fn keep_other(&mut self, kind: Kind, meta: Meta, item: Value) -> Result<(), String> {
        match kind {
            Kind::APIService => {
                let shape::ApiService { spec } = parse(item)?;
                self.api_services.push(ApiService { meta, insecure: spec.insecure });
            }
            Kind::CertificateSigningRequest => {
                let shape::Request { spec, status } = parse(item)?;
                let conditions = status.conditions.into_iter().map(|one| one.r#type).collect();
                let (signer, user) = (spec.signer_name, spec.username);
                self.requests.push(CertificateRequest { meta, signer, user, conditions });
            }
            Kind::Node => {
                let shape::Node { spec, status } = parse(item)?;
                let kubelet = status.node_info.kubelet_version;
                self.nodes.push(NodeObject { meta, kubelet, provider: spec.provider });
            }
            Kind::Service => {
                let shape::Service { spec } = parse(item)?;
                let ports = spec.ports.iter().flat_map(|port| [&port.port, &port.target_port]);
                let ports = ports.filter_map(port_text).collect();
                self.services.push(ServiceObject { meta, kind: spec.r#type, selector: spec.selector, ports });
            }
            Kind::EndpointSlice => {
                let shape::EndpointSlice { endpoints } = parse(item)?;
                let ready = endpoints.into_iter().filter(|one| one.conditions.ready != Some(false));
                let addresses = ready.flat_map(|one| one.addresses).collect();
                let service = meta.labels.get("kubernetes.io/service-name").cloned().unwrap_or_default();
                self.endpoints.push(Endpoints { meta, service, addresses });
            }
            Kind::Ingress => {
                let shape::Ingress { spec } = parse(item)?;
                let paths = spec.rules.into_iter().flat_map(|rule| rule.http.paths);
                let backends = paths.map(|path| path.backend).chain([spec.default_backend]);
                let services = backends.map(|one| one.service.name).filter(|name| !name.is_empty()).collect();
                self.ingresses.push(IngressObject { meta, services });
            }
            // All that is known of it is its name.
            _ => self.definitions.push(meta),
        }
        Ok(())
    }
}

/// A port as it is written: a number, or a name of the pod's.
fn port_text(port: &Value) -> Option<String> {
    match port {
        Value::Number(number) => Some(number.to_string()),
        Value::String(name) if !name.is_empty() => Some(name.clone()),
        _ => None,
    }
}
