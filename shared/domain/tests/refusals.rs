//! What can't be sold: one scenario for each broken rule, each naming every item that it is about; which rule is told
//! first; and what staff may do that families may not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario that breaks off has failed")]

mod studio;

use classpay_domain::basket::{BASKET_MAX_ITEMS, Basket, EnrolmentItem, TrialItem};
use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{AgeCutOff, PricingPlan, RegistrationStatus, Studio, TrialState};
use classpay_domain::pricing::{BrokenRule, Buyer};
use jiff::civil::{Date, Weekday, date};
use studio::{
    TODAY, ada_in_a, add_class, add_season, asked, broken, broken_by, class, id, money, monthly, on_sale, one_off,
    place, places, refused, refused_to_staff, season, student, trial, trials, undecided, wanting,
};

/// The Wednesdays of class B that the trials are about.
const FIRST: Date = date(2026, 9, 9);
const SECOND: Date = date(2026, 9, 16);

/// Ada in A and B, Ben in A, all of them allowed.
fn three_places() -> Basket {
    wanting("aA aB bA")
}

fn both(enrolment: EnrolmentItem, trial: TrialItem) -> Basket {
    Basket::new(vec![enrolment], vec![trial])
}

fn enrol(studio: &mut Studio, who: &str, class: &str) {
    studio::enrol(studio, "enr_1", who, class);
}

#[test]
fn a_basket_that_breaks_no_rule_is_sold_to_family_and_staff() {
    let basket = Basket::new(three_places().enrolments().to_vec(), vec![trial("stu_b", "cls_b", FIRST)]);
    assert_eq!(refused(&studio::studio(), &basket), None);
    assert_eq!(refused_to_staff(&studio::studio(), &basket), None);
}

#[test]
fn basket_empty_there_is_nothing_to_name() {
    assert_eq!(refused(&studio::studio(), &places([])), broken(BrokenRule::BasketEmpty, []));
    assert_eq!(refused_to_staff(&studio::studio(), &places([])), broken(BrokenRule::BasketEmpty, []));
}

#[test]
fn basket_too_large_is_over_25_items_of_either_kind() {
    let mut studio = studio::studio();
    for n in 0..=BASKET_MAX_ITEMS {
        let who = format!("stu_{n:02}");
        studio.family.students.insert(id(&who), student(&who, &who));
    }
    let basket = |items: usize| {
        let (tries, enrols) =
            (0..items).map(|n| format!("stu_{n:02}")).partition::<Vec<_>, _>(|who| who < &"stu_10".into());
        let enrolments = enrols.iter().map(|who| place(who, "cls_a", "pp_u")).collect();
        Basket::new(enrolments, tries.iter().map(|who| trial(who, "cls_b", FIRST)).collect())
    };
    assert_eq!(refused(&studio, &basket(25)), None);
    assert_eq!(refused(&studio, &basket(26)), broken(BrokenRule::BasketTooLarge, []));
    assert_eq!(refused_to_staff(&studio, &basket(26)), broken(BrokenRule::BasketTooLarge, []));
}

#[test]
fn not_found_names_nothing_so_that_nobody_learns_what_exists() {
    let mut studio = studio::studio();
    studio.family.students.insert(id("stu_c"), student("stu_c", "Cleo"));
    studio.family.students.get_mut(&id("stu_c")).unwrap().archived = true;
    let table = [
        ("another family's student", place("stu_z", "cls_a", "pp_u")),
        ("an archived student", place("stu_c", "cls_a", "pp_u")),
        ("another company's class", place("stu_a", "cls_z", "pp_u")),
    ];
    for (scenario, item) in table {
        let tried = trial(item.student.as_str(), item.class.as_str(), FIRST);
        for basket in [places([item.clone()]), trials([tried]), places([item, place("stu_b", "cls_b", "pp_u")])] {
            assert_eq!(refused(&studio, &basket), broken(BrokenRule::NotFound, []), "{scenario}");
            assert_eq!(refused_to_staff(&studio, &basket), broken(BrokenRule::NotFound, []), "{scenario}");
        }
    }
}

