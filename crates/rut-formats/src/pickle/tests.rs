//! Pickles of all protocols, and hostile ones.

use super::golden::PYTHON_3;
use super::{Names, Pickle, parse, parse_names};
use crate::Fault;

fn assert_says(bytes: &[u8], texts: &[&str]) {
    let fault: Fault = parse(bytes).err().expect("a fault");
    let message = fault.to_string();
    for text in texts {
        assert!(message.contains(text), "no '{text}' in: {message}");
    }
}

fn assert_golden(pickle: &Pickle<'_>) {
    let get = |key: &str| pickle.root().get(key).expect(key);
    let integers = |key: &str| -> Vec<Option<i64>> {
        let array = get(key).array(key).unwrap();
        array.integers().collect()
    };
    assert_eq!(get("none").kind(), "None");
    assert_eq!(get("bools").items().unwrap().len(), 2);
    let ints = get("ints")
        .items()
        .unwrap()
        .map(|item| item.integer().unwrap());
    let expected = [0, -1, 255, 65_535, -(1 << 31), 1 << 40, i64::MIN];
    assert_eq!(ints.collect::<Vec<_>>(), expected);
    assert_eq!(get("float").float(), Some(-0.5));
    assert_eq!(get("text").text().as_deref(), Some("é\n☃"));
    assert_eq!(get("bytes").text().as_deref(), Some("\0ÿ\\"));
    assert_eq!(get("empty").text().as_deref(), Some(""));
    assert_eq!(integers("array"), [1, -2, 3, 4].map(Some));
    assert_eq!(get("array").shape(), Some([2, 2].as_slice()));
    let columns = get("columns").array("columns").unwrap();
    assert_eq!(*columns.into_row_major(), [1, 2, 3, 4, 5, 6]);
    let floats = get("floats").array("floats").unwrap();
    assert_eq!(floats.floats().collect::<Vec<_>>(), [0.5, 1.5].map(Some));
    assert_eq!(get("scalar").integer(), Some(-7));
    let objects: Vec<_> = get("objects").items().unwrap().collect();
    assert_eq!((objects.len(), objects[0].kind()), (2, "None"));
    assert_eq!(objects[1].text().as_deref(), Some("x"));
    assert!(get("objects").array("objects").is_err());
}

#[test]
fn all_protocols_are_read_alike() {
    for bytes in PYTHON_3 {
        assert_golden(&parse(bytes).unwrap());
    }
}

#[test]
fn strings_of_python_2_are_keys_and_texts() {
    let bytes = b"\x80\x02}q\x00(U\x06labelsq\x01]q\x02(K\x03K\x07eU\x04nameU\x01\xe9u.";
    let pickle = parse(bytes).unwrap();
    let labels = pickle.root().get("labels").unwrap().items().unwrap();
    assert_eq!(
        labels.map(|label| label.integer()).collect::<Vec<_>>(),
        [Some(3), Some(7)]
    );
    assert_eq!(
        pickle.root().get("name").unwrap().text().as_deref(),
        Some("é")
    );
    assert!(pickle.root().get("labe").is_none());
}

#[test]
fn the_last_of_equal_keys_counts() {
    let pickle = parse(b"}(U\x01aK\x01U\x01aK\x02u.").unwrap();
    assert_eq!(pickle.root().get("a").unwrap().integer(), Some(2));
}

#[test]
fn nothing_is_executed() {
    let says = ["byte 0: expected", "'os.system'; nothing was executed"];
    assert_says(b"cos\nsystem\n(S'true'\ntR.", &says);
    assert_says(
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        &["byte 17", "'posix.system'"],
    );
    assert_says(
        b"\x80\x02c__builtin__\neval\nU\x011\x85R.",
        &["'__builtin__.eval'"],
    );
    assert_says(b"(S'true'\nios\nsystem\n.", &["0x69; nothing was executed"]);
    assert_says(b"K\x01)\x81.", &["0x81"]);
    assert_says(b"Pid\n.", &["0x50"]);
    assert_says(b"K\x01)R.", &["a function of NumPy to call", "an int"]);
    assert_says(b"]}b.", &["a tuple of at most", "a dict"]);
    assert_says(b"])b.", &["a state of a list"]);
    let object = b"c__builtin__\nbytes\n(K\x05tR.";
    assert_says(
        object,
        &["the arguments that NumPy gives", "others for NoBytes"],
    );
    let long = format!("c{}\nx\n.", "a".repeat(10_000));
    let fault = parse(long.as_bytes()).err().expect("a fault");
    assert!(fault.to_string().len() < 400);
}

