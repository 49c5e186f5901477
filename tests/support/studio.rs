//! The demo studio's ids, baskets of its items, and variants of the studio.
//!
//! A studio is changed before it is loaded, so what is loaded has passed the import's check.

use classpay_import::{Catalogue, Extent, Import, Removals};
use classpay_service::store::{DynamoDb, Store};
use serde_json::{Value, json};

use crate::{Stack, StackOptions, Table};

/// The first day of the demo studio's school year, a Monday, before its lessons.
pub const FIRST_DAY: &str = "2026-09-07T08:00:00Z";

/// The studio.
pub const COMPANY: &str = "co_01J9ZDEMW5TVDJ0R00000C0MPN";
/// Its families: Ada (8) and Tobi (4).
pub const OKAFOR: &str = "fml_01J9ZDEMW5TVDJ0R0000FAM1Y1";
/// Anika in Tap, Rohan, and Priya with a trial of Ballet on 2026-11-30.
pub const SHARMA: &str = "fml_01J9ZDEMW5TVDJ0R0000SHARMA";
/// Minh (12) in Street Dance.
pub const NGUYEN: &str = "fml_01J9ZDEMW5TVDJ0R0000NGVYEN";
/// Isla (10) and Finn (7).
pub const CAMPBELL: &str = "fml_01J9ZDEMW5TVDJ0R00CAMPBE11";

/// Students.
pub const ADA: &str = "stu_01J9ZDEMW5TVDJ0R0000000ADA";
/// See [`ADA`].
pub const TOBI: &str = "stu_01J9ZDEMW5TVDJ0R000000T0B1";
/// See [`ADA`].
pub const ANIKA: &str = "stu_01J9ZDEMW5TVDJ0R00000AN1KA";
/// See [`ADA`].
pub const ROHAN: &str = "stu_01J9ZDEMW5TVDJ0R00000R0HAN";
/// See [`ADA`].
pub const PRIYA: &str = "stu_01J9ZDEMW5TVDJ0R00000PR1YA";
/// See [`ADA`].
pub const MINH: &str = "stu_01J9ZDEMW5TVDJ0R000000M1NH";
/// See [`ADA`].
pub const ISLA: &str = "stu_01J9ZDEMW5TVDJ0R0000001S1A";
/// See [`ADA`].
pub const FINN: &str = "stu_01J9ZDEMW5TVDJ0R000000F1NN";

/// Mondays 16:30, 6 to 8 years, 14 places, taxed, with trials.
pub const BALLET: &str = "cls_01J9ZDEMW5TVDJ0R0000BA11ET";
/// Wednesdays 16:15, without trials.
pub const TAP: &str = "cls_01J9ZDEMW5TVDJ0R0000000TAP";
/// Tuesdays 17:15, 7 to 12 years, 20 places, with trials.
pub const STREET: &str = "cls_01J9ZDEMW5TVDJ0R0000STREET";
/// 11 years and more.
pub const CONTEMPORARY: &str = "cls_01J9ZDEMW5TVDJ0R000C0NTEMP";
/// Two places, both taken.
pub const POINTE: &str = "cls_01J9ZDEMW5TVDJ0R0000P01NTE";
/// Two places, one of them taken.
pub const ACRO: &str = "cls_01J9ZDEMW5TVDJ0R000000ACR0";
/// Unlimited; 16 years and more.
pub const ADULT: &str = "cls_01J9ZDEMW5TVDJ0R00000ADV1T";
/// Costs nothing; of any age.
pub const OPEN_STUDIO: &str = "cls_01J9ZDEMW5TVDJ0R0PENSTVD10";
/// Next year's Ballet.
pub const BALLET_NEXT_YEAR: &str = "cls_01J9ZDEMW5TVDJ0RBA11ET2728";
/// Next year's, by audition: not on sale to families.
pub const SHOW: &str = "cls_01J9ZDEMW5TVDJ0R00SH0W2728";

/// This year's season.
pub const SEASON: &str = "sea_01J9ZDEMW5TVDJ0R00YEAR2627";
/// This year's plans: in full, with 5 % off.
pub const FULL: &str = "pp_01J9ZDEMW5TVDJ0R00FV112627";
/// In ten parts, the first on the first day.
pub const MONTHLY: &str = "pp_01J9ZDEMW5TVDJ0R0M0NTH2627";
/// Not enabled.
pub const TERMLY: &str = "pp_01J9ZDEMW5TVDJ0RTERM1Y2627";
/// Next year's, in full.
pub const FULL_NEXT_YEAR: &str = "pp_01J9ZDEMW5TVDJ0R00FV112728";

/// A place in a class.
#[must_use]
pub fn place(class: &str, student: &str, plan: &str) -> Value {
    json!({"classId": class, "studentId": student, "pricingPlanId": plan})
}

/// A trial of a class.
#[must_use]
pub fn trial(class: &str, student: &str, on: &str, at: &str) -> Value {
    json!({"classId": class, "studentId": student, "trialAt": on, "time": at})
}

/// A basket.
#[must_use]
pub fn basket(enrolments: &[Value], trials: &[Value]) -> Value {
    json!({"enrolments": enrolments, "trials": trials})
}

/// A basket of one place, paid in full.
#[must_use]
pub fn one(class: &str, student: &str) -> Value {
    basket(&[place(class, student, FULL)], &[])
}

/// A place for Ada in the Open Studio, which is free.
#[must_use]
pub fn open_studio_for_ada() -> Value {
    one(OPEN_STUDIO, ADA)
}

/// A place for Ada in Ballet, paid in full: something that can be bought.
#[must_use]
pub fn ballet_for_ada() -> Value {
    basket(&[place(BALLET, ADA, FULL)], &[])
}

