//! What a click means: which profile, where, for how long and why.

use super::Inventory;
use super::known::{Known, Offered, usual};
use super::remembered::last_view;
use crate::desk::AppError;
use crate::person::Signed;
use jiff::Timestamp;
use sallyport_ipc::OpenInput;
use sallyport_model::{
    ClusterName, ErrorCode, Profile, ReasonError, Scope, Terms, Ttl, UserName, check_reason,
};
use sallyport_store::Opening;

/// What a scan says of why it asks.
const SCAN_REASON: &str = "posture scan";

/// What a click asks for.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) terms: Terms,
    pub(crate) environment: String,
    /// How many people have to say yes.
    pub(crate) approvals: u8,
    /// Whether a scan asks, and no person at a terminal.
    pub(crate) is_scan: bool,
}

impl Inventory {
    /// What a click means: the profile that was named, else the one of last time, else the narrowest; namespaces, duration
    /// and reason as given, else as last time, else all the profile names and 1 h. Where the person chose a default duration, it
    /// comes before that of last time, and what is left of their day before either.
    ///
    /// # Errors
    /// When it means nothing: no such cluster or profile, more than the profile allows, a reason is needed.
    pub(crate) async fn choose(
        &self,
        signed: &Signed,
        cluster: &ClusterName,
        input: &OpenInput,
    ) -> Result<Choice, AppError> {
        let last = self.last_opening(cluster).await;
        let carried = self.desk.prefs.last_reason(Timestamp::now().as_second()).await.ok().flatten();
        let (offered, environment) = self.known(&signed.workspace, |known| {
            let offered = known.pick(cluster, input, last.as_ref())?;
            let object = known.clusters.get(cluster.as_str());
            Ok::<_, AppError>((offered, object.map(|c| c.spec.environment.clone()).unwrap_or_default()))
        })?;
        let last = last.filter(|l| l.profile == offered.profile.name);
        let carried = carried.map(|reason| reason.text);
        let (scope, mut duration) =
            place_and_time(&offered.profile, input, last.as_ref(), self.desk.default_duration())?;
        if input.duration_seconds.is_none() {
            duration = self.within_day(signed, &offered.profile, cluster, duration).await;
        }
        choice(&signed.who.user, cluster, environment, &offered.profile, (scope, duration), input, carried)
    }
}

impl Inventory {
    /// What a scan of a cluster asks for: as long as a session has to be at least, under the profile made for it.
    ///
    /// # Errors
    /// When the hub knows no such cluster, or this person no profile for scans that covers it.
    pub(crate) fn choose_scan(&self, signed: &Signed, cluster: &ClusterName) -> Result<Choice, AppError> {
        let input = OpenInput { reason: Some(SCAN_REASON.to_owned()), ..OpenInput::default() };
        let (offered, environment) = self.known(&signed.workspace, |known| {
            let offered = known.scanned_under(cluster)?;
            let object = known.clusters.get(cluster.as_str());
            Ok::<_, AppError>((offered, object.map(|c| c.spec.environment.clone()).unwrap_or_default()))
        })?;
        let place = (offered.profile.scope.clone(), Ttl::SHORTEST);
        let choice = choice(&signed.who.user, cluster, environment, &offered.profile, place, &input, None)?;
        Ok(Choice { is_scan: true, ..choice })
    }
}

impl Known {
    /// The profile under which a scan of a cluster is asked for.
    fn scanned_under(&self, cluster: &ClusterName) -> Result<Offered, AppError> {
        let offered = self.offered_on(cluster)?;
        offered.into_iter().find(|one| one.profile.is_for_scans()).ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, format!("you have no profile to scan {cluster} under")).hint(
                "An admin gives your group the verb request on a profile with the role sallyport:posture, and the ClusterRole \
                 sallyport:scanner in sallyport-scans.",
            )
        })
    }

    /// What may be asked for on a cluster that the hub knows.
    fn offered_on(&self, cluster: &ClusterName) -> Result<Vec<Offered>, AppError> {
        if !self.clusters.contains_key(cluster.as_str()) {
            return Err(AppError::new(ErrorCode::BadInput, format!("the hub knows no cluster {cluster}"))
                .hint("It may have been removed; look at the list again."));
        }
        self.offered(cluster).ok_or_else(|| {
            AppError::new(ErrorCode::Unreachable, "the hub has not said yet what you may ask for")
                .hint("Try again in a moment.")
                .retry()
        })
    }

    /// The profile a click means.
    pub(super) fn pick(
        &self,
        cluster: &ClusterName,
        input: &OpenInput,
        last: Option<&Opening>,
    ) -> Result<Offered, AppError> {
        let offered = self.offered_on(cluster)?;
        let last = last.map(last_view);
        let found = match &input.profile {
            Some(name) => offered.iter().find(|o| o.profile.name.as_str() == name),
            None => Self::chosen(&offered, last.as_ref()),
        };
        found.cloned().ok_or_else(|| {
            AppError::new(ErrorCode::Forbidden, format!("you have no profile that opens {cluster}"))
                .hint("Ask an admin which group you need.")
        })
    }
}

fn choice(
    user: &UserName,
    cluster: &ClusterName,
    environment: String,
    profile: &Profile,
    (scope, duration): (Scope, Ttl),
    input: &OpenInput,
    carried: Option<String>,
) -> Result<Choice, AppError> {
    let given = input.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned);
    let reason = given.or(carried).unwrap_or_default();
    check_reason(&reason, profile.reason_required).map_err(|wrong| match wrong {
        ReasonError::Missing => AppError::new(ErrorCode::ReasonNeeded, "say why, in a few words")
            .hint("It is carried for 8 hours."),
        ReasonError::TooLong => bad(wrong.to_string()),
    })?;
    Ok(Choice {
        terms: Terms {
            user: user.clone(),
            cluster: cluster.clone(),
            profile: profile.name.clone(),
            revision: profile.revision.clone(),
            scope,
            duration,
            reason,
            recording: profile.recording,
        },
        environment,
        approvals: profile.approvals,
        is_scan: false,
    })
}

/// Where and for how long it is asked for: as given, else as last time, else all that the profile names and for 1 h. A
/// `default` that the person chose comes before the length of last time.
///
/// # Errors
/// For what is no namespace, and for more than the profile allows.
pub(super) fn place_and_time(
    profile: &Profile,
    input: &OpenInput,
    last: Option<&Opening>,
    default: Option<Ttl>,
) -> Result<(Scope, Ttl), AppError> {
    let scope = match &input.namespaces {
        Some(names) => {
            let names: Result<Vec<_>, sallyport_model::NameError> = names.iter().map(|n| n.parse()).collect();
            Scope::from_list(names.map_err(|e| bad(e.to_string()))?)
        }
        None => last
            .map(|l| l.scope.clone())
            .filter(|s| s.within(&profile.scope))
            .unwrap_or_else(|| profile.scope.clone()),
    };
    if !scope.within(&profile.scope) {
        return Err(bad(format!("{} allows only {}", profile.name, profile.scope)));
    }
    let asked = input.duration_seconds.map(|s| Ttl::seconds(s.into()));
    let asked = asked.or(default).or(last.map(|l| l.duration));
    Ok((scope, usual(profile, asked)))
}

fn bad(what: String) -> AppError {
    AppError::new(ErrorCode::BadInput, what)
}