#[test]
fn duplicate_item_is_the_same_student_and_class_twice_enrolment_or_trial() {
    let studio = studio::studio();
    let twice = places([undecided("stu_a", "cls_a"), place("stu_a", "cls_a", "pp_u"), place("stu_b", "cls_a", "pp_u")]);
    let named_once = broken(BrokenRule::DuplicateItem, ["Ada in Ballet"]);
    assert_eq!(refused(&studio, &twice), named_once);
    assert_eq!(refused_to_staff(&studio, &twice), named_once);
    let tried = both(place("stu_a", "cls_b", "pp_u"), trial("stu_a", "cls_b", FIRST));
    assert_eq!(refused(&studio, &tried), broken(BrokenRule::DuplicateItem, ["Ada in Tap"]));
    let two_trials = trials([trial("stu_a", "cls_b", FIRST), trial("stu_a", "cls_b", SECOND)]);
    assert_eq!(refused(&studio, &two_trials), broken(BrokenRule::DuplicateItem, ["Ada tries Tap on 2026-09-09"]));
}

#[test]
fn already_enrolled_names_each_place_that_is_taken() {
    let mut studio = studio::studio();
    enrol(&mut studio, "stu_a", "cls_a");
    enrol(&mut studio, "stu_a", "cls_b");
    let taken = broken(BrokenRule::AlreadyEnrolled, ["Ada in Ballet", "Ada in Tap"]);
    assert_eq!(refused(&studio, &three_places()), taken);
    assert_eq!(refused_to_staff(&studio, &three_places()), taken);
}

#[test]
fn enrolment_closed_is_for_families_only_and_holds_for_trials() {
    for status in [RegistrationStatus::Never, RegistrationStatus::Closed, RegistrationStatus::Ended] {
        let mut studio = studio::studio();
        season(&mut studio).registration = status;
        let all = broken(BrokenRule::EnrolmentClosed, ["Ada in Ballet", "Ada in Tap", "Ben in Ballet"]);
        assert_eq!(refused(&studio, &three_places()), all, "{status:?}");
        assert_eq!(refused_to_staff(&studio, &three_places()), None, "{status:?}");
        let tried = trials([trial("stu_b", "cls_b", FIRST)]);
        let closed = broken(BrokenRule::EnrolmentClosed, ["Ben tries Tap on 2026-09-09"]);
        assert_eq!(refused(&studio, &tried), closed, "{status:?}");
        assert_eq!(refused_to_staff(&studio, &tried), None, "{status:?}");
    }
    let mut studio = studio::studio();
    class(&mut studio, "cls_b").portal_enrolment = false;
    let basket = Basket::new(three_places().enrolments().to_vec(), vec![trial("stu_b", "cls_b", FIRST)]);
    let of_the_class = broken(BrokenRule::EnrolmentClosed, ["Ada in Tap", "Ben tries Tap on 2026-09-09"]);
    assert_eq!(refused(&studio, &basket), of_the_class);
    assert_eq!(refused_to_staff(&studio, &basket), None);
}

#[test]
fn class_ended_is_for_everyone_once_the_last_lesson_has_begun() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_b").last_lesson_on = FIRST;
    let basket = Basket::new(three_places().enrolments().to_vec(), vec![trial("stu_b", "cls_b", FIRST)]);
    let ended = broken(BrokenRule::ClassEnded, ["Ada in Tap", "Ben tries Tap on 2026-09-09"]);
    for buyer in [Buyer::Family, Buyer::Staff] {
        assert_eq!(broken_by(buyer, &studio, &basket, FIRST), None, "it begins in the afternoon");
        assert_eq!(broken_by(buyer, &studio, &basket, date(2026, 9, 10)), ended);
    }
}

#[test]
fn age_out_of_range_counts_whole_months_both_ends_included() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_a").min_age_months = Some(60);
    class(&mut studio, "cls_a").max_age_months = Some(71);
    let too = broken(BrokenRule::AgeOutOfRange, ["Ada in Ballet"]);
    let table = [
        ("60 months on the season's first day", Some(date(2021, 9, 7)), None),
        ("a day short of them", Some(date(2021, 9, 8)), too.clone()),
        ("a day short of 72 months", Some(date(2020, 9, 8)), None),
        ("72 months", Some(date(2020, 9, 7)), too.clone()),
        ("not born yet", Some(date(2026, 10, 1)), too.clone()),
        ("nobody knows", None, None),
    ];
    for (scenario, born_on, refusal) in table {
        studio.family.students.get_mut(&id("stu_a")).unwrap().born_on = born_on;
        assert_eq!(refused(&studio, &ada_in_a()), refusal, "{scenario}");
        assert_eq!(refused_to_staff(&studio, &ada_in_a()), None, "{scenario}");
    }
}