/// A studio's file.
#[derive(Debug, Clone)]
pub struct Studio(Value);

impl Studio {
    /// The demo studio as it is shipped, in London, where no processing fee may be taken.
    ///
    /// # Panics
    /// If its file isn't JSON.
    #[must_use]
    pub fn in_london() -> Self {
        Self::parse(include_str!("../../infra/local/demo-studio.json"))
    }

    /// The demo studio at an address where a processing fee is allowed, with a fee of 2.9 %, so that every test of
    /// money includes one.
    ///
    /// # Panics
    /// Never: the file has a company.
    #[must_use]
    pub fn demo() -> Self {
        let billing = json!({"isProcessingFeeEnabled": true, "processingFee": 2.9});
        let there = json!({"address": {"countryCode": "US"}, "settings": {"billing": billing}});
        Self::in_london().with(COMPANY, &there)
    }

    /// The studio of a file.
    ///
    /// # Panics
    /// If it isn't JSON.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("JSON"))
    }

    /// Another company with copies of everything, each under an id of its own.
    ///
    /// # Panics
    /// Never: the demo studio with other ids is JSON.
    #[must_use]
    pub fn elsewhere() -> Self {
        let text = Self::demo().text().replace("_01J9ZDEMW5", "_01J9ZE15EW");
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    /// Sets a value at each of the given keys of the document with this id, at any depth.
    ///
    /// # Panics
    /// If there is no such document.
    #[must_use]
    pub fn with(mut self, id: &str, changes: &Value) -> Self {
        let document = find(&mut self.0, id).expect("a document of the studio");
        merge(document, changes);
        self
    }

    /// Removes the documents with these ids, and the enrolments and trials that refer to them.
    #[must_use]
    pub fn without(mut self, ids: &[&str]) -> Self {
        leave_out(&mut self.0, ids);
        self
    }

    /// Adds families.
    ///
    /// # Panics
    /// Never: the demo studio has a list of them.
    #[must_use]
    pub fn with_families(mut self, families: &[Value]) -> Self {
        self.0["families"].as_array_mut().expect("a list").extend_from_slice(families);
        self
    }

    /// Adds transactions.
    ///
    /// # Panics
    /// Never: the demo studio has a list of them.
    #[must_use]
    pub fn with_transactions(mut self, transactions: &[Value]) -> Self {
        self.0["transactions"].as_array_mut().expect("a list").extend_from_slice(transactions);
        self
    }

    /// Adds a credit for the costumes that the office has recorded, under an id with this suffix.
    ///
    /// # Panics
    /// Never: the demo studio has a debit for the costumes.
    #[must_use]
    pub fn with_cash(self, ending: &str, amount: i64) -> Self {
        let mut credit = self.0["transactions"][0].clone();
        let id = format!("trn_01J9ZDEMW5TVDJ0R000000{ending:0>4}");
        let head = json!({"id": id, "type": "credit", "relatedTransactionId": credit["aggregateId"]});
        let detail = json!({"type": "payment-manual", "amount": amount});
        credit["details"].as_array_mut().expect("a list").truncate(1);
        let stats = json!({"total": amount, "subtotal": amount, "discountTotal": 0, "taxTotal": 0});
        merge(&mut credit["details"][0]["details"], &detail);
        merge(&mut credit, &json!({"aggregateId": id, "transaction": head, "stats": stats}));
        self.with_transactions(&[credit])
    }

    /// The studio in the format of a file.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Loads it into a table. Records that it lacks are removed from the table.
    ///
    /// # Panics
    /// If it has a mistake, or isn't loaded.
    pub async fn load_into(&self, table: &Table) {
        let catalogue = Catalogue::parse(&self.text()).expect("a studio without a mistake");
        let store = Store::new(DynamoDb::over(table.client.clone(), &table.name));
        let now = FIRST_DAY.parse().expect("a time");
        let plan =
            Import::of(&store).plan(&catalogue, Extent::Whole(Removals::Any), now).await.expect("it can be loaded");
        Import::of(&store).write(plan).await.expect("it is loaded");
    }

    /// Starts a stack with it on the first day of its school year.
    ///
    /// # Panics
    /// If it doesn't start; the stack reports which mistake the studio has.
    pub async fn start(&self) -> Stack {
        self.start_at(FIRST_DAY).await
    }

    /// Starts a stack with it at that time.
    ///
    /// # Panics
    /// As [`Studio::start`].
    pub async fn start_at(&self, now: &str) -> Stack {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), self.text()).expect("the file can be written");
        let options =
            StackOptions { now: Some(now.into()), catalogue: Some(file.path().to_owned()), ..StackOptions::default() };
        Stack::start_with(options).await
    }
}

fn find<'a>(value: &'a mut Value, id: &str) -> Option<&'a mut Value> {
    if value.get("id").is_some_and(|found| found == id) {
        return Some(value);
    }
    match value {
        Value::Array(elements) => elements.iter_mut().find_map(|element| find(element, id)),
        Value::Object(fields) => fields.values_mut().find_map(|field| find(field, id)),
        _ => None,
    }
}

fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(fields.entry(name).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

fn leave_out(value: &mut Value, ids: &[&str]) {
    match value {
        Value::Array(elements) => {
            let is_one = |element: &Value| {
                ["id", "classId", "studentId"]
                    .iter()
                    .any(|name| element[name].as_str().is_some_and(|id| ids.contains(&id)))
            };
            elements.retain(|element| !is_one(element));
            elements.iter_mut().for_each(|element| leave_out(element, ids));
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| leave_out(field, ids)),
        _ => {}
    }
}
