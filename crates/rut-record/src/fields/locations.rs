//! Fields of places.

use super::words::ON_OR_OFF;
use super::{DATA, PLACES_AND_MEANS};
use crate::field::{Field, Kind};

/// Keys of [`Locations`](crate::Locations): nothing that a run's figures depend on.
pub const LOCATION_FIELDS: &[Field] = fields! {
    "data_dir" "DIR", Path, DATA,
        "What torchvision calls `root`: it, and its folder named for the data set, are searched";
    "results_path" "DIR", Path, PLACES_AND_MEANS,
        "Runs' folders are made here";
    "run_name" "NAME", Text, PLACES_AND_MEANS, left_out: "the run's id",
        "Name of the run's folder";
    "cache_dir" "DIR", Path, PLACES_AND_MEANS, left_out: "rut in the user's cache folder",
        "Extracted features are kept here";
    "cache_gib" "GIB", Number, PLACES_AND_MEANS,
        "Size that the cache is kept below, GiB";
    "save_every" "SECONDS", Number, PLACES_AND_MEANS,
        "Seconds between two savings of the run's state";
    "tensorboard" "on|off", Words(ON_OR_OFF), PLACES_AND_MEANS,
        "Write an event file that TensorBoard shows while the run goes on";
    "threads" "N", Count, PLACES_AND_MEANS, left_out: "one per core that the process may use",
        "Threads";
    "device" "NAME", Name, PLACES_AND_MEANS,
        "Where the frozen network computes";
};
