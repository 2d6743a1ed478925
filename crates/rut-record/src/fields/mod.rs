//! The table of fields: keys of a specification that are no options of a row, and keys of paths and resources.

/// A table of fields: of each the key, what stands for a value in help, the kind and the heading; then what it has beside what
/// [`Field::new`] gives it; last its help.
macro_rules! fields {
    ($(
        $key:literal $value:literal, $kind:ident $(($words:ident))?, $heading:ident,
        $($fact:ident: $is:expr,)*
        $help:literal;
    )*) => {
        &[$(Field {
            $($fact: $is,)*
            ..Field::new($key, $value, Kind::$kind $(($words))?, $heading, $help)
        }),*]
    };
}

mod locations;
mod words;

pub use locations::LOCATION_FIELDS;

use crate::choices::{HeadKind, Optimizer, ScheduleKind};
use crate::field::{Field, Flag, Kind};
use crate::spec::RunSpec;
use words::{
    C_SEARCH, CACHE_DTYPE, ECE_BATCHES, ECE_VALUES, HEAD, INTERPOLATION, MASKING, NETWORK_KIND,
    ON_OR_OFF, OPTIMIZER, SCHEDULE, SELECT, SHORT_CLASSES, VALIDATION,
};

const DATA: &str = "Data";
const LABELS: &str = "Labels";
const NETWORK: &str = "Network";
const TRANSFORM: &str = "Transform (belongs to the weights)";
const TRAINING: &str = "Training";
const PROBING: &str = "Linear probing";
/// The heading of prompts, label mappings and their options.
pub const PROMPTING: &str = "Visual prompting";
const ECE: &str = "Published ECE";
const PATHS_AND_RESOURCES: &str = "Paths and resources";

fn is_probe(spec: &RunSpec) -> bool {
    spec.probe().is_some()
}

fn is_prompt(spec: &RunSpec) -> bool {
    spec.prompt().is_some()
}

/// Whether the run trains by steps on batches.
fn has_steps(spec: &RunSpec) -> bool {
    spec.probe().is_none_or(|probe| probe.has_steps())
}

/// Whether the run's learning rate follows a schedule.
fn has_schedule(spec: &RunSpec) -> bool {
    has_steps(spec) && spec.optimizer() != Optimizer::Spsa
}

/// Whether something is trained: no other head than a linear one.
fn is_trained(spec: &RunSpec) -> bool {
    is_head(spec, HeadKind::Linear) || !is_probe(spec)
}

/// Whether a head is fitted to the optimum under a penalty.
fn has_penalty(spec: &RunSpec) -> bool {
    is_head(spec, HeadKind::Linear) && spec.optimizer() == Optimizer::Lbfgs
}

fn is_head(spec: &RunSpec, head: HeadKind) -> bool {
    spec.probe().is_some_and(|probe| probe.head == head)
}

