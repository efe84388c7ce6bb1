//! `--filter EXPR`: which scenarios are driven.
//!
//! A term is a glob on the scenario's id, or `KEY:GLOB` with one of the keys `scenario`, `profile`, `capability`,
//! `clause` and `pace`. Terms are joined with `&` (and), `|` (or) and `!` (not), with parentheses.

use fincert_suites::Scenario;
use globset::{Glob, GlobMatcher};

/// A filter that was read.
#[derive(Debug, Clone)]
pub enum Filter {
    /// A term.
    Term(Key, GlobMatcher),
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// Not.
    Not(Box<Filter>),
}

/// What a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The scenario's id.
    Scenario,
    /// Its profile.
    Profile,
    /// Its capability.
    Capability,
    /// Its clause.
    Clause,
    /// Its pace.
    Pace,
}

/// Where a filter cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--filter: {message} at character {at}; an expression is made of globs on scenario ids or KEY:GLOB (scenario, profile, capability, clause, pace), &, |, ! and parentheses"
)]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// Where, counted from 1.
    pub at: usize,
}

impl Filter {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { text, at: 0 };
        let filter = parser.or()?;
        match parser.peek() {
            None => Ok(filter),
            Some(other) => Err(parser.error(format!("unexpected {other:?}"))),
        }
    }

    /// Whether a scenario is chosen.
    pub fn accepts(&self, scenario: &Scenario) -> bool {
        match self {
            Self::Term(key, glob) => match key {
                Key::Scenario => glob.is_match(&scenario.id),
                Key::Profile => glob.is_match(&scenario.profile),
                Key::Capability => scenario.capability.as_ref().is_some_and(|capability| glob.is_match(capability)),
                Key::Clause => glob.is_match(&scenario.clause),
                Key::Pace => glob.is_match(scenario.pace.as_str()),
            },
            Self::And(a, b) => a.accepts(scenario) && b.accepts(scenario),
            Self::Or(a, b) => a.accepts(scenario) || b.accepts(scenario),
            Self::Not(inner) => !inner.accepts(scenario),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn error(&self, message: impl Into<String>) -> FilterError {
        FilterError { message: message.into(), at: self.text[..self.at].chars().count() + 1 }
    }

    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn or(&mut self) -> Result<Filter, FilterError> {
        let mut left = self.and()?;
        while self.eat('|') {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, FilterError> {
        let mut left = self.not()?;
        while self.eat('&') {
            left = Filter::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Filter, FilterError> {
        let mut negations = 0;
        while self.eat('!') {
            negations += 1;
        }
        let inner = if self.eat('(') {
            let inner = self.or()?;
            if !self.eat(')') {
                return Err(self.error("a missing )"));
            }
            inner
        } else {
            self.term()?
        };
        Ok(if negations % 2 == 1 { Filter::Not(Box::new(inner)) } else { inner })
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        self.peek();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || "&|!()".contains(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty() {
            return Err(self.error("a missing term"));
        }
        let (key, glob) = match word.split_once(':') {
            Some(("scenario", glob)) => (Key::Scenario, glob),
            Some(("profile", glob)) => (Key::Profile, glob),
            Some(("capability", glob)) => (Key::Capability, glob),
            Some(("clause", glob)) => (Key::Clause, glob),
            Some(("pace", glob)) => (Key::Pace, glob),
            Some((other, _)) => return Err(self.error(format!("no such key: {other}"))),
            None => (Key::Scenario, word),
        };
        let matcher = Glob::new(glob).map_err(|error| self.error(error.to_string()))?.compile_matcher();
        self.at += end;
        Ok(Filter::Term(key, matcher))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fincert_suites::Suite;

    fn chosen(text: &str) -> usize {
        let filter = Filter::parse(text).unwrap();
        Suite::embedded().unwrap().scenarios.iter().filter(|scenario| filter.accepts(scenario)).count()
    }

    #[test]
    fn expressions_choose() {
        let all = Suite::embedded().unwrap().scenarios.len();
        assert_eq!(chosen("*"), all);
        assert_eq!(chosen("ocr.* | !ocr.*"), all);
        assert_eq!(chosen("profile:ocr & !profile:ocr"), 0);
        assert_eq!(chosen("capability:ocr:BankCard & (*.specimens)"), 1);
        assert_eq!(chosen("ocr.bank-card.specimens"), 1);
    }

    #[test]
    fn errors_say_where() {
        for (text, at) in [("", 1), ("(a", 3), ("a b", 3), ("x:y", 1), ("a & ", 5), ("[", 1)] {
            assert_eq!(Filter::parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
