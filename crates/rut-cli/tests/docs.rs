//! Runs the commands of the README and of the manual as they are printed, and compares what they print with what is
//! shown.
//!
//! In every fenced block that is marked `console`, the lines that begin with `$ ` are run, page by page, in a folder like
//! a clone's root with a user's images and network in it. Each must end with status 0, or with the one that the block
//! names (`console exit=2`); `console ignore REASON` is not run. Lines below a command are its output: `...` stands for
//! any lines or, at a line's end, for the rest of it; numbers may differ, because their last digits depend on the
//! processor. The first block that is marked `toml` is the page's `study.toml`.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rut::{checkpoint, mask, root};

/// How a person without the installed program calls it.
const BY_CARGO: &str = "cargo run --release -p rut-cli -- ";

/// A command of a page, and its shown output.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    line: usize,
    command: String,
    exit: i32,
    output: Vec<String>,
}

/// How the block that this info string opens ends; nothing if it is not run.
fn exit_of(info: &str) -> Result<Option<i32>, String> {
    let Some(rest) = info.strip_prefix("console") else {
        return Ok(None);
    };
    match rest.trim().split_once(['=', ' ']) {
        None if rest.trim().is_empty() => Ok(Some(0)),
        Some(("exit", status)) => status.parse().map(Some).map_err(|_| info.to_owned()),
        Some(("ignore", _)) => Ok(None),
        _ => Err(format!(
            "`{info}`: expected `exit=STATUS` or `ignore REASON`"
        )),
    }
}

/// The commands of a page, in its order.
fn shown(page: &str) -> Result<Vec<Shown>, String> {
    let mut found: Vec<Shown> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((_, opening)) = lines.next() {
        let Some(info) = opening.strip_prefix("```") else {
            continue;
        };
        let exit = exit_of(info)?;
        let block = lines.by_ref().take_while(|(_, line)| *line != "```");
        let before = found.len();
        for (at, line) in block {
            let Some(exit) = exit else { continue };
            if let Some(command) = line.strip_prefix("$ ") {
                let (line, command) = (at + 1, command.to_owned());
                let output = Vec::new();
                found.push(Shown {
                    line,
                    command,
                    exit,
                    output,
                });
                continue;
            }
            let [.., last] = &mut found[before..] else {
                return Err(format!("line {}: output of no command", at + 1));
            };
            if last.output.is_empty() && last.command.ends_with('\\') {
                last.command.pop();
                last.command.push_str(line.trim_start());
            } else {
                last.output.push(line.to_owned());
            }
        }
    }
    Ok(found)
}

/// A line without what may differ: digits and the width of gaps.
fn stable(line: &str) -> String {
    let mut text = String::new();
    for char in line.trim_end().chars() {
        let char = if char.is_ascii_digit() { '0' } else { char };
        if !(matches!(char, '0' | ' ') && text.ends_with(char)) {
            text.push(char);
        }
    }
    text
}

fn is_line(want: &str, got: &str) -> bool {
    match want.strip_suffix("...") {
        Some(beginning) => stable(got).starts_with(&stable(beginning)),
        None => stable(got) == stable(want),
    }
}

/// Whether `want` shows the lines `got`.
fn shows(want: &[String], got: &[&str]) -> bool {
    match want {
        [] => got.is_empty(),
        [elided, rest @ ..] if elided == "..." => {
            (0..=got.len()).any(|skipped| shows(rest, &got[skipped..]))
        }
        [line, rest @ ..] => got
            .split_first()
            .is_some_and(|(first, others)| is_line(line, first) && shows(rest, others)),
    }
}

/// A folder like a clone's root, with what the pages call the reader's own.
fn clone(dir: &Path) {
    for folder in [
        "checkpoints",
        "checkpoints/fair",
        "data/digits",
        "experiments/bundled",
    ] {
        fs::create_dir_all(dir.join(folder)).unwrap();
        for file in fs::read_dir(root().join(folder)).unwrap() {
            let file = file.unwrap().path();
            if file.is_file() {
                fs::copy(&file, dir.join(folder).join(file.file_name().unwrap())).unwrap();
            }
        }
    }
    fs::copy(checkpoint(0), dir.join("my_dense.safetensors")).unwrap();
    fs::copy(checkpoint(8), dir.join("my_ticket.safetensors")).unwrap();
    fs::copy(mask(8), dir.join("my_mask.safetensors")).unwrap();
    let mut list = "path,label,split\n".to_owned();
    for (part, images) in [("train", 10..40), ("test", 0..10)] {
        for (class, label) in ["bird", "cat", "dog"].into_iter().enumerate() {
            let folder = format!("photos/{part}/{label}");
            fs::create_dir_all(dir.join(&folder)).unwrap();
            for image in images.clone() {
                let name = format!("{folder}/{image:02}.png");
                fs::write(dir.join(&name), picture(class, image)).unwrap();
                list += &format!("{name},{label},{part}\n");
            }
        }
    }
    fs::write(dir.join("photos.csv"), list).unwrap();
}

