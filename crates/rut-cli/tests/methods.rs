//! Prompts, label maps, optimisers and joint training on the bundled network: they learn, are evaluated to the same numbers,
//! and refuse what makes no sense.

mod rut;

use std::path::Path;

use rut::{ends, only_run, record, refuses, rut, small};

/// Short runs on three digits, each with its own settings.
const METHODS: [&str; 13] = [
    "vp",
    "vp --mapping blm",
    "vp --mapping blm-plus --map-from training-pass",
    "vp --map-sources 2",
    "vp --mapping full",
    "vp --prompt frame --prompt-width 4 --lr 0.1",
    "vp --prompt watermark --augment crop:4 --lr 0.05",
    "vp --prompt smm --mask-patch 4 --mapping blm --lr 0.003",
    "vp --prompt scale --image-size 20",
    "vp --prompt affine --mapping blm --augment trivial",
    "vp --optimizer sgd --schedule cosine --gradient normalized --lr 5",
    "joint --lr 0.05",
    "joint --prompt lowrank --optimizer sgd --lr 0.05 --schedule cosine-step --warmup 3",
];

fn losses(run: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let loss = |event: serde_json::Value| match event["event"].as_str() {
        Some("epoch") => event["loss"].as_f64(),
        _ => None,
    };
    events.filter_map(loss).collect()
}

fn accuracy(scores: &serde_json::Value) -> f64 {
    scores["raw"]["accuracy"].as_f64().unwrap()
}

#[test]
fn every_method_learns_and_is_evaluated_to_the_same_numbers() {
    for method in METHODS {
        let dir = tempfile::tempdir().unwrap();
        let (command, more) = method.split_once(' ').unwrap_or((method, ""));
        ends(
            small(dir.path(), command, &format!("{more} --epochs 12")),
            0,
        );
        let run = only_run(dir.path());
        let found = accuracy(&record(&run)["test"]);
        // Three classes.
        assert!(found > 0.4, "{method}: {found}");
        let losses = losses(&run);
        let later = losses[6..].iter().copied().fold(f64::MAX, f64::min);
        assert!(later < losses[0], "{method}: {losses:?}");
        let line = format!("eval {} --json", run.display());
        let (again, _) = ends(rut(dir.path(), &line), 0);
        let again = serde_json::from_str(&again).unwrap();
        assert_eq!(accuracy(&again), found, "{method}");
    }
}

/// One and two threads give the same bits, where matrices are multiplied for a prompt, too.
#[test]
fn threads_change_nothing() {
    for method in [
        "vp --prompt smm --mask-patch 4 --mapping blm",
        "joint --prompt affine --augment crop:4,flip,trivial-wide",
    ] {
        let (command, more) = method.split_once(' ').unwrap();
        let [one, two] = [1, 2].map(|threads| {
            let dir = tempfile::tempdir().unwrap();
            let more = format!("{more} --epochs 2 --threads {threads}");
            ends(small(dir.path(), command, &more), 0);
            let run = only_run(dir.path());
            let file = |name: &str| std::fs::read(run.join(name)).unwrap();
            (file("prompt.safetensors"), file("logits.safetensors"))
        });
        assert!(one == two, "{method}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    for (line, texts) in [
        ("vp --map-sources 11", ["map_sources", "from 1 to 10"]),
        ("vp --prompt lowrank --rank 0", ["rank = 0", "from 1 to 32"]),
        (
            "vp --prompt smm --mask-patch 3",
            ["mask_patch = 3", "one of 1, 2, 4"],
        ),
        (
            "vp --squash sigmoid",
            ["squash", "padding makes no use of it"],
        ),
        (
            "vp --momentum 0.5",
            ["momentum", "the optimiser makes no use of it"],
        ),
        (
            "vp --mapping blm --ties index",
            ["ties", "blm makes no use of it"],
        ),
        ("joint --mapping flm", ["mapping", "makes no use of it"]),
        (
            "joint --optimizer spsa",
            ["optimizer = spsa", "adam or sgd"],
        ),
        ("lp --optimizer sgd", ["optimizer = sgd", "adam or lbfgs"]),
        ("vp --augment flip,crop:4", ["augment", "crop"]),
        ("vp --augment blur", ["blur", "trivial-wide"]),
        ("vp --mapping semantic", ["embeddings = none", "semantic"]),
        ("vp --preset smn", ["preset", "'smm'"]),
        ("vp --preset lor-vp", ["lor-vp", "rut joint"]),
        ("vp --milestones 0.9,0.5", ["milestones", "in order"]),
        (
            "vp --optimizer spsa --schedule cosine",
            ["schedule", "SPSA makes no use of it"],
        ),
    ] {
        refuses(dir.path(), &format!("{line} --dry-run"), 2, &texts);
    }
    let line = "vp --mapping semantic --embeddings nowhere.safetensors --dry-run";
    refuses(dir.path(), line, 3, &["nowhere.safetensors"]);
}

#[test]
fn a_dry_run_says_where_the_inputs_of_a_batch_differ() {
    let dir = tempfile::tempdir().unwrap();
    for (line, window) in [
        (
            "vp --image-size 16",
            Some("16 × 16 pixels from row 8, column 8;"),
        ),
        ("vp --prompt watermark", Some("none: every pixel changes,")),
        ("joint --prompt lowrank", Some("none: every pixel changes,")),
        ("lp", None),
    ] {
        let (out, _) = ends(rut(dir.path(), &format!("{line} --dry-run")), 0);
        let found = out
            .lines()
            .find_map(|line| line.strip_prefix("# window     "));
        match window {
            Some(window) => assert!(
                found.is_some_and(|found| found.starts_with(window)),
                "{out}"
            ),
            None => assert_eq!(found, None),
        }
    }
}
