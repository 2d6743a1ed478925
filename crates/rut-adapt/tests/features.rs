//! The feature cache: what a stopped extraction leaves is used, what a crash tore is extracted again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{DType, Device, Tensor};
use rut_adapt::{
    Error, Extracted, Extractor, FeatureCache, FeatureKey, FeatureMatrix, FeatureShape,
    LabelledImages, Observer, PASS_BATCH, Pass, Reporter, Silent, TrainingState, Wanted,
};
use rut_data::{Batch, Digest};
use rut_models::{EngineInfo, FrozenNetwork, Normalization, Outputs, Trace};

mod listen;

use rut_record::{FeatureType, Phase};

use listen::Listener;

/// Two whole batches and a part of one.
const IMAGES: usize = 2 * PASS_BATCH + 7;

/// One-pixel images that are their own number, and which of them were asked for.
struct Numbers {
    labels: Vec<u32>,
    read: Mutex<Vec<usize>>,
    /// The image that cannot be read.
    broken: Option<usize>,
    /// What is added to the numbers.
    above: f32,
}

impl Numbers {
    fn new() -> Self {
        Self {
            labels: vec![0; IMAGES],
            read: Mutex::default(),
            broken: None,
            above: 0.0,
        }
    }
}

impl LabelledImages for Numbers {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn side(&self) -> usize {
        1
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn batch(&self, indices: &[usize]) -> rut_adapt::Result<Batch> {
        self.read.lock().unwrap().extend(indices);
        if let Some(index) = self.broken.filter(|broken| indices.contains(broken)) {
            let len = IMAGES;
            return Err(rut_data::Error::IndexOutOfRange { index, len }.into());
        }
        Ok(Batch {
            images: indices
                .iter()
                .flat_map(|&i| [i as f32 + self.above; 3])
                .collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        })
    }
}

/// Features are the three channels, logits the first two of them. It counts how often it is asked.
#[derive(Default)]
struct Channels(AtomicUsize);

impl FrozenNetwork for Channels {
    fn engine(&self) -> EngineInfo {
        EngineInfo {
            name: "channels-1",
            isa: "any",
        }
    }

    fn classes(&self) -> usize {
        2
    }

    fn width(&self) -> usize {
        3
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn infer(&self, images: &Tensor) -> rut_models::Result<Outputs> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let features = images.flatten_from(1)?;
        let logits = features.narrow(1, 0, 2)?;
        Ok(Outputs { features, logits })
    }

    fn trace(&self, _: &Tensor) -> rut_models::Result<(Outputs, Box<dyn Trace>)> {
        unreachable!("nothing is trained here")
    }
}

/// What the cache in `dir` gives, and the images that were read for it.
fn features(dir: &Path, observer: &mut dyn Observer) -> (rut_adapt::Result<Extracted>, Vec<usize>) {
    let images = Numbers::new();
    let got = get(
        dir,
        &Channels::default(),
        &images,
        FeatureType::F32,
        observer,
    );
    (got, images.read.into_inner().unwrap())
}

fn key() -> FeatureKey {
    FeatureKey {
        checkpoint: "c".into(),
        mask: "none".into(),
        network: "channels".into(),
        images: "numbers".into(),
        preprocessing: "none".into(),
        contents: Vec::new(),
    }
}

/// A digest for each image, and a key that names them.
fn key_of(images: &str, numbers: impl Iterator<Item = usize>) -> FeatureKey {
    FeatureKey {
        images: images.into(),
        contents: numbers
            .map(|number| Digest::of_bytes(&number.to_le_bytes()))
            .collect(),
        ..key()
    }
}

/// Features of some images serve for every other set of them, in its own order.
#[test]
fn what_was_extracted_in_one_set_serves_another() {
    let dir = tempfile::tempdir().unwrap();
    let cache = FeatureCache::new(dir.path(), u64::MAX);
    for kept in [FeatureType::F32, FeatureType::F16] {
        let (network, images) = (Channels::default(), Numbers::new());
        let whole = key_of("numbers", 0..IMAGES);
        let wanted = Wanted {
            key: &whole,
            extractor: Extractor {
                network: &network,
                normalization: Normalization {
                    mean: [0.0; 3],
                    std: [1.0; 3],
                },
                kept,
            },
            images: &images,
        };
        let pass = Pass {
            phase: Phase::Extract,
            step: 0,
            state: &TrainingState::default,
        };
        cache
            .get(&wanted, &pass, &mut Reporter::new(&mut Silent))
            .unwrap();
        let shape = |images| FeatureShape {
            images,
            width: 3,
            classes: 2,
            kept,
        };
        let some = [7, 3, IMAGES - 1, 3];
        let found = cache
            .find(&key_of("some", some.into_iter()), shape(4))
            .unwrap();
        let values = some.map(|number| number as f32);
        assert_eq!(found.features.to_f32(), values.map(|v| [v; 3]).concat());
        assert_eq!(found.logits.to_f32(), values.map(|v| [v; 2]).concat());
        // One that is in no set; images that nobody knows one by one; another network.
        let none = [
            key_of("more", [0, IMAGES].into_iter()),
            key_of("unknown", 0..0),
            FeatureKey {
                network: "other".into(),
                ..key_of("some", some.into_iter())
            },
        ];
        for key in none {
            assert!(cache.find(&key, shape(key.contents.len())).is_none());
        }
    }
    // Files that went when the cache was shrunk are forgotten.
    let folder = dir.path().join("features");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|ending| ending == "safetensors")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    let shape = FeatureShape {
        images: 1,
        width: 3,
        classes: 2,
        kept: FeatureType::F32,
    };
    assert!(cache.find(&key_of("one", 0..1), shape).is_none());
    let noted = std::fs::read_dir(folder.join("rows")).unwrap();
    let left = noted.map(|family| std::fs::read_dir(family.unwrap().path()).unwrap().count());
    assert_eq!(left.sum::<usize>(), 1);
}

