//! The names of a studio's file: those of the published API, so that what Class Manager answers can be loaded as it is.
//!
//! Invariant: what leaves here has only fields that the documents' types have, none of them null, and each date in one
//! spelling. What is personal and used by no rule goes no further than this.

mod left_out;
mod shapes;
mod sold;

use classpay_service::strict::{Step, Steps, place_of};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use self::left_out::LeftOut;
use self::shapes::Shape;
pub use self::sold::{Deleted, Sold};
use super::mistake::Mistake;
use super::tree::Node;

/// What was found on the way.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What nobody publishes.
    pub mistakes: Vec<Mistake>,
    /// What is published and isn't sold here.
    pub left_out: Vec<Mistake>,
    /// What is deleted of what was sold.
    pub deleted: Vec<Deleted>,
}

/// Leaves of a file what the documents' types have. Without a time nothing has ended.
pub(super) fn settle(root: &mut Node, now: Option<Timestamp>) -> Found {
    let mut found = Found::default();
    sold::settle(root, &mut found);
    let company_id = root.field("company").and_then(|company| company.field("id")).and_then(Node::string);
    let mut drop_ins = Vec::new();
    for (index, class) in root.elements_mut("classes").iter_mut().enumerate() {
        let at = [Step::Field("classes".to_owned()), Step::Element(index)];
        drop_ins.extend(settle_class(class, &at, &mut found));
    }
    found.left_out.extend(left_out::settle(root, drop_ins, now));
    found.left_out.extend(left_out::keep_tax_rates(root));
    let mut way = Way { at: Vec::new(), company_id, found };
    way.settle(root, &shapes::FILE);
    way.found
}

/// A class may stand in its aggregate, as the API answers it; and one of another type isn't sold here: it is left out.
fn settle_class(class: &mut Node, at: &[Step], found: &mut Found) -> Option<LeftOut> {
    let mut place = |field: &str, what: String| {
        let steps: Vec<_> = at.iter().cloned().chain([Step::Field(field.to_owned())]).collect();
        found.mistakes.push(Mistake::new(place_of(&steps), what));
    };
    if let Some(fields) = class.fields_mut()
        && let Some(index) =
            fields.iter().position(|(name, value)| name == "entity" && matches!(value, Node::Object(_)))
    {
        let (_, entity) = fields.swap_remove(index);
        for (name, _) in fields.iter().filter(|(name, _)| name != "aggregateId") {
            place(name, "unknown field".to_owned());
        }
        *class = entity;
    }
    match class.field("type").filter(|kind| !kind.is_null()).map(Node::string) {
        None => {}
        Some(Some(kind)) if kind == "enrolment" => {}
        Some(Some(kind)) if kind == "drop-in" => {
            let left_out = LeftOut { place: place_of(at), id: class.field("id").and_then(Node::string) };
            *class = Node::Gone;
            return Some(left_out);
        }
        Some(_) => place("type", "is not one of enrolment, drop-in".to_owned()),
    }
    None
}

/// On the way through a file.
struct Way {
    at: Steps,
    company_id: Option<String>,
    found: Found,
}

impl Way {
    /// An object of this shape, or a list of them.
    fn settle(&mut self, node: &mut Node, shape: &Shape) {
        match node {
            Node::Leaf(_) | Node::Gone => {}
            Node::List(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    self.at.push(Step::Element(index));
                    self.settle(element, shape);
                    self.at.pop();
                }
            }
            Node::Object(fields) => {
                let is_gone =
                    |(name, value): &(String, Node)| shape.gone_with.contains(&name.as_str()) && !value.is_null();
                if fields.iter().any(is_gone) {
                    *node = Node::Gone;
                    return;
                }
                if shape.is_archived_when_deleted {
                    archive_deleted(fields);
                }
                let known = (shape.known)();
                fields.retain_mut(|(name, value)| {
                    self.at.push(Step::Field(std::mem::take(name)));
                    let is_kept = self.settle_field(value, shape, known);
                    if let Some(Step::Field(taken)) = self.at.pop() {
                        *name = taken;
                    }
                    is_kept
                });
            }
        }
    }

    /// The last step's value; whether it is kept.
    fn settle_field(&mut self, value: &mut Node, shape: &Shape, known: &[&str]) -> bool {
        let Some(Step::Field(name)) = self.at.last() else { return true };
        let inner = shape.inside.iter().find(|(known, _)| known == name).map(|(_, inner)| *inner);
        if inner.is_some() || known.contains(&name.as_str()) {
            if value.is_null() {
                return false;
            }
            settle_dates(name, value);
            if let Some(inner) = inner {
                self.settle(value, inner);
            }
            return true;
        }
        if name == "companyId" && shape.unused.contains(&"companyId") {
            self.same_company(value);
        } else if !shape.unused.contains(&name.as_str()) && !shape.gone_with.contains(&name.as_str()) {
            self.found.mistakes.push(Mistake::new(place_of(&self.at), "unknown field"));
        }
        false
    }

    /// A document of another company doesn't belong into this file, whether its company is stored or not.
    fn same_company(&mut self, value: &Node) {
        let (Some(of_file), Some(named)) = (&self.company_id, value.string()) else { return };
        if named != *of_file {
            let what = format!("{named} is another company");
            self.found.mistakes.push(Mistake::new(place_of(&self.at), what));
        }
    }
}

/// When it was deleted is when it was archived, unless it had been before.
fn archive_deleted(fields: &mut Vec<(String, Node)>) {
    let Some(index) = fields.iter().position(|(name, _)| name == "deletedAt") else { return };
    let (_, deleted) = fields.remove(index);
    if deleted.is_null() {
        return;
    }
    match fields.iter_mut().find(|(name, _)| name == "archivedAt") {
        Some((_, archived)) if archived.is_null() => *archived = deleted,
        Some(_) => {}
        None => fields.push(("archivedAt".to_owned(), deleted)),
    }
}

/// Writes published spellings of a time as this file's. What is no time is left, and named where it is read.
fn settle_dates(name: &str, value: &mut Node) {
    match (name, value) {
        ("createdAt" | "updatedAt" | "archivedAt" | "deletedAt", Node::Leaf(text)) => {
            rewrite(text, |text| utc(text).map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()));
        }
        ("joinedAt", Node::Leaf(text)) => rewrite(text, |text| date_of(text).map(|on| on.to_string())),
        ("installmentDates", Node::List(dates)) => {
            for date in dates {
                if let Node::Leaf(text) = date {
                    rewrite(text, |text| date_of(text).map(|on| on.to_string()));
                }
            }
        }
        _ => {}
    }
}

fn rewrite(leaf: &mut String, written: impl FnOnce(&str) -> Option<String>) {
    let text: Option<String> = serde_json::from_str(leaf).ok();
    if let Some(written) = text.and_then(|text| written(&text)) {
        *leaf = format!("\"{written}\"");
    }
}

/// `2023-12-05 14:30:41`, `2025-05-04T09:42:00Z`, with parts of a second, or a day alone.
fn utc(text: &str) -> Option<DateTime> {
    let instant: Option<Timestamp> = text.parse().ok();
    instant.map(|instant| instant.to_zoned(TimeZone::UTC).datetime()).or_else(|| text.parse().ok())
}

/// The day of a time as it is written.
fn date_of(text: &str) -> Option<Date> {
    text.parse::<DateTime>().ok().map(DateTime::date).or_else(|| utc(text).map(DateTime::date))
}
