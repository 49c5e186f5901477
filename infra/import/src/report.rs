//! What an import changes, in words.
//!
//! Invariant: whatever is taken away is named, each thing on a line of its own, with what goes on without it.

use crate::changes::{Changes, Kind, KindChanges, Outstanding, Overfull, TakenAway};

/// What will be added, changed and taken away; nothing if nothing will. Amounts are in minor units.
#[must_use]
pub fn described(changes: &Changes) -> String {
    let of_note = changes.kinds.iter().filter(|(_, kind)| kind.added + kind.changed + kind.taken_away.len() > 0);
    of_note
        .map(|(kind, change)| {
            let given_up = change.taken_away.iter().chain(&change.archived);
            let taken = given_up.map(|taken| format!("    {}\n", taken_away(*kind, taken, changes)));
            format!("  {}: {}\n{}", kind.names().1, counts(change), taken.collect::<String>())
        })
        .collect()
}

fn counts(change: &KindChanges) -> String {
    let taken = change.taken_away.len();
    let counts = [
        (change.added > 0).then(|| format!("{} added", change.added)),
        (change.changed > 0).then(|| format!("{} changed{}", change.changed, archived(change))),
        (taken > 0).then(|| format!("{taken} of {} taken away", change.before)),
    ];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn archived(change: &KindChanges) -> String {
    match change.archived.len() {
        0 => String::new(),
        count => format!(", {count} of them archived by the file"),
    }
}

fn taken_away(kind: Kind, taken: &TakenAway, changes: &Changes) -> String {
    let what = if kind == Kind::Holiday { "removed" } else { "archived" };
    let named = named(&taken.name, &taken.id);
    if taken.outstanding.is_none() {
        return format!("{named} is {what}");
    }
    let Outstanding { enrolments, trials, instalments, instalments_amount, due } = taken.outstanding;
    let currency = changes.currency.code();
    let stays = [
        (enrolments != 0).then(|| format!("{enrolments} live enrolment{}", plural(enrolments == 1))),
        (trials != 0).then(|| format!("{trials} trial{} to come", plural(trials == 1))),
        (instalments != 0).then(|| {
            format!("{instalments} instalment{} to come of {instalments_amount} {currency}", plural(instalments == 1))
        }),
        (due != 0).then(|| format!("{due} {currency} due")),
    ];
    format!("{named} is {what}; what was sold stays: {}", stays.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

const fn plural(is_one: bool) -> &'static str {
    if is_one { "" } else { "s" }
}

fn named(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { format!("{name} ({id})") }
}

/// What the table can't tell of; nothing if it can.
#[must_use]
pub fn noted(changes: &Changes) -> &'static str {
    if changes.is_unlisted {
        "  An earlier version has loaded this company, and its classes, families and students may not all be listed: one that\n  \
         isn't, and that this file lacks, stays as it is. If there are such, load the file that the table has first, then this one.\n"
    } else {
        ""
    }
}

/// The classes and lessons that have more students than places.
#[must_use]
pub fn overfull(classes: &[Overfull]) -> String {
    classes.iter().map(|class| format!("  {}\n", too_many(class))).collect()
}

fn too_many(Overfull { class, name, on, places, taken, added }: &Overfull) -> String {
    let (name, leave) = (named(name, class), taken - places + 1);
    let (trials, has) = match on {
        Some(on) => (format!(" trials in its lesson on {on}"), "booked"),
        None => (String::new(), "enrolled"),
    };
    let full = format!("{name} takes {places}{trials} and has {taken}: it stays full until {leave} have left.");
    if added.is_empty() {
        return full;
    }
    let added: Vec<_> = added.iter().map(|(student, id)| named(student, id)).collect();
    format!("{full} The file has {has} {}.", added.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use classpay_domain::catalogue::Currency;

    use super::*;

    #[test]
    fn what_is_taken_away_is_named_with_what_goes_on_without_it() {
        let outstanding = Outstanding { enrolments: 1, trials: 2, instalments: 2, instalments_amount: 11400, due: 500 };
        let taken = |id: &str, name: &str, outstanding| TakenAway { id: id.into(), name: name.into(), outstanding };
        let classes = vec![taken("cls_1", "Ballet", outstanding), taken("cls_2", "", Outstanding::default())];
        let holidays = vec![taken("hol_1", "Half-term", Outstanding::default())];
        let of = |added, taken_away| KindChanges { before: 20, added, changed: 0, taken_away, archived: Vec::new() };
        let kinds = [(Kind::Class, of(3, classes)), (Kind::Holiday, of(0, holidays)), (Kind::Season, of(0, vec![]))];
        let currency = Currency::parse("gbp").unwrap();
        let (notes, scheduled) = (Vec::new(), BTreeSet::new());
        let text = described(&Changes { kinds: BTreeMap::from(kinds), currency, is_unlisted: false, notes, scheduled });
        assert_eq!(
            text,
            "  holidays: 1 of 20 taken away\n    Half-term (hol_1) is removed\n  classes: 3 added, 2 of 20 taken away\n    \
             Ballet (cls_1) is archived; what was sold stays: 1 live enrolment, 2 trials to come, 2 instalments to \
             come of 11400 gbp, 500 gbp due\n    cls_2 is archived\n"
        );
    }

    #[test]
    fn a_class_and_a_lesson_that_are_too_full_are_told_apart() {
        let ballet = |on: Option<&str>, added: (&str, &str)| Overfull {
            class: "cls_1".into(),
            name: "Ballet".into(),
            on: on.map(|on| on.parse().unwrap()),
            places: 2,
            taken: 3,
            added: vec![(added.0.into(), added.1.into())],
        };
        let text = overfull(&[ballet(None, ("Ada", "enr_1")), ballet(Some("2026-11-30"), ("", "trl_1"))]);
        assert_eq!(
            text,
            "  Ballet (cls_1) takes 2 and has 3: it stays full until 2 have left. The file has enrolled Ada (enr_1).\n  \
             Ballet (cls_1) takes 2 trials in its lesson on 2026-11-30 and has 3: it stays full until 2 have left. The file \
             has booked trl_1.\n"
        );
    }
}
