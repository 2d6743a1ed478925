//! Missing and broken data: messages and exit codes. The readers' own tests stand in `rut-data`.

mod rut;

use std::fs;

use rut::{ends, only_run, record, refuses, rut};

#[test]
fn missing_data_name_the_command_that_fetches_them() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "vp --dataset cifar10 --model resnet20_cifar100 --sparsity 8 --data-dir {}",
        dir.path().display()
    );
    refuses(
        dir.path(),
        &line,
        3,
        &["cifar-10-batches-bin", "`rut fetch cifar10`", "--data-dir"],
    );
}

#[test]
fn broken_images_in_a_folder_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("birds");
    for class in ["crow", "owl"] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for i in 0..10 {
            let pixels: Vec<u8> = (0..64).map(|p| (p * i) as u8).collect();
            fs::write(
                folder.join(class).join(format!("{i}.pgm")),
                [b"P5 8 8 255\n".as_slice(), &pixels].concat(),
            )
            .unwrap();
        }
    }
    let line = format!(
        "lp --dataset {} --model resnet20_cifar100 --sparsity 8 --n-shot 2 --epochs 2 --results-path {}",
        folder.display(),
        dir.path().join("results").display()
    );
    ends(rut(dir.path(), &line), 0);
    for i in 0..10 {
        fs::write(folder.join(format!("owl/{i}.pgm")), b"not an image").unwrap();
    }
    refuses(
        dir.path(),
        &format!("{line} --overwrite"),
        1,
        &["owl", ".pgm", "rut data check", "--skip-unreadable"],
    );
    for i in 1..10 {
        let pixels: Vec<u8> = (0..64).map(|p| (p * i + 3) as u8).collect();
        let bytes = [b"P5 8 8 255\n".as_slice(), &pixels].concat();
        fs::write(folder.join(format!("owl/{i}.pgm")), bytes).unwrap();
    }
    fs::remove_dir_all(dir.path().join("results")).unwrap();
    refuses(
        dir.path(),
        &format!("{line} --skip-unreadable 0"),
        1,
        &["at most 0 that cannot be read", "found 1", "owl/0.pgm"],
    );
    let (_, printed) = ends(rut(dir.path(), &format!("{line} --skip-unreadable all")), 0);
    assert!(
        printed.contains("left out: 1 image that cannot be read"),
        "{printed}"
    );
    let run = only_run(dir.path());
    let record = record(&run);
    assert_eq!(record["spec"]["skip_unreadable"], "all");
    let skipped = record["data"]["skipped"].as_array().expect("a list");
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0]["image"], "owl/0.pgm");
    assert!(skipped[0]["problem"]
        .as_str()
        .is_some_and(|text| text.starts_with("no image")));
}

#[test]
fn a_truncated_archive_and_a_label_out_of_range_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar-10-batches-bin");
    fs::create_dir(&folder).unwrap();
    let record = |label: u8| [vec![label], vec![7; 3072]].concat();
    let files = [
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
        "test_batch.bin",
    ];
    for file in files {
        let images: Vec<u8> = (0..20).flat_map(|i| record(i % 10)).collect();
        fs::write(folder.join(file), images).unwrap();
    }
    let line = format!(
        "lp --dataset cifar10 --model resnet20_cifar100 --sparsity 8 --n-shot 2 --epochs 1 --dry-run --data-dir {}",
        dir.path().display()
    );
    ends(rut(dir.path(), &line), 0);
    fs::write(folder.join("data_batch_3.bin"), &record(1)[..3000]).unwrap();
    refuses(dir.path(), &line, 1, &["data_batch_3.bin", "3000"]);
    fs::write(
        folder.join("data_batch_3.bin"),
        [record(1), record(10)].concat(),
    )
    .unwrap();
    refuses(dir.path(), &line, 1, &["data_batch_3.bin", "10"]);
}
