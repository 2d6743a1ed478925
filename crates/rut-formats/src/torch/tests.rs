//! Files of `torch.save`, written by hand, and hostile ones. Files that PyTorch wrote are read in rut-models.

use std::io::Cursor;

use super::{Element, Refusal, TorchFile};
use crate::zip::sample::{End, Sample, archive};

/// A text in a pickle.
fn text(text: &str) -> Vec<u8> {
    [
        b"X".as_slice(),
        &(text.len() as u32).to_le_bytes(),
        text.as_bytes(),
    ]
    .concat()
}

fn int(number: i64) -> Vec<u8> {
    [b"\x8a\x08".as_slice(), &number.to_le_bytes()].concat()
}

fn ints(numbers: &[i64]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|&number| int(number)).collect();
    [b"(".as_slice(), &numbers, b"t"].concat()
}

/// A tensor: key and number of elements of its storage, offset, shape and strides.
struct Strided<'a> {
    class: &'a str,
    key: &'a str,
    count: i64,
    offset: i64,
    shape: &'a [i64],
    strides: &'a [i64],
}

const FLAT: Strided<'_> = Strided {
    class: "FloatStorage",
    key: "0",
    count: 4,
    offset: 0,
    shape: &[2, 2],
    strides: &[2, 1],
};

impl Strided<'_> {
    fn pickle(&self) -> Vec<u8> {
        [
            b"ctorch._utils\n_rebuild_tensor_v2\n((".as_slice(),
            &text("storage"),
            format!("ctorch\n{}\n", self.class).as_bytes(),
            &text(self.key),
            &text("cpu"),
            &int(self.count),
            b"tQ",
            &int(self.offset),
            &ints(self.shape),
            &ints(self.strides),
            b"\x89ccollections\nOrderedDict\n)RtR",
        ]
        .concat()
    }
}

fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<u8> = entries
        .iter()
        .flat_map(|(key, value)| [text(key), value.clone()].concat())
        .collect();
    [b"\x80\x02}(".as_slice(), &entries, b"u."].concat()
}

fn floats(count: usize) -> Vec<u8> {
    (1..=count).flat_map(|i| (i as f32).to_le_bytes()).collect()
}

fn zipped(pickle: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut entries = vec![Sample::stored("x/data.pkl", pickle)];
    for (key, bytes) in storages {
        entries.push(Sample::stored(&format!("x/data/{key}"), bytes));
    }
    archive(&entries, End::Both)
}

