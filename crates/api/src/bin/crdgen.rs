//! Prints the CRDs as YAML: `crdgen hub` or `crdgen target`. The output is committed under `deploy/`.

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let crds = match which.as_str() {
        "hub" => sallyport_api::hub_crds(),
        "target" => vec![sallyport_api::grant_crd()],
        _ => {
            eprintln!("usage: crdgen hub|target");
            std::process::exit(2);
        }
    };
    let documents: Vec<String> =
        crds.iter().map(|crd| serde_saphyr::to_string(crd).expect("a CRD serialises")).collect();
    print!(
        "# Generated from crates/api by `cargo run -p sallyport-api --bin crdgen {which}`; do not edit.\n{}",
        documents.join("---\n")
    );
}
