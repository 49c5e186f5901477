//! A store alone, on a table for one test.
//!
//! A test calls the store in the store's own terms; the table is only read.

use std::collections::BTreeMap;

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::catalogue::{Currency, FeePeriod, Seats};
use classpay_domain::id::{AccountId, ClassId, CompanyId, FamilyId, IntentId, OrderId};
use classpay_domain::money::Money;
use classpay_domain::order::{OrderState, PaidBy, order_of_intent};
use classpay_domain::pricing::Buyer;
use classpay_import::{Catalogue, Changes, Extent, Import, ImportError, Overfull, Removals};
use classpay_service::ids::Ids;
use classpay_service::scope::Role;
use classpay_service::snapshot::{BookedEnrolment, BookedFee, BookedTrial, EndedTrial, OrderPayment, Snapshot};
use classpay_service::store::{
    Commit, Consistency, Name, OrderRecord, PlaceOrder, Session, SessionKind, Store, Table as _, Value, Write, key,
};
use classpay_service::stripe::{Customer, KnownCustomer};
use jiff::civil::{Date, Time};

use crate::backend::Backend;
use crate::studio::{COMPANY, FULL, SEASON, Studio};
use crate::table::{seen, stored};
use crate::{Item, Picture, sale};

/// A company's account at Stripe.
pub const ACCOUNT: &str = "acct_1DemoDanceSchool";
/// The time of these tests, in seconds since 1970.
pub const NOW_S: i64 = 1_788_768_000;

/// A store with a studio in it.
#[derive(Debug, Clone)]
pub struct StoreFixture<M: Backend> {
    /// The store under test.
    pub store: Store,
    /// Its table.
    pub table: M::Table,
    reader: M::Reader,
}

/// Parses an id of the tests' own.
///
/// # Panics
/// If it is invalid.
#[must_use]
pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id, a date or a time")
}

/// A purchase by a family with an intent of its own.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The intent's session.
    pub session: Session,
    /// The order.
    pub order: OrderId,
    /// The transactions that it posts.
    pub snapshot: Snapshot,
    /// The versions from which it was priced.
    pub family_version: u64,
    /// See [`Purchase::family_version`].
    pub seats: BTreeMap<ClassId, Seats>,
    /// The family that buys.
    pub buyer: Buyer,
    /// The idempotency key and the body's fingerprint, if there is one.
    pub idempotency: Option<(key::Key, String)>,
    /// The time of the purchase.
    pub now_s: i64,
}

impl<M: Backend> StoreFixture<M> {
    /// A store that sells what the demo studio sells.
    ///
    /// # Panics
    /// If the table can't be made.
    pub async fn open() -> Self {
        let shop = Self::empty().await;
        shop.import(&Studio::demo()).await;
        shop
    }

    /// A store that sells nothing.
    ///
    /// # Panics
    /// If the table can't be made.
    pub async fn empty() -> Self {
        let (table, reader) = M::open().await;
        Self { store: Store::new(table.clone()), table, reader }
    }

    /// Loads a studio. Returns how many records were added, changed or removed.
    ///
    /// # Panics
    /// If it has a mistake, or isn't loaded.
    pub async fn import(&self, studio: &Studio) -> usize {
        self.load(studio, Extent::Whole(Removals::Any)).await.expect("the studio is loaded").0.count()
    }

    /// Loads a studio. Returns the changes, and the classes with too many students.
    ///
    /// # Panics
    /// If it has a mistake.
    pub async fn load(&self, studio: &Studio, extent: Extent) -> Result<(Changes, Vec<Overfull>), ImportError> {
        let catalogue = Catalogue::parse(&studio.text()).expect("a studio without a mistake");
        let now = jiff::Timestamp::from_second(NOW_S).expect("a time");
        let plan = Import::of(&self.store).plan(&catalogue, extent, now).await?;
        let changes = plan.changes().clone();
        Ok((changes, Import::of(&self.store).write(plan).await?))
    }

    /// A purchase of enrolments and trials at the present prices; its session is stored.
    ///
    /// # Panics
    /// If the session can't be stored.
    pub async fn purchase(
        &self,
        intent: &str,
        family: &str,
        places: &[(&str, &str)],
        trials: &[(&str, &str, &str)],
    ) -> Purchase {
        let purchase = self.unsold(Some(intent), family, places, trials).await;
        let written = self.store.create_session(&purchase.session).await;
        assert_eq!(written, Ok(Commit::Done));
        purchase
    }

