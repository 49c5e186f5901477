//! A scenario: a function's run, its faults, and its recovery.
//!
//! A scenario is a text and nothing else: run again, it takes the same steps.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use super::faults::{CallKind, WorldFaults as _};
use super::flows::{Answers, Flow};
use super::forgetful::Forgotten;
use super::planned::{Planned, PlannedFaults};
use super::recover::{self, Recovery};
use super::rng::Rng;
use super::world::{Doing, Violation, World, lock};

const HOUR_S: i64 = 60 * 60;

/// How often a function runs while there are faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Once, whatever the result.
    Once,
    /// Twice, whatever it answers, and once more if it has not ended.
    Again,
}

/// When late calls arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateDelivery {
    /// Before the function runs again.
    Between,
    /// When the faults are over, before any recovery.
    Before,
    /// After the first recovery.
    After,
    /// When everything has recovered without it.
    Last,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The function.
    pub flow: Flow,
    /// Its faults: none, one or two.
    pub plan: Vec<Planned>,
    /// How often the function runs while there are faults.
    pub runs: Runs,
    /// What recovers first.
    pub recovery: Recovery,
    /// When late calls arrive.
    pub late_delivery: LateDelivery,
}

/// The result of a scenario.
#[derive(Debug, Default)]
pub struct Trace {
    /// The number of the function's calls, over all of its runs.
    pub calls: Vec<CallKind>,
    /// Whether a call was late. If not, the scenario is the same whenever late calls land.
    pub was_late: bool,
    /// The violations.
    pub violation: Option<Violation>,
}

impl Scenario {
    /// Ways to recover, by name.
    pub const RECOVERIES: [(&str, Recovery); 3] =
        [("schedule", Recovery::Schedule), ("clients", Recovery::Clients), ("events", Recovery::Webhook)];
    /// Times of late delivery, by name.
    pub const LATE_DELIVERIES: [(&str, LateDelivery); 4] = [
        ("between", LateDelivery::Between),
        ("before", LateDelivery::Before),
        ("after", LateDelivery::After),
        ("last", LateDelivery::Last),
    ];

    /// A scenario that the settlement job recovers. With two faults the function runs again.
    #[must_use]
    pub fn of(flow: Flow, plan: Vec<Planned>) -> Self {
        let runs = if plan.len() > 1 { Runs::Again } else { Runs::Once };
        Self { flow, plan, runs, recovery: Recovery::Schedule, late_delivery: LateDelivery::Before }
    }

    /// Runs it from the start of its world to the end, on a table that may ignore a guard.
    #[must_use]
    pub fn run(&self, forgotten: Option<Forgotten>) -> Trace {
        let faults = Arc::new(Mutex::new(PlannedFaults::of(self.plan.clone())));
        let mut world = World::begin_with(Rng::of(0), faults.clone());
        if let Some(forgotten) = forgotten {
            world.table.forget(forgotten);
        }
        let mut was_late = false;
        let mut result = self.live(&mut world, &faults, &mut was_late);
        let faults = lock(&faults);
        if result.is_ok() && !faults.is_met() {
            result = Err(format!("of {} calls none is the one that was to go wrong", faults.calls.len()));
        }
        Trace { calls: faults.calls.clone(), was_late, violation: result.err() }
    }

    fn live(&self, world: &mut World, faults: &Mutex<PlannedFaults>, was_late: &mut bool) -> Result<(), Violation> {
        self.flow.prepare(world)?;
        lock(faults).resume();
        let (least, most) = if self.runs == Runs::Again { (2, 3) } else { (1, 1) };
        for run in 1..=most {
            let is_over = self.run_once(world, faults)?;
            *was_late |= world.has_late();
            if self.late_delivery == LateDelivery::Between {
                recover::land_all(world)?;
            }
            if is_over && run >= least {
                break;
            }
            world.pass_s(self.flow.pause_s());
        }
        lock(faults).end();
        if matches!(self.late_delivery, LateDelivery::Between | LateDelivery::Before) {
            recover::land_all(world)?;
        }
        self.recover(world)
    }

    /// Runs the function once, to its end or its death. Returns whether it has nothing more to do.
    fn run_once(&self, world: &mut World, faults: &Mutex<PlannedFaults>) -> Result<bool, Violation> {
        self.flow.begin_run(world)?;
        let mut is_over = false;
        while !world.running.is_empty() {
            if let Some(done) = world.step()? {
                is_over = done.answer.as_ref().is_none_or(|answer| !answer.is_open());
                if let Some(answer) = done.answer {
                    if done.what == Doing::Delivering && answer.status == 200 {
                        // Stripe doesn't deliver it again.
                        world.outbox.retain(|(_, count)| *count == 0);
                    }
                    world.learn(done.what, answer);
                }
            }
            if lock(faults).take_kill() {
                world.kill_one()?;
                world.restart();
            }
        }
        Ok(is_over)
    }

