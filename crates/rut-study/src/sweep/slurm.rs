//! A study as job arrays of Slurm: the text of the scripts. What a task of an array does is `rut sweep task`'s; the same
//! command serves other schedulers.

mod time_limit;

use std::path::{Path, PathBuf};

use rut_formats::{escape, is_hidden, shell_word};

use crate::error::{Error, Result, refused};
use time_limit::time_limit;

/// The most tasks of an array: Slurm's `MaxArraySize` is 1001 by default, and indices stay below it.
const MOST_TASKS: usize = 1_000;

/// What a person says of the jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmOptions {
    /// Runs of a task, one after the other; left out, as few as give at most a thousand tasks.
    pub runs_per_task: Option<usize>,
    /// Time limit of a task, as `sbatch` takes it. What is not done by then is saved and queued again.
    pub time: String,
    /// Partition.
    pub partition: Option<String>,
    /// Account.
    pub account: Option<String>,
    /// Generic resources.
    pub gres: Option<String>,
    /// Processors, and threads, of a task.
    pub cpus_per_task: usize,
    /// Memory of a task.
    pub mem: Option<String>,
    /// The most tasks at a time.
    pub array_limit: Option<usize>,
    /// Seconds before the time limit at which runs save their state.
    pub signal_seconds: u32,
    /// Where the last job writes a report.
    pub report: Option<PathBuf>,
}

impl Default for SlurmOptions {
    fn default() -> Self {
        Self {
            runs_per_task: None,
            time: "04:00:00".into(),
            partition: None,
            account: None,
            gres: None,
            cpus_per_task: 1,
            mem: None,
            array_limit: None,
            signal_seconds: 120,
            report: None,
        }
    }
}

/// What the scripts call, and where. All paths are absolute.
#[derive(Clone, Copy, Debug)]
pub struct SlurmSite<'a> {
    /// What the study is called.
    pub title: &'a str,
    /// The program.
    pub binary: &'a Path,
    /// The folder that the study's relative paths are relative to.
    pub working_folder: &'a Path,
    /// Where scripts, plan and logs lie.
    pub folder: &'a Path,
    /// Where the runs' folders are made.
    pub results: &'a Path,
    /// Runs of the plan.
    pub runs: usize,
    /// Sets of features that are extracted before.
    pub extractions: usize,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub text: String,
}

/// The scripts of a study: `runs.sbatch`, `collect.sbatch`, `submit.sh`, and `extract.sbatch` where features are extracted.
///
/// # Errors
/// If an option is out of range, or a word or path cannot stand in a script.
pub fn scripts(options: &SlurmOptions, site: &SlurmSite<'_>) -> Result<Vec<Script>> {
    let job = Job { options, site };
    job.check()?;
    let script = |name, text| Script { name, text };
    let mut scripts = Vec::new();
    if site.extractions > 0 {
        scripts.push(script("extract.sbatch", job.extract()?));
    }
    scripts.push(script("runs.sbatch", job.runs()?));
    scripts.push(script("collect.sbatch", job.collect()?));
    scripts.push(script("submit.sh", job.submit()));
    Ok(scripts)
}

impl SlurmOptions {
    /// Runs of a task, for a plan of `runs`.
    pub fn runs_per_task(&self, runs: usize) -> usize {
        let fewest = runs.div_ceil(MOST_TASKS).max(1);
        self.runs_per_task.unwrap_or(fewest)
    }

    /// Sets of features of a task, for a plan with `extractions`.
    fn sets_per_task(extractions: usize) -> usize {
        extractions.div_ceil(MOST_TASKS).max(1)
    }

    /// Tasks of the array, for a plan of `runs`.
    pub fn tasks(&self, runs: usize) -> usize {
        runs.div_ceil(self.runs_per_task(runs).max(1))
    }
}

struct Job<'a> {
    options: &'a SlurmOptions,
    site: &'a SlurmSite<'a>,
}

