//! `sallyport-broker` for tests, built with the feature `faults`: able to end in the middle.

fn main() -> anyhow::Result<()> {
    sallyport_broker::start()
}
