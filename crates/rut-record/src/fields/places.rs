//! Fields of places.

use super::words::ON_OR_OFF;
use super::{DATA, PLACES_AND_MEANS};
use crate::field::{Field, Kind};

/// Keys of [`Places`](crate::Places): nothing that a run's figures depend on.
pub const PLACE_FIELDS: &[Field] = &[
    Field::new(
        "data_dir",
        "DIR",
        Kind::Path,
        DATA,
        "What torchvision calls `root`: it, and its folder named for the data set, are searched",
    ),
    Field::new(
        "results_path",
        "DIR",
        Kind::Path,
        PLACES_AND_MEANS,
        "Runs' folders are made here",
    ),
    Field {
        left_out: "the run's id",
        ..Field::new(
            "run_name",
            "NAME",
            Kind::Text,
            PLACES_AND_MEANS,
            "Name of the run's folder",
        )
    },
    Field {
        left_out: "rut in the user's cache folder",
        ..Field::new(
            "cache_dir",
            "DIR",
            Kind::Path,
            PLACES_AND_MEANS,
            "Extracted features are kept here",
        )
    },
    Field::new(
        "cache_gib",
        "GIB",
        Kind::Number,
        PLACES_AND_MEANS,
        "Size that the cache is kept below, GiB",
    ),
    Field::new(
        "save_every",
        "SECONDS",
        Kind::Number,
        PLACES_AND_MEANS,
        "Seconds between two savings of the run's state",
    ),
    Field::new(
        "tensorboard",
        "on|off",
        Kind::Words(ON_OR_OFF),
        PLACES_AND_MEANS,
        "Write an event file that TensorBoard shows while the run goes on",
    ),
    Field {
        left_out: "one per core that the process may use",
        ..Field::new("threads", "N", Kind::Count, PLACES_AND_MEANS, "Threads")
    },
    Field::new(
        "device",
        "NAME",
        Kind::Name,
        PLACES_AND_MEANS,
        "Where the frozen network computes",
    ),
];
