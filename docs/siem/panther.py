"""For Panther's rules on Kubernetes audit logs (log types Amazon.EKS.Audit and Kubernetes.Audit): `if ours(event): return
False` at the top of the rule it is for. What is ours is told by account, resource, namespace and name together."""

import re

BROKER = "system:serviceaccount:sallyport-system:broker"
ACCOUNT = re.compile(r"s-[a-z0-9]{4,32}-[0-9]{10}")
BINDING = re.compile(r"g-[a-z0-9]{4,32}-[0-9]{1,4}")
SESSION = re.compile(r"system:serviceaccount:sallyport-sessions:s-[a-z0-9]{4,32}-[0-9]{10}")


def _get(event, *keys):
    for key in keys:
        event = (event or {}).get(key)
    return event


def ours(event):
    """Whether it is one of the calls that Sallyport makes, and was let through."""
    user, verb = _get(event, "user", "username") or "", _get(event, "verb")
    resource = _get(event, "objectRef", "resource")
    if _get(event, "impersonatedUser"):
        return False
    if SESSION.fullmatch(user):
        return (
            verb == "create"
            and _get(event, "objectRef", "apiGroup") == "authorization.k8s.io"
            and resource == "selfsubjectaccessreviews"
        )
    # What it was refused is what it should not have tried.
    if user != BROKER or verb not in ("create", "delete") or _get(event, "responseStatus", "code") not in (200, 201):
        return False
    name, below = _get(event, "objectRef", "name") or "", _get(event, "objectRef", "subresource")
    if resource == "serviceaccounts":
        is_there = _get(event, "objectRef", "namespace") == "sallyport-sessions"
        return is_there and below in (None, "", "token") and ACCOUNT.fullmatch(name) is not None
    is_binding = resource in ("rolebindings", "clusterrolebindings") and not below
    return is_binding and BINDING.fullmatch(name) is not None


def into_container(event):
    """Whether it goes into a container: a WebSocket is a get."""
    return (
        _get(event, "objectRef", "resource") == "pods"
        and _get(event, "objectRef", "subresource") in ("exec", "attach", "portforward")
        and _get(event, "verb") in ("create", "get")
    )
