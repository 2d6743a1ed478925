//! Few-shot draws: nested, disjoint from validation, the same for ever, and plain about what is short.

mod common;

use common::assert_says;
use rut_data::{
    Budget, Draw, DrawOptions, Error, Seed, Share, ShortClass, Shots, ValidationRule, draw,
    draw_beside_validation,
};

const CLASSES: [&str; 3] = ["owl", "crow", "wren"];

/// 30, 40 and 50 images, interleaved.
fn labels() -> Vec<u32> {
    let mut labels: Vec<u32> = [(0, 30), (1, 40), (2, 50)]
        .into_iter()
        .flat_map(|(class, count)| std::iter::repeat_n(class, count))
        .collect();
    Seed(0).stream("labels").shuffle(&mut labels);
    labels
}

fn options(budget: Budget, validation: ValidationRule) -> DrawOptions {
    DrawOptions {
        budget,
        validation,
        short: ShortClass::Refuse,
        seed: Seed(4),
    }
}

fn per_class(shots: usize) -> Budget {
    Budget::PerClass(Shots(shots))
}

fn usual(budget: Budget) -> Draw {
    let options = options(budget, DrawOptions::default_validation(budget));
    draw(&labels(), &CLASSES, &options).expect("enough images")
}

fn is_within(small: &[usize], large: &[usize]) -> bool {
    small.iter().all(|index| large.contains(index))
}

fn is_disjoint(a: &[usize], b: &[usize]) -> bool {
    a.iter().all(|index| !b.contains(index))
}

fn counts(indices: &[usize]) -> [usize; CLASSES.len()] {
    let labels = labels();
    let count = |class| {
        indices
            .iter()
            .filter(|&&index| labels[index] == class)
            .count()
    };
    [count(0), count(1), count(2)]
}

#[test]
fn shots_are_nested_and_disjoint_from_all_validation() {
    let draws: Vec<Draw> = [1, 2, 4, 8, 16, 26]
        .map(|shots| usual(per_class(shots)))
        .into();
    for (at, small) in draws.iter().enumerate() {
        for large in &draws[at..] {
            assert!(is_within(&small.train, &large.train));
            assert!(is_within(&small.validation, &large.validation));
            assert!(is_disjoint(&small.train, &large.validation));
            assert!(is_disjoint(&large.train, &small.validation));
        }
    }
    assert_eq!(counts(&draws[4].train), [16; 3]);
    assert_eq!(counts(&draws[4].validation), [4; 3]);
    assert_eq!(counts(&draws[1].validation), [2; 3]);
}

#[test]
fn an_explicit_rule_gives_every_budget_the_same_validation() {
    for rule in [ValidationRule::PerClass(6), ValidationRule::Fraction(0.25)] {
        let budgets = [Budget::All, per_class(1), per_class(9)];
        let draws = budgets.map(|b| draw(&labels(), &CLASSES, &options(b, rule)).expect("enough"));
        assert_eq!(draws[0].validation, draws[1].validation);
        assert_eq!(draws[0].validation, draws[2].validation);
        assert!(is_within(&draws[1].train, &draws[2].train));
        assert!(is_within(&draws[2].train, &draws[0].train));
        assert!(is_disjoint(&draws[2].train, &draws[2].validation));
    }
}

#[test]
fn without_validation_the_shots_stay_and_short_classes_are_used_up() {
    let none = |shots| {
        draw(
            &labels(),
            &CLASSES,
            &options(per_class(shots), ValidationRule::None),
        )
    };
    assert_eq!(none(16).expect("enough").train, usual(per_class(16)).train);
    let all_of_class_0 = none(30).expect("just enough");
    assert_eq!(counts(&all_of_class_0.train), [30; 3]);
    assert!(is_within(
        &none(26).expect("enough").train,
        &all_of_class_0.train
    ));
    assert!(all_of_class_0.validation.is_empty());
}

#[test]
fn all_images_are_split_by_class() {
    let drawn = usual(Budget::All);
    assert_eq!(counts(&drawn.validation), [3, 4, 5]);
    assert_eq!(counts(&drawn.train), [27, 36, 45]);
    assert!(is_disjoint(&drawn.train, &drawn.validation));
    let mut sorted = drawn.train.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, drawn.train);
    // A share takes one where a class has two, and leaves one to train on.
    let tiny = options(Budget::All, ValidationRule::Fraction(0.1));
    let tiny = draw(&[0, 0, 1, 2, 2, 2], &CLASSES, &tiny).expect("enough");
    assert_eq!((tiny.train.len(), tiny.validation.len()), (4, 2));
}