impl Job<'_> {
    fn check(&self) -> Result<()> {
        let options = self.options;
        for (field, number) in [
            ("runs_per_task", options.runs_per_task.unwrap_or(1)),
            ("cpus_per_task", options.cpus_per_task),
            ("array_limit", options.array_limit.unwrap_or(1)),
        ] {
            if number == 0 {
                return Err(refused(field, "at least 1", "0"));
            }
        }
        let tasks = options.tasks(self.site.runs);
        if tasks > MOST_TASKS {
            let expected = format!(
                "at most {MOST_TASKS} tasks (`MaxArraySize` of Slurm), so at least {} runs a task",
                self.site.runs.div_ceil(MOST_TASKS)
            );
            return Err(refused(
                "runs_per_task",
                &expected,
                format!("{tasks} tasks"),
            ));
        }
        let words = [
            ("time", Some(&options.time)),
            ("partition", options.partition.as_ref()),
            ("account", options.account.as_ref()),
            ("gres", options.gres.as_ref()),
            ("mem", options.mem.as_ref()),
        ];
        let safe = |c: char| c.is_ascii_alphanumeric() || "_-.:,=+/@".contains(c);
        for (field, word) in words {
            if let Some(word) = word.filter(|word| word.is_empty() || !word.chars().all(safe)) {
                let expected = "a word as `sbatch` takes it, without blanks and quotes";
                return Err(refused(field, expected, word));
            }
        }
        let limit = time_limit(&options.time).ok_or_else(|| {
            let expected =
                "a time as `sbatch` takes it: HH:MM:SS, D-HH:MM:SS, minutes, or UNLIMITED";
            refused("time", expected, &options.time)
        })?;
        if u64::from(options.signal_seconds) >= limit {
            let expected = format!("fewer than the {limit} seconds of the time limit");
            let found = options.signal_seconds.to_string();
            return Err(refused("signal_seconds", &expected, &found));
        }
        Ok(())
    }

    /// The first lines of a script: what it is, and what it asks of Slurm.
    fn head(&self, name: &str, about: &str, array: Option<usize>) -> Result<String> {
        let options = self.options;
        let log = match array {
            Some(_) => "logs/%x-%A_%a.log",
            None => "logs/%x-%j.log",
        };
        // Slurm writes a percent sign of a folder's name as two; what stands behind one it replaces.
        let folder = in_directive(self.site.folder)?.replace('%', "%%");
        let log = format!("{folder}/{log}");
        let mut lines = vec![
            "#!/usr/bin/env bash".to_owned(),
            format!("# {about}"),
            format!("# Study: {}", one_line(self.site.title)),
            "# Made by `rut sweep emit --slurm`. Lines that begin with #SBATCH may be changed; ## turns one off.".into(),
            "#".into(),
            "# The name in the queue.".into(),
            format!("#SBATCH --job-name=rut-{name}"),
        ];
        if let Some(tasks) = array {
            let limit = options.array_limit.map(|limit| format!("%{limit}"));
            lines.push("# Tasks; after a %, the most that run at a time.".into());
            lines.push(format!(
                "#SBATCH --array=0-{}{}",
                tasks.saturating_sub(1),
                limit.unwrap_or_default()
            ));
        }
        lines.push(
            "# Time limit of a task. What is not done by then is saved and queued again.".into(),
        );
        lines.push(format!("#SBATCH --time={}", options.time));
        let cpus = options.cpus_per_task.to_string();
        for (about, key, value) in [
            (
                "Where it runs; the cluster's default without it.",
                "partition",
                options.partition.as_deref(),
            ),
            ("Who pays.", "account", options.account.as_deref()),
            (
                "Generic resources; rut computes on processors.",
                "gres",
                options.gres.as_deref(),
            ),
            (
                "Processors of a task, and its threads.",
                "cpus-per-task",
                Some(cpus.as_str()),
            ),
            (
                "Memory of a task; the cluster's default without it.",
                "mem",
                options.mem.as_deref(),
            ),
        ] {
            lines.push(format!("# {about}"));
            lines.push(match value {
                Some(value) => format!("#SBATCH --{key}={value}"),
                None => format!("##SBATCH --{key}="),
            });
        }
        lines.push("# Begin again after a node was lost; what was saved is not lost.".into());
        lines.push("#SBATCH --requeue".into());
        lines.push("# Logs; a task that is queued again goes on in its file.".into());
        lines.push("#SBATCH --open-mode=append".into());
        lines.push(format!("#SBATCH --output=\"{}\"", log));
        // A job that is no array has nothing to save, and the signal would end it.
        if array.is_some() {
            lines.push("# How long before the time limit runs are asked to save, in seconds after the @: longer than a step takes.".into());
            lines.push(format!(
                "#SBATCH --signal=B:USR1@{}",
                options.signal_seconds
            ));
        }
        Ok(format!("{}\n\n{}", lines.join("\n"), self.places()))
    }

    fn places(&self) -> String {
        format!(
            "set -u\n\
             # The program, the plan, and the folder that the plan's relative paths are relative to.\n\
             rut={}\nplan={}\ncd -- {} || exit 1\n",
            shell_word(self.site.binary),
            shell_word(&self.site.folder.join("plan.jsonl")),
            shell_word(self.site.working_folder),
        )
    }

    fn extract(&self) -> Result<String> {
        let about = "Extracts the features that probes of the study share: task K the sets K*N to K*N + N - 1, where N is \
                     sets_per_task. Probes whose features are not there extract them themselves.";
        let count = SlurmOptions::sets_per_task(self.site.extractions);
        let tasks = self.site.extractions.div_ceil(count);
        let head = self.head("extract", about, Some(tasks))?;
        let call = "\"$rut\" sweep task \"$plan\" --extract \"$SLURM_ARRAY_TASK_ID\" --runs-per-task \"$sets_per_task\" \\\n    \
                    --threads \"${SLURM_CPUS_PER_TASK:-1}\"";
        Ok(format!(
            "{head}# Sets of a task; --array above goes with it.\nsets_per_task={count}\n\n{}",
            saving(call)
        ))
    }

    fn runs(&self) -> Result<String> {
        let about = "Runs the study: task K runs the runs K*N to K*N + N - 1 of the plan, where N is runs_per_task. \
                     What is done is skipped, what is half done goes on.";
        let head = self.head("runs", about, Some(self.options.tasks(self.site.runs)))?;
        let count = self.options.runs_per_task(self.site.runs);
        let call = "\"$rut\" sweep task \"$plan\" --task \"$SLURM_ARRAY_TASK_ID\" --runs-per-task \"$runs_per_task\" \\\n    \
                    --threads \"${SLURM_CPUS_PER_TASK:-1}\"";
        Ok(format!(
            "{head}# Runs of a task; --array above goes with it.\nruns_per_task={count}\n\n{}",
            saving(call)
        ))
    }

    fn collect(&self) -> Result<String> {
        let about = "Prints the status of the study, once all its tasks have ended, and measures its networks on their own source data, \
                     where that is there.";
        let head = self.head("collect", about, None)?;
        let mut text = format!("{head}\n\"$rut\" sweep status \"$plan\"\ncode=$?\n");
        text.push_str(
            "# For the report. What was measured is not measured again.\n\
             \"$rut\" sweep task \"$plan\" --upstream --threads \"${SLURM_CPUS_PER_TASK:-1}\" || true\n",
        );
        if let Some(report) = &self.options.report {
            text.push_str(&format!(
                "# Where the report is written.\nreport={}\n\"$rut\" report {} --out \"$report\" || code=$?\n",
                shell_word(report),
                shell_word(self.site.results),
            ));
        }
        text.push_str("exit \"$code\"\n");
        Ok(text)
    }

    fn submit(&self) -> String {
        let title = one_line(self.site.title);
        let mut text = format!(
            "#!/usr/bin/env bash\n\
             # Queues the study: {title}\n\
             # Queue it again to try failed runs again; what is done is skipped.\n\
             set -eu\ncd -- \"$(dirname -- \"$0\")\"\n\n"
        );
        let after = |job: &str| format!(" --dependency=\"afterany:${{{job}%%;*}}\"");
        let mut before = String::new();
        if self.site.extractions > 0 {
            text.push_str(
                "# Features first. Runs begin when this has ended, even if some of it failed: they can extract themselves.\n\
                 extract=$(sbatch --parsable extract.sbatch)\necho \"extract: ${extract%%;*}\"\n",
            );
            before = after("extract");
        }
        text.push_str(&format!(
            "runs=$(sbatch --parsable{before} runs.sbatch)\necho \"runs:    ${{runs%%;*}}\"\n\
             # At the end, whether all runs succeeded or not.\n\
             collect=$(sbatch --parsable{} collect.sbatch)\necho \"collect: ${{collect%%;*}}\"\n",
            after("runs")
        ));
        text
    }
}

