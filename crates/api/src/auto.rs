use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sallyport_model::{AutoApproval, Conditions, ConditionsError, ConditionsInput, Days, Ttl, When};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What lets a profile open without people: it stands for all approvals or none. Every condition that is given must be met,
/// and one must be given; what can't be evaluated is not met.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoApprovalField {
    /// Its name in the profile, which requests that it opened carry.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub name: String,
    /// The requester asks with one of these groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 512)))]
    pub groups: Option<Vec<String>>,
    /// On these days: `Mon`, `Tue`, …; hours over midnight belong to the day on which they begin. Needs `zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 7),
        inner(length(min = 3, max = 3), regex(pattern = r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$"))
    )]
    pub days: Option<Vec<String>>,
    /// Within these hours, e.g. `09:00-18:00`, over midnight where the end comes first. Needs `zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 11, max = 11),
        regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")
    )]
    pub hours: Option<String>,
    /// The IANA time zone of days and hours, e.g. `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    pub zone: Option<String>,
    /// Asked for at most so long, e.g. `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub max_duration: Option<String>,
    /// Asked for in these namespaces alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        inner(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
    )]
    pub namespaces: Option<Vec<String>>,
    /// So often at most for one person on one cluster within any 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub per_day: Option<u32>,
    /// Conditions of a later version. What they ask for is not known here, and so is not met.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: BTreeMap<String, Value>,
}

/// The autoApproval by which a request opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoApprovalRecord {
    /// Its name in the profile.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub name: String,
    /// What its conditions saw, for people.
    #[schemars(length(max = 512))]
    pub saw: String,
    /// When it was met, by the hub's clock as its broker reads it.
    #[schemars(regex(
        pattern = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])$"
    ))]
    pub at: Time,
}

impl From<&AutoApprovalField> for AutoApproval {
    /// One that can't be read is kept as such: the rest of its profile is as good as ever.
    fn from(field: &AutoApprovalField) -> Self {
        Self { name: field.name.clone(), conditions: conditions(field) }
    }
}

fn conditions(field: &AutoApprovalField) -> Result<Conditions, ConditionsError> {
    if let Some(unknown) = field.unknown.keys().next() {
        return Err(ConditionsError::unreadable(format!("this version knows no condition {unknown}")));
    }
    let namespaces = field.namespaces.as_ref().map(|names| names.iter().map(|name| name.parse()).collect());
    let duration: Option<Result<Ttl, _>> = field.max_duration.as_ref().map(|most| most.parse());
    Conditions::new(ConditionsInput {
        groups: field.groups.clone(),
        when: when(field)?,
        duration: duration.transpose().map_err(ConditionsError::unreadable)?,
        namespaces: namespaces
            .transpose()
            .map_err(|e: sallyport_model::NameError| ConditionsError::unreadable(e))?,
        per_day: field.per_day,
    })
}

fn when(field: &AutoApprovalField) -> Result<Option<When>, ConditionsError> {
    let AutoApprovalField { days, hours, zone, .. } = field;
    let Some(zone) = zone else {
        let is_timed = days.is_some() || hours.is_some();
        return if is_timed {
            Err(ConditionsError::unreadable("days and hours need a zone"))
        } else {
            Ok(None)
        };
    };
    let days = days.as_ref().map(|days| Days::parse(days.iter().map(String::as_str)));
    let days = days.transpose().map_err(ConditionsError::unreadable)?;
    let hours = hours.as_ref().map(|hours| hours.parse()).transpose().map_err(ConditionsError::unreadable)?;
    When::new(zone, days, hours).map(Some).map_err(ConditionsError::unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(field: Value) -> Result<Conditions, String> {
        let field: AutoApprovalField = serde_json::from_value(field).unwrap();
        AutoApproval::from(&field).conditions.map_err(|why| why.to_string())
    }

    #[test]
    fn every_condition_is_read() {
        let conditions = read(json!({
            "name": "office", "groups": ["oidc:dev"], "days": ["Mon", "Tue"], "hours": "22:00-06:00",
            "zone": "America/New_York", "maxDuration": "30m", "namespaces": ["payments"], "perDay": 3,
        }))
        .unwrap();
        assert_eq!(conditions.when().unwrap().to_string(), "Mon, Tue 22:00-06:00 in America/New_York");
        assert_eq!(conditions.duration(), Some(Ttl::minutes(30)));
        assert_eq!(conditions.scope().unwrap().to_string(), "payments");
        assert_eq!((conditions.groups().unwrap().len(), conditions.per_day()), (1, Some(3)));
    }

    #[test]
    fn what_can_not_be_read_is_said_and_is_never_fewer_conditions() {
        for (why, field) in [
            ("has no condition", json!({"name": "a"})),
            ("knows no condition ticket", json!({"name": "a", "perDay": 1, "ticket": "INC-.*"})),
            ("groups names none", json!({"name": "a", "groups": [], "perDay": 1})),
            ("days names none", json!({"name": "a", "days": [], "zone": "UTC", "perDay": 1})),
            ("namespaces names none", json!({"name": "a", "namespaces": [], "perDay": 1})),
            ("need a zone", json!({"name": "a", "days": ["Mon"], "perDay": 1})),
            ("need a zone", json!({"name": "a", "hours": "09:00-18:00", "perDay": 1})),
            ("says nothing", json!({"name": "a", "zone": "UTC", "perDay": 1})),
            ("no time zone", json!({"name": "a", "days": ["Mon"], "zone": "Mars/Olympus\u{202e}"})),
            ("not a day", json!({"name": "a", "days": ["Montag"], "zone": "UTC"})),
            ("not a stretch", json!({"name": "a", "hours": "25:00-26:00", "zone": "UTC"})),
            ("not a duration", json!({"name": "a", "maxDuration": "soon"})),
            ("shorter than", json!({"name": "a", "maxDuration": "0m"})),
            ("namespace name", json!({"name": "a", "namespaces": ["kube-system/x"]})),
            ("perDay is 0", json!({"name": "a", "perDay": 0})),
        ] {
            let said = read(field.clone()).unwrap_err();
            assert!(said.contains(why) && !said.contains('\u{202e}'), "{field}: {said}");
        }
    }
}