    /// The same without a payment, and therefore without a session.
    pub async fn zero_due(&self, family: &str, places: &[(&str, &str)], trials: &[(&str, &str, &str)]) -> Purchase {
        self.unsold(None, family, places, trials).await
    }

    async fn unsold(
        &self,
        intent: Option<&str>,
        family: &str,
        places: &[(&str, &str)],
        trials: &[(&str, &str, &str)],
    ) -> Purchase {
        let (company, family): (CompanyId, FamilyId) = (id(COMPANY), id(family));
        let basket = basket(places, trials);
        let versions = self.store.load_versions(&company, &family, &basket, None, None).await.expect("versions");
        let account: AccountId = id(ACCOUNT);
        let intent_id: IntentId = id(intent.unwrap_or("pi_none"));
        let order = match intent {
            Some(_) => order_of_intent(&account, &intent_id),
            None => basket.zero_due_order(&company, &family),
        };
        let payment = intent.map(|_| OrderPayment {
            account: account.clone(),
            intent: intent_id.clone(),
            total: 1029,
            paid_by: PaidBy::Card,
        });
        let ids = Ids::default();
        let snapshot = Snapshot {
            entries: sale::transactions(&company, &family, &order, payment.is_some(), &ids)
                .iter()
                .map(Into::into)
                .collect(),
            currency: Currency::parse("gbp").expect("a currency"),
            payment,
            link: None,
            basket: basket.hash(&company, &family).as_str().to_owned(),
            enrolments: places.iter().map(|place| booked(*place, &ids)).collect(),
            fees: Vec::new(),
            ended_trials: Vec::new(),
            trials: trials.iter().map(|trial| booked_trial(*trial, &ids)).collect(),
            company: company.clone(),
            family: family.clone(),
        };
        let session = Session {
            account,
            intent: intent_id,
            company,
            family,
            role: Role::Family,
            kind: SessionKind::Amount,
            amount: Money::minor(1029),
            currency: Currency::parse("gbp").expect("a currency"),
            created_s: NOW_S,
            lost_s: None,
        };
        Purchase {
            session,
            order,
            snapshot,
            family_version: versions.family.expect("a family of the studio"),
            seats: versions.seats,
            buyer: Buyer::Family,
            idempotency: None,
            now_s: NOW_S,
        }
    }

    /// P1.
    ///
    /// # Panics
    /// If the table can't be reached.
    pub async fn place(&self, purchase: &Purchase) -> Commit {
        self.store.place(&purchase.order(), &purchase.session).await.expect("the table answers")
    }

    /// Books a purchase without a payment at a generation.
    ///
    /// # Panics
    /// If the table can't be reached.
    pub async fn book(&self, purchase: &Purchase, generation: u64) -> Commit {
        self.store.book_zero_due(&purchase.order(), generation).await.expect("the table answers")
    }

