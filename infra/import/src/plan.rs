//! What is stored, what the file has, and so what the table will hold: compared as a whole before anything is written.
//!
//! Invariant: planning only reads. What the table will hold is the file, and what the file lacks: as it is for a part of
//! a catalogue; archived, or gone if it is a holiday, for a whole one. Whatever decides a price is made from that.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{CompanyId, SeasonId};
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::catalogue::documents::SeasonDoc;
use classpay_service::clock::local_date;
use classpay_service::store::key::{self, Key, Listed};
use classpay_service::store::{Consistency, Item, Read as _, StoreError, document};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::archive::{Head, archived};
use crate::belongings::Belonging;
use crate::beside::{Beside, beside, is_whole, stored_beside};
use crate::catalogue::{Catalogue, Note};
use crate::changes::{Changes, Extent, Kind, KindChanges, Outstanding, TakenAway};
use crate::planned::{Entry, PlannedClass, PlannedSeason};
use crate::schedules::LateSchedule;
use crate::{Import, ImportError, copies, moved, refuse_other_currency, refuse_rival_schemes, refuse_too_large};

/// An import that is worked out and not begun.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) extent: Extent,
    /// Where the company is.
    pub(super) today: Date,
    pub(super) entries: Vec<Entry>,
    /// What is not in the company's list yet.
    pub(super) unlisted: Vec<Key>,
    /// What will stand beside the documents, and what does.
    pub(super) beside: Beside,
    pub(super) stored_beside: Beside,
    pub(super) seasons: BTreeMap<SeasonId, PlannedSeason>,
    pub(super) classes: Vec<PlannedClass>,
    pub(super) belongings: Vec<Belonging<'a>>,
    pub(super) late: Vec<LateSchedule>,
    pub(super) missing_records: Vec<Item>,
    pub(super) transactions: Vec<&'a AggregateTransaction>,
    pub(super) changes: Changes,
}

impl Plan<'_> {
    /// What it will change.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What will stand beside a document.
    pub(super) fn beside(&self, entry: &Entry) -> impl Iterator<Item = (&'static str, &str)> {
        self.beside.get(&entry.key).into_iter().flatten().map(|(name, value)| (*name, value.as_str()))
    }

    /// How large a document is with what will stand beside it.
    pub(super) fn bytes_of(&self, entry: &Entry) -> usize {
        let beside: usize = self.beside(entry).map(|(name, value)| name.len() + value.len()).sum();
        entry.target.as_ref().map_or(0, String::len).saturating_add(beside)
    }

    /// Whether a document is written, or what stands beside it.
    pub(super) fn is_written(&self, entry: &Entry) -> bool {
        let stored = |name: &str| self.stored_beside.get(&entry.key)?.get(name);
        entry.is_new() || self.beside(entry).any(|(name, value)| stored(name).is_none_or(|stored| stored != value))
    }
}

/// What is stored of a company.
struct Stored {
    documents: BTreeMap<Key, Document>,
    listed: BTreeSet<Key>,
    beside: Beside,
}

struct Document {
    kind: Kind,
    id: String,
    text: String,
}

/// A document of the file.
struct Wanted {
    kind: Kind,
    key: Key,
    id: String,
    text: String,
    listed: Option<Listed>,
}

