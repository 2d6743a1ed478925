//! The scripts of a job array, run by a `sbatch` and a `scontrol` of the test's own, with a blank in every path. A real Slurm
//! is `experiments/slurm`'s.

#![cfg(unix)]

mod rut;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rut::{ends, record, root};

/// Runs each task of a script's array at once, in order, and says a job's number.
const SBATCH: &str = r#"#!/usr/bin/env bash
script=${!#}
echo "$*" >> "$FAKE/sbatch.log"
last=$(sed -n 's/^#SBATCH --array=0-\([0-9]*\).*/\1/p' "$script")
for task in $(seq 0 "${last:-0}"); do
    SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task SLURM_CPUS_PER_TASK=1 bash "$script" >> "$FAKE/$(basename "$script").log" 2>&1
    echo "$script $task ended with $?" >> "$FAKE/sbatch.log"
done
echo "7;cluster"
"#;

const SCONTROL: &str = "#!/usr/bin/env bash\necho \"$*\" >> \"$FAKE/scontrol.log\"\n";

struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    fn new(study: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("a cluster ")
            .tempdir()
            .unwrap();
        let cluster = Self { folder };
        fs::create_dir(cluster.at("bin")).unwrap();
        for (name, text) in [("bin/sbatch", SBATCH), ("bin/scontrol", SCONTROL)] {
            fs::write(cluster.at(name), text).unwrap();
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(cluster.at(name), executable).unwrap();
        }
        let base = "[base]\ndataset = 'digits'\nclasses = ['0-2']\nmodel = 'resnet20_cifar100'\nsparsity = 8\n\
                    batch_size = 5\nsave_every = 0\n";
        fs::write(cluster.at("study.toml"), format!("{base}{study}")).unwrap();
        cluster
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(root())
            .env_clear()
            .env("XDG_CACHE_HOME", self.at("cache"))
            .env("FAKE", self.folder.path())
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.at("bin").display()),
            );
        command
    }

    fn rut(&self, command: &str) -> Command {
        let mut rut = self.command(Path::new(env!("CARGO_BIN_EXE_rut")));
        rut.args(["sweep", command]).arg(self.at("study.toml"));
        rut.arg("--results-path").arg(self.at("results"));
        rut
    }

    fn emit(&self, words: &[&str]) {
        let mut emit = self.rut("emit");
        emit.arg("--slurm").arg("--output").arg(self.at("jobs"));
        emit.args(words);
        ends(emit, 0);
        for script in fs::read_dir(self.at("jobs")).unwrap() {
            let script = script.unwrap().path();
            if script.extension().is_some_and(|kind| kind != "jsonl") {
                let mut check = self.command(Path::new("bash"));
                check.arg("-n").arg(script);
                ends(check, 0);
            }
        }
    }

    fn status(&self) -> serde_json::Value {
        let mut status = self.rut("status");
        status.arg("--json");
        serde_json::from_str(&ends(status, 0).0).unwrap()
    }
}

#[test]
fn a_job_array_ends_like_a_sweep() {
    let axes = "epochs = 3\n[axes]\nmethod = ['lp', 'vp']\nn_shot = [2, 4]\nseed = [1, 2]\nsparsity = [8, 9]";
    let (array, local) = (Cluster::new(axes), Cluster::new(axes));
    array.emit(&["--runs-per-task", "3", "--array-limit", "2"]);
    let runs = array.read("jobs/runs.sbatch");
    assert!(runs.contains("#SBATCH --array=0-5%2\n"), "{runs}");
    let mut submit = array.command(Path::new("bash"));
    submit.arg(array.at("jobs/submit.sh"));
    let (out, _) = ends(submit, 0);
    assert!(out.contains("runs:    7\n"), "{out}");
    let log = array.read("sbatch.log");
    assert!(
        log.contains("--dependency=afterany:7 collect.sbatch"),
        "{log}"
    );
    assert!(log.contains("runs.sbatch 0 ended with 1"), "{log}");
    let collected = array.read("collect.sbatch.log");
    assert!(collected.contains("state 9"), "{collected}");
    // State 9 is not there: those runs fail in both.
    ends(local.rut("run"), 1);
    let status = array.status();
    assert_eq!(status["runs"], local.status()["runs"]);
    assert_eq!(status["counts"]["done"], 8);
    for run in status["runs"].as_array().unwrap() {
        if run["state"] == "done" {
            let at = |cluster: &Cluster| {
                record(&cluster.at("results").join(run["run_id"].as_str().unwrap()))
            };
            assert_eq!(at(&array), at(&local));
        }
    }
    // A second time, only what failed is tried.
    let before = array.read("runs.sbatch.log").len();
    let mut submit = array.command(Path::new("bash"));
    submit.arg(array.at("jobs/submit.sh"));
    ends(submit, 0);
    let again = array.read("runs.sbatch.log").split_off(before);
    assert_eq!(again.matches("done before").count(), 8, "{again}");
}

#[test]
fn a_task_that_runs_out_of_time_is_saved_and_queued_again() {
    let axes = "epochs = 2000\nmethod = 'vp'\nn_shot = 4\n[axes]\nseed = [1, 2]";
    let cluster = Cluster::new(axes);
    cluster.emit(&["--runs-per-task", "2"]);
    let mut task = cluster.command(Path::new("bash"));
    let mut task = task
        .arg(cluster.at("jobs/runs.sbatch"))
        .envs([("SLURM_ARRAY_JOB_ID", "42"), ("SLURM_ARRAY_TASK_ID", "0")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let saved = || {
        let runs = fs::read_dir(cluster.at("results")).into_iter().flatten();
        let mut runs = runs.flatten().map(|run| run.path());
        runs.any(|run| run.join("state.safetensors").exists())
    };
    let started = Instant::now();
    while !saved() {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut kill = Command::new("kill");
    kill.args(["-USR1", &task.id().to_string()]);
    assert!(kill.status().unwrap().success());
    assert_eq!(task.wait().unwrap().code(), Some(130));
    assert_eq!(cluster.read("scontrol.log"), "requeue 42_0\n");
    let counts = &cluster.status()["counts"];
    assert_eq!(
        (&counts["half done"], &counts["missing"]),
        (&1.into(), &1.into())
    );
}