/// Stripes, whose width is the class and whose place and brightness are the image's.
fn picture(class: usize, image: usize) -> Vec<u8> {
    let mut bytes = b"P5 32 32 255\n".to_vec();
    let pixel = |at: usize| {
        let stripe = (at % 32 + image) / (2 << class) % 2;
        u8::try_from(40 + stripe * 120 + image * 2).unwrap()
    };
    bytes.extend((0..32 * 32).map(pixel));
    let picture = rut_images::decode(&bytes).unwrap().to_rgb();
    rut_images::encode_png(&picture).unwrap()
}

/// The study that a page shows.
fn study(page: &str) -> Option<&str> {
    let (_, block) = page.split_once("```toml\n")?;
    Some(block.split_once("```")?.0)
}

/// Runs `shown` in `dir`; what is wrong, if anything is.
fn run(shown: &Shown, dir: &Path) -> Option<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_rut")).parent().unwrap();
    let line = shown.command.replace(BY_CARGO, "rut ");
    let ended = Command::new("sh")
        .args(["-c", &format!("{{ {line}\n}} 2>&1")])
        .current_dir(dir)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&ended.stdout);
    let got: Vec<&str> = text.lines().collect();
    let exit = ended.status.code();
    let wrong = if exit != Some(shown.exit) {
        format!("expected status {}, found {exit:?}", shown.exit)
    } else if !shown.output.is_empty() && !shows(&shown.output, &got) {
        "the output is not what is shown".to_owned()
    } else {
        return None;
    };
    Some(format!(
        "{}: `{}`: {wrong}:\n{text}",
        shown.line, shown.command
    ))
}

/// The README and the pages of the manual.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

#[test]
fn every_command_of_the_manual_does_what_is_shown() {
    let mut wrong = Vec::new();
    let mut ran = 0;
    for page in pages() {
        let name = page.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&page).unwrap();
        let commands = shown(&text);
        let commands = commands.unwrap_or_else(|why| panic!("{name}: {why}"));
        if commands.is_empty() {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        clone(dir.path());
        if let Some(study) = study(&text) {
            fs::write(dir.path().join("study.toml"), study).unwrap();
        }
        ran += commands.len();
        let found = commands.iter().filter_map(|shown| run(shown, dir.path()));
        wrong.extend(found.map(|what| format!("{name}:{what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 30, "only {ran} commands were found");
}

#[test]
fn commands_are_read_with_their_status_and_output() {
    let page = "text\n```console\n$ rut a \\\n    --b\none\n...\n$ rut c\n```\n```sh\n$ no\n```\n```console exit=2\n$ rut d\n```\n\
                ```console ignore it wants weights\n$ rut e\n```\n";
    let got = shown(page).unwrap();
    let want = |line, command: &str, exit, output: &[&str]| Shown {
        line,
        command: command.into(),
        exit,
        output: output.iter().map(|line| (*line).to_owned()).collect(),
    };
    let all = [
        want(3, "rut a --b", 0, &["one", "..."]),
        want(7, "rut c", 0, &[]),
        want(13, "rut d", 2, &[]),
    ];
    assert_eq!(got, all);
    for bad in [
        "```console ignore\n```\n",
        "```console exit=x\n```\n",
        "```console\nlost\n```\n",
    ] {
        assert!(shown(bad).is_err(), "{bad}");
    }
}

#[test]
fn output_may_differ_in_numbers_and_gaps_alone() {
    let compare = |want: &str, got: &str| {
        let want: Vec<String> = want.lines().map(str::to_owned).collect();
        shows(&want, &got.lines().collect::<Vec<_>>())
    };
    assert!(compare(
        "a  78.17 %\n...\nend of ...",
        "a 9.1 %\nx\ny\nend of it"
    ));
    assert!(compare("...", ""));
    assert!(!compare("a 78.17 %", "b 78.17 %"));
    assert!(!compare("a 78.17 %", "a 78.17 %\nmore"));
    assert!(!compare("a\n...\nc", "a\nb"));
}
