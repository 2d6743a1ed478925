//! A user's own images, named in a CSV file.

mod common;

use std::path::Path;

use common::{assert_says, dot, write};
use rut_data::{Dataset, Error, ImageSet, open};
use tempfile::{TempDir, tempdir};

/// A folder with `list.csv` of these bytes and one-pixel images at these paths.
fn folder(list: impl AsRef<[u8]>, images: &[&str]) -> TempDir {
    let folder = tempdir().expect("a folder");
    write(folder.path().join("list.csv"), list.as_ref());
    for (value, path) in images.iter().enumerate() {
        write(folder.path().join(path), &dot(value as u8));
    }
    folder
}

fn open_list(folder: &TempDir) -> Result<Dataset, Error> {
    let list = folder.path().join("list.csv");
    open(list.to_str().expect("a UTF-8 path"), Path::new("nowhere"))
}

fn sources(set: &ImageSet) -> Vec<String> {
    (0..set.len()).map(|index| set.source(index)).collect()
}

#[test]
fn a_split_column_says_which_part_an_image_is_in() {
    let list = "label,notes,split,path\ndog,,train,b/2.jpg\ncat,x,TRAIN,a.jpg\ncat,y,Test,c.jpg\ndog,z,val,d.jpg\n";
    let folder = folder(list, &["a.jpg", "b/2.jpg", "c.jpg", "d.jpg"]);
    let data = open_list(&folder).expect("a sound list");
    assert_eq!((data.name.as_str(), data.prompt_size), ("list.csv", None));
    assert_eq!(data.class_names, ["cat", "dog"]);
    assert_eq!(sources(&data.train), ["b/2.jpg", "a.jpg"]);
    assert_eq!(
        (data.train.labels(), data.test.labels()),
        ([1, 0].as_slice(), [0].as_slice())
    );
    assert_eq!(data.train.decode(0).expect("an image").pixels(), [1]);
    assert_eq!(data.validation.expect("validation images").labels(), [1]);
}

#[test]
fn parts_are_known_by_other_words_in_any_case() {
    let images = ["1.jpg", "2.jpg", "3.jpg", "4.jpg"];
    for [train, validation, test] in [
        ["Train", "valid", "TEST"],
        ["training", "dev", "testing"],
        ["seg_train", "seg_val", "seg_test"],
    ] {
        let list = format!(
            "path,label,split\n1.jpg,a,{train}\n2.jpg,b,{train}\n3.jpg,a,{validation}\n4.jpg,b,{test}\n"
        );
        let folder = folder(list, &images);
        let data = open_list(&folder).expect(train);
        assert_eq!(sources(&data.train), ["1.jpg", "2.jpg"]);
        assert_eq!(sources(&data.validation.expect("a part")), ["3.jpg"]);
        assert_eq!(sources(&data.test), ["4.jpg"]);
    }
    let mixed = "path,label,split\n1.jpg,a,train\n2.jpg,a,seg_test\n";
    assert_says(
        open_list(&folder(mixed, &images)),
        &["line 3, column 'split'", "'seg_test'"],
    );
}

#[test]
fn validation_serves_as_test() {
    let list = "path,label,split\n1,a,train\n2,a,validation\n";
    let data = open_list(&folder(list, &["1", "2"])).expect("a sound list");
    assert_eq!(
        (sources(&data.test), data.validation.is_none()),
        (vec!["2".to_owned()], true)
    );
}

#[test]
fn without_a_split_column_the_split_is_that_of_a_folder() {
    let images: Vec<String> = (0..10)
        .map(|i| format!("a/{i}.jpg"))
        .chain((0..3).map(|i| format!("b/{i}.jpg")))
        .collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let rows: String = images
        .iter()
        .map(|path| format!("{path},{}\n", &path[..1]))
        .collect();
    let folder = folder(format!("path,label\n{rows}"), &images);
    let list = open_list(&folder).expect("a sound list");
    let whole =
        open(folder.path().to_str().expect("UTF-8"), Path::new("nowhere")).expect("a folder");
    assert_eq!(list.class_names, whole.class_names);
    for (of_list, of_folder) in [(&list.train, &whole.train), (&list.test, &whole.test)] {
        assert_eq!(sources(of_list), sources(of_folder));
        assert_eq!(
            of_list.digest().expect("a digest"),
            of_folder.digest().expect("a digest")
        );
    }
}