#[test]
fn age_out_of_range_names_all_and_holds_for_trials() {
    let mut studio = studio::studio();
    for who in ["stu_a", "stu_b"] {
        studio.family.students.get_mut(&id(who)).unwrap().born_on = Some(date(2020, 1, 1));
    }
    class(&mut studio, "cls_b").min_age_months = Some(120);
    let basket = Basket::new(three_places().enrolments().to_vec(), vec![trial("stu_b", "cls_b", FIRST)]);
    let young = broken(BrokenRule::AgeOutOfRange, ["Ada in Tap", "Ben tries Tap on 2026-09-09"]);
    assert_eq!(refused(&studio, &basket), young);
    assert_eq!(refused_to_staff(&studio, &basket), None);
}

#[test]
fn not_found_is_what_is_of_an_archived_class_season_or_family_for_staff_too() {
    type Change = fn(&mut Studio);
    let changes: [Change; 3] = [
        |studio| studio.classes.values_mut().for_each(|on_sale| on_sale.class.archived = true),
        |studio| studio::season(studio).archived = true,
        |studio| studio.family.archived = true,
    ];
    for change in changes {
        let mut studio = studio::studio();
        change(&mut studio);
        for basket in [ada_in_a(), trials([trial("stu_b", "cls_b", FIRST)])] {
            let not_found = broken(BrokenRule::NotFound, []);
            assert_eq!((refused(&studio, &basket), refused_to_staff(&studio, &basket)), (not_found.clone(), not_found));
        }
    }
}

#[test]
fn age_out_of_range_is_asked_at_the_company_s_cut_off() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_a").min_age_months = Some(60);
    let day = |month, day| YearDay::new(month, day).unwrap();
    let table = [
        ("the season's first day", AgeCutOff::FirstDayOfSeason, date(2021, 9, 7)),
        ("a day before it starts, in its year", AgeCutOff::SpecificDate(day(9, 1)), date(2021, 9, 1)),
        ("the day on which it starts", AgeCutOff::SpecificDate(day(9, 7)), date(2021, 9, 7)),
        ("a day of the year before", AgeCutOff::SpecificDate(day(12, 31)), date(2020, 12, 31)),
        ("ten days after it starts", AgeCutOff::DaysAfterSeasonStart(10), date(2021, 9, 17)),
    ];
    for (scenario, cut_off, youngest) in table {
        studio.company.age_cut_off = cut_off;
        let mut born = |on: Date| {
            studio.family.students.get_mut(&id("stu_a")).unwrap().born_on = Some(on);
            refused(&studio, &ada_in_a())
        };
        assert_eq!(born(youngest), None, "{scenario}");
        assert_eq!(
            born(youngest.tomorrow().unwrap()),
            broken(BrokenRule::AgeOutOfRange, ["Ada in Ballet"]),
            "{scenario}"
        );
    }
}

#[test]
fn class_full_names_all_of_the_basket_s_places_in_that_class() {
    let mut studio = studio::studio();
    let full = broken(BrokenRule::ClassFull, ["Ada in Ballet", "Ben in Ballet"]);
    for (left, refusal) in [(None, None), (Some(2), None), (Some(1), full.clone()), (Some(0), full)] {
        on_sale(&mut studio, "cls_a").seats.left = left;
        assert_eq!(refused(&studio, &three_places()), refusal, "{left:?} left");
        assert_eq!(refused_to_staff(&studio, &three_places()), refusal, "{left:?} left");
    }
    on_sale(&mut studio, "cls_b").seats.left = Some(0);
    let mixed = both(place("stu_a", "cls_b", "pp_u"), trial("stu_b", "cls_b", FIRST));
    assert_eq!(refused(&studio, &mixed), broken(BrokenRule::ClassFull, ["Ada in Tap"]), "a trial is not what is full");
    on_sale(&mut studio, "cls_b").seats.left = Some(2);
    assert_eq!(refused(&studio, &mixed), None, "a seat for the place, and one that is left beside the trial");
}