fn legacy(pickle: &[u8], keys: &[(&str, u64, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    bytes.extend([b"\x80\x02}".as_slice(), &text("little_endian"), b"\x88s."].concat());
    bytes.extend(pickle);
    let names: Vec<u8> = keys.iter().flat_map(|(key, ..)| text(key)).collect();
    bytes.extend([b"\x80\x02](".as_slice(), &names, b"e."].concat());
    for (_, count, elements) in keys {
        bytes.extend(count.to_le_bytes());
        bytes.extend(elements);
    }
    bytes
}

type Read = Vec<(String, Element, Vec<usize>, Vec<u8>)>;

fn read(bytes: &[u8]) -> Result<Read, Refusal> {
    let mut file = TorchFile::open(Cursor::new(bytes))?;
    let mut tensors = Vec::new();
    file.read::<Refusal>(
        |_| true,
        |tensor, elements| {
            tensors.push((
                tensor.name.clone(),
                tensor.element,
                tensor.shape.clone(),
                elements.to_vec(),
            ));
            Ok(())
        },
    )?;
    Ok(tensors)
}

fn says(bytes: &[u8], text: &str) {
    let refusal = read(bytes).expect_err(text).to_string();
    assert!(refusal.contains(text), "no '{text}' in: {refusal}");
    assert!(refusal.len() < 2000, "{refusal}");
}

#[test]
fn both_layouts_give_the_same_tensors() {
    let turned = Strided {
        strides: &[1, 2],
        ..FLAT
    };
    let inner = [b"}(".as_slice(), &text("c"), &turned.pickle(), b"u"].concat();
    let pickle = dict(&[("a", FLAT.pickle()), ("b", inner)]);
    let zip = read(&zipped(&pickle, &[("0", floats(4))])).unwrap();
    let old = read(&legacy(&pickle, &[("0", 4, floats(4))])).unwrap();
    assert_eq!(zip, old);
    let turned: Vec<u8> = [1.0_f32, 3.0, 2.0, 4.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    assert_eq!(zip[0], ("a".into(), Element::F32, vec![2, 2], floats(4)));
    assert_eq!(zip[1], ("b.c".into(), Element::F32, vec![2, 2], turned));
}

#[test]
fn the_last_of_equal_keys_counts_and_two_names_are_refused() {
    let second = Strided {
        offset: 3,
        shape: &[],
        strides: &[],
        ..FLAT
    };
    let twice = dict(&[("a", FLAT.pickle()), ("a", second.pickle())]);
    let tensors = read(&zipped(&twice, &[("0", floats(4))])).unwrap();
    assert_eq!(tensors.len(), 1);
    assert_eq!(tensors[0].3, 4.0_f32.to_le_bytes());
    let inner = [b"}(".as_slice(), &text("b"), &FLAT.pickle(), b"u"].concat();
    let both = dict(&[("a.b", FLAT.pickle()), ("a", inner)]);
    says(
        &zipped(&both, &[("0", floats(4))]),
        "two of its tensors are called `a.b`",
    );
}

#[test]
fn tensors_that_are_not_read_are_named() {
    let complex = Strided {
        class: "ComplexFloatStorage",
        ..FLAT
    };
    let sparse = b"ctorch._utils\n_rebuild_sparse_tensor\n(NNtR".to_vec();
    let meta = [
        b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n(N".as_slice(),
        &ints(&[5]),
        b"NtR",
    ]
    .concat();
    let pickle = dict(&[("c", complex.pickle()), ("s", sparse), ("m", meta)]);
    let tensors = read(&zipped(&pickle, &[])).unwrap();
    let elements: Vec<_> = tensors.iter().map(|tensor| tensor.1).collect();
    assert_eq!(
        elements,
        ["complex64", "sparse", "meta"].map(Element::Other)
    );
    assert!(tensors.iter().all(|tensor| tensor.3.is_empty()));
}

#[test]
fn objects_stay_closed_and_are_named() {
    let pickle = dict(&[(
        "model",
        b"ctorchvision.models.resnet\nResNet\n)\x81}b".to_vec(),
    )]);
    let file = TorchFile::open(Cursor::new(zipped(&pickle, &[])))
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(file.tensors().is_empty());
    assert_eq!(
        file.object(),
        Some("an object of the class `torchvision.models.resnet.ResNet` under `model`")
    );
    let system = zipped(b"\x80\x02cos\nsystem\nX\x01\0\0\0x\x85R.", &[]);
    let file = TorchFile::open(Cursor::new(system)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(file.object(), Some("an object of the class `os.system`"));
}

#[test]
fn other_files_are_named() {
    let mut tar = vec![0; 600];
    tar[257..262].copy_from_slice(b"ustar");
    says(&tar, "tar format of PyTorch before 0.1.10");
    says(&tar, "unpack it if a checkpoint is in it");
    says(b"\x1f\x8b\x08 and more", "compressed with gzip");
    for protocol in 2..=5 {
        says(&[0x80, protocol, b'}', b'.'], "torch.as_tensor");
    }
    says(
        b"<!DOCTYPE html>",
        "not a PyTorch checkpoint, it begins with '<!DOCTYPE html>'",
    );
    says(
        b"version https://git-lfs.github.com/spec/v1\n",
        "git lfs pull",
    );
    says(b"cos\nsystem\n(S'true'\ntR.", "not a PyTorch checkpoint");
    says(b"", "not a PyTorch checkpoint");
    let other = archive(&[Sample::stored("a\x1b.npy", b"x")], End::Short);
    says(&other, r"zip archive without data.pkl, of a\u{1b}.npy");
    says(&other, "torch.as_tensor(array)");
    let script = [
        Sample::stored("x/data.pkl", b"N."),
        Sample::stored("x/constants.pkl", b"N."),
    ];
    says(&archive(&script, End::Short), "TorchScript");
    let two = [
        Sample::stored("x/data.pkl", b"N."),
        Sample::stored("y/data.pkl", b"N."),
    ];
    says(&archive(&two, End::Short), "several files of torch.save");
}

#[test]
fn big_endian_files_are_turned() {
    let big: Vec<u8> = (1..=4).flat_map(|i| (i as f32).to_be_bytes()).collect();
    let entries = [
        Sample::stored("x/data.pkl", &dict(&[("a", FLAT.pickle())])),
        Sample::stored("x/byteorder", b"big"),
        Sample::stored("x/data/0", &big),
    ];
    assert_eq!(read(&archive(&entries, End::Both)).unwrap()[0].3, floats(4));
}

#[test]
fn what_a_tensor_declares_must_be_there() {
    let one = |tensor: &Strided<'_>| zipped(&dict(&[("w", tensor.pickle())]), &[("0", floats(4))]);
    for (offset, shape, strides) in [
        (0, &[5][..], &[1][..]),
        (1, &[2, 2], &[2, 1]),
        (0, &[1 << 32, 1 << 32, 1 << 32], &[1, 1, 1]),
        (-1, &[1], &[1]),
        (0, &[-1, 4], &[4, 1]),
        (3, &[2, 2], &[-2, -1]),
        (0, &[2, 2], &[1]),
        (0, &[2; 65], &[0; 65]),
    ] {
        let bytes = one(&Strided {
            offset,
            shape,
            strides,
            ..FLAT
        });
        says(&bytes, "damaged or hostile");
    }
    says(&one(&Strided { key: "9", ..FLAT }), "storage '9'");
    says(
        &one(&Strided {
            key: "../../etc/passwd",
            ..FLAT
        }),
        "storage '../../etc/passwd'",
    );
    says(
        &one(&Strided {
            count: 1 << 40,
            ..FLAT
        }),
        "storage '0'",
    );
    says(
        &one(&Strided {
            count: 1 << 62,
            ..FLAT
        }),
        "storage '0'",
    );
    let empty = one(&Strided {
        shape: &[0, 1 << 62],
        strides: &[1, 1],
        ..FLAT
    });
    assert!(read(&empty).unwrap()[0].3.is_empty());
    let pickle = dict(&[("w", FLAT.pickle())]);
    says(&legacy(&pickle, &[("0", 5, floats(5))]), "4 elements");
    says(&legacy(&pickle, &[("0", 1 << 63, floats(4))]), "4 elements");
    says(&legacy(&pickle, &[("0", 4, floats(3))]), "truncated");
    says(
        &legacy(&pickle, &[("1", 4, floats(4))]),
        "one that no tensor has",
    );
    says(&legacy(&pickle, &[]), "storage '0'");
    let twice = [("0", 4, floats(4)), ("0", 4, floats(4))];
    says(&legacy(&pickle, &twice), "one place");
}

#[test]
fn parts_of_storages_of_old_files_are_read() {
    // ('storage', class, '0', 'cpu', 4, ('1', 2, 2)): the second half of storage 0.
    let part = [b"(".as_slice(), &text("1"), &int(2), &int(2), b"ttQ"].concat();
    let whole = Strided {
        shape: &[2],
        strides: &[1],
        ..FLAT
    }
    .pickle();
    let at = whole.windows(2).position(|two| two == b"tQ").unwrap();
    let pickle = dict(&[("w", [&whole[..at], &part, &whole[at + 2..]].concat())]);
    let tensors = read(&legacy(&pickle, &[("0", 4, floats(4))])).unwrap();
    assert_eq!(tensors[0].3, floats(4)[8..]);
}

#[test]
fn expanded_tensors_are_bounded() {
    let one = |count: i64| {
        let tensor = Strided {
            count: 1,
            shape: &[count],
            strides: &[0],
            ..FLAT
        };
        zipped(&dict(&[("bias", tensor.pickle())]), &[("0", floats(1))])
    };
    let small = read(&one(1000)).unwrap();
    assert_eq!(small[0].3, 1.0_f32.to_le_bytes().repeat(1000));
    says(
        &one(1 << 30),
        "`bias` declares 4294967296 bytes, more than the file's",
    );
    // Many that are small.
    let tensor = Strided {
        count: 1,
        shape: &[1 << 20],
        strides: &[0],
        ..FLAT
    }
    .pickle();
    let names: Vec<String> = (0..100).map(|name| name.to_string()).collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), tensor.clone()))
        .collect();
    says(
        &zipped(&dict(&entries), &[("0", floats(1))]),
        "more than the file's",
    );
}

#[test]
fn a_window_over_a_deflated_storage_takes_what_its_elements_take() {
    let count = 8 << 20;
    let zeros = vec![0; 4 * count as usize];
    let ends = Strided {
        count,
        shape: &[2],
        strides: &[count - 1],
        ..FLAT
    };
    let names: Vec<String> = (0..500).map(|name| name.to_string()).collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), ends.pickle()))
        .collect();
    let entries = [
        Sample::deflated("x/data.pkl", &dict(&entries)),
        Sample::deflated("x/data/0", &zeros),
    ];
    let bytes = archive(&entries, End::Both);
    assert!(bytes.len() < 100_000);
    let tensors = read(&bytes).unwrap();
    assert_eq!(tensors.len(), 500);
    assert!(tensors.iter().all(|tensor| tensor.3 == [0; 8]));
    let across = Strided {
        count,
        shape: &[2, 3],
        strides: &[count / 3, count / 4],
        ..FLAT
    };
    let entries = [
        Sample::stored("x/data.pkl", &dict(&[("w", across.pickle())])),
        Sample::deflated("x/data/0", &zeros),
    ];
    says(
        &archive(&entries, End::Both),
        "save it as tensor.contiguous()",
    );
}

