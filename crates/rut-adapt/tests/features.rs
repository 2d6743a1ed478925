//! The feature cache: what a stopped extraction leaves is used, what a crash tore is extracted again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use candle_core::{DType, Device, Tensor};
use rut_adapt::evaluate::{PASS_BATCH, Pass};
use rut_adapt::event::{Observer, Phase};
use rut_adapt::features::{Extracted, Extractor, FeatureCache, FeatureKey, Wanted};
use rut_adapt::images::LabelledImages;
use rut_adapt::progress::Reporter;
use rut_adapt::state::State;
use rut_adapt::{Error, Silent};
use rut_data::Batch;
use rut_models::{EngineInfo, FrozenNetwork, Normalization, Outputs, Trace};

mod listen;

use listen::Listener;

/// Two whole batches and a part of one.
const IMAGES: usize = 2 * PASS_BATCH + 7;

/// One-pixel images that are their own number, and which of them were asked for.
struct Numbers {
    labels: Vec<u32>,
    read: Mutex<Vec<usize>>,
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
        Ok(Batch {
            images: indices.iter().flat_map(|&i| [i as f32; 3]).collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        })
    }
}

/// Features are the three channels, logits the first two of them.
struct Channels;

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
    let images = Numbers {
        labels: vec![0; IMAGES],
        read: Mutex::default(),
    };
    let key = FeatureKey {
        checkpoint: "c".into(),
        mask: "none".into(),
        network: "channels".into(),
        images: "numbers".into(),
        preprocessing: "none".into(),
    };
    let normalization = Normalization {
        mean: [0.0; 3],
        std: [1.0; 3],
    };
    let wanted = Wanted {
        key: &key,
        extractor: Extractor {
            network: &Channels,
            normalization,
        },
        images: &images,
    };
    let pass = Pass {
        phase: Phase::Extract,
        step: 0,
        state: &State::default,
    };
    let got = FeatureCache::new(dir, u64::MAX).get(&wanted, &pass, &mut Reporter::new(observer));
    (got, images.read.into_inner().unwrap())
}

fn right() -> Extracted {
    let mut all = Extracted::new(3, 2);
    for i in 0..IMAGES {
        all.features.extend([i as f32; 3]);
        all.logits.extend([i as f32; 2]);
    }
    all
}

/// A cache in which an extraction was stopped after two batches, and its part file.
fn stopped() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (got, read) = features(dir.path(), &mut Listener::stopping_at(2));
    assert!(matches!(got, Err(Error::Stopped { .. })));
    assert_eq!(read, (0..2 * PASS_BATCH).collect::<Vec<_>>());
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
