//! Where a cloud writes the audit log, what has to be switched on, and a filter that hands on what is asked here: every call
//! of a session and of a person, all writes, everything about Secrets and into containers. In a cloud the audit policy is
//! the provider's and cannot be changed.

use crate::audit::args::Provider;
use sallyport_events::PolicyCall;

/// Reads, as every API names them.
const READS: [&str; 3] = ["get", "list", "watch"];
/// What goes into a running container, by whatever verb: a WebSocket is a get.
const INTO: [&str; 4] = ["exec", "attach", "portforward", "proxy"];
/// Heartbeats, and what is told of others.
const BEATS: [&str; 2] = ["leases", "events"];
/// How the names of session accounts begin.
const SESSIONS: &str = "system:serviceaccount:sallyport-sessions:";

/// The parts of the filters, in the order in which one after another is asked here, and whether each hands on.
const PARTS: [(bool, &str); 6] = [
    (true, "Calls of sessions"),
    (true, "Calls of people, and of whatever else is not the system's"),
    (true, "Everything about Secrets"),
    (true, "What goes into a running container"),
    (true, "Writes, but for heartbeats"),
    (false, "Reads of accounts and nodes, and heartbeats"),
];
/// What AKS hands on.
const ALL: [(bool, &str); 1] = [(true, "Every call (kube-audit); AKS leaves out nothing of it")];

/// What the filter for a cloud has of rules, for an estimate.
pub(super) fn rules(cloud: Provider) -> &'static [(bool, &'static str)] {
    match cloud {
        Provider::Eks | Provider::Gke => &PARTS,
        Provider::Aks => &ALL,
    }
}

/// Which of them a call falls under: as the filters say it, which is tested.
pub(super) fn decides(cloud: Provider, call: &PolicyCall<'_>) -> usize {
    // Of what is about no resource the filters compare nothing but who it was.
    let is_write =
        !call.resource.is_empty() && !READS.contains(&call.verb) && !BEATS.contains(&call.resource);
    match cloud {
        Provider::Aks => 0,
        _ if call.user.starts_with(SESSIONS) => 0,
        _ if !call.user.starts_with("system:") => 1,
        _ if call.resource == "secrets" => 2,
        _ if INTO.contains(&call.subresource) => 3,
        _ if is_write => 4,
        _ => 5,
    }
}

/// A filter pattern of CloudWatch Logs, at most 1,024 characters.
fn cloudwatch() -> String {
    let all = |of: &[&str], field: &str, op: &str, with: &str| {
        of.iter().map(|text| format!("($.{field} {op} \"{text}\")")).collect::<Vec<_>>().join(with)
    };
    format!(
        "{{ ($.user.username = \"{SESSIONS}*\") || ($.user.username != \"system:*\") || ({} && {}) || \
         ($.objectRef.resource = \"secrets\") || {} }}",
        all(&READS, "verb", "!=", " && "),
        all(&BEATS, "objectRef.resource", "!=", " && "),
        all(&INTO, "objectRef.subresource", "=", " || "),
    )
}

/// A filter of a sink of Cloud Logging.
fn logging() -> String {
    let (into, beats) = (INTO.join("|"), BEATS.join("|"));
    format!(
        "resource.type=\"k8s_cluster\" AND protoPayload.serviceName=\"k8s.io\" AND (
  protoPayload.authenticationInfo.principalEmail=~\"^{SESSIONS}\"
  OR NOT protoPayload.authenticationInfo.principalEmail=~\"^system:\"
  OR (protoPayload.methodName=~\"[.](create|update|patch|delete|deletecollection)$\" AND NOT \
         protoPayload.methodName=~\"[.]({beats})[.][a-z]+$\")
  OR protoPayload.methodName=~\"[.]secrets[.][a-z]+$\"
  OR protoPayload.methodName=~\"[.]({into})[.][a-z]+$\"
)
"
    )
}

pub(super) fn eks() -> String {
    format!(
        "# EKS: the audit log goes to CloudWatch Logs, group /aws/eks/CLUSTER/cluster, streams kube-apiserver-audit-*, each
# message an event as Kubernetes writes it. The audit policy is AWS's.
#
# Switched on with
#   aws eks update-cluster-config --name CLUSTER --logging \\
#     '{{\"clusterLogging\":[{{\"types\":[\"audit\",\"authenticator\"],\"enabled\":true}}]}}'
#
# Handed on by a subscription filter with the pattern below (two filters for each log group at most; a pattern has at most
# 1,024 characters), as with
#   aws logs put-subscription-filter --log-group-name /aws/eks/CLUSTER/cluster --filter-name sallyport \\
#     --filter-pattern file://PATTERN --destination-arn ARN --role-arn ROLE
#
# It keeps every call of sessions and of people, all writes but heartbeats, everything about Secrets and into containers.
# Left out are the reads of accounts and nodes. An event over 256 KB is cut by CloudWatch Logs; what is left of it is
# read. `sallyport audit import` reads the export to S3 and what `aws logs` prints.
{}
",
        cloudwatch()
    )
}

pub(super) fn gke() -> String {
    format!(
        "# GKE: writes go to cloudaudit.googleapis.com/activity, always. Reads go to cloudaudit.googleapis.com/data_access and
# only where Data Access audit logs are switched on for the service k8s.io (IAM, Audit logs: Admin read, Data read, Data
# write); without that no read of a session is told, and no exec that is opened by a WebSocket, which is a get.
#
# What GKE does not tell, whatever is asked for: groups, the id of the token, the HTTP status, what stage a call is in. A
# session is known there by its account's name.
#
# Handed on by a sink with the filter below, as with
#   gcloud logging sinks create sallyport DESTINATION --log-filter=\"$(grep -v '^#' FILTER)\"
# `sallyport audit import` reads entries as Cloud Storage and `gcloud logging read --format=json` give them.
{}",
        logging()
    )
}

pub(super) fn aks() -> String {
    "# AKS: diagnostic settings hand on the category kube-audit, with every call. The category kube-audit-admin is much
# smaller and is not enough: it leaves out get and list, so no read is in it, of a session or of anybody, and no exec that
# is opened by a WebSocket, which is a get. The category guard tells sign-ins through Microsoft Entra ID.
#
# AKS filters by category alone: what is to be left out (reads of accounts and nodes) is left out where it is kept.
# `sallyport audit import` reads what goes to a storage account or an Event Hub.
az monitor diagnostic-settings create --name sallyport --resource CLUSTER_RESOURCE_ID \\
  --logs '[{\"category\":\"kube-audit\",\"enabled\":true},{\"category\":\"guard\",\"enabled\":true}]' \\
  --storage-account STORAGE_ACCOUNT_ID
"
    .to_owned()
}

#[cfg(test)]
mod tests;
