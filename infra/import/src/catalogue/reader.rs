//! Finds every value of a file that has not the shape it should have, not only the first.
//!
//! serde stops at the first mistake. So what is wrong is named, taken out, and the rest of its document is read again; a
//! document that lacks what it can't do without is taken out as a whole, and what refers to it is not called a mistake.
//!
//! Invariant: each round takes something out of one document, so it ends, and a file takes as long as its documents; a
//! place is where the value stood in the file.

use std::collections::BTreeSet;

use classpay_service::aggregate::DetailWithEntities;
use classpay_service::catalogue::documents::{
    AdditionalFeeDoc, DocumentId, PricingPlanDoc, PricingSchemeValueDoc, StudentDoc,
};
use classpay_service::strict::{Step, place_of};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;

use super::mistake::Mistake;
use super::parts::{ChargedFeeEntry, EnrolmentEntry, FileDoc, TrialEntry};
use super::places::{Places, steps_of};
use super::published::{self, Deleted};
use super::tree::Node;

/// What could be read, and what could not.
#[derive(Debug)]
pub(super) struct Readable {
    pub file: FileDoc,
    pub mistakes: Vec<Mistake>,
    /// What is published and isn't sold here.
    pub left_out: Vec<Mistake>,
    /// What is deleted of what was sold.
    pub deleted: Vec<Deleted>,
    /// The ids of documents that were taken out.
    pub gone: BTreeSet<String>,
    tree: Node,
}

/// Reads a file's documents.
///
/// # Errors
/// What is wrong with a text that is no JSON object.
pub(super) fn read(text: &str, now: Option<Timestamp>) -> Result<Readable, Mistake> {
    let mut mistakes = Vec::new();
    let mut tree = Node::parse(text, &mut mistakes).map_err(|error| Mistake::new("", format!("not JSON: {error}")))?;
    if !matches!(tree, Node::Object(_)) {
        return Err(Mistake::new("", "a catalogue is a JSON object"));
    }
    let published::Found { mistakes: unknown, left_out, deleted } = published::settle(&mut tree, now);
    mistakes.extend(unknown);
    fill_in(&mut tree);
    let mut reader = Reader { mistakes, gone: BTreeSet::new() };
    let file = FileDoc {
        company: reader.document(&mut tree, "company"),
        tax_rates: reader.list(&mut tree, "taxRates"),
        registration_fees: reader.list(&mut tree, "registrationFees"),
        discount_schemes: reader.list(&mut tree, "discountSchemes"),
        holidays: reader.list(&mut tree, "holidays"),
        seasons: reader.list_with(&mut tree, "seasons", Reader::parts_of_season),
        classes: reader.list(&mut tree, "classes"),
        families: reader.list_with(&mut tree, "families", Reader::parts_of_family),
        transactions: reader.list_with(&mut tree, "transactions", Reader::parts_of_transaction),
    };
    let Reader { mistakes, gone } = reader;
    Ok(Readable { file, mistakes, left_out, deleted, gone, tree })
}

impl Readable {
    /// Where what is left stands in the file.
    pub(super) fn places(&self) -> Places {
        Places::of(&self.tree)
    }

    /// Adds what the check of the documents found, but for what is only a consequence of something taken out.
    pub(super) fn with(self, found: Vec<Mistake>) -> Vec<Mistake> {
        let Self { mut mistakes, tree, .. } = self;
        let taken: BTreeSet<_> = mistakes.iter().flat_map(Mistake::places).map(str::to_owned).collect();
        let as_written = |place: &str| place_of(&tree.as_written(steps_of(place)));
        let found = found.into_iter().map(|mistake| {
            let (place, first) = (as_written(&mistake.place), mistake.first.as_deref().map(as_written));
            Mistake { place, first, ..mistake }
        });
        mistakes.extend(found.filter(|mistake| !taken.contains(&mistake.place)));
        mistakes
    }
}

/// Names and takes out what is wrong in the lists of a document.
type Parts = fn(&mut Reader, &mut Node, &[Step]);

/// Reads documents one by one.
struct Reader {
    mistakes: Vec<Mistake>,
    gone: BTreeSet<String>,
}

impl Reader {
    /// The document in that field.
    fn document<T: DeserializeOwned>(&mut self, tree: &mut Node, name: &str) -> Option<T> {
        self.read(tree.field_mut(name)?, &[Step::Field(name.to_owned())])
    }

