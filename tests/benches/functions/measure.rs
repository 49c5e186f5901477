//! Measures the rows: cold starts of all of them in turn, then each of them warm.
//!
//! Invariant: what is compared was measured in turns, so that a busy moment of the machine meets all rows; and figures
//! of different machines, or of different days, are not compared: ratios of one run are. A row in Node makes as many
//! calls as its counterpart.

use std::collections::VecDeque;
use std::ops::{AddAssign, Sub};
use std::sync::Arc;

use bytes::Bytes;

use crate::program::Program;
use crate::quota::Quota;
use crate::spent::Spent;
use crate::stand_in::Units;
use crate::work::Work;
use crate::world::{Ground, Latency, World};

/// How many requests follow the first one of a cold start, under the same quota: what the first is compared with.
const AFTER_THE_FIRST: usize = 5;
/// How many requests are not measured before those that are.
const WARM_UP: usize = 10;
/// How many requests are metered after those that are timed.
pub const METERED: u16 = 10;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    pub starts: usize,
    /// Warm requests of what changes nothing.
    pub reads: usize,
    /// Warm requests of what changes something.
    pub changes: usize,
}

impl Extent {
    fn warm(self, work: Work) -> usize {
        if work.changes() { self.changes } else { self.reads }
    }

    /// How many families' worth of work a row has at most: what changes nothing needs one for each process.
    fn families(self, work: Work) -> usize {
        let requests = self.starts * (1 + AFTER_THE_FIRST) + WARM_UP + self.warm(work) + usize::from(METERED);
        if work.changes() { requests } else { self.starts + 1 }
    }
}

/// How many connections were opened, or calls made, to whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct To {
    pub dynamodb: u64,
    pub stripe: u64,
}

impl To {
    fn connections(world: &World) -> Self {
        Self { dynamodb: world.dynamodb.connections(), stripe: world.stripe.connections() }
    }

    fn calls(world: &World) -> Self {
        Self { dynamodb: world.dynamodb.calls(), stripe: world.stripe.calls() }
    }
}

impl Sub for To {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { dynamodb: self.dynamodb - before.dynamodb, stripe: self.stripe - before.stripe }
    }
}

impl AddAssign for To {
    fn add_assign(&mut self, more: Self) {
        self.dynamodb += more.dynamodb;
        self.stripe += more.stripe;
    }
}

/// What was measured of a row.
#[derive(Debug, Clone)]
pub struct Measured {
    pub work: Work,
    /// From each start to the first request for an event, at full speed.
    pub starts: Vec<Spent>,
    /// The first request of each start, and some that followed it, under the quota.
    pub firsts: Vec<Spent>,
    pub seconds: Vec<Spent>,
    /// Warm requests at full speed.
    pub warm: Vec<Spent>,
    /// Of the warm process, all told.
    pub peak_kib: u64,
    /// Before it asked for its first event; the same for every start.
    pub connections_at_start: To,
    /// After that, until it was warm.
    pub connections_warming: To,
    /// While it was warm.
    pub connections_warm: To,
    /// While it was warm.
    pub calls_warm: To,
    /// Of DynamoDB's capacity, by [`METERED`] requests.
    pub units: Units,
}

/// A row, its world and what has been measured of it.
struct Row {
    world: World,
    measured: Measured,
}

/// Measures these rows.
pub async fn measure(
    ground: &Arc<Ground>,
    works: &[Work],
    extent: Extent,
    latency: Latency,
    quota: Option<&Quota>,
) -> Vec<Measured> {
    let mut rows = Vec::new();
    for work in works {
        rows.push(Row::open(ground, *work, extent).await);
    }
    for number in 1..=extent.starts {
        eprintln!("cold start {number} of {} of {} programs", extent.starts, rows.len());
        for row in &mut rows {
            row.start_cold(latency, quota).await;
        }
    }
    for row in &mut rows {
        let requests = extent.warm(row.measured.work);
        eprintln!("{requests} warm requests of {}", row.measured.work.name());
        row.keep_warm(requests, latency).await;
    }
    let measured: Vec<_> = rows.into_iter().map(|row| row.measured).collect();
    compare(&measured);
    measured
}