#[test]
fn names_and_walks_are_bounded() {
    // A long key over many tensors.
    let inner: Vec<u8> = (0..2000)
        .flat_map(|name| [text(&name.to_string()), b"h\x00".to_vec()].concat())
        .collect();
    let pickle = [
        b"\x80\x02}".as_slice(),
        &text(&"k".repeat(1 << 18)),
        b"}(",
        &text("a"),
        &FLAT.pickle(),
        b"q\x00",
        &inner,
        b"us.",
    ]
    .concat();
    says(
        &zipped(&pickle, &[("0", floats(4))]),
        "long ones that many tensors share",
    );
    // Dicts that hold the one before twice.
    let mut doubled = b"\x80\x02}q\x00".to_vec();
    for at in 1..60_u8 {
        let before = at - 1;
        doubled.extend(
            [
                b"}(".as_slice(),
                &text("a"),
                &[b'h', before],
                &text("b"),
                &[b'h', before, b'u', b'q', at],
            ]
            .concat(),
        );
    }
    doubled.push(b'.');
    says(&zipped(&doubled, &[]), "shared ones without end");
    says(
        &zipped(b"\x80\x02}q\x00X\x01\0\0\0ah\x00s.", &[]),
        "more than 64 in each other",
    );
    let deep = [b"\x80\x02N".as_slice(), &[0x85; 100_000], b"."].concat();
    says(&zipped(&deep, &[]), "more than 64 in each other");
}

#[test]
fn a_pickle_that_was_deflated_is_bounded() {
    let pickle = [b"\x80\x02(".as_slice(), &b"N".repeat(9 << 20), b"."].concat();
    let bytes = archive(&[Sample::deflated("x/data.pkl", &pickle)], End::Both);
    says(&bytes, "at most 8388608 bytes");
}

#[test]
fn damaged_files_do_no_harm() {
    let pickle = dict(&[
        ("a", FLAT.pickle()),
        (
            "b",
            Strided {
                strides: &[1, 2],
                ..FLAT
            }
            .pickle(),
        ),
    ]);
    let files = [
        zipped(&pickle, &[("0", floats(4))]),
        legacy(&pickle, &[("0", 4, floats(4))]),
    ];
    for whole in files {
        for at in 0..whole.len() {
            assert!(read(&whole[..at]).is_err());
            for byte in [0, 0xff, whole[at] ^ 1, whole[at].wrapping_add(7)] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                let _ = read(&damaged);
            }
        }
    }
}