#[test]
fn broken_pickles_are_named() {
    assert_says(b"", &["byte 0", "1 bytes more", "truncated"]);
    assert_says(b"\x80\x06.", &["protocol 0 to 5", "protocol 6"]);
    assert_says(b".", &["a value on the stack"]);
    assert_says(b"(.", &["a value on the stack"]);
    assert_says(b"K\x01(.", &["a value on the stack"]);
    assert_says(b"e.", &["an open list"]);
    assert_says(b"h\x05.", &["a remembered value 5"]);
    assert_says(b"K\x01K\x02a.", &["a list to append to", "an int"]);
    assert_says(b"](K\x01K\x02K\x03u.", &["as many values as keys"]);
    assert_says(b"](K\x01K\x02u.", &["a dict to fill", "a list"]);
    assert_says(b"X\x01\0\0\0\xff.", &["a text in UTF-8"]);
    assert_says(b"T\xff\xff\xff\xff.", &["4294967295 bytes more"]);
    assert_says(
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
        &["bytes more", "truncated"],
    );
    assert_says(b"\x8a\x09123456789.", &["an int of 64 bits"]);
    assert_says(b"Iabc\n.", &["an int of 64 bits in decimal"]);
    assert_says(b"I1", &["1 bytes more"]);
    let cut = PYTHON_3[2];
    assert_says(&cut[..cut.len() / 2], &["truncated"]);
}

#[test]
fn arrays_that_cannot_be_are_named() {
    let array = |shape: &str, dtype: &str, data: &str| {
        let text = format!(
            "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR\
             (I1\n{shape}cnumpy\ndtype\n(S'{dtype}'\nI0\nI1\ntRI00\n{data}tb."
        );
        text.into_bytes()
    };
    let sound = array("(I2\nt", "u1", "S'ab'\n");
    assert!(parse(&sound).unwrap().root().array("data").is_ok());
    let short = array("(I3\nt", "u1", "S'ab'\n");
    let fault = parse(&short)
        .unwrap()
        .root()
        .array("data")
        .expect_err("short");
    assert!(format!("{fault:?}").contains("2 bytes"));
    let objects = array("(I3\nt", "O8", "(I1\nI2\nl");
    let objects = parse(&objects).unwrap();
    assert!(objects.root().items().is_none() && objects.root().array("data").is_err());
    assert_says(&array("(I-1\nt", "u1", "S'ab'\n"), &["another shape"]);
    assert_says(&array("S'ab'\n", "u1", "S'ab'\n"), &["a tuple of at most"]);
    assert_says(
        &array("(I2\nt", "M8[ns]", "S'ab'\n"),
        &["elements b1", "'M8[ns]'"],
    );
    let many = format!("({}t", "I1\n".repeat(9));
    assert_says(&array(&many, "u1", "S'ab'\n"), &["at most 8 axes"]);
}

