//! As much of Falco's conditions and of KQL as docs/siem uses, and an error for anything else.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

/// In which a condition is written.
pub(super) enum Language<'a> {
    /// With the macros that it may name.
    Falco(&'a BTreeMap<String, String>),
    Kql,
}

/// A field of an event by its path, as a text; `None` where it is not there.
pub(super) fn field(event: &Value, path: &str) -> Option<String> {
    match path.split('.').try_fold(event, |value, name| value.get(name))? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(_) | Value::Array(_) => Some(String::new()),
        other => Some(other.to_string()),
    }
}

/// Whether a text is as `^…$` says, of characters and classes with how many.
pub(super) fn matches(pattern: &str, text: &str) -> Result<bool> {
    let pattern = pattern.strip_prefix('^').and_then(|pattern| pattern.strip_suffix('$'));
    let mut pattern = pattern.context("a pattern that is not about all of it")?;
    let mut text = text;
    while let Some(c) = pattern.chars().next() {
        pattern = &pattern[c.len_utf8()..];
        if c != '[' {
            ensure!(c.is_ascii_alphanumeric() || "-:".contains(c), "{c} in a pattern is not known here");
            match text.strip_prefix(c) {
                Some(rest) => text = rest,
                None => return Ok(false),
            }
            continue;
        }
        let (class, rest) = pattern.split_once("]{").context("a class with how many")?;
        let (many, rest) = rest.split_once('}').context("how many")?;
        let (least, most) = many.split_once(',').unwrap_or((many, many));
        let (least, most): (usize, usize) = (least.parse()?, most.parse()?);
        let is_in = |c: &char| match class {
            "a-z0-9" => c.is_ascii_lowercase() || c.is_ascii_digit(),
            "0-9" => c.is_ascii_digit(),
            _ => false,
        };
        ensure!(["a-z0-9", "0-9"].contains(&class), "[{class}] is not known here");
        let found = text.chars().take_while(is_in).take(most).count();
        if found < least {
            return Ok(false);
        }
        (text, pattern) = (&text[found..], rest);
    }
    Ok(text.is_empty())
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Sign(char),
    Word(String),
    Quoted(String),
}

/// Whether a condition holds of an event.
pub(super) fn holds(language: &Language<'_>, condition: &str, event: &Value) -> Result<bool> {
    let mut reading = Reading { language, tokens: tokens(condition)?, at: 0, event };
    let holds = reading.either().with_context(|| condition.to_owned())?;
    ensure!(reading.at == reading.tokens.len(), "{condition}: it goes on after its end");
    Ok(holds)
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), text.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '(' | ')' | ',' => tokens.push(Token::Sign(c)),
            '"' => {
                let mut quoted = String::new();
                loop {
                    match rest.next().context("a quote without its end")? {
                        '"' => break,
                        '\\' => bail!("an escape in quotes"),
                        c => quoted.push(c),
                    }
                }
                tokens.push(Token::Quoted(quoted));
            }
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| !c.is_whitespace() && !"(),\"".contains(*c)) {
                    word.push(if c == '\\' { rest.next().context("an escape of nothing")? } else { c });
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Reading<'a> {
    language: &'a Language<'a>,
    tokens: Vec<Token>,
    at: usize,
    event: &'a Value,
}

impl Reading<'_> {
    fn is_next(&mut self, token: &Token) -> bool {
        let is_next = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn is_word(&mut self, word: &str) -> bool {
        self.is_next(&Token::Word(word.to_owned()))
    }

    fn next(&mut self) -> Result<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().context("it breaks off")
    }

    fn either(&mut self) -> Result<bool> {
        let mut holds = self.both()?;
        while self.is_word("or") {
            holds |= self.both()?;
        }
        Ok(holds)
    }

    fn both(&mut self) -> Result<bool> {
        let mut holds = self.one()?;
        while self.is_word("and") {
            holds &= self.one()?;
        }
        Ok(holds)
    }

    fn one(&mut self) -> Result<bool> {
        if self.is_word("not") {
            return Ok(!self.one()?);
        }
        if self.is_next(&Token::Sign('(')) {
            let holds = self.either()?;
            ensure!(self.is_next(&Token::Sign(')')), "a bracket without its end");
            return Ok(holds);
        }
        let Token::Word(name) = self.next()? else { bail!("a term begins with its field") };
        match self.language {
            Language::Falco(macros) => match macros.get(&name) {
                Some(condition) => holds(self.language, condition, self.event),
                None => self.falco(&name),
            },
            Language::Kql => self.kql(&name),
        }
    }

    fn falco(&mut self, name: &str) -> Result<bool> {
        let path = match name {
            "ka.user.name" => "user.username",
            "ka.impuser.name" => "impersonatedUser.username",
            "ka.verb" => "verb",
            "ka.response.code" => "responseStatus.code",
            "ka.target.resource" => "objectRef.resource",
            "ka.target.subresource" => "objectRef.subresource",
            "ka.target.namespace" => "objectRef.namespace",
            "ka.target.name" => "objectRef.name",
            other => bail!("{other} is no field of Falco's that is known here"),
        };
        let found = field(self.event, path).unwrap_or_else(|| "<NA>".to_owned());
        let Token::Word(operator) = self.next()? else { bail!("an operator after {name}") };
        Ok(match operator.as_str() {
            "=" => self.value()?.0 == found,
            "startswith" => found.starts_with(&self.value()?.0),
            "in" => self.values()?.into_iter().any(|(value, _)| value == found),
            other => bail!("{other} is no operator that is known here"),
        })
    }

    fn kql(&mut self, name: &str) -> Result<bool> {
        let path = name.strip_prefix("kubernetes.audit.").context("a field of the integration's")?;
        let found = field(self.event, path);
        let Token::Word(operator) = self.next()? else { bail!("an operator after {name}") };
        if operator == "<" {
            let most: u64 = self.value()?.0.parse()?;
            return Ok(found.and_then(|found| found.parse::<u64>().ok()).is_some_and(|found| found < most));
        }
        ensure!(operator == ":", "{operator} is no operator that is known here");
        let Some(found) = found else {
            self.values()?;
            return Ok(false);
        };
        Ok(self.values()?.into_iter().any(|(value, is_quoted)| match value.strip_suffix('*') {
            Some(begin) if !is_quoted => found.starts_with(begin),
            _ => value == found,
        }))
    }

    /// One, or several in brackets.
    fn values(&mut self) -> Result<Vec<(String, bool)>> {
        if !self.is_next(&Token::Sign('(')) {
            return Ok(vec![self.value()?]);
        }
        let mut all = vec![self.value()?];
        while !self.is_next(&Token::Sign(')')) {
            ensure!(self.is_next(&Token::Sign(',')) || self.is_word("or"), "values are parted");
            all.push(self.value()?);
        }
        Ok(all)
    }

    fn value(&mut self) -> Result<(String, bool)> {
        match self.next()? {
            Token::Word(word) => Ok((word, false)),
            Token::Quoted(text) => Ok((text, true)),
            Token::Sign(sign) => bail!("{sign} in place of a value"),
        }
    }
}