/// Runs `call`, and hands on what Slurm says shortly before the end: the state is saved, and the task queued again.
fn saving(call: &str) -> String {
    format!(
        "child=\nrequeue=0\ninterrupted=0\n\
         save() {{\n    interrupted=1\n    if [ -n \"$child\" ]; then kill -TERM \"$child\" 2>/dev/null || true; fi\n}}\n\
         # USR1 comes shortly before the time limit: save, and queue the task again.\n\
         trap 'requeue=1; save' USR1\n\
         # TERM comes when the job is cancelled or must make room: save. Slurm itself queues again what it stopped.\n\
         trap 'save' TERM\n\n\
         {call} &\nchild=$!\n\
         # A signal that came before there was a child is handed on now.\n\
         if [ \"$interrupted\" = 1 ]; then save; fi\n\
         # A signal ends `wait` before the child has ended: then wait again.\n\
         while :; do\n    interrupted=0\n    wait \"$child\"\n    code=$?\n    if [ \"$interrupted\" = 0 ]; then break; fi\ndone\n\n\
         # Not by SLURM_JOB_ID: the last task's is the number of the whole array.\n\
         again() {{ scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}\"; }}\n\
         # 130: stopped on request, with the state saved; 143: it had not begun yet.\n\
         if [ \"$requeue\" = 1 ] && {{ [ \"$code\" = 130 ] || [ \"$code\" = 143 ]; }}; then again; fi\n\
         # 4: another process works on one of the runs, a former self on a lost node, say. Look again, ten times at most.\n\
         if [ \"$code\" = 4 ] && [ \"${{SLURM_RESTART_COUNT:-0}}\" -lt 10 ]; then again; fi\n\
         exit \"$code\"\n"
    )
}

