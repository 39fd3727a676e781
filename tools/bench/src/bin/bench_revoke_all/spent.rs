//! CPU time of everybody on this machine that has a part in it.

use anyhow::Result;
use sallyport_bench::cpu;
use std::time::Duration;

pub(crate) struct Spent {
    desktops: Duration,
    brokers: Duration,
    api_servers: Duration,
    etcd: Duration,
    controllers: Duration,
}

impl Spent {
    pub(crate) fn now() -> Result<Self> {
        let all = |name: &str| anyhow::Ok(cpu::of_children(name)?.into_iter().sum());
        Ok(Self {
            desktops: all("bench_revoke_al")?,
            brokers: all("sallyport-broke")?,
            api_servers: all("kube-apiserver")?,
            etcd: all("etcd")?,
            controllers: all("kube-controller")?,
        })
    }

    /// In words; the desktops' is with the clients of their streams.
    pub(crate) fn since(&self, before: &Self) -> String {
        let parts = [
            ("desktops", self.desktops, before.desktops),
            ("brokers", self.brokers, before.brokers),
            ("API servers", self.api_servers, before.api_servers),
            ("etcd", self.etcd, before.etcd),
            ("controllers", self.controllers, before.controllers),
        ];
        let words =
            parts.map(|(who, now, then)| format!("{who} {} ms", now.saturating_sub(then).as_millis()));
        words.join(", ")
    }
}
