//! What is so of each API server, and what each reader can know of it.

use super::plane::{Anonymous, Audit, Encryption, World};
use super::reader::Reader;
use sallyport_posture::check::Judged;
use sallyport_posture::{Severity, Verdict};

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comes {
    Passes,
    Fails(Severity),
    Unknown,
    Provider,
    Nothing,
}

impl Comes {
    pub(super) fn of(judged: &Judged) -> Self {
        match judged.verdict {
            Verdict::Pass | Verdict::Inert => Self::Passes,
            Verdict::Fail => {
                let counts = judged.findings.iter().filter(|one| !one.inert);
                Self::Fails(counts.map(|one| one.severity).max().unwrap_or(Severity::Info))
            }
            Verdict::Unknown(_) => Self::Unknown,
            Verdict::Provider(_) => Self::Provider,
            Verdict::NotApplicable(_) => Self::Nothing,
        }
    }
}

use Comes::{Fails, Nothing, Passes, Unknown};
use Severity::{Critical, High, Info, Low, Medium};

/// What a reader's scan has to say.
pub(super) fn expected(world: &World, reader: Reader, version: (u32, u32)) -> Vec<(&'static str, Comes)> {
    // Flags are objects since 1.36 by default; before, some answers need them.
    let flags = version >= (1, 36);
    let mut all = without_rights(world, flags && reader != Reader::Nobody);
    if reader == Reader::Nobody && world.authorization != "AlwaysAllow" {
        all.extend(FOR_READERS.map(|id| (id, Unknown)));
        return all;
    }
    all.extend(for_readers(world, flags));
    all
}

/// What is seen without a right, and with its flags where they can be read.
fn without_rights(world: &World, flags: bool) -> Vec<(&'static str, Comes)> {
    let anonymous = match (world.anonymous, world.authorization) {
        (Anonymous::Off | Anonymous::Limited, _) => Passes,
        (Anonymous::Bound, _) => Fails(Critical),
        // Beside an authorizer that allows everything an API server lets nobody in who does not sign in.
        (Anonymous::On, "AlwaysAllow") => Passes,
        // While the webhook does not answer, neither does the API server, and its flags alone tell.
        (Anonymous::On, modes) if modes.contains("Webhook") && !flags => Unknown,
        (Anonymous::On, _) => Fails(Low),
    };
    let tls = match (world.old_tls, world.weak) {
        (true, _) => Fails(Medium),
        (false, true) => Fails(Low),
        (false, false) => Passes,
    };
    vec![
        ("AP-01", anonymous),
        ("AP-02", tls),
        ("AP-03", Passes),
        ("AP-04", Passes),
        // A plane listens on its own machine alone.
        ("AP-05", Unknown),
        // Readers come with client certificates.
        ("AN-03", Fails(Low)),
        ("AN-02", Unknown),
        ("KC-05", Nothing),
    ]
}

/// What takes rights, and is unknown without.
const FOR_READERS: [&str; 18] = [
    "AP-06", "AP-07", "AP-08", "AP-09", "AN-01", "AN-05", "AN-06", "AN-07", "AD-08", "AD-09", "AU-01",
    "AU-02", "AU-03", "AU-06", "SA-06", "EN-01", "VR-03", "AP-11",
];

fn for_readers(world: &World, flags: bool) -> Vec<(&'static str, Comes)> {
    let by_flags = |comes| if flags { comes } else { Unknown };
    let modes = world.authorization;
    let without_roles = match modes {
        "AlwaysAllow" => Fails(Critical),
        _ if modes.contains("ABAC") => Fails(High),
        _ => by_flags(Passes),
    };
    let on = matches!(world.audit, Audit::Metadata | Audit::Webhook | Audit::Short);
    let encryption = match world.encryption {
        Encryption::None | Encryption::Identity => Fails(Medium),
        Encryption::Secretbox | Encryption::AesCbc => Passes,
        Encryption::Quiet => Unknown,
    };
    vec![
        ("AP-06", if world.one_authority { Fails(Medium) } else { Passes }),
        ("AP-07", by_flags(Fails(if world.tokens { High } else { Low }))),
        ("AP-08", by_flags(if modes.contains("Webhook") { Fails(Info) } else { Passes })),
        ("AP-09", if modes.contains("RBAC") { Passes } else { by_flags(Fails(High)) }),
        // A file may say anything, and nobody has signed in by it.
        ("AN-01", if world.configured { Unknown } else { by_flags(Fails(Medium)) }),
        ("AN-05", without_roles),
        ("AN-06", Passes),
        // The readers' own certificates hold for decades.
        ("AN-07", Fails(Medium)),
        ("AN-10", Nothing),
        ("AD-08", if world.restricts { Passes } else { Fails(Medium) }),
        ("AD-09", Passes),
        (
            "AU-01",
            match world.audit {
                Audit::Off | Audit::None => Nothing,
                Audit::Short => by_flags(Fails(Low)),
                Audit::Metadata | Audit::Webhook => by_flags(Passes),
            },
        ),
        ("AU-02", if on { Passes } else { Fails(Medium) }),
        // Nobody is there to take what the webhook is sent, sooner or later.
        (
            "AU-06",
            match world.audit {
                Audit::Off | Audit::None => Nothing,
                Audit::Webhook => by_flags(Passes),
                Audit::Metadata | Audit::Short => Unknown,
            },
        ),
        ("EN-01", encryption),
        ("EN-02", Nothing),
        ("VR-03", Passes),
        ("AP-11", Passes),
        ("SA-01", Unknown),
        ("SA-06", Passes),
    ]
}