    /// The documents of the list in that field.
    fn list<T: DeserializeOwned>(&mut self, tree: &mut Node, name: &str) -> Vec<T> {
        self.list_with(tree, name, |_, _, _| {})
    }

    /// The same for documents that have lists of their own.
    fn list_with<T: DeserializeOwned>(&mut self, tree: &mut Node, name: &str, parts: Parts) -> Vec<T> {
        let field = || Step::Field(name.to_owned());
        match tree.field_mut(name) {
            None => Vec::new(),
            Some(Node::List(elements)) => {
                let elements = elements.iter_mut().enumerate().filter(|(_, element)| !element.is_gone());
                let read = |(index, element)| self.read_with(element, &[field(), Step::Element(index)], parts);
                elements.filter_map(read).collect()
            }
            // What serde says of it, in the words that it has for every other wrong value.
            Some(other) => {
                self.read::<Vec<IgnoredAny>>(other, &[field()]);
                Vec::new()
            }
        }
    }

    fn parts_of_season(&mut self, season: &mut Node, place: &[Step]) {
        self.parts::<PricingPlanDoc>(season, place, "pricingPlans");
        self.parts::<AdditionalFeeDoc>(season, place, "additionalFees");
        self.parts::<PricingSchemeValueDoc>(season, place, "pricingSchemeValues");
    }

    fn parts_of_family(&mut self, family: &mut Node, place: &[Step]) {
        self.parts::<StudentDoc>(family, place, "students");
        self.parts::<EnrolmentEntry>(family, place, "enrolments");
        self.parts::<TrialEntry>(family, place, "trials");
        self.parts::<ChargedFeeEntry>(family, place, "chargedFees");
    }

    fn parts_of_transaction(&mut self, transaction: &mut Node, place: &[Step]) {
        self.parts::<DetailWithEntities>(transaction, place, "details");
    }

    /// Names and takes out what is wrong in a list of a document.
    fn parts<T: DeserializeOwned>(&mut self, document: &mut Node, place: &[Step], name: &str) {
        for (index, part) in document.elements_mut(name).iter_mut().enumerate().filter(|(_, part)| !part.is_gone()) {
            let steps = [place, &[Step::Field(name.to_owned()), Step::Element(index)]].concat();
            self.read::<T>(part, &steps);
        }
    }

    /// A document, after all that is wrong in it was named and taken out.
    fn read<T: DeserializeOwned>(&mut self, node: &mut Node, place: &[Step]) -> Option<T> {
        self.read_with(node, place, |_, _, _| {})
    }

    /// The same for one that has lists of its own. If anything is wrong in it, they are read element by element first: so
    /// that a mistake in each of them is not a reading of all.
    fn read_with<T: DeserializeOwned>(&mut self, node: &mut Node, place: &[Step], parts: Parts) -> Option<T> {
        // What was taken out: its absence is not one more mistake.
        let mut taken = Vec::new();
        let sound = |node: &Node| serde_json::from_str(&node.to_json()).ok();
        if let Some(document) = sound(node) {
            return Some(document);
        }
        parts(self, node, place);
        while !node.is_gone() {
            let json = node.to_json();
            match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(&json)) {
                Ok(document) => return Some(document),
                Err(error) => self.take_out(node, place, &mut taken, &error),
            }
        }
        None
    }

    /// Names the value that could not be read and takes it out.
    fn take_out(
        &mut self,
        node: &mut Node,
        place: &[Step],
        taken: &mut Vec<Vec<Step>>,
        error: &serde_path_to_error::Error<serde_json::Error>,
    ) {
        let steps = error.path().iter().filter_map(|segment| match segment {
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Seq { index } => Some(Step::Element(*index)),
            _ => None,
        });
        let steps = node.as_written(steps.collect());
        let place_of = |steps: &[Step]| place_of(&[place, steps].concat());
        let text = error.inner().to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let missing = what.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        if let Some(field) = missing {
            let mut absent = steps.clone();
            absent.push(Step::Field(field.to_owned()));
            if !taken.contains(&absent) {
                self.mistakes.push(Mistake::new(place_of(&absent), "is missing"));
            }
        } else {
            self.mistakes.push(Mistake::new(place_of(&steps), in_plain_words(what)));
        }
        // Nothing to take out would mean reading the same again, without end: then the document is taken out.
        let wrong = match node.at_mut(&steps) {
            Some(wrong) if !wrong.is_gone() => wrong,
            _ => node,
        };
        wrong.ids(&mut self.gone);
        *wrong = Node::Gone;
        taken.push(steps);
    }
}

