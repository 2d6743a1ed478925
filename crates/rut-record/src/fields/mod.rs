//! The table of fields: keys of a specification that are no options of a row, and those of places.

mod places;
mod words;

pub use places::PLACE_FIELDS;

use crate::choices::Optimizer;
use crate::field::{Field, Flag, Kind};
use crate::spec::RunSpec;
use words::{
    CACHE_DTYPE, ECE_BATCHES, ECE_VALUES, INTERPOLATION, MASKING, NETWORK_KIND, ON_OR_OFF,
    OPTIMIZER, SELECT, SHORT_CLASSES, VALIDATION,
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
const PLACES_AND_MEANS: &str = "Places and means";

fn is_probe(spec: &RunSpec) -> bool {
    spec.probe().is_some()
}

fn is_prompt(spec: &RunSpec) -> bool {
    spec.prompt().is_some()
}

/// Whether the run trains by steps of Adam on batches.
fn has_steps(spec: &RunSpec) -> bool {
    spec.probe()
        .is_none_or(|probe| probe.optimizer == Optimizer::Adam)
}

/// Keys of a specification, in the order in which help and indices list them. Options of prompts and label mappings are their
/// rows' own.
pub const FIELDS: &[Field] = &[
    Field {
        flag: Flag::None,
        ..Field::new(
            "method",
            "NAME",
            Kind::Name,
            TRAINING,
            "What is adapted, and how: lp or vp",
        )
    },
    Field::new(
        "dataset",
        "NAME|FOLDER",
        Kind::Text,
        DATA,
        "Name in the table of data sets (`rut data list`), or a folder of class folders",
    ),
    Field {
        left_out: "the data set's first",
        ..Field::new(
            "split",
            "NAME",
            Kind::Text,
            DATA,
            "Which of the data set's splits (`rut data info NAME`), or stratified:SEED",
        )
    },
    Field {
        left_out: "0",
        ..Field::new(
            "skip_unreadable",
            "N|all",
            Kind::Text,
            DATA,
            "Leave out so many images that cannot be read, or `all` of them; they are counted and listed in the record",
        )
    },
    Field::new(
        "classes",
        "LIST",
        Kind::Texts,
        DATA,
        "Only these classes, by name or index (`0-9,stop`), relabelled in this order",
    ),
    Field {
        left_out: "own, where a user's data set has some beside train and test",
        ..Field::new(
            "validation",
            "own|drawn",
            Kind::Words(VALIDATION),
            LABELS,
            "Validate on the data set's own validation images, or on some drawn from the training images",
        )
    },
    Field {
        instead_of: &["fraction"],
        ..Field::new(
            "n_shot",
            "N|all",
            Kind::Text,
            LABELS,
            "Training images per class; `all` or -1 for all of them",
        )
    },
    Field {
        instead_of: &["n_shot"],
        ..Field::new(
            "fraction",
            "SHARE",
            Kind::Number,
            LABELS,
            "This share of the training images of each class instead of `n_shot`, a tenth of it for validation",
        )
    },
    Field {
        left_out: "0.1 of full data",
        instead_of: &["val_shots"],
        ..Field::new(
            "val_fraction",
            "SHARE",
            Kind::Number,
            LABELS,
            "Share of the training images of each class kept for validation; 0 for none",
        )
    },
    Field {
        left_out: "min(n, 4) beside n shots",
        instead_of: &["val_fraction"],
        ..Field::new(
            "val_shots",
            "N",
            Kind::Count,
            LABELS,
            "Validation images per class; 0 for none",
        )
    },
    Field {
        flag: Flag::Switch {
            name: "allow-short",
            value: "allow",
        },
        ..Field::new(
            "short_classes",
            "RULE",
            Kind::Words(SHORT_CLASSES),
            LABELS,
            "Take classes with fewer images than asked for as they are",
        )
    },
    Field::new(
        "model",
        "NAME",
        Kind::Name,
        NETWORK,
        "Name in the table of models (`rut models list`)",
    ),
    Field::new(
        "network",
        "KIND",
        Kind::Words(NETWORK_KIND),
        NETWORK,
        "Dense, or a lottery ticket (the reference's LT)",
    ),
    Field {
        left_out: "9",
        ..Field::new(
            "sparsity",
            "K",
            Kind::Count,
            NETWORK,
            "State of iterative pruning: finds MODEL*_K_checkpoint and MODEL*_K_mask in `pretrained_dir`",
        )
    },
    Field::new(
        "pretrained_dir",
        "DIR",
        Kind::Path,
        NETWORK,
        "Where checkpoints and masks are looked for",
    ),
    Field::new(
        "checkpoint",
        "FILE",
        Kind::Path,
        NETWORK,
        "A checkpoint (.safetensors, .pth, .pt, .th) instead of `pretrained_dir`",
    ),
    Field {
        left_out: "the only place where the network's names fit",
        ..Field::new(
            "checkpoint_key",
            "KEY",
            Kind::Text,
            NETWORK,
            "Under which of the checkpoint's dictionaries and modules the network stands, joined by points \
             (`teacher.backbone`); `.` is the file itself",
        )
    },
    Field::new(
        "mask",
        "FILE",
        Kind::Path,
        NETWORK,
        "A mask beside `checkpoint`",
    ),
    Field {
        flag: Flag::None,
        ..Field::new(
            "masking",
            "RULE",
            Kind::Words(MASKING),
            NETWORK,
            "Whether the mask of a ticket is applied",
        )
    },
    Field::new(
        "recipe",
        "TEXT",
        Kind::Text,
        NETWORK,
        "How the network was trained, in words, for records and reports; no part of a run's identity",
    ),
    Field {
        left_out: "as many as it has",
        ..Field::new(
            "source_classes",
            "N",
            Kind::Count,
            NETWORK,
            "Classes that the checkpoint's classifier must have",
        )
    },
    Field {
        left_out: "the model's",
        ..Field::new(
            "mean",
            "R,G,B",
            Kind::Numbers,
            TRANSFORM,
            "Mean of each channel that the network was trained with, R,G,B from 0 to 1",
        )
    },
    Field {
        left_out: "the model's",
        ..Field::new(
            "std",
            "R,G,B",
            Kind::Numbers,
            TRANSFORM,
            "Standard deviation of each channel",
        )
    },
    Field {
        left_out: "resize to the network's square; beside `crop`, as the model's weights were evaluated",
        used: is_probe,
        ..Field::new(
            "resize",
            "PIXELS",
            Kind::Count,
            TRANSFORM,
            "Resize the shorter side to this, then take the middle",
        )
    },
    Field {
        left_out: "beside `resize`, as the model's weights were evaluated",
        used: is_probe,
        ..Field::new(
            "crop",
            "PIXELS",
            Kind::Count,
            TRANSFORM,
            "Side of the middle that is taken",
        )
    },
    Field {
        left_out: "bilinear",
        ..Field::new(
            "interpolation",
            "NAME",
            Kind::Words(INTERPOLATION),
            TRANSFORM,
            "What interpolates where images are resized",
        )
    },
    Field::new(
        "engine",
        "NAME",
        Kind::Name,
        PLACES_AND_MEANS,
        "What computes the frozen network",
    ),
    Field::new(
        "precision",
        "NAME",
        Kind::Name,
        PLACES_AND_MEANS,
        "In which precision the frozen network computes",
    ),
    Field {
        instead_of: &["steps"],
        aliases: &["epoch"],
        used: |spec| spec.training.steps.is_none(),
        ..Field::new(
            "epochs",
            "N",
            Kind::Count,
            TRAINING,
            "Passes over the training images",
        )
    },
    Field {
        instead_of: &["epochs"],
        used: has_steps,
        ..Field::new(
            "steps",
            "N",
            Kind::Count,
            TRAINING,
            "Instead of `epochs`: optimiser steps, the same for few images as for many",
        )
    },
    Field {
        used: has_steps,
        ..Field::new("batch_size", "N", Kind::Count, TRAINING, "Images per step")
    },
    Field {
        used: has_steps,
        instead_of: &["lr_grid"],
        ..Field::new(
            "lr",
            "RATE",
            Kind::Number,
            TRAINING,
            "Adam's learning rate at the start",
        )
    },
    Field {
        used: is_probe,
        ..Field::new(
            "optimizer",
            "NAME",
            Kind::Words(OPTIMIZER),
            PROBING,
            "What trains the head",
        )
    },
    Field {
        used: is_probe,
        instead_of: &["weight_decay_grid"],
        ..Field::new(
            "weight_decay",
            "DECAY",
            Kind::Number,
            PROBING,
            "Adam's weight decay, times the parameters, added to their gradients; of lbfgs, of the weights only",
        )
    },
    Field {
        used: |spec| is_probe(spec) && has_steps(spec),
        instead_of: &["lr"],
        ..Field::new(
            "lr_grid",
            "LIST",
            Kind::Numbers,
            PROBING,
            "Train all these learning rates in one pass over the features; the best on the validation images is kept",
        )
    },
    Field {
        used: is_probe,
        instead_of: &["weight_decay"],
        ..Field::new(
            "weight_decay_grid",
            "LIST",
            Kind::Numbers,
            PROBING,
            "The same of weight decays; beside `lr_grid`, every pair of both",
        )
    },
    Field {
        used: is_probe,
        ..Field::new(
            "cache_dtype",
            "TYPE",
            Kind::Words(CACHE_DTYPE),
            PROBING,
            "Precision of kept features",
        )
    },
    Field::new(
        "seed",
        "SEED",
        Kind::Whole,
        LABELS,
        "Seeds few-shot draws, orders and initial values",
    ),
    Field {
        flag: Flag::Switch {
            name: "no-shuffle",
            value: "off",
        },
        used: has_steps,
        ..Field::new(
            "shuffle",
            "on|off",
            Kind::Words(ON_OR_OFF),
            TRAINING,
            "Keep the training images in their order",
        )
    },
    Field {
        used: has_steps,
        ..Field::new(
            "select",
            "RULE",
            Kind::Words(SELECT),
            TRAINING,
            "Which epoch is kept",
        )
    },
    Field {
        left_out: "1 for probing and for a selected epoch, else 10",
        used: has_steps,
        ..Field::new(
            "eval_every",
            "N",
            Kind::Count,
            TRAINING,
            "Score the validation images every so many epochs; 0 for never",
        )
    },
    Field {
        used: is_prompt,
        ..Field::new(
            "prompt",
            "NAME",
            Kind::Name,
            PROMPTING,
            "How the input is changed",
        )
    },
    Field {
        used: is_prompt,
        ..Field::new("mapping", "NAME", Kind::Name, PROMPTING, "Label mapping")
    },
    Field {
        left_out: "do not",
        used: is_probe,
        ..Field::new(
            "image_size",
            "PIXELS",
            Kind::Count,
            TRANSFORM,
            "First resize images to this side",
        )
    },
    Field {
        flag: Flag::None,
        ..Field::new(
            "ece_values",
            "WHAT",
            Kind::Words(ECE_VALUES),
            ECE,
            "Which values the ECE as published bins",
        )
    },
    Field {
        flag: Flag::None,
        ..Field::new(
            "ece_batches",
            "RULE",
            Kind::Words(ECE_BATCHES),
            ECE,
            "Over which images the ECE as published is taken",
        )
    },
];

/// Fields that take the place of one another: whoever sets one of a pair over the other means it alone.
pub const ALTERNATIVES: [(&str, &str); 2] = [("fraction", "n_shot"), ("steps", "epochs")];