    /// Reads an item.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn item(&self, key: &key::Key) -> Option<Item> {
        self.table.get(key).await.expect("the table can be read").map(seen)
    }

    /// All items of a partition whose sort key begins with this.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn partition(&self, pk: &str, sk_begins: &str) -> Vec<Item> {
        let items = self.table.query(pk, Consistency::Strong).await.expect("the table can be read");
        let mut items: Vec<_> = items.into_iter().map(seen).collect();
        items.retain(|item| item["sk"].as_s().is_ok_and(|sk| sk.starts_with(sk_begins)));
        items
    }

    /// Every item in the table.
    pub async fn everything(&self) -> Vec<Item> {
        M::everything(&self.reader).await
    }

    /// A snapshot of the table.
    pub async fn picture(&self) -> Picture {
        Picture::of(self.everything().await)
    }

    /// Sets an attribute of an item, bypassing the store.
    ///
    /// # Panics
    /// If the table can't be written.
    pub async fn set(&self, key: &key::Key, name: Name, value: impl Into<Value>) {
        let written = self.table.transact(vec![Write::edit(key.clone()).set(name, value)]).await;
        assert_eq!(written, Ok(Commit::Done));
    }

    /// Puts an item, bypassing the store.
    ///
    /// # Panics
    /// If the table can't be written.
    pub async fn put(&self, item: Item) {
        let written = self.table.transact(vec![Write::put(stored(item))]).await;
        assert_eq!(written, Ok(Commit::Done));
    }

    /// A numeric attribute of an item.
    ///
    /// # Panics
    /// If there is no such number.
    pub async fn number(&self, key: &key::Key, name: &str) -> i64 {
        let item = self.item(key).await.expect("an item");
        item[name].as_n().expect("a number").parse().expect("a number")
    }

    /// How many places a class has left.
    ///
    /// # Panics
    /// For a class that doesn't exist.
    pub async fn seats_left(&self, class: &str) -> i64 {
        self.number(&key::seats(&id(COMPANY), &id(class)), "seats_left").await
    }

    /// The version that guards a class's price.
    ///
    /// # Panics
    /// For a class that doesn't exist.
    pub async fn price_version(&self, class: &str) -> i64 {
        self.number(&key::seats(&id(COMPANY), &id(class)), "price_version").await
    }
}

impl Purchase {
    /// The same with a registration fee of 15.00 per student and season.
    #[must_use]
    pub fn with_fee_for(mut self, student: &str) -> Self {
        let period = FeePeriod::season(&id(SEASON));
        self.snapshot.fees.push(BookedFee { fee: id("reg_1"), student: id(student), period, amount: 1500 });
        self
    }

    /// The same with a trial that it ends: its id, student, class and lesson.
    #[must_use]
    pub fn ending_trial(mut self, trial: &str, (student, class, on): (&str, &str, &str)) -> Self {
        let ended = EndedTrial { id: id(trial), student: id(student), class: id(class), on: id(on) };
        self.snapshot.ended_trials.push(ended);
        self
    }

    /// The order in the form in which the store takes it.
    #[must_use]
    pub fn order(&self) -> PlaceOrder<'_> {
        PlaceOrder {
            id: &self.order,
            snapshot: &self.snapshot,
            family_version: self.family_version,
            seats: &self.seats,
            buyer: self.buyer,
            idempotency: self.idempotency.as_ref().map(|(key, fingerprint)| (key, fingerprint.as_str())),
            now_s: self.now_s,
        }
    }

    /// The order as it is once it is placed.
    #[must_use]
    pub fn record(&self) -> OrderRecord {
        OrderRecord {
            id: self.order.clone(),
            state: OrderState::Pending,
            attempt: 1,
            needs_review: false,
            credit: None,
            resolved: None,
            snapshot: self.snapshot.clone(),
        }
    }
}

fn basket(places: &[(&str, &str)], trials: &[(&str, &str, &str)]) -> Basket {
    let enrolment = |(class, student): &(&str, &str)| EnrolmentItem {
        student: id(student),
        class: id(class),
        plan: Some(id(FULL)),
    };
    let trial = |(class, student, on): &(&str, &str, &str)| TrialItem {
        student: id(student),
        class: id(class),
        on: id(on),
        at: id("16:30"),
    };
    Basket::new(places.iter().map(enrolment).collect(), trials.iter().map(trial).collect())
}

fn booked((class, student): (&str, &str), ids: &Ids) -> BookedEnrolment {
    BookedEnrolment {
        id: ids.enrolment(),
        student: id(student),
        class: id(class),
        season: id(SEASON),
        discountable: true,
        plan: Some(id(FULL)),
        schedule: Some(sale::schedule()),
    }
}

fn booked_trial((class, student, on): (&str, &str, &str), ids: &Ids) -> BookedTrial {
    let (on, at): (Date, Time) = (id(on), id("16:30"));
    BookedTrial { id: ids.trial(), student: id(student), class: id(class), on, at, places: Some(2) }
}

/// A Stripe customer as it is stored, created under the key with this number.
///
/// # Panics
/// For an invalid id.
#[must_use]
pub fn known_customer(customer: &str, account: &str, keys_used: u32) -> KnownCustomer {
    KnownCustomer { customer: Some(Customer { id: id(customer), account: id(account) }), keys_used }
}