#[test]
fn labels_that_are_whole_numbers_are_sorted_as_numbers() {
    let names = |labels: [&str; 4]| {
        let images = ["1", "2", "3", "4"];
        let rows: String = images
            .iter()
            .zip(labels)
            .map(|(path, label)| format!("{path},{label}\n"))
            .collect();
        let data =
            open_list(&folder(format!("path,label\n{rows}"), &images)).expect("a sound list");
        data.class_names
    };
    assert_eq!(names(["10", "9", "2", "09"]), ["2", "9", "10"]);
    assert_eq!(names(["10", "9", "2", "x"]), ["10", "2", "9", "x"]);
    assert_eq!(names(["-1", "9", "10", " 9 "]), ["-1", "10", "9"]);
}

#[test]
fn lists_of_other_programs_are_read() {
    let list =
        "\u{feff}Path,\"Label\"\r\n\"a, b.jpg\",\"say \"\"Ü\"\"\"\r\n\r\n./c.jpg,x\r\n".as_bytes();
    let folder = folder(list, &["a, b.jpg", "c.jpg"]);
    let data = open_list(&folder).expect("a sound list");
    assert_eq!(data.class_names, ["say \"Ü\"", "x"]);
    assert_eq!(sources(&data.train), ["a, b.jpg", "c.jpg"]);
}

#[test]
fn absolute_paths_are_read() {
    let elsewhere = tempdir().expect("a folder");
    let image = elsewhere.path().join("a.jpg");
    write(&image, &dot(5));
    let data = open_list(&folder(format!("path,label\n{},x\n", image.display()), &[]))
        .expect("a sound list");
    assert_eq!(data.train.decode(0).expect("an image").pixels(), [5]);
}

#[test]
fn headers_without_the_columns_are_named() {
    let says = |list: &str, texts: &[&str]| assert_says(open_list(&folder(list, &["a"])), texts);
    says(
        "",
        &[
            "list.csv, line 1: expected the header 'path,label[,split]'",
            "an empty file",
        ],
    );
    says(
        "path,label\n",
        &["line 2: expected a row for each image, found none"],
    );
    says(
        "paht,label\na,x\n",
        &["found 'paht', 'label' and no 'path'; did you mean 'path'?"],
    );
    says(
        "path,class\na,x\n",
        &["found 'path', 'class' and no 'label'; rename 'class' to 'label'"],
    );
    says(
        "path;label\na;x\n",
        &[
            "expected the header 'path,label[,split]', columns in any order, separated by commas",
            "'path;label' and no 'path'; use commas instead of ';'",
        ],
    );
    says(
        "image\ttarget\na\tx\n",
        &["and no 'path'; use commas instead of tabs"],
    );
    says(
        "Filename,target,split\na,x,train\n",
        &["and no 'path'; rename 'Filename' to 'path' and 'target' to 'label'"],
    );
    says(
        "path,label,LABEL\na,x,y\n",
        &["line 1: expected one column 'label', found more"],
    );
}

#[test]
fn broken_rows_are_named() {
    let says = |rows: &str, texts: &[&str]| {
        let list = format!("path,label,split\n{rows}");
        assert_says(open_list(&folder(list, &["a", "b", "c"])), texts);
    };
    says(
        "a,x,train\nb,x\n",
        &["line 3: expected 3 columns, as in the header, found 2"],
    );
    says(
        "a,x,y,train\n",
        &["line 2: expected 3 columns", "found 4; quote"],
    );
    says(
        "a,x,train\nb, ,test\n",
        &["line 3, column 'label': expected a text, found nothing"],
    );
    says(",x,train\n", &["line 2, column 'path': expected a text"]);
    says(
        "a,x,trian\n",
        &["line 2, column 'split': expected train, val, validation or test, found 'trian'"],
    );
    says("a,x,\n", &["line 2, column 'split': expected a text"]);
    says(
        "a,\"x,train\nb,y\",test\n",
        &[
            "line 2, column 'label': expected a text of one line",
            "'x,train', which goes on",
        ],
    );
    says(
        "a,x,train\na,y,test\n",
        &[
            "line 3, column 'path'",
            "'a' again, after line 2; remove one",
        ],
    );
    says(
        "a,x,train\n./a,x,test\n",
        &["line 3, column 'path'", "'./a' again"],
    );
    says(
        "a,x,train\nb,y,test\n",
        &["class 'y': expected training images, found 1 image, none of them for training"],
    );
    says(
        "a,x,test\n",
        &["the split: expected training images, found none"],
    );
    says(
        "a,x,train\n",
        &["the split: expected test or validation images"],
    );
    says(
        "a,x,train\nnope,x,test\n",
        &["line 3, column 'path': expected files", "none at 'nope'"],
    );
    says(
        "1,x,train\na,x,test\n2,x,test\n3,x,test\n4,x,test\n",
        &["line 2", "none at '1', '2', '3' and 1 more"],
    );
    says(".,x,train\na,x,test\n", &["none at '.'"]);
}

