//! SUN397: folders of scenes, some of them in each other. Ten partitions were published, each of 50
//! training and 50 test images per class; torchvision takes all images and splits none.
//!
//! The archive holds 108,754 images, as its authors say. Lists with one less leave out
//! `c/church/outdoor/sun_bhenjvsvrtumjuri.jpg`, which not every decoder can read.

use std::collections::HashMap;
use std::path::Path;

use super::coop;
use crate::formats::files::{Files, Labelled};
use crate::formats::{class_folders, list_file};
use crate::stratify::split_anew;
use crate::{
    Archive, Counts, DatasetSpec, Form, ImageRegion, ImageSize, Parts, Result, Seed, SplitSpec,
};

const IMAGES: &str = "SUN397";
/// The classes in label order, a line `/LETTER/NAME` each.
const CLASS_LIST: &str = "SUN397/ClassName.txt";
/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);
/// Share of each class that is for testing.
const TEST_SHARE: f64 = 0.5;

/// One of the ten published partitions: its lists where they are unpacked, or beside the folder of
/// images as CoOp has them.
macro_rules! partition {
    ($name:literal, $number:literal) => {
        SplitSpec {
            name: $name,
            about: "a published partition, 50 images per class for training and 50 for testing",
            counts: Counts {
                train: 19_850,
                validation: None,
                test: 19_850,
            },
            forms: &[
                Form {
                    layout: &[
                        CLASS_LIST,
                        concat!("SUN397/Partitions/Training_", $number, ".txt"),
                        concat!("SUN397/Partitions/Testing_", $number, ".txt"),
                    ],
                    read: |root| read_partition(root, "SUN397/Partitions", $number),
                },
                Form {
                    layout: &[
                        CLASS_LIST,
                        concat!("Training_", $number, ".txt"),
                        concat!("Testing_", $number, ".txt"),
                    ],
                    read: |root| read_partition(root, "", $number),
                },
            ],
        }
    };
}

/// The line of the table.
pub(crate) const SPEC: DatasetSpec = DatasetSpec {
    name: "sun397",
    aliases: &["sun"],
    title: "SUN397",
    classes: CLASSES,
    image_size: ImageSize::Varying,
    prompt_size: 128,
    region: ImageRegion::Whole,
    splits: &[
        SplitSpec {
            name: "stratified",
            about: "all images in a fixed split, of each class a half for testing",
            counts: Counts {
                train: 54_283,
                validation: None,
                test: 54_471,
            },
            forms: &[Form {
                layout: &[CLASS_LIST],
                read: read_stratified,
            }],
        },
        partition!("partition-1", "01"),
        partition!("partition-2", "02"),
        partition!("partition-3", "03"),
        partition!("partition-4", "04"),
        partition!("partition-5", "05"),
        partition!("partition-6", "06"),
        partition!("partition-7", "07"),
        partition!("partition-8", "08"),
        partition!("partition-9", "09"),
        partition!("partition-10", "10"),
        coop::SUN397,
    ],
    licence: "no terms stated; citation asked for",
    source: "https://vision.princeton.edu/projects/2010/SUN/",
    citation: "J. Xiao et al., SUN database: large-scale scene recognition from abbey to zoo, CVPR 2010",
    archives: &[
        Archive {
            url: "https://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
            file: "SUN397.tar.gz",
            md5: Some("8ca2778205c41d23104230ba66911c7a"),
            sha256: None,
            unpack_into: "",
        },
        Archive {
            url: "https://vision.princeton.edu/projects/2010/SUN/download/Partitions.zip",
            file: "SUN397-Partitions.zip",
            md5: None,
            sha256: Some("e3311ea5f812d4cc6faef194688343d1111f6cd6f70f2c62f393c2b8d6ba1ec9"),
            unpack_into: "SUN397/Partitions",
        },
    ],
    by_hand: Some(
        "for its split 'coop' get split_zhou_SUN397.json by its link in \
         https://github.com/KaiyangZhou/CoOp/blob/main/DATASETS.md and put it into SUN397/",
    ),
};

