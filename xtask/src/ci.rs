//! `cargo xtask ci`: what CI runs, as a table. Nothing runs in CI that is not in it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{docs, package, tidy};

/// One row of [`STEPS`].
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What it is called when it fails.
    pub name: &'static str,
    /// What it runs.
    pub action: Action,
}

/// What a step runs.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// cargo with these arguments; its output is the step's.
    Cargo(&'static [&'static str]),
    /// A function of this program, and the command that runs it alone.
    Task(fn(&Path) -> Result<()>, &'static str),
}

impl Action {
    /// The command that a person types to run the step alone.
    pub fn command(&self) -> String {
        match self {
            Self::Cargo(arguments) => format!("cargo {}", arguments.join(" ")),
            Self::Task(_, command) => (*command).to_owned(),
        }
    }

    fn run(&self, root: &Path) -> Result<()> {
        match self {
            Self::Cargo(arguments) => cargo(root, arguments),
            Self::Task(task, _) => task(root),
        }
    }
}

/// The steps, quick ones first.
pub const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        action: Action::Cargo(&["fmt", "--all", "--check"]),
    },
    Step {
        name: "tidy",
        action: Action::Task(tidy::run, "cargo xtask tidy"),
    },
    Step {
        name: "clippy",
        action: Action::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Step {
        name: "docs",
        action: Action::Task(docs::build, "cargo xtask docs"),
    },
    Step {
        name: "test",
        action: Action::Cargo(&["test", "--workspace"]),
    },
    Step {
        name: "features",
        // The whole workspace, so that nothing that was built for the step before is built in another way.
        action: Action::Cargo(&[
            "test",
            "--workspace",
            "--features",
            "rut-data/hdf5,xtask/models",
            "--test",
            "abide",
            "--test",
            "fetch",
        ]),
    },
    Step {
        name: "wheel",
        action: Action::Task(package::wheel, "cargo xtask wheel"),
    },
    Step {
        name: "package",
        action: Action::Task(package::check, "cargo xtask package"),
    },
];

/// Runs every step in the checkout at `root`; the first that fails is the last that runs.
///
/// # Errors
/// If a step fails. The error names it and the command that repeats it.
pub fn run(root: &Path) -> Result<()> {
    run_steps(STEPS, root)
}

fn run_steps(steps: &[Step], root: &Path) -> Result<()> {
    let mut times = Vec::new();
    for step in steps {
        let command = step.action.command();
        eprintln!("ci: {}: {command}", step.name);
        let start = Instant::now();
        let outcome = step.action.run(root);
        times.push((step.name, start.elapsed()));
        if let Err(error) = outcome {
            report(&times);
            return Err(error).with_context(|| {
                format!(
                    "ci failed at step `{}` (repeat it with `{command}`)",
                    step.name
                )
            });
        }
    }
    report(&times);
    eprintln!("ci: all {} steps passed", steps.len());
    Ok(())
}

fn report(times: &[(&str, Duration)]) {
    for (name, time) in times {
        eprintln!("ci: {name:<8}{:>8.1} s", time.as_secs_f64());
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    let status = crate::cargo::command()
        .args(arguments)
        .current_dir(root)
        .status()
        .context("failed to start cargo")?;
    if !status.success() {
        bail!("`cargo {}` ended with {status}", arguments.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(_: &Path) -> Result<()> {
        Ok(())
    }

    fn fails(_: &Path) -> Result<()> {
        bail!("the reason")
    }

    fn must_not_run(_: &Path) -> Result<()> {
        unreachable!("a step after the one that failed")
    }

    #[test]
    fn the_first_failure_is_named_and_ends_the_run() {
        let step = |name, task| Step {
            name,
            action: Action::Task(task, "cargo xtask x"),
        };
        let steps = [step("a", passes), step("b", fails), step("c", must_not_run)];
        let error = run_steps(&steps, Path::new(".")).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "ci failed at step `b` (repeat it with `cargo xtask x`): the reason"
        );
        run_steps(&steps[..1], Path::new(".")).unwrap();
    }

    #[test]
    fn ci_runs_the_readmes_test_command() {
        assert!(
            STEPS
                .iter()
                .any(|step| step.action.command() == "cargo test --workspace")
        );
    }
}
