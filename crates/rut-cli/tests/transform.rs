//! Transform and normalisation on the command line, and the block at the beginning of a run that shows them.

mod rut;

use rut::tensors::Tensors;
use rut::{checkpoint, ends, only_run, record, refuses, rut, DIGITS};

fn dry_run(dir: &std::path::Path, more: &str) -> String {
    let file = checkpoint(0);
    let line = format!(
        "{DIGITS} --network dense --checkpoint {} --dry-run {more}",
        file.display()
    );
    ends(rut(dir, &line), 0).0
}

fn line<'a>(out: &'a str, start: &str) -> &'a str {
    let found = out.lines().find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line begins with {start}:\n{out}"))
}

#[test]
fn what_is_said_of_the_transform_is_shown_and_part_of_the_id() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dry_run(dir.path(), "");
    assert_eq!(
        line(&plain, "# transform"),
        "# transform  squash 32, rgb, bilinear; mean [0.5071, 0.4865, 0.4409], std [0.2673, 0.2564, 0.2762]"
    );
    let id = |out: &str| line(out, "# run id").to_owned();
    let own = "--mean 0.5071,0.4865,0.4409 --std 0.2673,0.2564,0.2762 --interpolation bilinear";
    assert_eq!(id(&dry_run(dir.path(), own)), id(&plain), "the model's own");
    for (more, printed) in [
        ("--mean 0.5,0.5,0.5", "mean [0.5, 0.5, 0.5], std [0.2673"),
        ("--interpolation bicubic", "squash 32, rgb, bicubic; mean"),
        (
            "--resize 40",
            "rgb, shorter-side 40, center-crop 32, bilinear",
        ),
        (
            "--resize 40 --crop 28",
            "rgb, shorter-side 40, center-crop 28",
        ),
    ] {
        let out = dry_run(dir.path(), more);
        assert!(line(&out, "# transform").contains(printed), "{more}: {out}");
        assert_ne!(id(&out), id(&plain), "{more}");
    }
    let file = format!(
        "{DIGITS} --network dense --checkpoint {}",
        checkpoint(0).display()
    );
    for (more, texts) in [
        ("--mean 0.5,0.5", ["mean", "3"]),
        ("--mean 123.7,116.3,103.5", ["mean", "255"]),
        ("--crop 64", ["crop", "32"]),
        ("--resize 40 --image-size 16", ["image_size", "both"]),
    ] {
        refuses(dir.path(), &format!("{file} {more}"), 2, &texts);
    }
    let prompted = file.replacen("lp", "vp", 1);
    refuses(
        dir.path(),
        &format!("{prompted} --crop 28"),
        2,
        &["crop", "visual prompting"],
    );
    ends(
        rut(
            dir.path(),
            &format!("{prompted} --interpolation bicubic --dry-run"),
        ),
        0,
    );
}

#[test]
fn a_run_begins_with_weights_transform_split_and_labels() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let file = checkpoint(0);
    let line_of = |more: &str| {
        format!(
            "{DIGITS} --network dense --checkpoint {} --results-path {} --resize 40 --interpolation bicubic {more}",
            file.display(),
            results.display()
        )
    };
    let (_, err) = ends(rut(dir.path(), &line_of("")), 0);
    let dry = ends(rut(dir.path(), &line_of("--dry-run")), 0).0;
    for row in ["method ", "weights ", "transform ", "split ", "labels "] {
        let printed = line(&err, row);
        assert_eq!(line(&dry, &format!("# {row}")), format!("# {printed}"));
    }
    assert!(
        line(&err, "weights ").contains("100.00 % kept, 100 source classes"),
        "{err}"
    );
    assert!(
        line(&err, "labels ").contains("20 training + 20 validation = 40 labels used"),
        "{err}"
    );
    let run = only_run(dir.path());
    let printed = record(&run)["data"]["preprocessing"].to_string();
    assert!(
        printed.contains("rgb, shorter-side 40, center-crop 32, bicubic"),
        "{printed}"
    );
    ends(rut(dir.path(), &format!("eval {}", run.display())), 0);
}

#[test]
fn extract_does_to_images_what_lp_does_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let extracted = |name: &str, more: &str| {
        let out = dir.path().join(name);
        let line = format!(
            "extract --dataset digits --model resnet20_cifar100 --network dense --checkpoint {} --features -o {} {more}",
            checkpoint(0).display(),
            out.display()
        );
        let (_, err) = ends(rut(dir.path(), &line), 0);
        let features = Tensors::read(&out).0.remove("features").unwrap().1;
        (features, err)
    };
    let (plain, err) = extracted("plain.safetensors", "");
    assert!(err.contains("--transform weights"), "{err}");
    let (as_lp, err) = extracted("lp.safetensors", "--transform lp");
    assert!(
        plain == as_lp && !err.contains("--transform weights"),
        "{err}"
    );
    let (curved, _) = extracted(
        "curved.safetensors",
        "--transform lp --interpolation bicubic",
    );
    let (other, _) = extracted("other.safetensors", "--transform lp --mean 0.5,0.5,0.5");
    assert!(plain != curved && plain != other);
    let (weights, _) = extracted("weights.safetensors", "--transform weights");
    assert_eq!(
        weights,
        extracted("named.safetensors", "--weights chenyaofo").0
    );
}