impl Import<'_> {
    /// Works out what loading a studio that has been checked will change.
    ///
    /// # Errors
    /// [`ImportError`] if the table can't be read, or can't hold this beside what it has.
    pub async fn plan<'a>(
        &self,
        catalogue: &'a Catalogue,
        extent: Extent,
        now: Timestamp,
    ) -> Result<Plan<'a>, ImportError> {
        let company = &catalogue.company.id;
        let wanted = documents(catalogue);
        let Stored { documents, listed, beside: stored_beside } = self.stored(company, &wanted).await?;
        let before = documents.get(&key::company(company));
        before.map_or(Ok(()), |stored| refuse_other_currency(&stored.text, catalogue))?;
        let is_unlisted = before.is_some() && !is_whole(stored_beside.get(&key::company(company)));
        let unlisted = wanted.iter().filter_map(|wanted| wanted.listed.as_ref()).map(|listed| listed.entry(company));
        let unlisted = unlisted.filter(|entry| !listed.contains(entry)).collect();
        let mut entries = compare(wanted, documents, extent, now)?;
        copies::renew(&mut entries)?;
        refuse_rival_schemes(&entries)?;
        let classes = classes_of(&entries)?;
        let seasons = seasons_of(&entries)?;
        let beside = beside(&entries, &classes, &stored_beside, extent)?;
        let mut kinds = kinds_of(&entries)?;
        let timezone = &catalogue.company.settings.general.timezone;
        let today = local_date(now, timezone).map_err(|_| StoreError::Corrupt("timezone"))?;
        let places = self.plan_places(catalogue, today).await?;
        let transactions = self.new_transactions(catalogue).await?;
        let written = |notes: Vec<Note>| notes.into_iter().map(|note| as_written(catalogue, note));
        let going_on = moved::going_on(&classes, &seasons, today);
        let moved = self.students_with_places_elsewhere(catalogue, &entries, &going_on).await?;
        let copies = if extent == Extent::Part { copies::differing(catalogue, &entries)? } else { Vec::new() };
        let refused =
            written(copies).chain(written(moved)).chain(written(places.refused)).chain(written(transactions.refused));
        let refused: Vec<_> = refused.collect();
        if !refused.is_empty() {
            return Err(ImportError::OtherThings(refused));
        }
        count(&mut kinds, &places.new, places.late.len(), transactions.new.len());
        let mut notes: Vec<_> = written(places.notes).chain(written(transactions.notes)).collect();
        notes.extend(self.deleted_and_there(catalogue).await?);
        let changes = Changes {
            kinds,
            currency: catalogue.company.settings.billing.currency,
            is_unlisted,
            notes,
            scheduled: places.scheduled,
        };
        let missing_records = places.missing_records.into_iter().chain(transactions.missing_records).collect();
        let mut plan = Plan {
            catalogue,
            extent,
            today,
            entries,
            unlisted,
            beside,
            stored_beside,
            seasons,
            classes,
            belongings: places.new,
            late: places.late,
            missing_records,
            transactions: transactions.new,
            changes,
        };
        refuse_too_large(&plan)?;
        self.find_outstanding(&mut plan).await?;
        Ok(plan)
    }

    async fn stored(&self, company: &CompanyId, wanted: &[Wanted]) -> Result<Stored, StoreError> {
        let mut stored = Stored { documents: BTreeMap::new(), listed: BTreeSet::new(), beside: Beside::new() };
        for item in self.store.query(&key::company_pk(company), Consistency::Strong).await? {
            let sk = item.text("sk")?;
            let Some((kind, id)) = kind_of(sk) else { continue };
            let key = Key { pk: key::company_pk(company), sk: sk.to_owned() };
            let id = if kind == Kind::Company { company.to_string() } else { id.to_owned() };
            stored.beside.insert(key.clone(), stored_beside(kind, &item));
            stored.documents.insert(key, Document { kind, id, text: item.text("doc")?.to_owned() });
        }
        let mut spread: BTreeMap<Key, (Kind, String)> = BTreeMap::new();
        for item in self.store.query(&key::roll_pk(company), Consistency::Strong).await? {
            let listed = Listed::parse(item.text("sk")?).ok_or(StoreError::Corrupt("sk"))?;
            spread.insert(listed.key(company), of_listed(&listed));
            stored.listed.insert(listed.entry(company));
        }
        spread.extend(
            wanted
                .iter()
                .filter(|wanted| wanted.listed.is_some())
                .map(|wanted| (wanted.key.clone(), (wanted.kind, wanted.id.clone()))),
        );
        for (key, item) in self.store.get_all(spread.keys().cloned().collect(), Consistency::Strong).await? {
            if let (Some((kind, id)), Some(text)) = (spread.remove(&key), item.text_if("doc")) {
                stored.documents.insert(key, Document { kind, id, text: text.to_owned() });
            }
        }
        Ok(stored)
    }
}

