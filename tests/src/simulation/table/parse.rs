//! Reads expressions.
//!
//! Invariant: every word of the text is understood, or it is a panic with the text.

use super::expression::{Comparison, Condition, Name, Operand, Parsed, Sum, Term, Update, Value};

/// Reads a condition: OR of ANDs of comparisons, functions and parentheses, each perhaps with a NOT.
pub(super) fn condition(text: &str) -> Parsed<Condition> {
    let mut parser = Parser::of(text);
    let says = parser.any();
    parser.end(says)
}

/// Reads an update: SET, ADD and REMOVE, each once at most, in any order.
pub(super) fn update(text: &str) -> Parsed<Update> {
    let mut parser = Parser::of(text);
    let mut says = Update::default();
    let mut sections = Vec::new();
    while let Some(section) = parser.tokens.get(parser.at).copied() {
        parser.at += 1;
        if sections.contains(&section) {
            parser.refuse("a section that comes twice");
        }
        sections.push(section);
        match section {
            "SET" => says.set = parser.list(Parser::assignment),
            "ADD" => says.add = parser.list(|parser| (parser.attribute(), parser.value())),
            "REMOVE" => says.remove = parser.list(Parser::attribute),
            _ => parser.refuse("neither SET nor ADD nor REMOVE"),
        }
    }
    if sections.is_empty() {
        parser.refuse("nothing to update");
    }
    parser.end(says)
}

/// What no attribute is called without a placeholder, as it would be read as something else.
const KEYWORDS: [&str; 8] = ["AND", "OR", "NOT", "IN", "BETWEEN", "SET", "ADD", "REMOVE"];

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<&'t str>,
    at: usize,
    names: Vec<String>,
    values: Vec<String>,
}

impl<'t> Parser<'t> {
    fn of(text: &'t str) -> Self {
        let mut parser = Self { text, tokens: Vec::new(), at: 0, names: Vec::new(), values: Vec::new() };
        parser.tokens = parser.split();
        parser
    }

    fn split(&self) -> Vec<&'t str> {
        let mut tokens = Vec::new();
        let mut left = self.text.trim_start();
        while let Some(first) = left.chars().next() {
            let length = match first {
                '#' | ':' => 1 + word_length(&left[1..]),
                '<' if left.starts_with("<>") || left.starts_with("<=") => 2,
                '>' if left.starts_with(">=") => 2,
                '(' | ')' | ',' | '=' | '<' | '>' | '+' | '-' => 1,
                _ => word_length(left),
            };
            if length == 0 || left[..length] == *"#" || left[..length] == *":" {
                self.refuse("a character that means nothing here");
            }
            let (token, rest) = left.split_at(length);
            tokens.push(token);
            left = rest.trim_start();
        }
        tokens
    }

    fn end<E>(self, says: E) -> Parsed<E> {
        if self.at < self.tokens.len() {
            self.refuse("more than an expression");
        }
        Parsed { says, names: self.names, values: self.values }
    }

    fn refuse(&self, why: &str) -> ! {
        let before = self.tokens.get(self.at.saturating_sub(1)).copied().unwrap_or_default();
        panic!("an expression that the simulated table doesn't know: `{}`: {why}, at `{before}`", self.text)
    }

    fn next(&mut self) -> &'t str {
        let Some(token) = self.tokens.get(self.at).copied() else { self.refuse("it ends too early") };
        self.at += 1;
        token
    }

    fn takes(&mut self, token: &str) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&token);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    fn expect(&mut self, token: &str) {
        if !self.takes(token) {
            self.at += 1;
            self.refuse("something else was expected");
        }
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut all = vec![one(self)];
        while self.takes(",") {
            all.push(one(self));
        }
        all
    }

    fn any(&mut self) -> Condition {
        let mut left = self.all();
        while self.takes("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.all()));
        }
        left
    }

    fn all(&mut self) -> Condition {
        let mut left = self.one();
        while self.takes("AND") {
            left = Condition::And(Box::new(left), Box::new(self.one()));
        }
        left
    }

    fn one(&mut self) -> Condition {
        if self.takes("NOT") {
            return Condition::Not(Box::new(self.one()));
        }
        if self.takes("(") {
            if self.tokens.get(self.at) == Some(&"(") && self.tokens.get(self.closing(self.at) + 1) == Some(&")") {
                self.refuse("DynamoDB refuses redundant parentheses");
            }
            let inner = self.any();
            self.expect(")");
            return inner;
        }
        if self.takes("attribute_exists") {
            return Condition::Exists(self.argument());
        }
        if self.takes("attribute_not_exists") {
            return Condition::NotExists(self.argument());
        }
        self.comparison()
    }

    /// Where the parenthesis that opens there is closed.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match *token {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.refuse("a parenthesis that isn't closed")
    }

    fn comparison(&mut self) -> Condition {
        let left = self.operand();
        let how = match self.next() {
            "=" => Comparison::Equal,
            "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::Greater,
            ">=" => Comparison::AtLeast,
            _ => self.refuse("no comparison"),
        };
        let right = self.operand();
        if left == right || matches!((left, right), (Operand::Given(_), Operand::Given(_))) {
            self.refuse("a comparison that doesn't depend on the item");
        }
        Condition::Compare(left, how, right)
    }

    fn assignment(&mut self) -> (Name, Sum) {
        let to = self.attribute();
        self.expect("=");
        let first = self.term();
        let sum = if self.takes("+") {
            Sum::Plus(first, self.term())
        } else if self.takes("-") {
            Sum::Minus(first, self.term())
        } else {
            Sum::One(first)
        };
        (to, sum)
    }

    fn term(&mut self) -> Term {
        if !self.takes("if_not_exists") {
            return Term::Operand(self.operand());
        }
        self.expect("(");
        let attribute = self.attribute();
        self.expect(",");
        let or = self.operand();
        self.expect(")");
        Term::Or(attribute, or)
    }

    fn argument(&mut self) -> Name {
        self.expect("(");
        let attribute = self.attribute();
        self.expect(")");
        attribute
    }

    fn operand(&mut self) -> Operand {
        if self.tokens.get(self.at).is_some_and(|token| token.starts_with(':')) {
            Operand::Given(self.value())
        } else {
            Operand::Attribute(self.attribute())
        }
    }

    fn attribute(&mut self) -> Name {
        let token = self.next();
        let is_word = token.starts_with(|first: char| first == '#' || first.is_ascii_alphabetic());
        if !is_word || KEYWORDS.contains(&token.to_ascii_uppercase().as_str()) {
            self.refuse("no attribute");
        }
        if self.tokens.get(self.at) == Some(&"(") {
            self.refuse("a function that isn't known");
        }
        place(&mut self.names, token)
    }

    fn value(&mut self) -> Value {
        let token = self.next();
        if !token.starts_with(':') {
            self.refuse("no value");
        }
        place(&mut self.values, token)
    }
}

