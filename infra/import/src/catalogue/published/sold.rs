//! Enrolments as the API lists them, and what is deleted there of what was sold.
//!
//! Invariant: what is deleted is left out, and known by its place and id: a table may have it.

use std::collections::BTreeSet;

use super::Found;
use crate::catalogue::mistake::Mistake;
use crate::catalogue::tree::Node;

/// Something that was sold and is deleted in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// What it is.
    pub kind: Sold,
    /// Where it stands in the file.
    pub place: String,
    /// Its id.
    pub id: String,
}

/// What a file has of what was sold, and may have deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sold {
    /// An enrolment.
    Enrolment,
    /// A trial.
    Trial,
    /// A debit or credit.
    Transaction,
}

/// Takes enrolments out of their aggregates, and leaves out what is deleted.
pub(super) fn settle(root: &mut Node, found: &mut Found) {
    for (i, family) in root.elements_mut("families").iter_mut().enumerate() {
        for (j, enrolment) in family.elements_mut("enrolments").iter_mut().enumerate() {
            let place = format!("families[{i}].enrolments[{j}]");
            unfold(enrolment, &place, found);
            leave_out(enrolment, Sold::Enrolment, place, found);
        }
        for (j, trial) in family.elements_mut("trials").iter_mut().enumerate() {
            leave_out(trial, Sold::Trial, format!("families[{i}].trials[{j}]"), found);
        }
    }
    let transactions = root.elements_mut("transactions");
    for (i, transaction) in transactions.iter_mut().enumerate() {
        let Some(head) = transaction.field("transaction").filter(|head| is_deleted(head)) else { continue };
        let id = head.field("id").and_then(Node::string).unwrap_or_default();
        found.deleted.push(Deleted { kind: Sold::Transaction, place: format!("transactions[{i}]"), id });
        *transaction = Node::Gone;
    }
    let gone = found.deleted.iter().filter(|deleted| deleted.kind == Sold::Transaction);
    let gone: BTreeSet<_> = gone.map(|deleted| deleted.id.clone()).collect();
    for (i, transaction) in transactions.iter_mut().enumerate() {
        for detail in transaction.elements_mut("details") {
            if detail.field("details").is_some_and(is_deleted) {
                *detail = Node::Gone;
            }
        }
        if let Some(head) = transaction.field_mut("transaction") {
            let place = format!("transactions[{i}].transaction.relatedTransactionId");
            found.left_out.extend(forget_deleted_debit(head, place, &gone));
        }
    }
}

/// An enrolment stands beside its adjustments in the API's list.
fn unfold(enrolment: &mut Node, place: &str, found: &mut Found) {
    let Some(fields) = enrolment.fields_mut() else { return };
    let is_inner = |(name, value): &(String, Node)| name == "enrolment" && matches!(value, Node::Object(_));
    let Some(index) = fields.iter().position(is_inner) else { return };
    let (_, inner) = fields.swap_remove(index);
    for (name, value) in fields.iter() {
        let place = format!("{place}.{name}");
        match (name.as_str(), value) {
            ("adjustments", Node::List(adjustments)) => {
                if !adjustments.is_empty() {
                    let what = "are not used: the enrolment is loaded without them";
                    found.left_out.push(Mistake::new(place, what));
                }
            }
            ("adjustments", value) if value.is_null() => {}
            ("adjustments", _) => found.mistakes.push(Mistake::new(place, "is not a list")),
            _ => found.mistakes.push(Mistake::new(place, "unknown field")),
        }
    }
    *enrolment = inner;
}

/// What is deleted, and a trial that is archived, is left out by its shape; its id is kept.
fn leave_out(node: &mut Node, kind: Sold, place: String, found: &mut Found) {
    let is_archived = kind == Sold::Trial && is_given(node, "archivedAt");
    if is_deleted(node) || is_archived {
        let id = node.field("id").and_then(Node::string).unwrap_or_default();
        found.deleted.push(Deleted { kind, place, id });
        *node = Node::Gone;
    }
}

/// A credit of a debit that is `gone` is of none.
fn forget_deleted_debit(head: &mut Node, place: String, gone: &BTreeSet<String>) -> Option<Mistake> {
    let field = head.field_mut("relatedTransactionId")?;
    let related = field.string().filter(|related| gone.contains(related))?;
    *field = Node::Leaf("null".to_owned());
    Some(Mistake::new(place, format!("{related} is deleted: this is a credit of no debit")))
}

fn is_deleted(node: &Node) -> bool {
    is_given(node, "deletedAt")
}

fn is_given(node: &Node, field: &str) -> bool {
    node.field(field).is_some_and(|value| !value.is_null())
}
