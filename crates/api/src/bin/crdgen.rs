//! Prints what is generated from the types as YAML, to be committed under `deploy/`: the CRDs (`crdgen hub`, `crdgen target`),
//! and the hub's set of policies in short (`crdgen set`).

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let (from, documents) = match which.as_str() {
        "hub" => ("crates/api", yaml(&sallyport_api::hub_crds())),
        "target" => ("crates/api", yaml(&[sallyport_api::grant_crd()])),
        "set" => ("deploy/hub/policies-*.yaml", yaml(&[sallyport_api::hub_outline()])),
        _ => {
            eprintln!("usage: crdgen hub|target|set");
            std::process::exit(2);
        }
    };
    print!(
        "# Generated from {from} by `cargo run -p sallyport-api --bin crdgen {which}`; do not edit.\n{}",
        documents.join("---\n")
    );
}

fn yaml<T: serde::Serialize>(objects: &[T]) -> Vec<String> {
    objects.iter().map(|one| serde_saphyr::to_string(one).expect("it serialises")).collect()
}
