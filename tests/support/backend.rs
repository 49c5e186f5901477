//! The backends of the store's tests: the embedded DynamoDB, through the real SDK, and the simulation's table.
//!
//! A test is written once, for any [`Backend`], and [`crate::on_both`] runs it on both.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_local::dynamodb;
use classpay_local::template::{TEMPLATE, Template};
use classpay_service::store::{Attributes, DynamoDb, Table as StoreTable};
use futures_util::future::{BoxFuture, join_all};

use crate::table::seen;
use crate::{Item, Table};
use classpay_simulation::executor::Executor;
use classpay_simulation::faults::{CallKind, Faults, Network};
use classpay_simulation::forgetful::Forgotten;
use classpay_simulation::rng::Rng;
use classpay_simulation::table::MemoryTable;

/// The embedded DynamoDB.
#[derive(Debug, Clone, Copy)]
pub struct Embedded;

/// The table of the simulation.
#[derive(Debug, Clone, Copy)]
pub struct InMemory;

/// A table of the simulation, which may ignore a guard.
pub trait Memory: Clone + Send + Sync + 'static {
    /// The guard that it ignores.
    const FORGOTTEN: Option<Forgotten>;
}

impl Memory for InMemory {
    const FORGOTTEN: Option<Forgotten> = None;
}

/// A backend on which a store can be opened.
pub trait Backend: Clone + Send + Sync + 'static {
    /// The table on which the store works. Its clones are the same table.
    type Table: StoreTable + Clone + 'static;
    /// Reads every item. No call of the service can do that.
    type Reader: Clone + Send + Sync;
    /// The number of rounds in a race.
    const ROUNDS: u64;

    /// An empty table.
    fn open() -> impl Future<Output = (Self::Table, Self::Reader)>;

    /// Every item in the table.
    fn everything(reader: &Self::Reader) -> impl Future<Output = Vec<Item>>;

    /// The results of competing calls that begin at the same time. Their order is drawn at random, as far as the
    /// backend allows.
    fn race<T: Send + 'static>(seed: u64, rivals: Vec<BoxFuture<'static, T>>) -> impl Future<Output = Vec<T>>;
}

impl Backend for Embedded {
    type Table = DynamoDb;
    type Reader = Table;
    const ROUNDS: u64 = 20;

    async fn open() -> (DynamoDb, Table) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = dynamodb::embedded(None, listener, std::future::pending()).expect("DynamoDB starts");
        tokio::spawn(server);
        let table = Table::new(&url, "classpay");
        let template = Template::parse(TEMPLATE).expect("the template can be read");
        dynamodb::ensure_table(&table.client, &table.name, &template.table, true).await.expect("the table is made");
        (DynamoDb::over(table.client.clone(), &table.name), table)
    }

    async fn everything(table: &Table) -> Vec<Item> {
        table.everything().await
    }

    /// The order in which they begin is drawn; the rest is up to threads and sockets.
    async fn race<T: Send + 'static>(seed: u64, rivals: Vec<BoxFuture<'static, T>>) -> Vec<T> {
        let rng = Rng::of(seed);
        let mut waiting: Vec<_> = rivals.into_iter().enumerate().collect();
        let mut running = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let (at, rival) = waiting.swap_remove(rng.below(waiting.len()));
            let rival = tokio::spawn(rival);
            running.push(async move { (at, rival.await.expect("a rival comes to an end")) });
        }
        in_order(join_all(running).await)
    }
}

impl<M: Memory> Backend for M {
    type Table = MemoryTable;
    type Reader = MemoryTable;
    const ROUNDS: u64 = 100;

    async fn open() -> (MemoryTable, MemoryTable) {
        let table = MemoryTable::new(Network::with(&Arc::new(Mutex::new(Unhurried(Rng::of(0))))));
        if let Some(forgotten) = M::FORGOTTEN {
            table.forget(forgotten);
        }
        (table.clone(), table)
    }

    async fn everything(table: &MemoryTable) -> Vec<Item> {
        table.items().into_iter().map(|(_, item)| seen(Attributes::clone(&item))).collect()
    }

    /// The call that continues is drawn before and after every request.
    async fn race<T: Send + 'static>(seed: u64, rivals: Vec<BoxFuture<'static, T>>) -> Vec<T> {
        let mut executor = Executor::new(Rng::of(seed));
        for (at, rival) in rivals.into_iter().enumerate() {
            executor.spawn(async move { (at, rival.await) });
        }
        in_order(std::iter::from_fn(|| executor.step()).filter_map(|step| step.answer).collect())
    }
}

fn in_order<T>(mut results: Vec<(usize, T)>) -> Vec<T> {
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Every call is answered, some later than others.
#[derive(Debug)]
struct Unhurried(Rng);

impl Faults for Unhurried {
    fn delay(&mut self, _call: CallKind) -> u32 {
        u32::from(self.0.one_in(4))
    }
}

/// A text as a DynamoDB value.
#[must_use]
pub fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// Runs tests on both backends. Each is a function without arguments that is generic over its [`Backend`].
#[macro_export]
macro_rules! on_both {
    ($($test:ident)*) => { $(
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_dynamodb() {
                super::$test::<$crate::backend::Embedded>().await;
            }

            #[test]
            fn in_memory() {
                $crate::run_in_memory(super::$test::<$crate::backend::InMemory>());
            }
        }
    )* };
}