fn share(value: f64) -> Budget {
    Budget::Fraction(Share::new(value).expect("a share"))
}

#[test]
fn shares_are_nested_and_end_in_all_images() {
    let draws: Vec<Draw> = [0.001, 0.01, 0.1, 0.5, 0.9, 1.0]
        .map(|s| usual(share(s)))
        .into();
    for (at, small) in draws.iter().enumerate() {
        for large in &draws[at..] {
            assert!(is_within(&small.train, &large.train));
            assert!(is_within(&small.validation, &large.validation));
            assert!(is_disjoint(&small.train, &large.validation));
            assert!(is_disjoint(&large.train, &small.validation));
        }
    }
    assert_eq!(draws[5], usual(Budget::All));
    // A tenth of 30, 40 and 50 images, of which again a tenth is for validation.
    assert_eq!(counts(&draws[2].train), [3, 4, 5]);
    assert_eq!(counts(&draws[2].validation), [1, 1, 1]);
    assert_eq!(counts(&draws[0].train), [1, 1, 1]);
    assert_eq!(counts(&draws[3].train), [14, 18, 23]);
}

#[test]
fn a_share_of_validation_is_one_of_what_the_budget_takes() {
    let spelled_out = options(share(0.1), ValidationRule::Fraction(0.1));
    let spelled_out = draw(&labels(), &CLASSES, &spelled_out).expect("enough");
    assert_eq!(spelled_out, usual(share(0.1)));
    let counted = options(share(0.1), ValidationRule::PerClass(5));
    let counted = draw(&labels(), &CLASSES, &counted).expect("enough");
    assert_eq!(counts(&counted.validation), [5, 5, 5]);
    assert!(is_disjoint(&counted.train, &counted.validation));
    let all = draw(
        &labels(),
        &CLASSES,
        &options(Budget::All, ValidationRule::Fraction(0.25)),
    );
    let whole = draw(
        &labels(),
        &CLASSES,
        &options(share(1.0), ValidationRule::Fraction(0.25)),
    );
    assert_eq!(all.expect("enough"), whole.expect("enough"));
}

#[test]
fn a_share_without_validation_is_of_all_images() {
    let none = |value| {
        let options = options(share(value), ValidationRule::None);
        draw(&labels(), &CLASSES, &options).expect("enough")
    };
    assert_eq!(counts(&none(1.0).train), [30, 40, 50]);
    assert_eq!(counts(&none(0.1).train), [3, 4, 5]);
    assert!(none(0.1).validation.is_empty());
    for bad in [0.0, -0.1, 1.5, f64::NAN, f64::INFINITY] {
        let says = ["fraction of the training images", "above 0 and at most 1"];
        assert_says(Share::new(bad), &says);
    }
}

#[test]
fn the_draw_is_pinned() {
    let drawn = usual(per_class(2));
    assert_eq!(drawn.train, [16, 27, 59, 81, 86, 97]);
    assert_eq!(drawn.validation, [18, 19, 55, 99, 106, 113]);
    let other = DrawOptions {
        seed: Seed(5),
        ..options(per_class(2), ValidationRule::None)
    };
    assert_ne!(
        draw(&labels(), &CLASSES, &other).expect("enough").train,
        drawn.train
    );
}

#[test]
fn one_class_does_not_move_another() {
    let with_more: Vec<u32> = labels().into_iter().chain([2, 2, 2]).collect();
    let options = options(per_class(5), ValidationRule::PerClass(4));
    let more = draw(&with_more, &CLASSES, &options).expect("enough").train;
    let less = draw(&labels(), &CLASSES, &options).expect("enough").train;
    let of_others = |drawn: Vec<usize>| -> Vec<usize> {
        drawn
            .into_iter()
            .filter(|&index| with_more[index] != 2)
            .collect()
    };
    assert_eq!(of_others(more), of_others(less));
}