/// Keys of a specification, in the order in which help and indices list them. Options of prompts and label mappings are their
/// rows' own.
pub const FIELDS: &[Field] = fields! {
    "method" "NAME", Name, TRAINING, flag: Flag::None,
        "The adaptation: lp, vp or joint";
    "dataset" "NAME|FOLDER", Text, DATA,
        "Name in the table of data sets (`rut data list`), or a folder of class folders";
    "split" "NAME", Text, DATA, left_out: "the data set's first",
        "Which of the data set's splits (`rut data info NAME`), or stratified:SEED";
    "skip_unreadable" "N|all", Text, DATA, left_out: "0",
        "Leave out up to this many unreadable images, or `all` of them; they are counted and listed in the record";
    "classes" "LIST", Texts, DATA,
        "Only these classes, by name or index (`0-9,stop`), relabelled in this order";
    "validation" "own|drawn", Words(VALIDATION), LABELS,
        left_out: "own, if a user's data set has validation images besides train and test",
        "Validate on the data set's own validation images, or on images drawn from the training images";
    "n_shot" "N|all", Text, LABELS, instead_of: &["fraction"],
        "Training images per class; `all` or -1 for all of them";
    "fraction" "SHARE", Number, LABELS, instead_of: &["n_shot"],
        "This share of the training images of each class instead of `n_shot`, a tenth of it for validation";
    "val_fraction" "SHARE", Number, LABELS, left_out: "0.1 of full data", instead_of: &["val_shots"],
        "Share of the training images of each class kept for validation; 0 for none";
    "val_shots" "N", Count, LABELS, left_out: "min(n, 4) beside n shots", instead_of: &["val_fraction"],
        "Validation images per class; 0 for none";
    "short_classes" "RULE", Words(SHORT_CLASSES), LABELS,
        flag: Flag::Switch { name: "allow-short", value: "allow" },
        "Accept classes with fewer images than requested";
    "model" "NAME", Name, NETWORK,
        "Name in the table of models (`rut models list`)";
    "network" "KIND", Words(NETWORK_KIND), NETWORK,
        "Dense, a lottery ticket (the reference's LT), or quantized (`rut quantize`)";
    "sparsity" "K", Count, NETWORK, left_out: "9",
        "State of iterative pruning: finds MODEL*_K_checkpoint and MODEL*_K_mask in `pretrained_dir`";
    "bits" "B", Count, NETWORK,
        "Bits of the weights of a quantized network: finds MODEL*_wB_checkpoint in `pretrained_dir`";
    "activation_bits" "B", Count, NETWORK, left_out: "activations of all bits",
        "Bits of its activations: finds MODEL*_wBaB_checkpoint";
    "pretrained_dir" "DIR", Path, NETWORK,
        "The folder that is searched for checkpoints and masks";
    "checkpoint" "FILE", Path, NETWORK,
        "A checkpoint (.safetensors, .pth, .pt, .th) instead of `pretrained_dir`";
    "checkpoint_key" "KEY", Text, NETWORK, left_out: "the only place where the network's names fit",
        "The checkpoint's dictionaries and modules that lead to the network, joined by points \
             (`teacher.backbone`); `.` is the file itself";
    "mask" "FILE", Path, NETWORK,
        "The mask of `checkpoint`";
    "masking" "RULE", Words(MASKING), NETWORK, flag: Flag::None,
        "Whether the mask of a ticket is applied";
    "recipe" "TEXT", Text, NETWORK,
        "How the network was trained, in words, for records and reports; no part of a run's identity";
    "source_classes" "N", Count, NETWORK, left_out: "as many as it has",
        "Classes that the checkpoint's classifier must have";
    "mean" "R,G,B", Numbers, TRANSFORM, left_out: "the model's",
        "Mean of each channel that the network was trained with, R,G,B from 0 to 1";
    "std" "R,G,B", Numbers, TRANSFORM, left_out: "the model's",
        "Standard deviation of each channel";
    "resize" "PIXELS", Count, TRANSFORM,
        left_out: "resize to the network's square; beside `crop`, as the model's weights were evaluated",
        used: is_probe,
        "Resize the shorter side to this, then crop the centre";
    "crop" "PIXELS", Count, TRANSFORM,
        left_out: "beside `resize`, as the model's weights were evaluated", used: is_probe,
        "Side of the centre crop";
    "interpolation" "NAME", Words(INTERPOLATION), TRANSFORM, left_out: "bilinear",
        "The interpolation of resizing";
    "engine" "NAME", Name, PATHS_AND_RESOURCES,
        "The engine that computes the frozen network";
    "precision" "NAME", Name, PATHS_AND_RESOURCES,
        "The precision that the frozen network computes in";
    "preset" "NAME", Name, TRAINING, left_out: "none",
        "A published recipe (`rut presets`): it gives values to what nothing else sets";
    "epochs" "N", Count, TRAINING,
        instead_of: &["steps"], aliases: &["epoch"], used: |spec| spec.training.steps.is_none() && is_trained(spec),
        "Passes over the training images";
    "steps" "N", Count, TRAINING, instead_of: &["epochs"], used: has_steps,
        "Instead of `epochs`: optimiser steps, the same for few images as for many";
    "batch_size" "N", Count, TRAINING, used: has_steps,
        "Images per step";
    "lr" "RATE", Number, TRAINING, used: has_steps, instead_of: &["lr_grid"],
        "The learning rate at the start; of spsa, its gain";
    "optimizer" "NAME", Words(OPTIMIZER), TRAINING, used: is_trained,
        "The optimiser";
    "schedule" "NAME", Words(SCHEDULE), TRAINING, used: has_schedule,
        "How the learning rate changes";
    "milestones" "A,B", Numbers, TRAINING, left_out: "0.5,0.72",
        used: |spec| has_schedule(spec) && spec.training.schedule == ScheduleKind::MultiStep,
        "Shares of the training after which `multistep` takes a tenth of the learning rate";
    "warmup" "N", Count, TRAINING, used: has_schedule,
        "Steps at the start in which the learning rate rises from 0";
    "weight_decay" "DECAY", Number, TRAINING,
        used: |spec| is_trained(spec) && spec.optimizer() != Optimizer::Spsa, instead_of: &["weight_decay_grid"],
        "Weight decay: times the parameters, added to their gradients; of lbfgs, of the weights only";
    "augment" "LIST", Texts, TRAINING, left_out: "none", used: is_prompt,
        "How training images are augmented, in order: crop:N, flip, trivial, trivial-wide";
    "head" "NAME", Words(HEAD), PROBING, used: is_probe,
        "What is fitted on the features";
    "neighbours" "K", Count, PROBING, left_out: "20", used: |spec| is_head(spec, HeadKind::Knn),
        "Nearest training images that `knn` takes";
    "knn_temperature" "T", Number, PROBING, left_out: "0.07", used: |spec| is_head(spec, HeadKind::Knn),
        "What `knn` divides cosines by";
    "ridge_alpha" "ALPHA", Number, PROBING, left_out: "1", used: |spec| is_head(spec, HeadKind::Ridge),
        "Penalty of `ridge`: times the squared weights, added to the squared error of all training images";
    "lr_grid" "LIST", Numbers, PROBING, used: |spec| is_probe(spec) && has_steps(spec), instead_of: &["lr"],
        "Train all these learning rates in one pass over the features; the best on the validation images is kept";
    "weight_decay_grid" "LIST", Numbers, PROBING, used: |spec| is_head(spec, HeadKind::Linear), instead_of: &["weight_decay"],
        "The same for weight decays; with `lr_grid`, every pair of both";
    "c_search" "RULE", Words(C_SEARCH), PROBING, left_out: "none", used: has_penalty,
        instead_of: &["weight_decay", "weight_decay_grid"],
        "Search for the penalty of lbfgs on the validation images";
    "cache_dtype" "TYPE", Words(CACHE_DTYPE), PROBING, used: is_probe,
        "Precision of cached features";
    "seed" "SEED", Whole, LABELS,
        "Seeds few-shot draws, orders and initial values";
    "shuffle" "on|off", Words(ON_OR_OFF), TRAINING,
        flag: Flag::Switch { name: "no-shuffle", value: "off" }, used: has_steps,
        "Keep the training images in their order";
    "select" "RULE", Words(SELECT), TRAINING, used: has_steps,
        "Which epoch is selected";
    "eval_every" "N", Count, TRAINING,
        left_out: "1 for probing and for a selected epoch, else 10", used: has_steps,
        "Score the validation images every so many epochs; 0 for never";
    "prompt" "NAME", Name, PROMPTING, used: is_prompt,
        "How the input is changed";
    "mapping" "NAME", Name, PROMPTING, used: |spec| spec.mapping().is_some(),
        "Label mapping";
    "image_size" "PIXELS", Count, TRANSFORM, left_out: "do not", used: is_probe,
        "First resize images to this side";
    "ece_values" "WHAT", Words(ECE_VALUES), ECE, flag: Flag::None,
        "Which values the ECE as published bins";
    "ece_batches" "RULE", Words(ECE_BATCHES), ECE, flag: Flag::None,
        "Over which images the ECE as published is taken";
};

/// Pairs of fields that replace one another: setting one drops the other from lower layers.
pub const ALTERNATIVES: [(&str, &str); 2] = [("fraction", "n_shot"), ("steps", "epochs")];
