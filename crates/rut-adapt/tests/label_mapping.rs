//! Frequency maps against `golden/label_mapping.json`, made by the reference's rule with ties to the smaller index.

use rut_adapt::{Evidence, Ties, frequency_map};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    source_classes: usize,
    target_classes: usize,
    predicted_source: Vec<u32>,
    target_label: Vec<u32>,
    mapping: Vec<u32>,
}

#[test]
fn all_maps_are_the_reference_s() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../golden/label_mapping.json"
    );
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(golden.cases.len(), 5);
    for case in golden.cases {
        let mut evidence = Evidence::new(case.source_classes, case.target_classes);
        for (&source, &label) in case.predicted_source.iter().zip(&case.target_label) {
            evidence.add_prediction(source, label);
        }
        let found = frequency_map(&evidence, Ties::Index, 1).unwrap();
        assert_eq!(
            found.map.sources().unwrap(),
            case.mapping,
            "{} sources, {} targets",
            case.source_classes,
            case.target_classes
        );
    }
}