/// Names of the 397 scenes, by their place in `ClassName.txt`.
#[rustfmt::skip] // One name a line would be a file of its own.
const CLASSES: &[&str] = &[
    "abbey", "airplane_cabin", "airport_terminal", "alley", "amphitheater", "amusement_arcade",
    "amusement_park", "anechoic_chamber", "apartment_building/outdoor", "apse/indoor", "aquarium",
    "aqueduct", "arch", "archive", "arrival_gate/outdoor", "art_gallery", "art_school",
    "art_studio", "assembly_line", "athletic_field/outdoor", "atrium/public", "attic",
    "auditorium", "auto_factory", "badlands", "badminton_court/indoor", "baggage_claim",
    "bakery/shop", "balcony/exterior", "balcony/interior", "ball_pit", "ballroom", "bamboo_forest",
    "banquet_hall", "bar", "barn", "barndoor", "baseball_field", "basement", "basilica",
    "basketball_court/outdoor", "bathroom", "batters_box", "bayou", "bazaar/indoor",
    "bazaar/outdoor", "beach", "beauty_salon", "bedroom", "berth", "biology_laboratory",
    "bistro/indoor", "boardwalk", "boat_deck", "boathouse", "bookstore", "booth/indoor",
    "botanical_garden", "bow_window/indoor", "bow_window/outdoor", "bowling_alley", "boxing_ring",
    "brewery/indoor", "bridge", "building_facade", "bullring", "burial_chamber", "bus_interior",
    "butchers_shop", "butte", "cabin/outdoor", "cafeteria", "campsite", "campus", "canal/natural",
    "canal/urban", "candy_store", "canyon", "car_interior/backseat", "car_interior/frontseat",
    "carrousel", "casino/indoor", "castle", "catacomb", "cathedral/indoor", "cathedral/outdoor",
    "cavern/indoor", "cemetery", "chalet", "cheese_factory", "chemistry_lab",
    "chicken_coop/indoor", "chicken_coop/outdoor", "childs_room", "church/indoor",
    "church/outdoor", "classroom", "clean_room", "cliff", "cloister/indoor", "closet",
    "clothing_store", "coast", "cockpit", "coffee_shop", "computer_room", "conference_center",
    "conference_room", "construction_site", "control_room", "control_tower/outdoor", "corn_field",
    "corral", "corridor", "cottage_garden", "courthouse", "courtroom", "courtyard",
    "covered_bridge/exterior", "creek", "crevasse", "crosswalk", "cubicle/office", "dam",
    "delicatessen", "dentists_office", "desert/sand", "desert/vegetation", "diner/indoor",
    "diner/outdoor", "dinette/home", "dinette/vehicle", "dining_car", "dining_room", "discotheque",
    "dock", "doorway/outdoor", "dorm_room", "driveway", "driving_range/outdoor", "drugstore",
    "electrical_substation", "elevator/door", "elevator/interior", "elevator_shaft", "engine_room",
    "escalator/indoor", "excavation", "factory/indoor", "fairway", "fastfood_restaurant",
    "field/cultivated", "field/wild", "fire_escape", "fire_station", "firing_range/indoor",
    "fishpond", "florist_shop/indoor", "food_court", "forest/broadleaf", "forest/needleleaf",
    "forest_path", "forest_road", "formal_garden", "fountain", "galley", "game_room",
    "garage/indoor", "garbage_dump", "gas_station", "gazebo/exterior", "general_store/indoor",
    "general_store/outdoor", "gift_shop", "golf_course", "greenhouse/indoor", "greenhouse/outdoor",
    "gymnasium/indoor", "hangar/indoor", "hangar/outdoor", "harbor", "hayfield", "heliport",
    "herb_garden", "highway", "hill", "home_office", "hospital", "hospital_room", "hot_spring",
    "hot_tub/outdoor", "hotel/outdoor", "hotel_room", "house", "hunting_lodge/outdoor",
    "ice_cream_parlor", "ice_floe", "ice_shelf", "ice_skating_rink/indoor",
    "ice_skating_rink/outdoor", "iceberg", "igloo", "industrial_area", "inn/outdoor", "islet",
    "jacuzzi/indoor", "jail/indoor", "jail_cell", "jewelry_shop", "kasbah", "kennel/indoor",
    "kennel/outdoor", "kindergarden_classroom", "kitchen", "kitchenette", "labyrinth/outdoor",
    "lake/natural", "landfill", "landing_deck", "laundromat", "lecture_room", "library/indoor",
    "library/outdoor", "lido_deck/outdoor", "lift_bridge", "lighthouse", "limousine_interior",
    "living_room", "lobby", "lock_chamber", "locker_room", "mansion", "manufactured_home",
    "market/indoor", "market/outdoor", "marsh", "martial_arts_gym", "mausoleum", "medina",
    "moat/water", "monastery/outdoor", "mosque/indoor", "mosque/outdoor", "motel", "mountain",
    "mountain_snowy", "movie_theater/indoor", "museum/indoor", "music_store", "music_studio",
    "nuclear_power_plant/outdoor", "nursery", "oast_house", "observatory/outdoor", "ocean",
    "office", "office_building", "oil_refinery/outdoor", "oilrig", "operating_room", "orchard",
    "outhouse/outdoor", "pagoda", "palace", "pantry", "park", "parking_garage/indoor",
    "parking_garage/outdoor", "parking_lot", "parlor", "pasture", "patio", "pavilion", "pharmacy",
    "phone_booth", "physics_laboratory", "picnic_area", "pilothouse/indoor", "planetarium/outdoor",
    "playground", "playroom", "plaza", "podium/indoor", "podium/outdoor", "pond",
    "poolroom/establishment", "poolroom/home", "power_plant/outdoor", "promenade_deck",
    "pub/indoor", "pulpit", "putting_green", "racecourse", "raceway", "raft", "railroad_track",
    "rainforest", "reception", "recreation_room", "residential_neighborhood", "restaurant",
    "restaurant_kitchen", "restaurant_patio", "rice_paddy", "riding_arena", "river", "rock_arch",
    "rope_bridge", "ruin", "runway", "sandbar", "sandbox", "sauna", "schoolhouse", "sea_cliff",
    "server_room", "shed", "shoe_shop", "shopfront", "shopping_mall/indoor", "shower", "skatepark",
    "ski_lodge", "ski_resort", "ski_slope", "sky", "skyscraper", "slum", "snowfield",
    "squash_court", "stable", "stadium/baseball", "stadium/football", "stage/indoor", "staircase",
    "street", "subway_interior", "subway_station/platform", "supermarket", "sushi_bar", "swamp",
    "swimming_pool/indoor", "swimming_pool/outdoor", "synagogue/indoor", "synagogue/outdoor",
    "television_studio", "temple/east_asia", "temple/south_asia", "tennis_court/indoor",
    "tennis_court/outdoor", "tent/outdoor", "theater/indoor_procenium", "theater/indoor_seats",
    "thriftshop", "throne_room", "ticket_booth", "toll_plaza", "topiary_garden", "tower",
    "toyshop", "track/outdoor", "train_railway", "train_station/platform", "tree_farm",
    "tree_house", "trench", "underwater/coral_reef", "utility_room", "valley", "van_interior",
    "vegetable_garden", "veranda", "veterinarians_office", "viaduct", "videostore", "village",
    "vineyard", "volcano", "volleyball_court/indoor", "volleyball_court/outdoor", "waiting_room",
    "warehouse/indoor", "water_tower", "waterfall/block", "waterfall/fan", "waterfall/plunge",
    "watering_hole", "wave", "wet_bar", "wheat_field", "wind_farm", "windmill",
    "wine_cellar/barrel_storage", "wine_cellar/bottle_storage", "wrestling_ring/indoor", "yard",
    "youth_hostel",
];

