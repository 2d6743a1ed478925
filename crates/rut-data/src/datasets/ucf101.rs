//! UCF101 as images: the middle frame of each video, as CoOp gives them, and the official lists.
//!
//! Labels are the numbers of `classInd.txt`. A video `TaiChi/v_TaiChi_g01_c01.avi` is the image
//! `Tai_Chi/v_TaiChi_g01_c01.jpg`.

use std::collections::HashMap;
use std::path::Path;

use super::coop;
use crate::formats::files::{Files, Labelled};
use crate::formats::list_file;
use crate::{Counts, DatasetSpec, Error, Form, ImageRegion, ImageSize, Parts, Result, SplitSpec};

const IMAGES: &str = "ucf101/UCF-101-midframes";
/// Numbers and names of the classes.
const CLASS_LIST: &str = "ucf101/ucfTrainTestlist/classInd.txt";

/// One of the three official splits.
macro_rules! lists {
    ($name:literal, $about:literal, $number:literal, $train:literal, $test:literal) => {
        SplitSpec {
            name: $name,
            about: $about,
            counts: Counts {
                train: $train,
                validation: None,
                test: $test,
            },
            forms: &[Form {
                layout: &[
                    IMAGES,
                    CLASS_LIST,
                    concat!("ucf101/ucfTrainTestlist/trainlist", $number, ".txt"),
                    concat!("ucf101/ucfTrainTestlist/testlist", $number, ".txt"),
                ],
                read: |root| read(root, $number),
            }],
        }
    };
}

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "ucf101",
    aliases: &["ucf"],
    title: "UCF101, middle frames",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        lists!(
            "official",
            "the first of the three official splits",
            "01",
            9_537,
            3_783
        ),
        lists!(
            "official-2",
            "the second official split",
            "02",
            9_586,
            3_734
        ),
        lists!("official-3", "the third official split", "03", 9_624, 3_696),
        coop::UCF101,
    ],
    licence: "no terms stated; citation asked for",
    source: "https://www.crcv.ucf.edu/data/UCF101.php",
    citation: "K. Soomro et al., UCF101: a dataset of 101 human actions classes from videos in the \
               wild, CRCV-TR-12-01, 2012",
    archives: &[],
    by_hand: Some(
        "get UCF-101-midframes.zip by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and unpack it into ucf101/, \
         unpack https://www.crcv.ucf.edu/data/UCF101/UCF101TrainTestSplits-RecognitionTask.zip \
         there too (it holds ucfTrainTestlist), and for the split 'coop' put \
         split_zhou_UCF101.json there",
    ),
};

/// Names of the 101 actions, by number.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "ApplyEyeMakeup", "ApplyLipstick", "Archery", "BabyCrawling", "BalanceBeam", "BandMarching",
    "BaseballPitch", "Basketball", "BasketballDunk", "BenchPress", "Biking", "Billiards",
    "BlowDryHair", "BlowingCandles", "BodyWeightSquats", "Bowling", "BoxingPunchingBag",
    "BoxingSpeedBag", "BreastStroke", "BrushingTeeth", "CleanAndJerk", "CliffDiving",
    "CricketBowling", "CricketShot", "CuttingInKitchen", "Diving", "Drumming", "Fencing",
    "FieldHockeyPenalty", "FloorGymnastics", "FrisbeeCatch", "FrontCrawl", "GolfSwing", "Haircut",
    "Hammering", "HammerThrow", "HandstandPushups", "HandstandWalking", "HeadMassage", "HighJump",
    "HorseRace", "HorseRiding", "HulaHoop", "IceDancing", "JavelinThrow", "JugglingBalls",
    "JumpingJack", "JumpRope", "Kayaking", "Knitting", "LongJump", "Lunges", "MilitaryParade",
    "Mixing", "MoppingFloor", "Nunchucks", "ParallelBars", "PizzaTossing", "PlayingCello",
    "PlayingDaf", "PlayingDhol", "PlayingFlute", "PlayingGuitar", "PlayingPiano", "PlayingSitar",
    "PlayingTabla", "PlayingViolin", "PoleVault", "PommelHorse", "PullUps", "Punch", "PushUps",
    "Rafting", "RockClimbingIndoor", "RopeClimbing", "Rowing", "SalsaSpin", "ShavingBeard",
    "Shotput", "SkateBoarding", "Skiing", "Skijet", "SkyDiving", "SoccerJuggling", "SoccerPenalty",
    "StillRings", "SumoWrestling", "Surfing", "Swing", "TableTennisShot", "TaiChi", "TennisSwing",
    "ThrowDiscus", "TrampolineJumping", "Typing", "UnevenBars", "VolleyballSpiking",
    "WalkingWithDog", "WallPushups", "WritingOnBoard", "YoYo",
];

fn read(root: &Path, number: &str) -> Result<Parts> {
    let classes = root.join(CLASS_LIST);
    let class_names = read_class_names(&classes)?;
    let labels = list_file::labels(&classes, class_names.iter().map(String::as_str))?;
    let set = |part: &str| {
        let path = root.join(format!("ucf101/ucfTrainTestlist/{part}list{number}.txt"));
        let expected = "CLASS/VIDEO.avi of a class of classInd.txt, and perhaps its number there";
        let images = list_file::read(&path, expected, |line| parse(line, &labels))?;
        Files::labelled(root, IMAGES, images)
    };
    let (train, test) = (set("train")?, set("test")?);
    Ok(Parts {
        class_names,
        train,
        validation: None,
        test,
        remarks: Vec::new(),
    })
}

/// The names of lines `NUMBER NAME`, numbered from 1 without a gap.
fn read_class_names(path: &Path) -> Result<Vec<String>> {
    let expected = "a class's number, from 1, and its name";
    let lines = list_file::read(path, expected, |line| {
        let (number, name) = line.split_once(char::is_whitespace)?;
        let number: usize = number.parse().ok()?;
        Some((number, list_file::below(name.trim())?.to_owned()))
    })?;
    match (1..).zip(&lines).find(|(at, (number, _))| at != number) {
        None => Ok(lines.into_iter().map(|(_, name)| name).collect()),
        Some((at, (number, name))) => Err(Error::Malformed {
            path: path.to_path_buf(),
            place: format!("class '{name}'"),
            expected: format!("number {at}, for the classes are numbered from 1"),
            found: number.to_string(),
        }),
    }
}

/// A line `CLASS/VIDEO.avi NUMBER`, of which the number may be missing.
fn parse(line: &str, labels: &HashMap<&str, u32>) -> Option<Labelled> {
    let mut fields = line.split_whitespace();
    let (class, video) = list_file::below(fields.next()?)?.split_once('/')?;
    let label = *labels.get(class)?;
    let agrees = fields.all(|number| number.parse() == Ok(label + 1));
    let image = video.strip_suffix(".avi").filter(|_| agrees)?;
    Some((format!("{}/{image}.jpg", folder(class)), label))
}

/// `TaiChi` as `Tai_Chi`.
fn folder(class: &str) -> String {
    let mut folder = String::new();
    for letter in class.chars() {
        if letter.is_ascii_uppercase() && !folder.is_empty() {
            folder.push('_');
        }
        folder.push(letter);
    }
    folder
}