fn get(
    dir: &Path,
    network: &Channels,
    images: &Numbers,
    kept: FeatureType,
    observer: &mut dyn Observer,
) -> rut_adapt::Result<Extracted> {
    let key = key();
    let normalization = Normalization {
        mean: [0.0; 3],
        std: [1.0; 3],
    };
    let wanted = Wanted {
        key: &key,
        extractor: Extractor {
            network,
            normalization,
            kept,
        },
        images,
    };
    let pass = Pass {
        phase: Phase::Extract,
        step: 0,
        state: &TrainingState::default,
    };
    FeatureCache::new(dir, u64::MAX).get(&wanted, &pass, &mut Reporter::new(observer))
}

fn right() -> Extracted {
    let rows = |width| {
        let values = (0..IMAGES).flat_map(|i| vec![i as f32; width]);
        FeatureMatrix::from_f32(values.collect(), width).unwrap()
    };
    Extracted {
        features: rows(3),
        logits: rows(2),
    }
}

/// A cache in which an extraction was stopped after two batches, and its part file.
fn stopped() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (got, read) = features(dir.path(), &mut Listener::stopping_at(2));
    assert!(matches!(got, Err(Error::Stopped { .. })));
    // What is prepared ahead of the network may have been read too.
    assert!(read.len() >= 2 * PASS_BATCH && read.iter().copied().eq(0..read.len()));
    let mut files = std::fs::read_dir(dir.path().join("features")).unwrap();
    let part = files.next().unwrap().unwrap().path();
    assert!(part.extension().is_some_and(|ending| ending == "part") && files.next().is_none());
    (dir, part)
}

#[test]
fn what_a_stopped_extraction_wrote_is_not_extracted_again() {
    let (dir, part) = stopped();
    let (got, read) = features(dir.path(), &mut Silent);
    assert_eq!(got.unwrap(), right());
    assert_eq!(read, (2 * PASS_BATCH..IMAGES).collect::<Vec<_>>());
    assert!(!part.exists());
    let (got, read) = features(dir.path(), &mut Silent);
    assert_eq!((got.unwrap(), read), (right(), vec![]));
}

/// A block is followed by its digest; the two written blocks are of one size.
#[test]
fn what_a_crash_tore_is_extracted_again_and_never_taken_for_features() {
    type Damage = fn(&mut Vec<u8>);
    let cases: [(&str, Damage, usize); 6] = [
        ("a cut", |bytes| bytes.truncate(bytes.len() - 1), 1),
        (
            "a cut between blocks",
            |bytes| bytes.truncate(bytes.len() / 2),
            1,
        ),
        ("zeros at the end", |bytes| bytes.extend([0; 4096]), 2),
        (
            "a hole in the last block",
            |bytes| {
                let half = bytes.len() / 2;
                bytes[half..half + 64].fill(0);
            },
            1,
        ),
        (
            "a hole in the first block",
            |bytes| bytes[..64].fill(0xff),
            0,
        ),
        (
            "blocks that changed places",
            |bytes| {
                let half = bytes.len() / 2;
                bytes.rotate_left(half);
            },
            0,
        ),
    ];
    for (what, damage, good) in cases {
        let (dir, part) = stopped();
        let mut bytes = std::fs::read(&part).unwrap();
        damage(&mut bytes);
        std::fs::write(&part, bytes).unwrap();
        let (got, read) = features(dir.path(), &mut Silent);
        assert_eq!(got.unwrap(), right(), "{what}");
        assert_eq!(
            read,
            (good * PASS_BATCH..IMAGES).collect::<Vec<_>>(),
            "{what}"
        );
    }
}

