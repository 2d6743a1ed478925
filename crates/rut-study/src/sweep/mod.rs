//! Many runs: their plan and their status. `rut-run` runs one of them.

pub mod axis;
pub mod combination;
pub mod estimate;
pub mod extraction;
mod rate;
pub mod slurm;
pub mod state;
pub mod study;
pub mod study_run;
pub mod upstreams;

pub use axis::Axis;
pub use combination::Combination;
pub use estimate::{Estimate, estimate};
pub use extraction::Extraction;
pub use slurm::{Script, SlurmOptions, SlurmSite};
pub use state::{RunState, RunStatus};
pub use study::Study;
pub use study_run::{StudyRun, StudyRuns};
pub use upstreams::{UpstreamOutcome, measure_upstream, upstreams};
