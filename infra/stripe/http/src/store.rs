//! The state: SQLite, in memory or in a file.
//!
//! A change is committed before its answer is sent, so a killed process keeps what it promised. A lookup always names
//! the account, so no object can be reached through another account.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;
use crate::webhooks::queue;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS objects (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (account, kind, seq);
    CREATE INDEX IF NOT EXISTS objects_by_customer
        ON objects (account, kind, json_extract(body, '$.customer'), seq);
    CREATE INDEX IF NOT EXISTS objects_by_charge
        ON objects (account, kind, json_extract(body, '$.charge'), seq);
    CREATE INDEX IF NOT EXISTS holds ON objects (json_extract(body, '$.held_until'))
        WHERE kind = 'payment_intent' AND json_extract(body, '$.status') = 'requires_capture';
    CREATE TABLE IF NOT EXISTS idempotency (
        account TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        status INTEGER NOT NULL,
        body TEXT NOT NULL,
        request TEXT NOT NULL,
        created INTEGER NOT NULL,
        PRIMARY KEY (account, key)
    ) WITHOUT ROWID;
";

/// A kind of Stripe object. The stored body is the part that varies; `constants` are the fields that are always the
/// same here. Together they are the object as Stripe returns it.
pub(crate) trait Object: Serialize + DeserializeOwned {
    /// Stripe's `object`, which is also the kind in the table.
    const KIND: &'static str;
    fn id(&self) -> &str;
    fn created(&self) -> i64;
    fn constants() -> Value;
    /// Fields of the stored body that Stripe's object doesn't have.
    const OURS: &'static [&'static str] = &[];

    /// The object as Stripe returns it.
    fn json(&self) -> Value {
        self.whole()
    }

    fn whole(&self) -> Value {
        let mut whole = Self::constants();
        if let (Some(whole), Ok(Value::Object(own))) = (whole.as_object_mut(), serde_json::to_value(self)) {
            whole.extend(own);
            whole.retain(|field, _| !Self::OURS.contains(&field.as_str()));
            whole.insert("object".into(), Self::KIND.into());
            whole.insert("livemode".into(), false.into());
        }
        whole
    }
}

pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    pub fn memory() -> rusqlite::Result<Self> {
        Self::with(Connection::open_in_memory()?)
    }

    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // With a write-ahead log a commit survives the process; only a power cut may lose the last one.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Self::with(connection)
    }

    fn with(connection: Connection) -> rusqlite::Result<Self> {
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch(queue::SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Don't hold the lock over an await. If a holder panicked, its transaction was rolled back.
    pub fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn load<T: Object>(db: &Connection, account: &str, id: &str) -> Result<Option<T>, ApiError> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM objects WHERE id = ?1 AND account = ?2 AND kind = ?3")?
        .query_row(params![id, account, T::KIND], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

pub(crate) fn save<T: Object>(db: &Connection, account: &str, object: &T) -> Result<(), ApiError> {
    let body = serde_json::to_string(object)?;
    db.prepare_cached(
        "INSERT INTO objects (account, kind, id, created, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    )?
    .execute(params![account, T::KIND, object.id(), object.created(), body])?;
    Ok(())
}

pub(crate) fn remove<T: Object>(db: &Connection, account: &str, id: &str) -> Result<(), ApiError> {
    db.prepare_cached("DELETE FROM objects WHERE id = ?1 AND account = ?2 AND kind = ?3")?.execute(params![
        id,
        account,
        T::KIND
    ])?;
    Ok(())
}

/// The account of an object. Only for `/_control/`, which is not bound to an account.
pub(crate) fn account_of(db: &Connection, id: &str) -> Result<Option<String>, ApiError> {
    Ok(db.prepare_cached("SELECT account FROM objects WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?)
}

/// The authorisations of every account that have expired by `now`, in the order of expiry.
pub(crate) fn holds_until<T: Object>(db: &Connection, now: i64) -> Result<Vec<(String, T)>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT account, body FROM objects
         WHERE kind = 'payment_intent' AND json_extract(body, '$.status') = 'requires_capture'
         AND json_extract(body, '$.held_until') <= ?1 ORDER BY json_extract(body, '$.held_until'), seq",
    )?;
    with_accounts(statement.query([now])?)
}

fn with_accounts<T: Object>(mut rows: rusqlite::Rows) -> Result<Vec<(String, T)>, ApiError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?)?));
    }
    Ok(found)
}

/// A condition of a listing.
pub(crate) enum Where {
    /// The field of the stored body equals this text.
    Is(&'static str, String),
    /// The field is absent or null.
    IsNull(&'static str),
    /// The field is one of these texts, in which `*` matches anything.
    Like(&'static str, Vec<String>),
    /// An event with no pending delivery to the endpoint (`true`), or with one.
    Delivered(bool),
    /// `created` compared: `<`, `<=`, `>`, `>=`, `=`.
    Created(&'static str, i64),
    /// Older (`true`) or newer than this object.
    Beside { id: String, older: bool },
}

/// The newest objects first, at most `limit`; with `from_oldest` the `limit` oldest, oldest first.
pub(crate) fn select<T: Object>(
    db: &Connection,
    account: &str,
    conditions: &[Where],
    limit: i64,
    from_oldest: bool,
) -> Result<Vec<T>, ApiError> {
    let mut sql = "SELECT body FROM objects WHERE account = ? AND kind = ?".to_owned();
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(account.to_owned()), Box::new(T::KIND)];
    for condition in conditions {
        match condition {
            Where::Is(field, value) => {
                sql += &format!(" AND json_extract(body, '$.{field}') = ?");
                values.push(Box::new(value.clone()));
            }
            Where::IsNull(field) => {
                sql += &format!(" AND json_extract(body, '$.{field}') IS NULL");
            }
            Where::Like(field, patterns) => {
                let glob = format!("json_extract(body, '$.{field}') GLOB ?");
                sql += &format!(" AND ({})", vec![glob; patterns.len().max(1)].join(" OR "));
                for pattern in patterns {
                    // Of GLOB's wildcards Stripe has only the star.
                    values.push(Box::new(pattern.replace(['?', '['], "")));
                }
                if patterns.is_empty() {
                    values.push(Box::new("*"));
                }
            }
            Where::Delivered(all) => {
                let comparison = if *all { '=' } else { '>' };
                sql += &format!(" AND json_extract(body, '$.pending_webhooks') {comparison} 0");
            }
            Where::Created(comparison, at) => {
                sql += &format!(" AND created {comparison} ?");
                values.push(Box::new(*at));
            }
            Where::Beside { id, older } => {
                let comparison = if *older { '<' } else { '>' };
                sql += &format!(" AND seq {comparison} (SELECT seq FROM objects WHERE id = ?)");
                values.push(Box::new(id.clone()));
            }
        }
    }
    sql += if from_oldest { " ORDER BY seq ASC LIMIT ?" } else { " ORDER BY seq DESC LIMIT ?" };
    values.push(Box::new(limit));
    let mut statement = db.prepare_cached(&sql)?;
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    let mut rows = statement.query(values.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(found)
}

/// Every object of a kind with its account, oldest first. Only for `/_control/`.
pub(crate) fn everywhere<T: Object>(db: &Connection) -> Result<Vec<(String, T)>, ApiError> {
    let mut statement = db.prepare_cached("SELECT account, body FROM objects WHERE kind = ? ORDER BY seq")?;
    with_accounts(statement.query([T::KIND])?)
}