#[test]
fn a_second_extraction_asks_neither_network_nor_images() {
    let dir = tempfile::tempdir().unwrap();
    let (network, images) = (Channels::default(), Numbers::new());
    let asked = || {
        (
            network.0.load(Ordering::Relaxed),
            images.read.lock().unwrap().len(),
        )
    };
    for kept in [FeatureType::F32, FeatureType::F16] {
        let before = asked();
        let first = get(dir.path(), &network, &images, kept, &mut Silent).unwrap();
        assert_eq!(asked(), (before.0 + 3, before.1 + IMAGES));
        let second = get(dir.path(), &network, &images, kept, &mut Silent).unwrap();
        let shape = FeatureShape {
            images: IMAGES,
            width: 3,
            classes: 2,
            kept,
        };
        let cache = FeatureCache::new(dir.path(), u64::MAX);
        let found = cache.find(&key(), shape).unwrap();
        assert!(first == second && first == found);
        assert_eq!(asked(), (before.0 + 3, before.1 + IMAGES));
        for other in [
            FeatureShape { images: 1, ..shape },
            FeatureShape { width: 2, ..shape },
        ] {
            assert!(cache.find(&key(), other).is_none());
        }
    }
}

#[test]
fn half_precision_halves_the_file_and_outlives_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let (network, images) = (Channels::default(), Numbers::new());
    let stopped = get(
        dir.path(),
        &network,
        &images,
        FeatureType::F16,
        &mut Listener::stopping_at(2),
    );
    assert!(matches!(stopped, Err(Error::Stopped { .. })));
    let got = get(dir.path(), &network, &images, FeatureType::F16, &mut Silent).unwrap();
    // Whole numbers up to 2048 are exact.
    assert_eq!(got.features.to_f32(), right().features.to_f32());
    assert_eq!(got.features.kept(), FeatureType::F16);
    get(dir.path(), &network, &images, FeatureType::F32, &mut Silent).unwrap();
    let mut sizes: Vec<u64> = std::fs::read_dir(dir.path().join("features"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    sizes.sort();
    assert_eq!(sizes.len(), 2);
    let values = (IMAGES * 5) as u64;
    assert!(
        sizes[0] < 2 * values + 300 && sizes[1] > 4 * values,
        "{sizes:?}"
    );
}

#[test]
fn features_that_half_precision_cannot_hold_name_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let images = Numbers {
        above: 65470.0,
        ..Numbers::new()
    };
    let got = get(
        dir.path(),
        &Channels::default(),
        &images,
        FeatureType::F16,
        &mut Silent,
    );
    let error = got.unwrap_err().to_string();
    assert!(
        error.contains("cache_dtype = f32") && error.contains("65504"),
        "{error}"
    );
}

/// The thread that prepares batches ends with the loop, wherever that ends, and its errors come in order.
#[test]
fn an_image_that_cannot_be_read_ends_the_extraction_after_those_before_it() {
    for broken in [0, PASS_BATCH + 3, IMAGES - 1] {
        let dir = tempfile::tempdir().unwrap();
        let images = Numbers {
            broken: Some(broken),
            ..Numbers::new()
        };
        let network = Channels::default();
        let mut listener = Listener::default();
        let got = get(
            dir.path(),
            &network,
            &images,
            FeatureType::F32,
            &mut listener,
        );
        assert!(matches!(got, Err(Error::Data(_))), "{got:?}");
        assert_eq!(network.0.load(Ordering::Relaxed), broken / PASS_BATCH);
        assert_eq!(listener.asked, broken / PASS_BATCH);
        let read = images.read.into_inner().unwrap();
        assert!(
            read.iter().copied().eq(0..read.len()),
            "in order, and none twice"
        );
    }
}

#[test]
fn a_stop_at_any_batch_ends_the_thread_that_prepares() {
    for stop in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let (got, read) = features(dir.path(), &mut Listener::stopping_at(stop));
        assert!(matches!(got, Err(Error::Stopped { .. })));
        // Two batches at most are ahead: one waits, one is being prepared.
        assert!(read.len() <= (stop + 2) * PASS_BATCH);
    }
}
