//! An executor in one thread. One task at a time runs, up to its next scheduling point.
//!
//! The next task is drawn or chosen; no clock, thread or waker decides. A task waits for nothing outside the
//! simulation.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::rng::Rng;

/// One of an executor's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(usize);

/// The result of letting a task run.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<T> {
    /// The task.
    pub task: TaskId,
    /// Its answer, if it has ended.
    pub answer: Option<T>,
}

struct Task<T> {
    id: TaskId,
    future: Pin<Box<dyn Future<Output = T>>>,
}

/// Runs tasks that return a `T`.
pub struct Executor<T> {
    tasks: Vec<Task<T>>,
    spawned: usize,
    rng: Rng,
}

impl<T> std::fmt::Debug for Executor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("running", &self.tasks.len()).field("spawned", &self.spawned).finish()
    }
}

impl<T> Executor<T> {
    /// An executor without tasks.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self { tasks: Vec::new(), spawned: 0, rng }
    }

    /// Adds a task. It doesn't start before it is drawn.
    pub fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> TaskId {
        let id = TaskId(self.spawned);
        self.spawned += 1;
        self.tasks.push(Task { id, future: Box::pin(future) });
        id
    }

    /// The tasks that haven't ended.
    pub fn running(&self) -> impl ExactSizeIterator<Item = TaskId> {
        self.tasks.iter().map(|task| task.id)
    }

    /// Lets a drawn task run; `None` if there is none.
    pub fn step(&mut self) -> Option<Step<T>> {
        if self.tasks.is_empty() {
            return None;
        }
        let at = self.rng.below(self.tasks.len());
        Some(self.step_at(at))
    }

    /// Lets this task run; `None` if it has ended.
    pub fn step_of(&mut self, task: TaskId) -> Option<Step<T>> {
        let at = self.tasks.iter().position(|running| running.id == task)?;
        Some(self.step_at(at))
    }

    /// Ends a task where it is, like a process that is killed. Returns whether it was running.
    pub fn kill(&mut self, task: TaskId) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|running| running.id != task);
        self.tasks.len() < before
    }

    fn step_at(&mut self, at: usize) -> Step<T> {
        let Task { id, future } = &mut self.tasks[at];
        let task = *id;
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Step { task, answer: None },
            Poll::Ready(answer) => {
                drop(self.tasks.remove(at));
                Step { task, answer: Some(answer) }
            }
        }
    }
}

/// Runs a single future to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return answer;
        }
    }
}

/// A scheduling point: another task may run before this one continues, and this one may be killed here.
#[must_use]
pub fn pause() -> Pause {
    Pause { is_over: false }
}

/// See [`pause`].
#[derive(Debug)]
pub struct Pause {
    is_over: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_over {
            return Poll::Ready(());
        }
        self.is_over = true;
        // The executor needs no waking, but a `join_all` of many futures polls only those that were woken.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::future::join_all;

    use super::*;

    async fn says(who: char, said: Arc<Mutex<String>>) -> char {
        for _ in 0..3 {
            said.lock().expect("one thread").push(who);
            pause().await;
        }
        who
    }

    fn spoken(seed: u64) -> String {
        let said = Arc::new(Mutex::new(String::new()));
        let mut executor = Executor::new(Rng::of(seed));
        for who in ['a', 'b', 'c'] {
            executor.spawn(says(who, said.clone()));
        }
        while executor.step().is_some() {}
        let said = said.lock().expect("one thread");
        said.clone()
    }

    #[test]
    fn a_seed_is_one_order_and_another_seed_another() {
        assert_eq!(spoken(1), spoken(1));
        let orders: std::collections::BTreeSet<_> = (0..50).map(spoken).collect();
        assert!(orders.len() > 20, "{orders:?}");
        assert!(orders.iter().all(|order| order.len() == 9));
    }

    #[test]
    fn who_is_killed_says_no_more() {
        let said = Arc::new(Mutex::new(String::new()));
        let mut executor = Executor::new(Rng::of(1));
        let (a, b) = (executor.spawn(says('a', said.clone())), executor.spawn(says('b', said.clone())));
        assert_eq!(executor.step_of(a), Some(Step { task: a, answer: None }));
        assert!(executor.kill(a));
        assert!(!executor.kill(a));
        assert_eq!(executor.step_of(a), None);
        let answers: Vec<_> = std::iter::from_fn(|| executor.step()).filter_map(|step| step.answer).collect();
        assert_eq!(answers, ['b']);
        assert_eq!(*said.lock().expect("one thread"), "abbb");
        assert!(!executor.running().any(|running| running == b));
    }

    #[test]
    fn many_futures_are_joined_within_one_task() {
        let said = Arc::new(Mutex::new(String::new()));
        assert_eq!(run(join_all((0..100).map(|_| says('x', said.clone())))).len(), 100);
    }
}