#[test]
fn a_short_class_is_refused_by_name() {
    let usual = |budget| options(budget, DrawOptions::default_validation(budget));
    let refused = draw(&labels(), &CLASSES, &usual(per_class(27)));
    let texts = [
        "class 'owl' (index 0)",
        "found 30",
        "wanted 31",
        "27 shots and 4 kept",
        "lower `n_shot`",
        "`val_shots = 0`",
        "`short_classes = allow`",
    ];
    assert_says(refused, &texts);
    assert_says(
        draw(&[0, 2], &CLASSES, &usual(Budget::All)),
        &["class 'crow'", "found 0", "wanted 1"],
    );
    let counted = options(Budget::All, ValidationRule::PerClass(2));
    assert_says(
        draw(&[0, 0, 1, 1, 1], &CLASSES[..2], &counted),
        &["class 'owl'", "found 2", "wanted 3"],
    );
}

/// The reserve is there for other budgets: where a class has no images for it, it gives way, and all promises hold.
#[test]
fn a_small_class_needs_no_more_than_shots_and_validation() {
    let labels = [0; 6];
    let usual = |shots| {
        let budget = per_class(shots);
        let options = options(budget, DrawOptions::default_validation(budget));
        draw(&labels, &["owl"], &options)
    };
    let drawn: Vec<Draw> = (1..=3).map(|shots| usual(shots).expect("enough")).collect();
    for (shots, draw) in (1..).zip(&drawn) {
        assert_eq!((draw.train.len(), draw.validation.len()), (shots, shots));
        for other in &drawn {
            assert!(is_disjoint(&draw.train, &other.validation));
        }
    }
    for pair in drawn.windows(2) {
        assert!(is_within(&pair[0].train, &pair[1].train));
        assert!(is_within(&pair[0].validation, &pair[1].validation));
    }
    assert_says(usual(4), &["found 6", "wanted 8", "4 shots and 4 kept"]);
    let explicit = |shots, validation| {
        let options = options(per_class(shots), ValidationRule::PerClass(validation));
        draw(&[0, 0], &["owl"], &options)
    };
    let one = explicit(1, 1).expect("two images suffice");
    assert_eq!((one.train.len(), one.validation.len()), (1, 1));
    assert_says(
        explicit(1, 2),
        &["wanted 3", "1 shot and 2 kept", "`val_shots = 0`"],
    );
}

#[test]
fn shots_that_cannot_be_lowered_are_not_told_to_be() {
    let options = options(per_class(1), ValidationRule::PerClass(1));
    let refused = draw(&[0], &["owl"], &options).expect_err("one image");
    let text = refused.to_string();
    assert!(
        text.contains("`val_shots = 0`") && !text.contains("lower"),
        "{text}"
    );
    let refused = draw(
        &[0],
        &["owl", "crow"],
        &DrawOptions {
            validation: ValidationRule::None,
            ..options
        },
    );
    let text = refused.expect_err("no crow").to_string();
    assert!(
        !text.contains("val_shots") && text.contains("`classes`"),
        "{text}"
    );
}

/// 6, 8 and 10 images.
fn own_labels() -> Vec<u32> {
    [(0, 6), (1, 8), (2, 10)]
        .into_iter()
        .flat_map(|(label, count)| vec![label; count])
        .collect()
}

fn beside(budget: Budget, validation: ValidationRule) -> Draw {
    let options = options(budget, validation);
    draw_beside_validation(&labels(), &own_labels(), &CLASSES, &options).expect("enough")
}

fn own_counts(indices: &[usize]) -> [usize; 3] {
    let own = own_labels();
    [0, 1, 2].map(|class| indices.iter().filter(|&&index| own[index] == class).count())
}

