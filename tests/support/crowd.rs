//! The demo studio with many more families, each with something to buy and a debit to pay by link.
//!
//! No two families have anything in common except the classes, which have places for all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::studio::{BALLET, COMPANY, STREET, Studio, basket, place, trial};
use crate::{Stack, StackOptions, Webhooks};

/// Enough places for everyone.
const PLACES: usize = 1000;
/// The amount that each family owes, in pence.
const OWED: i64 = 1200;

/// A family of the crowd.
#[derive(Debug, Clone)]
pub struct Member {
    /// The family.
    pub family: String,
    /// Its student.
    pub student: String,
    /// Its debit.
    pub debit: String,
    /// The payment link for the debit.
    pub link: String,
}

impl Member {
    /// The items that it buys: a place and a trial.
    #[must_use]
    pub fn basket(&self) -> Value {
        let place = place(STREET, &self.student, crate::studio::FULL);
        basket(&[place], &[trial(BALLET, &self.student, "2026-09-14", "16:30")])
    }
}

/// A stack with a crowd.
#[derive(Debug)]
pub struct Crowd {
    /// The stack.
    pub stack: Stack,
    members: Vec<Member>,
}

impl Crowd {
    /// Starts a stack with this many more families, on the first day of the school year.
    ///
    /// # Panics
    /// If it doesn't start.
    pub async fn start(families: usize, webhooks: Webhooks) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), studio(families).text()).expect("the file can be written");
        let options = StackOptions {
            now: Some(crate::studio::FIRST_DAY.into()),
            catalogue: Some(file.path().to_owned()),
            webhooks,
            ..StackOptions::default()
        };
        let stack = Stack::start_with(options).await;
        let items = stack.table().everything().await;
        let text = |item: &crate::Item, name: &str| item.get(name).and_then(|value| value.as_s().ok().cloned());
        let links: BTreeMap<_, _> = items
            .iter()
            .filter_map(|item| {
                let is_link = text(item, "pk")?.starts_with("PL#") && text(item, "sk")? == "META";
                Some((text(item, "debit")?, text(item, "link_id")?)).filter(|_| is_link)
            })
            .collect();
        let member = |n: usize| {
            let debit = debit(n);
            Member { family: family(n), student: student(n), link: links[&debit].clone(), debit }
        };
        let members = (0..families).map(member).collect();
        Self { stack, members }
    }

    /// The families.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The next family that has done nothing yet.
    ///
    /// # Panics
    /// If there is none left.
    pub fn newcomer(&mut self) -> Member {
        self.members.pop().expect("the crowd is too small for the test")
    }
}

/// The nth family.
#[must_use]
pub fn family(n: usize) -> String {
    format!("fml_{n}")
}

/// Its student.
#[must_use]
pub fn student(n: usize) -> String {
    format!("stu_{n}")
}

/// Its debit's id.
#[must_use]
pub fn debit(n: usize) -> String {
    format!("trn_01J9ZDEMW5TVDJ0R00CR0{n:05}")
}

/// The demo studio with this many more families.
#[must_use]
pub fn studio(families: usize) -> Studio {
    let families: Vec<usize> = (0..families).collect();
    let family = |n: &usize| {
        json!({
            "id": family(*n), "name": format!("Family {n}"), "createdAt": "2026-06-01 09:00:00",
            "students": [{"id": student(*n), "firstname": "Sam", "lastname": n.to_string()}],
        })
    };
    let debits: Vec<Value> = families.iter().map(|n| owed(*n)).collect();
    let families: Vec<Value> = families.iter().map(family).collect();
    let trials = json!({"settings": {"trial": {"maxCapacityPerLesson": PLACES}}});
    let studio = Studio::demo().with(STREET, &json!({"capacity": PLACES})).with(COMPANY, &trials);
    studio.with_families(&families).with_transactions(&debits)
}

fn owed(n: usize) -> Value {
    let (id, detail) = (debit(n), format!("trnd_01J9ZDEMW5TVDJ0R00CR0{n:05}"));
    json!({
        "aggregateId": id,
        "transaction": {
            "id": id, "companyId": COMPANY, "familyId": family(n), "familyName": format!("Family {n}"),
            "relatedTransactionId": null, "type": "debit", "date": "2026-09-01", "description": "Costume hire",
            "orderId": null, "deletedAt": null,
        },
        "details": [{
            "details": {
                "id": detail, "companyId": COMPANY, "transactionId": id, "type": "manual-debit", "amount": OWED,
                "description": "Costume hire", "deletedAt": null,
            },
            "relatedEntities": [],
        }],
        "stats": {"total": OWED, "subtotal": OWED, "discountTotal": 0, "taxTotal": 0},
    })
}
