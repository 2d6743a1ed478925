#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! - [`linear_probe()`]: a linear head trained on frozen features; [`linear_probe_grid()`]: a grid of them in one pass; their
//!   arithmetic is [`SoftmaxRegression`]; [`logistic_probe()`]: fitted to its optimum, by
//!   [`minimize()`]; [`logistic_search()`]: with a search for the penalty.
//! - [`Baseline`]: nearest neighbours, class means and ridge regression on the same features; [`ProbeHead`] is a head of any
//!   kind.
//! - [`visual_prompt()`]: a trained change of the input, with a label map refreshed while it trains. [`PROMPTS`] and
//!   [`LABEL_MAPPINGS`] are the tables of both.
//! - [`joint()`]: a prompt and a new head on the features, trained together.
//! - [`FeatureCache`], [`Extractor`]: what linear probing trains on, extracted once and kept on disk.
//! - [`LabelMap`], [`Prompt`], [`LinearHead`], [`Adam`], [`Sgd`], [`Spsa`], [`Schedule`]: the parts.
//! - [`Observer`]: who listens to the loops while they run. Nothing here prints or knows where results are kept.
//!
//! It is not the place of run specifications, folders or records: those are `rut-record`.

mod baseline;
mod descent;
mod epochs;
mod error;
mod evaluate;
mod features;
mod head;
mod images;
mod joint;
mod label_map;
mod lbfgs;
mod linear_probe;
mod loss;
mod observer;
mod optimizer;
mod probe_head;
mod products;
mod progress;
mod prompt;
mod schedule;
mod select;
mod softmax_regression;
mod state;
mod visual_prompt;

pub use baseline::{Baseline, KnnHead, PrototypeHead};
pub use descent::{DESCENT_OPTIONS, Descent, PromptOptimizer};
pub use epochs::{Finished, LoopOptions};
pub use error::{Error, Result};
pub use evaluate::{PASS_BATCH, Pass};
pub use features::{
    Extracted, Extractor, FeatureCache, FeatureKey, FeatureMatrix, FeatureShape, LabelledFeatures,
    Wanted,
};
pub use head::LinearHead;
pub use images::LabelledImages;
pub use joint::{Joined, JointOptions, joint};
pub use label_map::{
    Evidence, EvidenceFrom, INTERVAL, LABEL_MAPPINGS, LabelMap, LabelMappingSpec, MAP_FROM,
    MAP_SOURCES, MadeMap, Making, MappingChoice, REMAP, Refresh, TIES, Ties, bayesian_weights,
    check_classes, check_sources, find_label_mapping, frequency_map, kept_probabilities,
    random_map, semantic_map,
};
pub use lbfgs::{Stopping, minimize};
pub use linear_probe::{
    C_SEARCH_FITS, CSearch, CStep, Fit, Fitted, GridMember, LogisticOptions, ProbeSplits, Probed,
    RELATIVE_GRADIENT, check_grid, linear_probe, linear_probe_grid, logistic_probe,
    logistic_search, probe_logits,
};
pub use loss::{cross_entropy, gradients, label_tensor, score};
pub use observer::{LoopControl, Observer, ObserverError, Silent};
pub use optimizer::{Adam, GradientDescent, GradientForm, GradientRule, Sgd, Spsa, SpsaOptions};
pub use probe_head::ProbeHead;
pub use progress::Reporter;
pub use prompt::{
    NewPrompt, PROMPTS, PaddingPrompt, Prompt, PromptRow, PromptShape, Prompted, find_prompt,
};
pub use rut_data::Seed;
pub use rut_record::ScheduleKind;
pub use schedule::{Rate, Schedule, ScheduleOptions};
pub use softmax_regression::{HeadRates, SoftmaxRegression};
pub use state::{TrainingState, serialize};
pub use visual_prompt::{
    Mapped, PromptOptions, PromptSplits, PromptedNetwork, mapped, visual_prompt,
};
