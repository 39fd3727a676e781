//! One question, as both are asked it.

use super::world::{GROUPS, NAMES, NAMESPACES, PATHS, RESOURCES, SUBS, VERBS, Who, World, who};
use crate::dice::Dice;
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use sallyport_rbac::Ask;
use sallyport_rbac::who::{Caller, MASTERS, Rbac, Subject};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(super) struct Question {
    caller: Caller,
    namespace: Option<String>,
    verb: String,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Resource { group: String, resource: String, subresource: String, name: String },
    Path(String),
}

impl Question {
    /// Mostly what a binding of the world gives, or nearly that; else anything.
    pub(super) fn random(world: &World, dice: &mut Dice) -> Self {
        let mut question = if dice.one_in(6) { Self::any(world, dice) } else { Self::given(world, dice) };
        if dice.one_in(3) {
            question.bend(world, dice);
        }
        if dice.one_in(60) {
            question.caller.groups.push(MASTERS.to_owned());
        }
        // Nobody has no name and no groups.
        if question.caller.user.is_empty() && question.caller.groups.is_empty() {
            question.caller.user = "nobody".to_owned();
        }
        question
    }

    fn any(world: &World, dice: &mut Dice) -> Self {
        let what = if dice.one_in(5) {
            What::Path((*dice.pick(&PATHS)).to_owned())
        } else {
            What::Resource {
                group: (*dice.pick(&GROUPS)).to_owned(),
                resource: (*dice.pick(&RESOURCES)).to_owned(),
                subresource: if dice.one_in(2) { String::new() } else { (*dice.pick(&SUBS)).to_owned() },
                name: if dice.one_in(2) { String::new() } else { (*dice.pick(&NAMES)).to_owned() },
            }
        };
        Self {
            caller: caller(&who(world.number, dice)),
            namespace: somewhere(dice),
            verb: (*dice.pick(&VERBS)).to_owned(),
            what,
        }
    }

    fn given(world: &World, dice: &mut Dice) -> Self {
        let (whom, namespace, rules) = dice.pick(&world.given);
        let whom = dice.pick(whom).clone();
        let rule = dice.pick(rules);
        let entry = |field: &str, dice: &mut Dice| {
            let list = rule.get(field).and_then(Value::as_array).filter(|list| !list.is_empty());
            list.map(|list| dice.pick(list).as_str().unwrap_or_default().to_owned())
        };
        let star = |text: String, all: &[&str], dice: &mut Dice| {
            if text == "*" { (*dice.pick(all)).to_owned() } else { text }
        };
        let verb = entry("verbs", dice).unwrap_or_default();
        let verb = star(verb, &VERBS, dice);
        let what = if let Some(path) = entry("nonResourceURLs", dice) {
            match path.strip_suffix('*') {
                Some(start) if path != "*" => {
                    What::Path(format!("{}{}", start.trim_end_matches('*'), dice.pick(&["", "x", "/x"])))
                }
                _ => What::Path(star(path, &PATHS, dice)),
            }
        } else {
            let group = entry("apiGroups", dice).unwrap_or_default();
            let whole = entry("resources", dice).unwrap_or_default();
            let whole = star(whole, &RESOURCES, dice);
            // One with two slashes can be cut at either: what is compared is one text.
            let cut = if dice.one_in(3) { whole.rsplit_once('/') } else { whole.split_once('/') };
            let (resource, subresource) = cut.unwrap_or((&whole, ""));
            What::Resource {
                group: star(group, &GROUPS, dice),
                resource: star(resource.to_owned(), &RESOURCES, dice),
                subresource: if subresource == "*" {
                    (*dice.pick(&SUBS)).to_owned()
                } else {
                    subresource.to_owned()
                },
                name: entry("resourceNames", dice).unwrap_or_else(|| (*dice.pick(&["", "one"])).to_owned()),
            }
        };
        let namespace = match namespace {
            Some(own) => Some((*own).to_owned()),
            None => somewhere(dice),
        };
        Self { caller: caller(&whom), namespace, verb, what }
    }

    /// Changes one thing.
    fn bend(&mut self, world: &World, dice: &mut Dice) {
        let other = |all: &[&str], dice: &mut Dice| (*dice.pick(all)).to_owned();
        match (dice.below(9), &mut self.what) {
            (0, _) => self.verb = other(&VERBS, dice),
            (1, _) => self.namespace = somewhere(dice),
            (2, _) => self.caller = caller(&who(world.number, dice)),
            // In a group more, with or without those that everybody is in.
            (3, _) => self.caller.groups.extend(caller(&who(world.number, dice)).groups),
            (4, _) => self.caller.groups.clear(),
            (5, What::Resource { group, .. }) => *group = other(&GROUPS, dice),
            (6, What::Resource { name, .. }) => *name = other(&["", "one", "two", "*", "on"], dice),
            (7, What::Resource { subresource, .. }) => *subresource = other(&["", "exec", "*", "b"], dice),
            (8, What::Resource { resource, .. }) => {
                *resource = other(&["pods", "*", "pods/exec", "a/b", ""], dice)
            }
            (_, What::Path(path)) => *path = other(&PATHS, dice),
            _ => self.verb = other(&["*", "watch", "patch"], dice),
        }
    }

    /// What the roles and bindings say.
    pub(super) fn computed(&self, rbac: &Rbac) -> bool {
        let verb = &self.verb;
        match &self.what {
            What::Path(path) => rbac.allows(&self.caller, Ask::Path { verb, path }, None),
            What::Resource { group, resource, subresource, name } => {
                let ask = Ask::Resource { verb, group, resource, subresource, name };
                rbac.allows(&self.caller, ask, self.namespace.as_deref())
            }
        }
    }

    /// The question to the API server.
    pub(super) fn review(&self) -> SubjectAccessReview {
        let text = |text: &str| Some(text.to_owned());
        let (resource, path) = match &self.what {
            What::Path(path) => {
                (None, Some(NonResourceAttributes { path: text(path), verb: text(&self.verb) }))
            }
            What::Resource { group, resource, subresource, name } => {
                let attributes = ResourceAttributes {
                    group: text(group),
                    resource: text(resource),
                    subresource: text(subresource),
                    name: text(name),
                    verb: text(&self.verb),
                    namespace: self.namespace.clone(),
                    ..ResourceAttributes::default()
                };
                (Some(attributes), None)
            }
        };
        SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: text(&self.caller.user),
                groups: Some(self.caller.groups.clone()),
                resource_attributes: resource,
                non_resource_attributes: path,
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        }
    }
}

/// With the groups that the API server gives them.
pub(super) fn caller(who: &Who) -> Caller {
    match who {
        Who::User(name) => Subject::User(name.clone()).caller(),
        Who::Group(name) => Subject::Group(name.clone()).caller(),
        Who::Account(namespace, name) => Subject::account(namespace, name).caller(),
    }
}

fn somewhere(dice: &mut Dice) -> Option<String> {
    (!dice.one_in(4)).then(|| (*dice.pick(&NAMESPACES)).to_owned())
}
