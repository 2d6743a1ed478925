//! `rut data` and `rut models`: what they print of every row of their tables.

mod rut;

use rut::{ends, rut};

#[test]
fn every_fact_that_is_told_has_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let printed = |line: &str| ends(rut(dir.path(), line), 0).0;
    for table in ["data", "models"] {
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&printed(&format!("{table} list --json"))).unwrap();
        for row in rows {
            let name = row["name"].as_str().unwrap();
            let text = printed(&format!("{table} info {name}"));
            assert!(
                text.starts_with(&format!("name           {name}\n")),
                "{text}"
            );
            let empty = |line: &&str| line.get(15..).is_none_or(|value| value.trim().is_empty());
            assert_eq!(
                text.lines().find(empty),
                None,
                "{table} info {name}:\n{text}"
            );
        }
    }
    assert!(!printed("data info digits").contains("looks for"));
    let cifar10 = printed("data info cifar10");
    let split = "split          official: 50000 training, 10000 test; as published; looks for cifar-10-batches-bin";
    assert!(cifar10.contains(split), "{cifar10}");
}