/// Counts what is added to places, fees and the ledger, and the enrolments that get what they lack.
fn count(kinds: &mut BTreeMap<Kind, KindChanges>, new: &[Belonging<'_>], late: usize, transactions: usize) {
    for belonging in new {
        kinds.entry(belonging.kind).or_default().added += 1;
    }
    if late > 0 {
        kinds.entry(Kind::Enrolment).or_default().changed += late;
    }
    if transactions > 0 {
        kinds.entry(Kind::Transaction).or_default().added += transactions;
    }
}

/// A note of what the catalogue has, where that stands in the file.
fn as_written(catalogue: &Catalogue, note: Note) -> Note {
    Note { place: catalogue.as_written(&note.place), ..note }
}

/// What stands in the company's own partition, by its sort key.
fn kind_of(sk: &str) -> Option<(Kind, &str)> {
    let kinds = [
        (key::TAX, Kind::TaxRate),
        (key::REGISTRATION_FEE, Kind::RegistrationFee),
        (key::DISCOUNT, Kind::DiscountScheme),
        (key::HOLIDAY, Kind::Holiday),
        (key::SEASON, Kind::Season),
    ];
    let listed = kinds.into_iter().find_map(|(prefix, kind)| sk.strip_prefix(prefix).map(|id| (kind, id)));
    listed.or_else(|| (sk == key::META).then_some((Kind::Company, sk)))
}

fn of_listed(listed: &Listed) -> (Kind, String) {
    match listed {
        Listed::Class(id) => (Kind::Class, id.to_string()),
        Listed::Family(id) => (Kind::Family, id.to_string()),
        Listed::Student(_, id) => (Kind::Student, id.to_string()),
    }
}

/// The documents of a studio with their keys.
fn documents(catalogue: &Catalogue) -> Vec<Wanted> {
    let company = &catalogue.company.id;
    let mut wanted = Vec::new();
    let mut listed = |kind, prefix, id: &str, text| {
        wanted.push(Wanted { kind, key: key::price_list(company, prefix, id), id: id.to_owned(), text, listed: None });
    };
    for scheme in &catalogue.discount_schemes {
        listed(Kind::DiscountScheme, key::DISCOUNT, scheme.id.as_str(), document(scheme));
    }
    for rate in &catalogue.tax_rates {
        listed(Kind::TaxRate, key::TAX, rate.id.as_str(), document(rate));
    }
    for fee in &catalogue.registration_fees {
        listed(Kind::RegistrationFee, key::REGISTRATION_FEE, fee.id.as_str(), document(fee));
    }
    for holiday in &catalogue.holidays {
        listed(Kind::Holiday, key::HOLIDAY, holiday.id.as_str(), document(holiday));
    }
    for season in &catalogue.seasons {
        listed(Kind::Season, key::SEASON, season.id.as_str(), document(season));
    }
    let (kind, key, id) = (Kind::Company, key::company(company), company.to_string());
    wanted.push(Wanted { kind, key, id, text: document(&catalogue.company), listed: None });
    let mut spread = |listed: Listed, text| {
        let (kind, id) = of_listed(&listed);
        wanted.push(Wanted { kind, key: listed.key(company), id, text, listed: Some(listed) });
    };
    for class in &catalogue.classes {
        spread(Listed::Class(class.id.clone()), document(class));
    }
    for entry in &catalogue.families {
        let family = &entry.family.id;
        spread(Listed::Family(family.clone()), document(&entry.family));
        for student in &entry.students {
            spread(Listed::Student(family.clone(), student.id.clone()), document(student));
        }
    }
    wanted
}

/// What each document is and will be. Schemes come first, so that one that takes another's place is written in the same
/// transaction.
fn compare(
    wanted: Vec<Wanted>,
    mut stored: BTreeMap<Key, Document>,
    extent: Extent,
    now: Timestamp,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::with_capacity(wanted.len());
    let mut families = BTreeSet::new();
    for Wanted { kind, key, id, text, .. } in wanted {
        if kind == Kind::Family {
            families.insert(key.pk.clone());
        }
        let before = stored.remove(&key).map(|document| document.text);
        let is_given_up = |text: &str| Ok::<_, StoreError>(Head::of(text)?.is_archived());
        let ends = match before.as_ref().filter(|before| **before != text) {
            Some(before) => is_given_up(&text)? && !is_given_up(before)?,
            None => false,
        };
        entries.push(Entry { kind, key, id, stored: before, target: Some(text), goes: false, ends });
    }
    for (key, Document { kind, id, text }) in stored {
        // The students of a family that goes, go with it.
        let is_asked = kind != Kind::Student || families.contains(&key.pk);
        let goes = matches!(extent, Extent::Whole(_)) && is_asked && !Head::of(&text)?.is_archived();
        let target = match (goes, kind) {
            (false, _) => Some(text.clone()),
            (true, Kind::Holiday) => None,
            (true, _) => Some(archived(kind, &text, now)?),
        };
        entries.push(Entry { kind, key, id, stored: Some(text), target, goes, ends: false });
    }
    entries.sort_by_key(|entry| entry.kind != Kind::DiscountScheme);
    Ok(entries)
}

fn classes_of(entries: &[Entry]) -> Result<Vec<PlannedClass>, StoreError> {
    let texts = entries.iter().filter(|entry| entry.kind == Kind::Class).filter_map(|entry| entry.target.as_ref());
    let read = |text: &String| {
        let doc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        Ok(PlannedClass { doc, text: text.clone() })
    };
    texts.map(read).collect()
}

fn seasons_of(entries: &[Entry]) -> Result<BTreeMap<SeasonId, PlannedSeason>, StoreError> {
    let mut seasons = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Season) {
        let Some(text) = &entry.target else { continue };
        let doc: SeasonDoc = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("doc"))?;
        seasons.insert(doc.id.clone(), PlannedSeason { text: text.clone(), key: entry.key.clone(), doc });
    }
    Ok(seasons)
}

fn kinds_of(entries: &[Entry]) -> Result<BTreeMap<Kind, KindChanges>, StoreError> {
    let mut left = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Family) {
        if let Some(stored) = &entry.stored
            && Head::of(stored)?.is_archived()
        {
            left.insert(&entry.key.pk);
        }
    }
    let mut kinds: BTreeMap<Kind, KindChanges> = BTreeMap::new();
    for entry in entries {
        let kind = kinds.entry(entry.kind).or_default();
        let Some(stored) = &entry.stored else {
            kind.added += 1;
            continue;
        };
        let head = Head::of(stored)?;
        let is_left = entry.kind == Kind::Student && left.contains(&entry.key.pk);
        kind.before += usize::from(!head.is_archived() && !is_left);
        let given_up = || TakenAway { id: entry.id.clone(), name: head.name(), outstanding: Outstanding::default() };
        if entry.goes {
            kind.taken_away.push(given_up());
        } else if entry.is_new() {
            kind.changed += 1;
            kind.archived.extend(entry.ends.then(given_up));
        }
    }
    Ok(kinds)
}