/// What serde says of a value, without the names of Rust's types.
fn in_plain_words(what: &str) -> String {
    let what = what.replace("floating point `", "number `").replace("integer `", "number `");
    let Some((said, expected)) = what.rsplit_once(", expected ") else { return what };
    match expected {
        "u8" | "u16" | "u32" | "u64" if said.starts_with("invalid value") && !said.contains("`-") => {
            format!("{said} is too large")
        }
        "u8" | "u16" | "u32" | "u64" => format!("{said}, expected a whole number that is not negative"),
        "i8" | "i16" | "i32" | "i64" => format!("{said}, expected a whole number"),
        _ => what,
    }
}

/// Adds what a file may leave out because it follows from what is around it.
fn fill_in(root: &mut Node) {
    let company_id = id_of(root.field("company"));
    let since = root.field("company").and_then(|company| company.field("createdAt")).and_then(Node::string);
    let since = since.filter(|since| since.parse::<DateTime>().is_ok());
    if let Some(company) = root.field_mut("company") {
        company.fill("address", Node::Object(Vec::new()));
        company.fill("settings", Node::Object(Vec::new()));
        if let Some(address) = company.field_mut("address") {
            for name in ["id", "companyId", "entityId"] {
                address.fill(name, text(&company_id));
            }
        }
        if let Some(settings) = company.field_mut("settings") {
            for name in ["general", "tax", "trial", "billing", "enrolment"] {
                settings.fill(name, Node::Object(Vec::new()));
                settings.field_mut(name).into_iter().for_each(|group| group.fill("id", text(&company_id)));
            }
        }
    }
    for season in root.elements_mut("seasons") {
        fill_in_season(season, &company_id);
    }
    for family in root.elements_mut("families") {
        family.fill("companyId", text(&company_id));
    }
    // Nothing is older than its company; one that isn't known is named there.
    let since = since.unwrap_or_else(|| "1970-01-01 00:00:00".to_owned());
    for name in ["seasons", "families"] {
        root.elements_mut(name).iter_mut().for_each(|document| document.fill("createdAt", text(&since)));
    }
}

fn fill_in_season(season: &mut Node, company_id: &str) {
    let id = id_of(Some(season));
    let open = season.field("registrationStatus").is_none_or(|status| status.string().as_deref() == Some("open"));
    // A model that is missing or wrong is named once, at the season.
    let known = ["per-lesson", "per-month", "per-season"];
    let model = season.field("pricingModel").and_then(Node::string).filter(|model| known.contains(&model.as_str()));
    let model = model.unwrap_or_else(|| "per-lesson".to_owned());
    season.fill("companyId", text(company_id));
    season.fill("registrationOpen", Node::Leaf(open.to_string()));
    for plan in season.elements_mut("pricingPlans") {
        plan.fill("seasonId", text(&id));
        plan.fill("pricingModel", text(&model));
        if let Some(count) = dates_of(plan) {
            plan.fill("numberOfInstallments", Node::Leaf(count.to_string()));
        }
    }
    for fee in season.elements_mut("additionalFees") {
        fee.fill("companyId", text(company_id));
        fee.fill("entityId", text(&id));
    }
}

/// How many dates a plan has that doesn't say so, if that follows: a monthly one says it, or lists them.
fn dates_of(plan: &Node) -> Option<usize> {
    let listed = match plan.field("installmentDates") {
        Some(Node::List(dates)) => dates.len(),
        _ => 0,
    };
    let is_monthly = plan.field("type").and_then(Node::string).as_deref() == Some("monthly");
    if is_monthly { Some(listed).filter(|count| *count > 0) } else { Some(1) }
}

/// The id of a document; one that is missing or wrong is named at the document itself, so any other will do here.
fn id_of(node: Option<&Node>) -> String {
    let id = node.and_then(|node| node.field("id")).and_then(Node::string);
    id.filter(|id| DocumentId::parse(id.as_str()).is_ok()).unwrap_or_else(|| "unknown".to_owned())
}

/// A leaf of plain characters, which need no escapes.
fn text(plain: &str) -> Node {
    Node::Leaf(format!("\"{plain}\""))
}
