//! The score: one line for each attack, and which validation of which policy answered it.

use crate::ask::{Ask, Reply};
use anyhow::Result;
use kube::Client;
use sallyport_api::{Guardrails, Side, shipped_guardrails};
use serde_json::Value;
use std::collections::BTreeSet;

/// Somebody with a client.
#[derive(Clone)]
pub(crate) struct Person {
    /// As the lines call them.
    pub(crate) title: String,
    /// As the API server knows them.
    pub(crate) user: String,
    pub(crate) client: Client,
}

#[derive(Default)]
pub(crate) struct Board {
    passed: usize,
    failures: Vec<String>,
    /// What policies said, with their names.
    said: Vec<(String, String)>,
}

impl Board {
    /// Sends every form and expects each to be refused (400, 403, 409, 415, 422, or 500 as the API
    /// server says it of a resource version) with `fragment` in the message; ` || ` stands
    /// between two where two policies refuse, since the API server names one of them, in no fixed order.
    pub(crate) async fn refused(
        &mut self,
        id: &str,
        title: &str,
        who: &Person,
        forms: Vec<Ask>,
        fragment: &str,
    ) {
        let mut shown: Vec<&str> = Vec::new();
        let mut sentence = String::new();
        for ask in &forms {
            match ask.send(&who.client).await {
                Ok(reply)
                    if [400, 403, 409, 415, 422, 500].contains(&reply.code)
                        && fragment.split(" || ").any(|one| reply.message().contains(one)) =>
                {
                    self.remember(&reply);
                    sentence = reply.sentence().to_owned();
                    if !shown.contains(&ask.form) {
                        shown.push(ask.form);
                    }
                }
                Ok(reply) => {
                    let why =
                        if reply.code < 300 { "ACCEPTED".to_owned() } else { format!("{}", reply.code) };
                    let line = format!("{} as {}: {why}: {}", who.title, ask.form, reply.message());
                    return self.fail(id, title, &format!("{line}\n       wanted: {fragment}"));
                }
                Err(error) => {
                    return self.fail(id, title, &format!("{} as {}: {error:#}", who.title, ask.form));
                }
            }
        }
        self.pass("refused", id, title, who, &shown.join(", "), &sentence);
    }

    /// Sends it and expects success; the answer, or null when it failed.
    pub(crate) async fn allowed(&mut self, id: &str, title: &str, who: &Person, ask: Ask) -> Value {
        self.accepted("allowed", id, title, who, ask, "").await
    }

    /// As [`allowed`](Self::allowed), for what admission can't close; `instead` says who does, or that nobody does.
    pub(crate) async fn open(
        &mut self,
        id: &str,
        title: &str,
        who: &Person,
        ask: Ask,
        instead: &str,
    ) -> Value {
        self.accepted("OPEN", id, title, who, ask, instead).await
    }

    async fn accepted(
        &mut self,
        verdict: &str,
        id: &str,
        title: &str,
        who: &Person,
        ask: Ask,
        note: &str,
    ) -> Value {
        match ask.send(&who.client).await {
            Ok(reply) if reply.code < 300 => {
                self.pass(verdict, id, title, who, ask.form, note);
                return reply.body;
            }
            Ok(reply) => self.fail(id, title, &format!("{}: {}: {}", who.title, reply.code, reply.message())),
            Err(error) => self.fail(id, title, &format!("{}: {error:#}", who.title)),
        }
        Value::Null
    }

    /// Anything else that must hold.
    pub(crate) fn check(&mut self, id: &str, title: &str, holds: bool, detail: &str) {
        if holds {
            self.passed += 1;
            println!("  holds    {id:<4} {title} · {detail}");
        } else {
            self.fail(id, title, detail);
        }
    }

    /// Preparations: not counted, but the story can't go on without them.
    pub(crate) async fn must(&self, who: &Person, ask: Ask) -> Result<Value> {
        let reply = ask.send(&who.client).await?;
        anyhow::ensure!(
            reply.code < 300,
            "{} could not {ask:?}: {}: {}",
            who.title,
            reply.code,
            reply.message()
        );
        Ok(reply.body)
    }

    fn pass(&mut self, verdict: &str, id: &str, title: &str, who: &Person, forms: &str, said: &str) {
        self.passed += 1;
        let said = if said.is_empty() { String::new() } else { format!(" · {said}") };
        println!("  {verdict:<8} {id:<4} {title} · {} ({forms}){said}", who.title);
    }

    fn fail(&mut self, id: &str, title: &str, detail: &str) {
        let line = format!("{id:<4} {title} · {detail}");
        println!("  FAILED   {line}");
        self.failures.push(line);
    }

    fn remember(&mut self, reply: &Reply) {
        let message = reply.message();
        let policy =
            message.split_once("ValidatingAdmissionPolicy '").and_then(|(_, rest)| rest.split_once('\''));
        if let Some((policy, _)) = policy {
            self.said.push((policy.to_owned(), reply.sentence().to_owned()));
        }
    }

    /// Every validation of every shipped policy must have refused something above, in its own words.
    pub(crate) fn coverage(&mut self) {
        let (mut total, mut silent) = (0, Vec::new());
        for side in [Side::Hub, Side::Target] {
            let Guardrails { policies, .. } = shipped_guardrails(side);
            for policy in policies {
                let name = policy["metadata"]["name"].as_str().unwrap_or_default();
                for (i, validation) in
                    policy["spec"]["validations"].as_array().into_iter().flatten().enumerate()
                {
                    total += 1;
                    if !self.said.iter().any(|(who, said)| who == name && speaks(validation, said)) {
                        silent.push(format!("{name} validation {i}"));
                    }
                }
            }
        }
        let policies: BTreeSet<&String> = self.said.iter().map(|(policy, _)| policy).collect();
        let detail = format!("{total} validations of {} policies", policies.len());
        let silent = silent.join(", ");
        let detail = if silent.is_empty() { detail } else { format!("{detail}; never heard: {silent}") };
        self.check(
            "all",
            "every validation under deploy/ refused an attack in its own words",
            silent.is_empty(),
            &detail,
        );
    }

    /// The last line, and whether nothing failed.
    pub(crate) fn close(&self) -> bool {
        if !self.failures.is_empty() {
            println!("\nfailed:");
            for failure in &self.failures {
                println!("  {failure}");
            }
        }
        println!("\n{} passed, {} failed", self.passed, self.failures.len());
        self.failures.is_empty()
    }
}

/// Whether a sentence is this validation's: equal to its message, or holding every literal of its messageExpression.
fn speaks(validation: &Value, said: &str) -> bool {
    if let Some(message) = validation["message"].as_str() {
        return said == message;
    }
    let expression = validation["messageExpression"].as_str().unwrap_or_default();
    let literals: Vec<&str> = expression.split('\'').skip(1).step_by(2).collect();
    // Short ones are separators and keys (`, `, `audiences`); a choice between two literals needs one of them.
    let telling: Vec<&&str> =
        literals.iter().filter(|l| l.len() > 8 && l.contains(' ') && !l.starts_with([';', ','])).collect();
    !telling.is_empty() && telling.iter().all(|l| said.contains(**l))
}
