//! Parts that names say, in any case and with more around them.

use super::*;

#[test]
fn names_say_parts_in_any_case() {
    let said = |name: &str| Part::in_name(name);
    for (names, part) in [
        (
            "train Train TRAINING train2017 trainset Training_Set train-images",
            Part::Train,
        ),
        (
            "val valid Valid validation VALIDATION dev Dev val_set",
            Part::Validation,
        ),
        (
            "test Test testing TESTING eval Evaluation testset",
            Part::Test,
        ),
    ] {
        for name in names.split(' ') {
            assert_eq!(said(name), Some((part, String::new())), "{name}");
        }
    }
    assert_eq!(said("seg_train"), Some((Part::Train, "seg".into())));
    assert_eq!(said("Seg-Test"), Some((Part::Test, "seg".into())));
    for name in [
        "",
        "trains",
        "contest",
        "trainval",
        "train_test",
        "device",
        "latest",
        "0000",
    ] {
        assert_eq!(said(name), None, "{name}");
    }
}

#[test]
fn parts_share_what_else_they_say() {
    let among = |names: &str| {
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        parts_among(&names).map(|found| {
            let found = found.unwrap_or_default().into_iter().map(|(_, name)| name);
            found.collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(
        among("seg_pred seg_test seg_train"),
        Ok("seg_train seg_test".into())
    );
    assert_eq!(among("Test Train Valid"), Ok("Train Valid Test".into()));
    // Classes of crash tests and trains are none.
    assert_eq!(among("bullet_train crash_test"), Ok(String::new()));
    assert_eq!(among("bus car train"), Ok(String::new()));
    assert_eq!(among("test val"), Ok(String::new()));
    // What was read before stays.
    assert_eq!(among("train val validation"), Ok("train val".into()));
    assert_eq!(
        among("test test_masks train train_masks"),
        Ok("train test".into())
    );
    assert!(among("Train TRAIN test").is_err());
    assert!(among("a_train a_test b_train b_test").is_err());
}
