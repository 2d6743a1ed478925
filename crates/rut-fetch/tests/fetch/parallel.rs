//! Several downloads at a time, and never two of the same file.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::home::{Home, names, wait_for};
use crate::samples::{archive, of, spec, tar_gz};
use crate::site::{Files, Pace, Site};
use rut_data::DatasetSpec;
use rut_fetch::{FetchOptions, LockFile, Session, fetch, fetch_archive};

const FILES: [&str; 4] = ["a.tar.gz", "b.tar.gz", "c.tar.gz", "d.tar.gz"];

fn bytes(file: &str) -> Vec<u8> {
    tar_gz(&[(&format!("{file}/a.txt"), "a")])
}

fn site(pace: Pace) -> Site {
    let file = |files: Files, file: &&str| files.file(&format!("/{file}"), &bytes(file), pace);
    Site::start(FILES.iter().fold(Files::default(), file))
}

/// Two data sets of two archives each.
fn specs() -> Vec<DatasetSpec> {
    let archives = |files: &[&'static str]| {
        let archive = |file: &&'static str| archive(file, &bytes(file));
        files.iter().map(archive).collect()
    };
    vec![
        spec("first", archives(&FILES[..2])),
        spec("second", archives(&FILES[2..])),
    ]
}

fn session(home: &Home, site: &Site, jobs: usize) -> Session {
    of(FetchOptions {
        jobs,
        ..home.session(&site.url).options
    })
}

#[test]
fn archives_come_side_by_side_and_are_each_whole() {
    // No request is answered before three are there.
    let (home, site) = (Home::new(), site(Pace::Together(3)));
    let specs = specs();
    fetch(&specs.iter().collect::<Vec<_>>(), &session(&home, &site, 3)).unwrap();
    assert_eq!(site.most(), 3);
    assert_eq!(names(&home.data("sets")), FILES);
    assert_eq!(site.paths(), FILES.map(|file| format!("/{file}")));
    let lock = LockFile::at(&home.lock_file());
    for file in FILES {
        assert!(lock.entry(file).unwrap().is_some(), "{file}");
    }
}

#[test]
fn archives_that_bring_the_same_folder_fill_it_together() {
    let (home, names_of) = (Home::new(), |file: &str| format!("set/deep/{file}.txt"));
    let content = |file: &str| tar_gz(&[(&names_of(file), "a"), ("set/both.txt", "b")]);
    let add = |files: Files, file: &&str| {
        files.file(&format!("/{file}"), &content(file), Pace::Together(4))
    };
    let site = Site::start(FILES.iter().fold(Files::default(), add));
    let archives = FILES.iter().map(|file| archive(file, &content(file)));
    let spec = spec("set", archives.collect());
    fetch(&[&spec], &session(&home, &site, 4)).unwrap();
    let expected = FILES.map(|file| format!("{file}.txt"));
    assert_eq!(names(&home.data("sets/set/deep")), expected);
}

#[test]
fn nothing_is_moved_while_another_run_moves() {
    let (home, site) = (Home::new(), site(Pace::Quick));
    let store = home.data(".downloads");
    fs::create_dir_all(&store).unwrap();
    let other = fs::File::create(store.join(".placing")).unwrap();
    other.lock().unwrap();
    let wanted = archive("a.tar.gz", &bytes("a.tar.gz"));
    thread::scope(|scope| {
        let run = scope.spawn(|| fetch_archive(&wanted, &session(&home, &site, 1)));
        wait_for(&store.join("a.tar.gz.unpacking/a.tar.gz/a.txt"), 1);
        thread::sleep(Duration::from_millis(50));
        assert!(!home.data("sets").exists());
        other.unlock().unwrap();
        run.join().unwrap().unwrap();
    });
    assert!(home.data("sets/a.tar.gz/a.txt").exists());
}

#[test]
fn one_at_a_time_is_one_at_a_time() {
    let (home, site) = (Home::new(), site(Pace::Quick));
    let specs = specs();
    fetch(&specs.iter().collect::<Vec<_>>(), &session(&home, &site, 1)).unwrap();
    assert_eq!(site.most(), 1);
    assert_eq!(names(&home.data("sets")), FILES);
}

#[test]
fn an_archive_that_two_data_sets_share_comes_once() {
    let (home, site) = (Home::new(), site(Pace::Quick));
    let shared = archive("a.tar.gz", &bytes("a.tar.gz"));
    let specs = [spec("first", vec![shared]), spec("second", vec![shared])];
    fetch(&specs.iter().collect::<Vec<_>>(), &session(&home, &site, 4)).unwrap();
    assert_eq!(site.paths(), ["/a.tar.gz"]);
}

#[test]
fn runs_beside_each_other_end_well_or_say_that_another_has_it() {
    let (home, site) = (Home::new(), site(Pace::Quick));
    let wanted = archive("a.tar.gz", &bytes("a.tar.gz"));
    let run = || fetch_archive(&wanted, &session(&home, &site, 1));
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        for run in runs {
            if let Err(error) = run.join().unwrap() {
                assert!(
                    error.to_string().contains("another run is fetching"),
                    "{error}"
                );
            }
        }
    });
    assert_eq!(site.paths(), ["/a.tar.gz"]);
    assert_eq!(
        fs::read_to_string(home.data("sets/a.tar.gz/a.txt")).unwrap(),
        "a"
    );
}