    fn recover(&self, world: &mut World) -> Result<(), Violation> {
        let bank = self.flow.bank();
        if let Some((bank, answers @ Answers::AtOnce)) = bank {
            self.flow.bank_answers(world, bank, answers)?;
        }
        self.flow.goes_on(world, self.recovery)?;
        recover::at_first(world, self.recovery)?;
        if self.late_delivery == LateDelivery::After {
            recover::land_all(world)?;
        }
        if let Some((bank, answers @ Answers::Later)) = bank {
            self.flow.bank_answers(world, bank, answers)?;
            recover::at_first(world, self.recovery)?;
        }
        // The settlement job is never down for a whole day. A payment that is not captured for that long is given up.
        recover::by_schedule(world, HOUR_S)?;
        recover::days_go_by(world, self.recovery)?;
        if world.has_late() {
            recover::land_all(world)?;
            recover::days_go_by(world, Recovery::Schedule)?;
        }
        self.flow.ended(world, self.recovery)
    }
}

fn name<T: PartialEq>(among: &[(&'static str, T)], of: &T) -> &'static str {
    among.iter().find(|(_, one)| one == of).map_or("", |(name, _)| name)
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.flow.name())?;
        for planned in &self.plan {
            write!(f, "/{planned}")?;
        }
        if self.runs == Runs::Again {
            write!(f, "/again")?;
        }
        let (recovery, late_delivery) =
            (name(&Self::RECOVERIES, &self.recovery), name(&Self::LATE_DELIVERIES, &self.late_delivery));
        write!(f, "/{recovery}/{late_delivery}")
    }
}

/// All scenarios that a text describes: parts that it leaves out take every value.
#[derive(Debug, PartialEq, Eq)]
pub struct Scenarios(pub Vec<Scenario>);

impl FromStr for Scenarios {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let flow = parts.next().unwrap_or_default();
        let (_, flow, _) =
            Flow::ALL.iter().find(|(name, ..)| *name == flow).ok_or(format!("there is no flow {flow}"))?;
        let (mut plan, mut recoveries, mut late_deliveries) =
            (Vec::new(), Scenario::RECOVERIES.to_vec(), Scenario::LATE_DELIVERIES.to_vec());
        let mut runs = Runs::Once;
        for part in parts {
            if Scenario::RECOVERIES.iter().any(|(name, _)| *name == part) {
                recoveries.retain(|(name, _)| *name == part);
            } else if Scenario::LATE_DELIVERIES.iter().any(|(name, _)| *name == part) {
                late_deliveries.retain(|(name, _)| *name == part);
            } else if part == "again" {
                runs = Runs::Again;
            } else {
                plan.push(part.parse()?);
            }
        }
        let scenario = Scenario::of(*flow, plan);
        let scenario = if runs == Runs::Again { Scenario { runs, ..scenario } } else { scenario };
        let each = |recovery| {
            let scenario = &scenario;
            late_deliveries.iter().map(move |(_, late_delivery)| Scenario {
                recovery,
                late_delivery: *late_delivery,
                ..scenario.clone()
            })
        };
        Ok(Self(recoveries.iter().flat_map(|(_, recovery)| each(*recovery)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::planned::InjectedFault;
    use super::*;

    #[test]
    fn a_scenario_is_its_text() {
        let plan: Vec<Planned> =
            InjectedFault::ALL.iter().map(|injected| Planned { at: 3, injected: *injected }).collect();
        let scenario = Scenario {
            recovery: Recovery::Webhook,
            late_delivery: LateDelivery::After,
            ..Scenario::of(Flow::Link, plan)
        };
        assert_eq!(scenario.to_string().parse(), Ok(Scenarios(vec![scenario])));
    }

    #[test]
    fn what_a_text_does_not_say_is_told_each_way() {
        let Scenarios(scenarios) = "checkout/12:ReplyLost/19:Late".parse().expect("it is one");
        assert_eq!(scenarios.len(), Scenario::RECOVERIES.len() * Scenario::LATE_DELIVERIES.len());
        assert!("checkout/12:Lost".parse::<Scenarios>().is_err());
        assert!("nowhere".parse::<Scenarios>().is_err());
    }
}