#[test]
fn bombs_do_not_go_off() {
    // A list that holds itself, and lists that hold the one before twice.
    let mut doubled = b"]q\x00h\x00a]".to_vec();
    for at in 1..200_u8 {
        doubled.extend([b'q', at, b']', b'(', b'h', at, b'h', at, b'e']);
    }
    doubled.push(b'.');
    assert_eq!(parse(&doubled).unwrap().root().items().unwrap().len(), 2);
    // A tuple in a tuple in a tuple.
    let deep = [b")".as_slice(), &[0x85; 100_000], b"."].concat();
    assert!(parse(&deep).is_ok());
    let marks = [b'('; 5000];
    assert_says(&marks, &["at most 1024 open"]);
    let says = ["values of at most 32 MiB and 2 times", "hostile"];
    let many = vec![b'N'; 20 << 20];
    assert_says(&many, &says);
    let remembered = [b"N".as_slice(), &[0x94; 8 << 20]].concat();
    assert_says(&remembered, &says);
    let dicts = vec![b'}'; 4 << 20];
    assert_says(&dicts, &says);
    let numbers: Vec<u8> = (0..1_u32 << 20)
        .flat_map(|n| [&b"J"[..], &n.to_le_bytes()].concat())
        .collect();
    assert_says(&numbers, &says);
    // A long text that is turned into bytes again and again.
    let mut copies = b"c_codecs\nencode\nq\x00X\x00\x00\x04\x00".to_vec();
    copies.extend(b"a".repeat(0x4_0000));
    copies.extend(b"U\x06latin1\x86q\x01");
    copies.extend(b"h\x00h\x01R".repeat(200));
    assert_says(&copies, &says);
}

#[test]
fn constants_stand_once() {
    let few = [&b"("[..], &b"NK\x07\x88".repeat(1000), b"t."].concat();
    let pickle = parse(&few).unwrap();
    assert_eq!(pickle.nodes.len(), 4);
    assert_eq!(pickle.root().items().unwrap().len(), 3000);
}

fn any(bytes: &[u8]) -> Pickle<'_> {
    parse_names(bytes, Names::Any).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn any_name_is_kept_and_none_called() {
    let pickle = any(b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.");
    let (class, arguments) = pickle.root().call().unwrap();
    assert_eq!(class.class(), Some((&b"os"[..], &b"system"[..])));
    let arguments: Vec<_> = arguments
        .items()
        .unwrap()
        .map(|item| item.bytes())
        .collect();
    assert_eq!(arguments, [Some(&b"true"[..])]);
    let pickle = any(b"\x80\x04\x8c\x05posix\x8c\x06system\x93)\x81}b.");
    let (class, _) = pickle.root().call().unwrap();
    assert_eq!(class.class(), Some((&b"posix"[..], &b"system"[..])));
    let pickle = any(b"(I1\nios\nsystem\n.");
    assert!(pickle.root().call().is_some());
    let ordered = any(b"ccollections\nOrderedDict\n)R(X\x01\0\0\0aK\x01u}X\x01\0\0\0mNsb.");
    assert_eq!(ordered.root().get("a").unwrap().integer(), Some(1));
    assert!(any(b"\x8f(K\x01K\x02\x90.").root().items().is_some());
    let long = any(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.rest");
    assert_eq!(long.root().long(), Some(&b"l\xfc\x9cF\xf9 j\xa8P\x19"[..]));
    assert_eq!(long.length(), 13);
    let stored = any(b"(U\x07storageK\x05tQ.");
    let id = stored.root().persistent().unwrap();
    assert_eq!(id.items().unwrap().last().unwrap().integer(), Some(5));
    assert!(any(b"Pthere\n.").root().persistent().is_some());
}

#[test]
fn long_names_and_keys_are_shared() {
    let mut twice = b"(c".to_vec();
    twice.extend(b"a".repeat(1 << 20));
    twice.extend(b"\nx\n");
    twice.extend(b"2".repeat(4000));
    twice.extend(b"t.");
    let pickle = any(&twice);
    assert_eq!(pickle.nodes.len(), 2);
    assert!(
        pickle
            .root()
            .items()
            .unwrap()
            .all(|class| class.class().is_none())
    );
}

#[test]
fn damaged_pickles_do_no_harm() {
    let mut state = 1_u32;
    for bytes in PYTHON_3 {
        for at in 0..bytes.len() {
            assert!(parse(&bytes[..at]).is_err());
            for _ in 0..8 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut damaged = bytes.to_vec();
                damaged[at] = (state >> 24) as u8;
                if let Ok(pickle) = parse(&damaged) {
                    for key in ["array", "columns", "objects", "ints"] {
                        let value = pickle.root().get(key);
                        let _ = value.map(|value| (value.array(key), value.items().is_some()));
                    }
                }
            }
        }
    }
}