#[test]
fn validation_images_of_its_own_are_drawn_by_the_same_rules() {
    let usual = |budget| beside(budget, DrawOptions::default_own_validation(budget));
    let all = usual(Budget::All);
    assert_eq!(
        (counts(&all.train), own_counts(&all.validation)),
        ([30, 40, 50], [6, 8, 10])
    );
    let (two, nine) = (usual(per_class(2)), usual(per_class(9)));
    assert_eq!(
        (counts(&two.train), own_counts(&two.validation)),
        ([2; 3], [2; 3])
    );
    assert_eq!(
        (counts(&nine.train), own_counts(&nine.validation)),
        ([9; 3], [4; 3])
    );
    assert!(is_within(&two.train, &nine.train) && is_within(&two.validation, &nine.validation));
    // The shots are those that are drawn elsewhere; all training images may be shots.
    assert_eq!(two.train, self::usual(per_class(2)).train);
    assert_eq!(counts(&usual(per_class(30)).train), [30; 3]);
    // A share takes what it takes of the training images elsewhere, and never more than there are.
    let tenth = usual(share(0.5));
    assert_eq!(
        (counts(&tenth.train), own_counts(&tenth.validation)),
        ([15, 20, 25], [2, 2, 3])
    );
    let quarter = beside(Budget::All, ValidationRule::Fraction(0.2));
    assert_eq!(
        (counts(&quarter.train), own_counts(&quarter.validation)),
        ([30, 40, 50], [6, 8, 10])
    );
    let three = beside(Budget::All, ValidationRule::PerClass(3));
    assert_eq!(
        (counts(&three.train), own_counts(&three.validation)),
        ([30, 40, 50], [3; 3])
    );
    let none = beside(per_class(5), ValidationRule::None);
    assert!(none.validation.is_empty());
}

#[test]
fn too_few_validation_images_of_its_own_are_refused_or_taken_as_they_are() {
    let refused = options(per_class(4), ValidationRule::PerClass(7));
    let draw =
        |options: &DrawOptions| draw_beside_validation(&labels(), &own_labels(), &CLASSES, options);
    let texts = [
        "'owl'",
        "found 6 validation images",
        "wanted 7",
        "`val_shots = 0`",
        "`short_classes = allow`",
    ];
    assert_says(draw(&refused), &texts);
    let allowed = DrawOptions {
        short: ShortClass::Allow,
        ..refused
    };
    let drawn = draw(&allowed).expect("allowed");
    assert_eq!(own_counts(&drawn.validation), [6, 7, 7]);
    assert_eq!(drawn.short_classes, [(0, 6, 7)]);
}

#[test]
fn a_short_class_is_allowed_and_listed() {
    let budget = per_class(4);
    let allow = DrawOptions {
        short: ShortClass::Allow,
        ..options(budget, DrawOptions::default_validation(budget))
    };
    // 9, 6, 3 and no images; training goes before validation.
    let labels: Vec<u32> = [0; 9].into_iter().chain([1; 6]).chain([2; 3]).collect();
    let drawn = draw(&labels, &["owl", "crow", "wren", "kite"], &allow).expect("allowed");
    assert_eq!(drawn.short_classes, [(1, 6, 8), (2, 3, 8), (3, 0, 8)]);
    let count = |indices: &[usize], class| indices.iter().filter(|&&i| labels[i] == class).count();
    assert_eq!([0, 1, 2].map(|class| count(&drawn.train, class)), [4, 4, 3]);
    assert_eq!(
        [0, 1, 2].map(|class| count(&drawn.validation, class)),
        [4, 2, 0]
    );
}

#[test]
fn bad_options_are_refused() {
    let none = options(per_class(0), ValidationRule::None);
    assert_says(
        draw(&[0], &["owl"], &none),
        &["use number of shots '0'", "1 or more"],
    );
    for share in [1.0, -0.1, f64::NAN] {
        let bad = options(Budget::All, ValidationRule::Fraction(share));
        assert_says(
            draw(&[0], &["owl"], &bad),
            &["use validation fraction", "from 0 up to"],
        );
    }
    let fine = options(Budget::All, ValidationRule::None);
    let wrong = draw(&[0, 7], &CLASSES[..2], &fine);
    assert_says(wrong, &["label of image 1", "below 2", "found 7"]);
}

#[test]
fn budgets_are_read_strictly() {
    for (text, budget) in [
        ("16", per_class(16)),
        ("all", Budget::All),
        (" -1", Budget::All),
    ] {
        assert_eq!(text.parse::<Budget>().expect("a budget"), budget);
    }
    assert_eq!(format!("{} {}", Budget::All, per_class(16)), "all 16");
    for text in [
        "0",
        "0.1",
        "1.0",
        "-2",
        "",
        "many",
        "+3",
        "99999999999999999999999",
    ] {
        let result: Result<Budget, Error> = text.parse();
        assert_says(
            result,
            &[&format!("'{text}'"), "whole number", "'all' (-1)"],
        );
    }
}
