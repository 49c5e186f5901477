//! Finds every value of a file that has not the shape it should have, not only the first.
//!
//! serde stops at the first mistake. So what is wrong is named, taken out, and the rest is read again; a document that
//! lacks what it can't do without is taken out as a whole, and what refers to it is not called a mistake.
//!
//! Invariant: each round takes something out, so it ends; a place is where the value stood in the file.

use std::collections::BTreeSet;

use serde_path_to_error::Segment;

use super::documents::DocumentId;
use super::file::FileDoc;
use super::mistake::Mistake;
use super::tree::Node;
use crate::strict::{self, Step, place_of};

/// What could be read, and what could not.
#[derive(Debug)]
pub(super) struct Mended {
    pub file: FileDoc,
    pub mistakes: Vec<Mistake>,
    /// The ids of documents that were taken out.
    pub gone: BTreeSet<String>,
    tree: Node,
}

/// Reads a file's documents.
///
/// # Errors
/// What is wrong with a text that is no JSON object.
pub(super) fn read(text: &str) -> Result<Mended, Mistake> {
    let mut mistakes = Vec::new();
    let tree = Node::parse(text, &mut mistakes).map_err(|error| Mistake::new("", format!("not JSON: {error}")))?;
    if !matches!(tree, Node::Object(_)) {
        return Err(Mistake::new("", "a catalogue is a JSON object"));
    }
    let (gone, taken, unknown) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut mender = Mender { tree, mistakes, gone, taken, unknown };
    fill_in(&mut mender.tree);
    loop {
        let json = mender.tree.to_json();
        let (file, unknown) = strict::read(&mut serde_json::Deserializer::from_str(&json));
        unknown.into_iter().for_each(|steps| mender.note_unknown(steps));
        match file {
            Ok(file) => {
                let Mender { tree, mistakes, gone, .. } = mender;
                return Ok(Mended { file, mistakes, gone, tree });
            }
            Err(error) => mender.take_out(&error)?,
        }
    }
}

impl Mended {
    /// Adds what the check of the documents found, but for what is only a consequence of something taken out.
    pub(super) fn with(self, found: Vec<Mistake>) -> Vec<Mistake> {
        let Self { mut mistakes, tree, .. } = self;
        let found = found.into_iter().map(|mistake| {
            let place = place_of(&tree.as_written(steps_of(&mistake.place)));
            Mistake { place, ..mistake }
        });
        let own: Vec<_> =
            found.filter(|mistake| !mistakes.iter().any(|taken| taken.is_within(&mistake.place))).collect();
        mistakes.extend(own);
        mistakes
    }
}

/// The steps of a place that [`place_of`] wrote from our own field names, which have neither dots nor brackets.
fn steps_of(place: &str) -> Vec<Step> {
    let parts = place.split(['.', '[']).filter(|part| !part.is_empty());
    let step = |part: &str| match part.strip_suffix(']').and_then(|index| index.parse().ok()) {
        Some(index) => Step::Element(index),
        None => Step::Field(part.to_owned()),
    };
    parts.map(step).collect()
}

struct Mender {
    tree: Node,
    mistakes: Vec<Mistake>,
    gone: BTreeSet<String>,
    /// What was taken out: its absence is not one more mistake.
    taken: Vec<Vec<Step>>,
    /// The fields that nobody knows: each round finds them again.
    unknown: Vec<Vec<Step>>,
}

impl Mender {
    /// Names a field that no document has.
    fn note_unknown(&mut self, steps: Vec<Step>) {
        let steps = self.tree.as_written(steps);
        if !self.unknown.contains(&steps) {
            self.mistakes.push(Mistake::new(place_of(&steps), "unknown field"));
            self.unknown.push(steps);
        }
    }

    /// Names the value that could not be read and takes it out.
    fn take_out(&mut self, error: &serde_path_to_error::Error<serde_json::Error>) -> Result<(), Mistake> {
        let steps = error.path().iter().filter_map(|segment| match segment {
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Seq { index } => Some(Step::Element(*index)),
            _ => None,
        });
        let steps = self.tree.as_written(steps.collect());
        let text = error.inner().to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let missing = what.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        if let Some(field) = missing {
            let mut absent = steps.clone();
            absent.push(Step::Field(field.to_owned()));
            if !self.taken.contains(&absent) {
                self.mistakes.push(Mistake::new(place_of(&absent), "is missing"));
            }
        } else {
            self.mistakes.push(Mistake::new(place_of(&steps), what));
        }
        let node = self.tree.at_mut(&steps).filter(|node| !node.is_gone() && !steps.is_empty());
        // Nothing to take out would mean reading the same again, without end.
        let node = node.ok_or_else(|| Mistake::new(place_of(&steps), what))?;
        node.ids(&mut self.gone);
        *node = Node::Gone;
        self.taken.push(steps);
        Ok(())
    }
}

/// Adds what a file may leave out because it follows from what is around it.
fn fill_in(root: &mut Node) {
    let company_id = id_of(root.field("company"));
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
    }
    for fee in season.elements_mut("additionalFees") {
        fee.fill("companyId", text(company_id));
        fee.fill("entityId", text(&id));
    }
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
