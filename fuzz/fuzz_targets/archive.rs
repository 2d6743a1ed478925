//! Archives that are downloaded: whatever the bytes are, files below the folder or an error.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use rut_fetch::{Job, Limits, unpack};
use rut_fuzz::{put, within_contents};

fuzz_target!(|bytes: &[u8]| {
    for name in ["a.tar", "a.tar.gz", "a.zip"] {
        let folder = put(&[(name, bytes)]);
        let into = folder.join("into");
        let _ = fs::remove_dir_all(&into);
        let limits = Limits {
            bytes: 1 << 22,
            members: 100,
        };
        within_contents(0, bytes, || {
            let _ = unpack(&folder.join(name), &into, limits, &Job::default());
        });
        let out = fs::read_dir(&folder).expect("a folder").count();
        assert!(out <= 4, "something was unpacked beside the folder");
        fs::remove_file(folder.join(name)).expect("the archive");
    }
});
