//! `sallyport-broker`.

fn main() -> anyhow::Result<()> {
    sallyport_broker::start()
}