/// A class: `/b/balcony/exterior`.
struct Class {
    /// `b/balcony/exterior`.
    folder: String,
    /// `balcony/exterior`.
    name: String,
}

fn read_classes(root: &Path) -> Result<Vec<Class>> {
    let path = root.join(CLASS_LIST);
    let classes = list_file::read(&path, "a class as in '/a/abbey'", |line| {
        let folder = list_file::below(line.strip_prefix('/')?)?;
        let (letter, name) = folder.split_once('/')?;
        (letter.len() == 1 && !name.is_empty()).then(|| Class {
            folder: folder.to_owned(),
            name: name.to_owned(),
        })
    })?;
    // A class that stands there twice would give its images two labels.
    labels(root, &classes)?;
    Ok(classes)
}

/// The classes' places in their list, by folder.
fn labels<'a>(root: &Path, classes: &'a [Class]) -> Result<HashMap<&'a str, u32>> {
    let folders = classes.iter().map(|class| class.folder.as_str());
    list_file::labels(&root.join(CLASS_LIST), folders)
}

fn read_stratified(root: &Path) -> Result<Parts> {
    let (folders, class_names): (Vec<String>, Vec<String>) = read_classes(root)?
        .into_iter()
        .map(|class| (class.folder, class.name))
        .unzip();
    let all = class_folders::read(root, IMAGES, &folders)?;
    split_anew(class_names, &all, TEST_SHARE, SPLIT_SEED, "sun397 split")
}

fn read_partition(root: &Path, lists: &str, number: &str) -> Result<Parts> {
    let classes = read_classes(root)?;
    let labels = labels(root, &classes)?;
    let set = |part: &str| {
        let path = root.join(lists).join(format!("{part}_{number}.txt"));
        let expected = "an image of a class of ClassName.txt, as in '/a/abbey/sun_x.jpg'";
        let images = list_file::read(&path, expected, |line| parse(line, &labels))?;
        Files::labelled(root, IMAGES, images)
    };
    let (train, test) = (set("Training")?, set("Testing")?);
    Ok(Parts {
        class_names: classes.into_iter().map(|class| class.name).collect(),
        train,
        validation: None,
        test,
        remarks: Vec::new(),
    })
}

/// A line `/LETTER/CLASS/FILE`.
fn parse(line: &str, labels: &HashMap<&str, u32>) -> Option<Labelled> {
    let path = list_file::below(line.strip_prefix('/')?)?;
    let (folder, _) = path.rsplit_once('/')?;
    Some((path.to_owned(), *labels.get(folder)?))
}