/// A path between the quotes of an `#SBATCH` line, which no shell reads.
fn in_directive(path: &Path) -> Result<String> {
    let is_safe = |text: &&str| !text.contains(['"', '\\']) && !text.chars().any(is_hidden);
    let text = path.to_str().filter(is_safe);
    text.map(str::to_owned).ok_or_else(|| {
        let expected = "in UTF-8, without quotes, backslashes and control characters";
        unwritable(path, expected)
    })
}

fn unwritable(path: &Path, expected: &str) -> Error {
    refused(
        "output",
        format!("paths {expected}, for they stand in scripts"),
        path.display().to_string(),
    )
}

fn one_line(title: &str) -> String {
    let words = title.split_whitespace().collect::<Vec<_>>().join(" ");
    escape(&words).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(runs: usize) -> SlurmSite<'static> {
        SlurmSite {
            title: "two\nlines",
            binary: Path::new("/opt/it's/rut"),
            working_folder: Path::new("/work here"),
            folder: Path::new("/work here/jobs"),
            results: Path::new("/work here/results"),
            runs,
            extractions: 3,
        }
    }

    fn text(options: &SlurmOptions, runs: usize, name: &str) -> String {
        let scripts = scripts(options, &site(runs)).unwrap();
        scripts.into_iter().find(|s| s.name == name).unwrap().text
    }

    #[test]
    fn an_array_never_has_more_tasks_than_slurm_takes_by_default() {
        let options = SlurmOptions::default();
        for (runs, per_task, last) in [(1, 1, 0), (1000, 1, 999), (1001, 2, 500), (5000, 5, 999)] {
            let text = text(&options, runs, "runs.sbatch");
            assert!(
                text.contains(&format!("runs_per_task={per_task}\n")),
                "{runs}"
            );
            assert!(
                text.contains(&format!("--array=0-{last}\n")),
                "{runs}: {text}"
            );
        }
        let one = SlurmOptions {
            runs_per_task: Some(1),
            ..options
        };
        let error = scripts(&one, &site(1001)).unwrap_err().to_string();
        assert!(error.contains("at least 2 runs a task"), "{error}");
    }

    #[test]
    fn only_what_saves_is_told_to() {
        let options = SlurmOptions::default();
        let signal = "#SBATCH --signal=B:USR1@120\n";
        for (name, signalled) in [
            ("extract.sbatch", true),
            ("runs.sbatch", true),
            ("collect.sbatch", false),
        ] {
            let text = text(&options, 4, name);
            assert_eq!(text.contains(signal), signalled, "{name}");
            assert_eq!(
                text.contains("trap 'requeue=1; save' USR1"),
                signalled,
                "{name}"
            );
        }
    }

    #[test]
    fn paths_and_words_are_quoted_or_refused() {
        let text = text(&SlurmOptions::default(), 4, "runs.sbatch");
        assert!(text.contains("rut='/opt/it'\\''s/rut'"), "{text}");
        assert!(text.contains("--output=\"/work here/jobs/logs/"), "{text}");
        assert!(text.contains("# Study: two lines\n"), "{text}");
        let bad = SlurmOptions {
            partition: Some("a b".into()),
            ..SlurmOptions::default()
        };
        let error = scripts(&bad, &site(4)).unwrap_err().to_string();
        assert!(error.contains("partition"), "{error}");
    }

    #[test]
    fn a_signal_comes_before_the_end() {
        let error = |time: &str, signal_seconds| {
            let options = SlurmOptions {
                time: time.into(),
                signal_seconds,
                ..SlurmOptions::default()
            };
            scripts(&options, &site(4)).unwrap_err().to_string()
        };
        assert!(error("00:01:00", 60).contains("signal_seconds"));
        for time in ["1:2:3:4", "an hour", "1-", "-1", "4h"] {
            assert!(error(time, 1).contains("time"), "{time}");
        }
    }
}