/// Fails if a row in Node makes more calls than its counterpart, or fewer: that would be no comparison.
fn compare(rows: &[Measured]) {
    for row in rows {
        let Some(work) = row.work.counterpart() else { continue };
        let counterpart = rows.iter().find(|other| other.work == work).expect("a row in Node has its counterpart");
        assert_eq!(row.calls_warm, counterpart.calls_warm, "{} makes more calls, or fewer", row.work.name());
    }
}

impl Row {
    async fn open(ground: &Arc<Ground>, work: Work, extent: Extent) -> Self {
        let world = World::open(ground, &work.studio(extent.families(work))).await;
        let measured = Measured {
            work,
            starts: Vec::new(),
            firsts: Vec::new(),
            seconds: Vec::new(),
            warm: Vec::new(),
            peak_kib: 0,
            connections_at_start: To::default(),
            connections_warming: To::default(),
            connections_warm: To::default(),
            calls_warm: To::default(),
            units: Units::default(),
        };
        Self { world, measured }
    }

    async fn start(&self) -> Program {
        match self.measured.work {
            Work::InNode(work, _) => self.world.start_in_node(work.function()).await,
            work => self.world.start(work.function()).await,
        }
    }

    async fn start_cold(&mut self, latency: Latency, quota: Option<&Quota>) {
        let mut events = Events::new(self.measured.work, 1 + AFTER_THE_FIRST, &mut self.world).await;
        self.world.wait_for(latency);
        let mut program = self.start().await;
        self.measured.starts.push(program.start);
        if let Some(quota) = quota {
            quota.limit(program.id()).expect("this user may limit it; --memory 0 measures without a limit");
        }
        let first = self.request(&mut program, &mut events, latency).await;
        self.measured.firsts.push(first.spent);
        for _ in 0..AFTER_THE_FIRST {
            let second = self.request(&mut program, &mut events, latency).await;
            self.measured.seconds.push(second.spent);
        }
        program.stop().await;
        self.world.wait_for(Latency::default());
    }

    async fn keep_warm(&mut self, requests: usize, latency: Latency) {
        let mut events =
            Events::new(self.measured.work, WARM_UP + requests + usize::from(METERED), &mut self.world).await;
        self.world.wait_for(latency);
        let before = To::connections(&self.world);
        let mut program = self.start().await;
        self.measured.connections_at_start = To::connections(&self.world) - before;
        for _ in 0..WARM_UP {
            let request = self.request(&mut program, &mut events, latency).await;
            self.measured.connections_warming += request.connections;
        }
        for _ in 0..requests {
            let request = self.request(&mut program, &mut events, latency).await;
            self.measured.warm.push(request.spent);
            self.measured.connections_warm += request.connections;
            self.measured.calls_warm += request.calls;
        }
        self.measured.peak_kib = program.peak_kib();
        self.world.dynamodb.meter(true);
        for _ in 0..METERED {
            self.request(&mut program, &mut events, latency).await;
        }
        self.world.dynamodb.meter(false);
        self.measured.units = self.world.dynamodb.units();
        program.stop().await;
        self.world.end_helpers().await;
        self.world.wait_for(Latency::default());
    }

    async fn request(&mut self, program: &mut Program, events: &mut Events, latency: Latency) -> Request {
        let event = events.next(&mut self.world, latency).await;
        let (connections, calls) = (To::connections(&self.world), To::calls(&self.world));
        let (answer, spent) = program.invoke(event).await;
        self.measured.work.check(&answer);
        Request {
            spent,
            connections: To::connections(&self.world) - connections,
            calls: To::calls(&self.world) - calls,
        }
    }
}

/// What a request took.
struct Request {
    spent: Spent,
    connections: To,
    calls: To,
}

/// The events of a process to come, prepared beforehand wherever that is possible.
struct Events {
    work: Work,
    prepared: VecDeque<Bytes>,
}

impl Events {
    async fn new(work: Work, events: usize, world: &mut World) -> Self {
        let events = if work.one_by_one() { 0 } else { events };
        Self { work, prepared: work.prepare(world, events).await.into() }
    }

    async fn next(&mut self, world: &mut World, latency: Latency) -> Bytes {
        if let Some(event) = self.prepared.pop_front() {
            return event;
        }
        world.wait_for(Latency::default());
        let mut one = self.work.prepare(world, 1).await;
        world.wait_for(latency);
        one.pop().expect("one was prepared")
    }
}
