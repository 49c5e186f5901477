//! A refund that fails while it is being posted. The handlers run on the stand-ins in memory, which refuse what
//! DynamoDB would refuse, in a random order.

use std::sync::{Arc, Mutex};

use classpay_domain::id::IntentId;
use classpay_simulation::calls;
use classpay_simulation::planned::PlannedFaults;
use classpay_simulation::purchases::{Purchase, Wanted};
use classpay_simulation::recover::{self, Recovery};
use classpay_simulation::rng::Rng;
use classpay_simulation::stripe::{Arrival, PaysWith};
use classpay_simulation::world::{Doing, World};

type Violated = String;

/// The number of random orders.
const SEEDS: u64 = 60;
const PLACE: &str = r#"{"enrolments":[{"classId":"cls_1","studentId":"stu_1","pricingPlanId":"pp_u"}],"trials":[]}"#;

/// Delivers all of Stripe's events.
fn deliver(world: &mut World) {
    for (event, _) in std::mem::take(&mut world.outbox) {
        let ctx = world.ctx.clone();
        world.spawn(Doing::Delivering, async move { Some(calls::deliver(ctx, event, calls::secret(true)).await) });
    }
}

/// An event reports a refund, which fails after some steps; a concurrent event reports the failure.
fn refund_fails(seed: u64) -> Result<u64, Violated> {
    let faults = Arc::new(Mutex::new(PlannedFaults::of(Vec::new())));
    let mut world = World::begin_with(Rng::of(seed), faults);
    world.purchases.push(Purchase::of("fml_1", Wanted::Basket(PLACE.into()), &Rng::of(seed), 0));
    world.open(0);
    recover::run_all(&mut world)?;
    let intent: IntentId = world.purchases[0].intent.clone().unwrap().parse().unwrap();
    world.stripe.confirm(&intent, PaysWith::Card).unwrap();
    world.purchases[0].paid = Some(PaysWith::Card);
    world.call(0);
    recover::run_all(&mut world)?;

    let refund = world.stripe.refund(&intent, None, Arrival::Later).unwrap();
    world.check()?;
    deliver(&mut world);
    for _ in 0..world.rng.below(60) {
        world.step()?;
    }
    world.stripe.fail_refund(&refund).unwrap();
    world.check()?;
    deliver(&mut world);
    recover::run_all(&mut world)?;
    recover::days_go_by(&mut world, Recovery::Schedule)?;
    Ok(world.coverage.refund_failed)
}

#[test]
fn a_refund_that_fails_while_it_is_posted_is_posted_and_taken_back_once() {
    for seed in 0..SEEDS {
        assert_eq!(refund_fails(seed), Ok(1), "seed {seed}");
    }
}