fn word_length(text: &str) -> usize {
    text.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(text.len())
}

fn place(known: &mut Vec<String>, token: &str) -> usize {
    known.iter().position(|one| one == token).unwrap_or_else(|| {
        known.push(token.to_owned());
        known.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    /// What a panic says.
    fn refused<E>(parse: fn(&str) -> Parsed<E>, text: &str) -> String {
        let Err(panic) = catch_unwind(|| drop(parse(text))) else { panic!("it was read: {text}") };
        *panic.downcast::<String>().expect("a panic with its text")
    }

    #[test]
    fn a_condition_that_is_not_known_is_a_panic_with_its_text() {
        let unknown = [
            "",
            "a",
            "a =",
            "a = :b c",
            "a == :b",
            "a = :b and c = :d",
            "a = :b OR",
            "(a = :b",
            "a = :b)",
            "a.b = :c",
            "a[0] = :c",
            "a = 1",
            "a = 'text'",
            "a = #",
            "a = :",
            "a = a",
            ":b = :c",
            "size(a) = :b",
            "begins_with(a, :b)",
            "contains(a, :b)",
            "attribute_type(a, :b)",
            "ATTRIBUTE_EXISTS(a)",
            "attribute_exists(:a)",
            "attribute_exists(a) = :b",
            "a BETWEEN :b AND :c",
            "a IN (:b, :c)",
            "NOT a",
            "or = :b",
            "((a = :b))",
            "((a = :b AND (c = :d OR e = :f)))",
        ];
        for text in unknown {
            assert!(refused(condition, text).contains(&format!("`{text}`")), "{text}");
        }
    }

    #[test]
    fn an_update_that_is_not_known_is_a_panic_with_its_text() {
        let unknown = [
            "",
            "a = :b",
            "set a = :b",
            "SET",
            "SET a",
            "SET a :b",
            "SET a = :b,",
            "SET a = :b + :c + :d",
            "SET a = (b + :c)",
            "SET a = list_append(a, :b)",
            "SET a = if_not_exists(a)",
            "SET a = if_not_exists(a, b + :c)",
            "SET a.b = :c",
            "SET :a = :b",
            "SET a = :b SET c = :d",
            "SET a = :b DELETE c :d",
            "ADD a b",
            "ADD a = :b",
            "REMOVE a b",
            "REMOVE a = :b",
            "DELETE a :b",
        ];
        for text in unknown {
            assert!(refused(update, text).contains(&format!("`{text}`")), "{text}");
        }
    }

    #[test]
    fn parentheses_that_mean_something_are_read() {
        for text in ["((a = :b) OR c = :d)", "(a = :b OR (c = :d))", "((a = :b) OR (c = :d)) AND NOT (a = :d)"] {
            assert_eq!(condition(text).names, ["a", "c"], "{text}");
        }
    }

    #[test]
    fn what_it_speaks_of_is_listed_once() {
        let update = update("SET a = a + :one, #b = if_not_exists(a, :none) ADD c :one REMOVE d");
        assert_eq!(update.names, ["a", "#b", "c", "d"]);
        assert_eq!(update.values, [":one", ":none"]);
    }
}