#[test]
fn rows_without_an_end_are_refused() {
    let base = "path,label\na,x\n";
    for end in ["x".repeat(3 << 20), format!("\"{}", "x\n".repeat(2 << 20))] {
        let error = open_list(&folder(format!("{base}{end}"), &["a"])).unwrap_err();
        let message = error.to_string();
        let says =
            "line 3: expected a row of at most 1048576 bytes, found more; is a quote missing";
        assert!(message.contains(says), "{}", message.len());
    }
    let header = ",".repeat(2 << 20);
    assert_says(open_list(&folder(header, &[])), &["line 1: expected a row"]);
    let header = "a,".repeat(100);
    assert_says(
        open_list(&folder(header, &[])),
        &["'a', 91 more and no 'path'"],
    );
}

/// What is repeated is refused where it is first seen, whatever follows.
#[test]
fn the_first_repeated_row_is_the_last_that_is_read() {
    let rows = "a,x\n".repeat(1000);
    let list = format!("path,label\n{rows}\"no,end");
    let says = ["line 3, column 'path'", "'a' again, after line 2"];
    assert_says(open_list(&folder(list, &["a"])), &says);
}

#[test]
fn other_encodings_are_named() {
    let says = |list: &[u8], texts: &[&str]| assert_says(open_list(&folder(list, &["a"])), texts);
    says(
        b"path,label\na,caf\xe9\n",
        &["line 2: expected text in UTF-8", "save the list in UTF-8"],
    );
    says(b"\xff\xfep\0a\0t\0h\0", &["line 1", "UTF-8"]);
}

/// What is wrong is said, and nothing else happens, wherever a list is damaged.
#[test]
fn flipped_bytes_never_panic() {
    let list = b"path,label,split\r\n\"a\",x,train\r\nb,\"y\"\"\",train\r\nc,x,test\r\n";
    let folder = folder(list, &["a", "b", "c"]);
    for at in 0..list.len() {
        for byte in [0, 0xff, b'"', b',', b'\n', list[at] ^ 1] {
            let mut damaged = *list;
            damaged[at] = byte;
            write(folder.path().join("list.csv"), &damaged);
            let _ = open_list(&folder);
        }
    }
}

#[test]
fn what_is_no_data_set_is_named() {
    assert_says(
        open("no such.csv", Path::new("nowhere")),
        &["neither a folder, a list (.csv), a table (.parquet) nor"],
    );
}

#[test]
fn two_words_for_one_part_are_not_taken_for_one() {
    let images = ["1.jpg", "2.jpg", "3.jpg"];
    let of = |[train, one, other]: [&str; 3]| {
        folder(
            format!("path,label,split\n1.jpg,a,{train}\n2.jpg,a,{one}\n3.jpg,a,{other}\n"),
            &images,
        )
    };
    let both = of(["train", "eval", "Test"]);
    let says = ["line 4, column 'split'", "'eval'", "'test'", "rename"];
    assert_says(open_list(&both), &says);
    assert_says(
        open_list(&of(["train", "dev", "val"])),
        &["line 4", "'dev'"],
    );
    for words in [["Train", "TEST", "test"], ["train", "val", "validation"]] {
        assert!(open_list(&of(words)).is_ok(), "{words:?}");
    }
}