#[test]
fn no_enabled_plan_names_the_places_of_that_season() {
    let mut studio = studio::studio();
    add_season(&mut studio, "sea_2", "Spring").plans = vec![PricingPlan { enabled: false, ..one_off("pp_s") }];
    add_class(&mut studio, "cls_c", "Jazz", "sea_2", Weekday::Friday);
    let places = vec![undecided("stu_a", "cls_a"), undecided("stu_a", "cls_c"), undecided("stu_b", "cls_c")];
    let unpayable = broken(BrokenRule::NoEnabledPlan, ["Ada in Jazz", "Ben in Jazz"]);
    assert_eq!(refused(&studio, &Basket::new(places.clone(), vec![])), unpayable);
    assert_eq!(refused_to_staff(&studio, &Basket::new(places, vec![])), unpayable);
    let tried = trials([trial("stu_a", "cls_c", date(2026, 9, 11))]);
    assert_eq!(refused(&studio, &tried), None, "a trial needs no plan");
}

#[test]
fn r18_plan_not_in_season_is_another_season_s_an_unknown_or_a_disabled_plan() {
    let mut studio = studio::studio();
    season(&mut studio).plans.push(PricingPlan { enabled: false, ..monthly("pp_off", 3) });
    add_season(&mut studio, "sea_2", "Spring").plans = vec![one_off("pp_s")];
    for plan in ["pp_s", "pp_off", "pp_z"] {
        let basket =
            places([place("stu_a", "cls_a", plan), place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_a", plan)]);
        let wrong = broken(BrokenRule::PlanNotInSeason, ["Ada in Ballet", "Ben in Ballet"]);
        assert_eq!(refused(&studio, &basket), wrong, "{plan}");
        assert_eq!(refused_to_staff(&studio, &basket), wrong, "{plan}");
    }
}

#[test]
fn amount_too_large_is_about_the_basket() {
    let mut studio = studio::studio();
    class(&mut studio, "cls_a").price = money(i64::MAX);
    assert_eq!(refused(&studio, &ada_in_a()), broken(BrokenRule::AmountTooLarge, []));
}

mod precedence {
    //! Which rule is told when items break several.
    use super::*;

    #[test]
    fn an_earlier_rule_of_a_later_item_is_told_and_names_that_item_alone() {
        use BrokenRule::*;
        let basket = || both(place("stu_a", "cls_a", "pp_z"), trial("stu_b", "cls_b", SECOND));
        let not_in_season = broken(PlanNotInSeason, ["Ada in Ballet"]);
        let of_trial = |rule| broken(rule, ["Ben tries Tap on 2026-09-16"]);
        type Change = fn(&mut Studio);
        let table: [(_, Change, _); 5] = [
            ("only the plan is wrong", |_| {}, not_in_season.clone()),
            ("a trial's rule comes after", |studio| class(studio, "cls_b").takes_trials = false, not_in_season),
            (
                "the age comes before",
                |studio| {
                    studio.family.students.get_mut(&id("stu_b")).unwrap().born_on = Some(date(2020, 1, 1));
                    class(studio, "cls_b").min_age_months = Some(120);
                },
                of_trial(AgeOutOfRange),
            ),
            (
                "the class's end, too",
                |studio| class(studio, "cls_b").last_lesson_on = date(2026, 9, 1),
                of_trial(ClassEnded),
            ),
            (
                "and its being closed",
                |studio| class(studio, "cls_b").portal_enrolment = false,
                of_trial(EnrolmentClosed),
            ),
        ];
        for (scenario, change, expected) in table {
            let mut studio = studio::studio();
            change(&mut studio);
            assert_eq!(refused(&studio, &basket()), expected, "{scenario}");
        }
    }

    #[test]
    fn staff_are_told_the_next_rule_where_they_may_what_a_family_may_not() {
        use BrokenRule::*;
        let mut studio = studio::studio();
        season(&mut studio).registration = RegistrationStatus::Closed;
        studio.family.students.get_mut(&id("stu_a")).unwrap().born_on = Some(date(2020, 1, 1));
        class(&mut studio, "cls_a").min_age_months = Some(120);
        on_sale(&mut studio, "cls_a").seats.left = Some(0);
        let of_ada = |rule| broken(rule, ["Ada in Ballet"]);
        assert_eq!(refused(&studio, &ada_in_a()), of_ada(EnrolmentClosed));
        assert_eq!(refused_to_staff(&studio, &ada_in_a()), of_ada(ClassFull));
        season(&mut studio).registration = RegistrationStatus::Open;
        assert_eq!(refused(&studio, &ada_in_a()), of_ada(AgeOutOfRange));
        assert_eq!(refused_to_staff(&studio, &ada_in_a()), of_ada(ClassFull));
    }

    /// One basket that breaks everything it can; each rule is put right in turn and the next one is told.
    #[test]
    fn the_first_rule_in_their_order_is_told_until_it_is_put_right() {
        use BrokenRule::*;
        let mut studio = studio::studio();
        season(&mut studio).registration = RegistrationStatus::Closed;
        season(&mut studio).plans.clear();
        studio.company.trials.enabled_on_portal = false;
        studio.company.trials.places_per_lesson = Some(0);
        studio::tried(&mut studio, "stu_a", "cls_b", FIRST, TrialState::Active);
        enrol(&mut studio, "stu_a", "cls_a");
        studio.family.students.get_mut(&id("stu_a")).unwrap().born_on = Some(date(2020, 1, 1));
        let a = on_sale(&mut studio, "cls_a");
        (a.seats.left, a.class.min_age_months, a.class.last_lesson_on) = (Some(0), Some(120), date(2026, 9, 1));
        a.class.price = money(i64::MAX);
        let ada = place("stu_a", "cls_a", "pp_s");
        let tried = trial("stu_a", "cls_b", FIRST);
        let nowhere = place("stu_a", "cls_z", "pp_u");
        let told = |studio: &Studio, items: Vec<EnrolmentItem>| {
            let basket = Basket::new(items, vec![tried.clone()]);
            asked(studio, &basket, TODAY).err().map(|refusal| refusal.rule)
        };
        let only = |studio: &Studio| told(studio, vec![ada.clone()]);

        assert_eq!(told(&studio, vec![nowhere.clone(); 25]), Some(BasketTooLarge));
        assert_eq!(told(&studio, vec![nowhere, ada.clone(), ada.clone()]), Some(NotFound));
        assert_eq!(told(&studio, vec![ada.clone(), ada.clone()]), Some(DuplicateItem));
        assert_eq!(only(&studio), Some(AlreadyEnrolled));
        studio.family.enrolments.clear();
        assert_eq!(only(&studio), Some(EnrolmentClosed));
        season(&mut studio).registration = RegistrationStatus::Open;
        assert_eq!(only(&studio), Some(ClassEnded));
        class(&mut studio, "cls_a").last_lesson_on = date(2026, 12, 18);
        assert_eq!(only(&studio), Some(AgeOutOfRange));
        class(&mut studio, "cls_a").min_age_months = None;
        assert_eq!(only(&studio), Some(ClassFull));
        on_sale(&mut studio, "cls_a").seats.left = None;
        assert_eq!(only(&studio), Some(NoEnabledPlan));
        season(&mut studio).plans.push(one_off("pp_u"));
        assert_eq!(only(&studio), Some(PlanNotInSeason));
        season(&mut studio).plans.push(one_off("pp_s"));
        assert_eq!(only(&studio), Some(TrialNotAvailable));
        studio.company.trials.enabled_on_portal = true;
        assert_eq!(only(&studio), Some(TrialAlreadyUsed));
        studio.family.trials.clear();
        assert_eq!(only(&studio), Some(TrialFull));
        studio.company.trials.places_per_lesson = None;
        assert_eq!(only(&studio), Some(AmountTooLarge));
        class(&mut studio, "cls_a").price = money(850);
        assert_eq!(only(&studio), None);
    }
}
