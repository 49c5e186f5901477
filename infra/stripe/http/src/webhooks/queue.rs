//! The queue of deliveries, in the database: waiting, held and finished ones.
//!
//! A row is made with its event and never deleted, so the queue is also the log.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::events::Event;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS deliveries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        event TEXT NOT NULL,
        kind TEXT NOT NULL,
        due INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        last_status INTEGER,
        last_error TEXT
    );
    CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, seq);
    CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
";

/// Seconds until the next attempt after the first, second, … failed one; the last value repeats.
const BACKOFF: &[i64] = &[1, 5, 30, 5 * 60, 30 * 60, 3600, 3 * 3600, 6 * 3600, 12 * 3600];

/// After this long we give up.
const GIVEN_UP_AFTER: i64 = 3 * 24 * 3600;

/// The log shows this many deliveries, the latest ones.
const TOLD: i64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Waiting,
    /// Held until it is released.
    Held,
    /// Held until the next delivery has been attempted.
    Behind,
    Delivered,
    Lost,
    GivenUp,
}

impl State {
    const ALL: [Self; 6] = [Self::Waiting, Self::Held, Self::Behind, Self::Delivered, Self::Lost, Self::GivenUp];

    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Behind => "behind",
            Self::Delivered => "delivered",
            Self::Lost => "lost",
            Self::GivenUp => "given_up",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub seq: i64,
    pub account: String,
    pub event: String,
    pub kind: String,
    pub due: i64,
    pub state: State,
    pub attempts: u32,
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
}

const COLUMNS: &str = "seq, account, event, kind, due, state, attempts, last_status, last_error";

impl Delivery {
    fn of(row: &Row) -> rusqlite::Result<Self> {
        let state: String = row.get(5)?;
        let state = State::ALL.into_iter().find(|known| known.as_str() == state);
        Ok(Self {
            seq: row.get(0)?,
            account: row.get(1)?,
            event: row.get(2)?,
            kind: row.get(3)?,
            due: row.get(4)?,
            state: state.ok_or(rusqlite::Error::InvalidQuery)?,
            attempts: row.get(6)?,
            last_status: row.get(7)?,
            last_error: row.get(8)?,
        })
    }

    /// Records an attempt. The event counts as delivered once any attempt got a 2xx.
    pub fn attempted(&mut self, answer: Result<u16, String>, event_created: i64, now: i64) {
        self.attempts += 1;
        (self.last_status, self.last_error) = match answer {
            Ok(status) => (Some(status), None),
            Err(why) => (None, Some(why)),
        };
        if self.last_status.is_some_and(|status| (200..300).contains(&status)) {
            self.state = State::Delivered;
        }
        if self.state == State::Delivered {
            return;
        }
        let index = usize::try_from(self.attempts - 1).unwrap_or(usize::MAX).min(BACKOFF.len() - 1);
        self.due = now + BACKOFF[index];
        if self.due > event_created + GIVEN_UP_AFTER {
            self.state = State::GivenUp;
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "eventId": self.event,
            "type": self.kind,
            "account": self.account,
            "state": self.state,
            "attempts": self.attempts,
            "lastStatus": self.last_status,
            "lastError": self.last_error,
            "nextAttemptAt": (self.state == State::Waiting).then_some(self.due),
        })
    }
}

pub(crate) fn add(db: &Connection, event: &Event, now: i64) -> Result<(), ApiError> {
    let account = event.account.as_deref().unwrap_or_default();
    db.prepare_cached("INSERT INTO deliveries (account, event, kind, due, state) VALUES (?1, ?2, ?3, ?4, 'waiting')")?
        .execute(params![account, event.id, event.kind, now])?;
    Ok(())
}

pub(crate) fn save(db: &Connection, delivery: &Delivery) -> Result<(), ApiError> {
    db.prepare_cached(
        "UPDATE deliveries SET due = ?2, state = ?3, attempts = ?4, last_status = ?5, last_error = ?6
         WHERE seq = ?1",
    )?
    .execute(params![
        delivery.seq,
        delivery.due,
        delivery.state.as_str(),
        delivery.attempts,
        delivery.last_status,
        delivery.last_error
    ])?;
    Ok(())
}

/// Deliveries that wait and are due, the oldest event first, at most `limit`.
pub(crate) fn waiting(db: &Connection, due: i64, limit: i64) -> Result<Vec<Delivery>, ApiError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE state = 'waiting' AND due <= ?1 ORDER BY seq LIMIT ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map([due, limit], Delivery::of)?.collect::<Result<_, _>>()?;
    Ok(found)
}

/// The log: the latest deliveries, oldest first.
pub(crate) fn log(db: &Connection) -> Result<Vec<Delivery>, ApiError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries ORDER BY seq DESC LIMIT {TOLD}");
    let mut statement = db.prepare_cached(&sql)?;
    let mut found: Vec<Delivery> = statement.query_map([], Delivery::of)?.collect::<Result<_, _>>()?;
    found.reverse();
    Ok(found)
}

pub(crate) fn counts(db: &Connection) -> Result<Value, ApiError> {
    let mut statement = db.prepare_cached("SELECT count(*) FROM deliveries WHERE state = ?1")?;
    let mut counts = json!({});
    for state in State::ALL {
        let count: i64 = statement.query_row([state.as_str()], |row| row.get(0))?;
        counts[json!(state).as_str().unwrap_or_default()] = count.into();
    }
    Ok(counts)
}

/// Another delivery was attempted, so those put behind it may go.
pub(crate) fn release_behind(db: &Connection, attempted: i64) -> Result<(), ApiError> {
    db.prepare_cached("UPDATE deliveries SET state = 'waiting' WHERE state = 'behind' AND seq != ?1")?
        .execute([attempted])?;
    Ok(())
}

/// Releases what is held, of one event or of all. Returns how many were released.
pub(crate) fn release(db: &Connection, event: Option<&str>, now: i64) -> Result<usize, ApiError> {
    let released = db
        .prepare_cached(
            "UPDATE deliveries SET state = 'waiting', due = min(due, ?2)
             WHERE state IN ('held', 'behind') AND (?1 IS NULL OR event = ?1)",
        )?
        .execute(params![event, now])?;
    Ok(released)
}
