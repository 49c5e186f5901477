//! `cargo dev import`: loads a studio's file, or a demo studio, into a table.
//!
//! Invariant: a file with a mistake is refused before any of it is written, and every mistake is named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use classpay_domain::id::EnrolmentId;
use classpay_import::{Catalogue, Extent, ImportError, Note, Removals, notes, report};
use classpay_service::clock::local_date;
use classpay_service::store::Store;
use jiff::Timestamp;

use crate::Problem;
use crate::machine::machine_time;
use crate::stack::DYNAMODB_URL;
use crate::table::table_at;

/// The demo studios by name: one in London, where no processing fee is allowed, and one in the United States, with a
/// fee.
const DEMO_STUDIOS: [(&str, &str); 2] = [
    ("demo", include_str!("../../local/demo-studio.json")),
    ("demo-us", include_str!("../../local/demo-studio-us.json")),
];

/// `cargo dev import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The studio; demo and demo-us are the demo studios.
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    /// The table.
    #[arg(long, value_name = "NAME")]
    table: String,
    /// The DynamoDB, with your AWS_* variables unless it is local (the default is a running stack's).
    #[arg(long, default_value = DYNAMODB_URL, value_name = "URL")]
    dynamodb_url: String,
    /// The file is a part of the catalogue: it only adds and changes.
    #[arg(long, conflicts_with = "remove")]
    partial: bool,
    /// Takes away at most this many things: the number that the refusal names. Needed for more than 5 % of a kind.
    #[arg(long, value_name = "N")]
    remove: Option<usize>,
}

/// Executes the command line.
///
/// # Errors
/// The mistakes of the file, or why it isn't loaded.
pub(crate) async fn run(import: &Import) -> Result<(), Problem> {
    let now = machine_time();
    let catalogue = catalogue(Some(&import.file), now)?;
    let extent = match (import.partial, import.remove) {
        (true, _) => Extent::Part,
        (false, None) => Extent::Whole(Removals::Few),
        (false, Some(most)) => Extent::Whole(Removals::AtMost(most)),
    };
    let store = Store::new(table_at(&import.dynamodb_url, &import.table));
    let count = load(&store, &catalogue, extent, now, |text| print!("{text}")).await?;
    println!("{}: {count} documents were new, had changed or were taken away.", catalogue.company.name);
    Ok(())
}

/// Reads and checks the catalogue of the demo studio with this name, or of this file, as of a time. Without a name it
/// is the first demo studio.
///
/// # Errors
/// The file can't be read; or it has mistakes, each of which is named.
pub fn catalogue(name_or_file: Option<&Path>, now: Timestamp) -> Result<Catalogue, Problem> {
    let [(first, _), ..] = DEMO_STUDIOS;
    let file = name_or_file.unwrap_or(Path::new(first));
    let name = file.display().to_string();
    let bytes = match DEMO_STUDIOS.iter().find(|(demo, _)| *demo == name) {
        Some((_, text)) => text.as_bytes().to_vec(),
        None => std::fs::read(file).map_err(|problem| Problem::new(format!("{name}: {problem}")))?,
    };
    Catalogue::read(&bytes, now).map_err(|mistakes| {
        let lines: Vec<_> = mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
        Problem::new(format!("{name} can't be loaded:{}", lines.concat()))
    })
}

/// Warnings for the catalogue's author, one per line: settings without effect, changes that won't happen, and values
/// that stay as they are in the table. `scheduled` are the enrolments that have instalments in the table.
fn noted(catalogue: &Catalogue, of_table: &[Note], scheduled: &BTreeSet<EnrolmentId>, now: Timestamp) -> String {
    let Ok(today) = local_date(now, &catalogue.company.settings.general.timezone) else { return String::new() };
    let of_file = notes(catalogue, today, scheduled);
    let lines: Vec<_> = of_file.iter().chain(of_table).map(|note| format!("  {note}\n")).collect();
    if lines.is_empty() { String::new() } else { format!("Notes:\n{}", lines.concat()) }
}

/// Makes the table hold the catalogue, and reports how many records were added, changed or removed. Changes and
/// warnings are printed before anything is written. Nothing that was sold is reset.
///
/// # Errors
/// The table can't be reached, or more records would be removed than allowed.
pub async fn load(
    store: &Store,
    catalogue: &Catalogue,
    extent: Extent,
    now: Timestamp,
    tell: impl Fn(&str),
) -> Result<usize, Problem> {
    let import = classpay_import::Import::of(store);
    let plan = import.plan(catalogue, extent, now).await.map_err(|problem| not_loaded(&problem))?;
    let changes = plan.changes();
    let (count, described) = (changes.count(), report::described(changes));
    if !described.is_empty() {
        tell(&format!("{}:\n{described}", catalogue.company.name));
    }
    if extent != Extent::Part {
        tell(report::noted(changes));
    }
    tell(&noted(catalogue, &changes.notes, &changes.scheduled, now));
    let overfull = import.write(plan).await.map_err(|problem| not_loaded(&problem))?;
    tell(&report::overfull(&overfull));
    Ok(count)
}

fn not_loaded(problem: &ImportError) -> Problem {
    let advice = match problem {
        ImportError::TakesAway { total, .. } => format!(
            ". If that is meant: cargo dev import … --remove {total}. If the file is only a part of the catalogue: --partial"
        ),
        _ => String::new(),
    };
    Problem::new(format!("the studio: {problem}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_in_each_demo_studio_has_an_effect() {
        let first_day = "2026-09-07T08:00:00Z".parse().unwrap();
        for (name, _) in DEMO_STUDIOS {
            let catalogue = catalogue(Some(Path::new(name)), first_day).unwrap();
            assert_eq!(noted(&catalogue, &[], &BTreeSet::new(), first_day), "", "{name}");
        }
        assert_eq!(catalogue(None, first_day).unwrap(), catalogue(Some(Path::new("demo")), first_day).unwrap());
    }
}
