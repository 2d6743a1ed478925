//! Fields of paths and resources.

use super::words::ON_OR_OFF;
use super::{DATA, PATHS_AND_RESOURCES};
use crate::field::{Field, Kind};

/// Keys of [`Locations`](crate::Locations): nothing that a run's figures depend on.
pub const LOCATION_FIELDS: &[Field] = fields! {
    "data_dir" "DIR", Path, DATA,
        "What torchvision calls `root`: it, and its folder named for the data set, are searched";
    "results_path" "DIR", Path, PATHS_AND_RESOURCES,
        "The folder of the runs' folders";
    "run_name" "NAME", Text, PATHS_AND_RESOURCES, left_out: "the run's id",
        "Name of the run's folder";
    "cache_dir" "DIR", Path, PATHS_AND_RESOURCES, left_out: "rut in the user's cache folder",
        "The folder of cached features";
    "cache_gib" "GIB", Number, PATHS_AND_RESOURCES,
        "Maximal size of the cache, GiB";
    "save_every" "SECONDS", Number, PATHS_AND_RESOURCES,
        "Seconds between two savings of the run's state";
    "tensorboard" "on|off", Words(ON_OR_OFF), PATHS_AND_RESOURCES,
        "Write an event file that TensorBoard shows while the run goes on";
    "threads" "N", Count, PATHS_AND_RESOURCES, left_out: "one per core that the process may use",
        "Threads";
    "device" "NAME", Name, PATHS_AND_RESOURCES,
        "The device that the frozen network computes on";
};
