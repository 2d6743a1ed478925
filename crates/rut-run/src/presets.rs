//! Published recipes by name: keys and values that lie beneath all other layers of a specification.

use rut_formats::did_you_mean;
use rut_record::text_file::toml_problem;
use rut_record::{ALTERNATIVES, Settings};
use toml::Table;

use crate::error::{Result, refused};

/// The key that names one.
pub const PRESET: &str = "preset";

/// A published recipe.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// What a person types.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// A number that its source gives, and for what.
    pub published: &'static str,
    /// Its keys, as TOML.
    pub toml: &'static str,
}

/// No number of a recipe is known to have been published.
const NONE_KNOWN: &str = "none that could be retrieved";

/// All presets. Averages are those of 11 data sets by torchvision's ResNet-50 with all images, the best epoch chosen on the test
/// images (SMM, arXiv 2406.03150, tables 1 and 14), where nothing else is said.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "ilm-vp",
        about: "a border around a small image, greedy map made again every epoch",
        source: "Chen et al., CVPR 2023, arXiv 2211.11635; 200 epochs as in SMM",
        published: "49.2 %",
        toml: "method = 'vp'\nprompt = 'padding'\nmapping = 'ilm'\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "blm",
        about: "the same with the Bayesian map of predictions",
        source: "Cai et al., NeurIPS 2024, arXiv 2410.24018",
        published: NONE_KNOWN,
        toml: "method = 'vp'\nprompt = 'padding'\nmapping = 'blm'\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "blm-plus",
        about: "the same with the Bayesian map of the largest probabilities",
        source: "Cai et al., NeurIPS 2024, arXiv 2410.24018",
        published: NONE_KNOWN,
        toml: "method = 'vp'\nprompt = 'padding'\nmapping = 'blm-plus'\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "narrow",
        about: "a frame of an eighth of the canvas, added to the whole image",
        source: "SMM's baseline, arXiv 2406.03150",
        published: "46.8 %",
        toml: "method = 'vp'\nprompt = 'frame'\nprompt_width = 28\nmapping = 'ilm'\naugment = ['crop:32', 'flip']\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "medium",
        about: "a frame of a quarter of the canvas, added to the whole image",
        source: "SMM's baseline, arXiv 2406.03150",
        published: "49.4 %",
        toml: "method = 'vp'\nprompt = 'frame'\nprompt_width = 56\nmapping = 'ilm'\naugment = ['crop:32', 'flip']\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "watermark",
        about: "an image added to the whole image",
        source: "SMM's baseline, arXiv 2406.03150",
        published: "52.1 %",
        toml: "method = 'vp'\nprompt = 'watermark'\nmapping = 'ilm'\naugment = ['crop:32', 'flip']\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "smm",
        about: "an added image behind a mask of each sample's own",
        source: "Cai et al., ICML 2024, arXiv 2406.03150",
        published: "56.4 %",
        toml: "method = 'vp'\nprompt = 'smm'\nmapping = 'ilm'\naugment = ['crop:32', 'flip']\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "smm-lp",
        about: "SMM's prompt and a linear head, trained together",
        source: "Cai et al., ICML 2024, arXiv 2406.03150, table 14",
        published: "79.2 % (75.3 % of the head alone)",
        toml: "method = 'joint'\nprompt = 'smm'\naugment = ['crop:32', 'flip']\nlr = 0.01\nepochs = 200\nbatch_size = 256",
    },
    Preset {
        name: "autovp",
        about: "a border around an image whose scale is trained, and a full map",
        source: "Tsao et al., arXiv 2310.08381; epochs and batch size are ours, its search over mappings and scales is a sweep",
        published: "with CLIP ViT-B/32 only",
        toml: "method = 'vp'\nprompt = 'scale'\nmapping = 'full'\nlr = 0.001\nepochs = 200\nbatch_size = 64",
    },
    Preset {
        name: "lor-vp",
        about: "an added image of rank 4 and a linear head, trained together",
        source: "Jin et al., ICLR 2025, arXiv 2502.00896",
        published: "CIFAR-100 88.06 % (network not named)",
        toml: "method = 'joint'\nprompt = 'lowrank'\nrank = 4\noptimizer = 'sgd'\nmomentum = 0.9\nweight_decay = 0.0001\nschedule = 'cosine'\nlr = 0.02\nepochs = 20\nbatch_size = 256",
    },
    Preset {
        name: "evp",
        about: "a frame around a smaller image, normalised gradients",
        source: "Wu et al., arXiv 2212.10556, for networks without text",
        published: "with CLIP only: 82.5 % over 12 data sets",
        toml: "method = 'vp'\nprompt = 'frame'\nimage_size = 164\nprompt_width = 30\nprompt_space = 'pixels'\nmapping = 'mode'\ngradient = 'normalized'\noptimizer = 'sgd'\nmomentum = 0.0\nschedule = 'cosine'\naugment = ['flip']\ninterpolation = 'bicubic'\nlr = 70.0\nepochs = 1000\nbatch_size = 256",
    },
    Preset {
        name: "bahng",
        about: "a frame added to the whole image, the first source classes",
        source: "Bahng et al., arXiv 2203.17274, for vision networks",
        published: NONE_KNOWN,
        toml: "method = 'vp'\nprompt = 'frame'\nprompt_width = 30\nprompt_init = 'normal'\nmapping = 'identity'\noptimizer = 'sgd'\nmomentum = 0.9\nschedule = 'cosine-step'\nwarmup = 1000\nlr = 40.0\nepochs = 1000\nbatch_size = 128",
    },
    Preset {
        name: "acavp",
        about: "a moved and coloured image, a border where nothing is left of it",
        source: "NeurIPS 2025, arXiv 2510.07823; turned about the corner as published, the size of the crop is ours",
        published: NONE_KNOWN,
        toml: "method = 'vp'\nprompt = 'affine'\naffine_centre = 'corner'\nmapping = 'mode'\noptimizer = 'sgd'\nmomentum = 0.9\nschedule = 'cosine'\naugment = ['crop:32', 'flip', 'trivial']\nlr = 40.0\nepochs = 1000\nbatch_size = 256",
    },
    Preset {
        name: "ilm-lp",
        about: "a linear head by Adam",
        source: "Chen et al., CVPR 2023: the linear probe of its code",
        published: NONE_KNOWN,
        toml: "method = 'lp'\nlr = 0.1\nepochs = 200\nbatch_size = 256",
    },
];

/// The preset called `name`.
///
/// # Errors
/// If there is none; the message lists those that there are.
pub fn find_preset(name: &str) -> Result<&'static Preset> {
    let names = || PRESETS.iter().map(|preset| preset.name);
    let found = PRESETS
        .iter()
        .find(|preset| preset.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let all = names().collect::<Vec<_>>().join(", ");
        refused(
            PRESET,
            format!("one of {all}{}", did_you_mean(name, names())),
            format!("`{name}`"),
        )
    })
}

impl Preset {
    /// Its keys and values.
    ///
    /// # Errors
    /// If it is no TOML.
    pub fn table(&self) -> Result<Table> {
        let table = self.toml.parse();
        Ok(table.map_err(|e| {
            rut_record::Error::Spec(format!("the preset {}: {}", self.name, toml_problem(&e)))
        })?)
    }
}

/// Puts the preset that `table` names beneath it: what `table` sets itself, or sets in place of a key, stays.
///
/// # Errors
/// If there is no such preset.
pub fn expand_preset(table: &mut Table) -> Result<()> {
    let Some(named) = table.remove(PRESET) else {
        return Ok(());
    };
    let name = named
        .as_str()
        .map_or_else(|| named.to_string(), str::to_owned);
    let preset = find_preset(&name)?.table()?;
    let replaced = |key: &str| {
        ALTERNATIVES.iter().any(|(one, other)| {
            (*one == key && table.contains_key(*other))
                || (*other == key && table.contains_key(*one))
        })
    };
    let beneath: Table = preset
        .into_iter()
        .filter(|(key, _)| !table.contains_key(key) && !replaced(key))
        .collect();
    table.extend(beneath);
    Ok(())
}

/// The same for `settings`; messages name the preset where a value of it is at fault.
///
/// # Errors
/// As [`expand_preset`].
pub fn with_preset(mut settings: Settings) -> Result<Settings> {
    if !settings.has(PRESET) {
        return Ok(settings);
    }
    let preset = find_preset(settings.text(PRESET).unwrap_or_default())?;
    settings.forget(PRESET);
    let mut all = Settings::of_table(preset.table()?, &format!("the preset {}", preset.name));
    all.cover(settings);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use rut_record::RunSpec;

    use super::*;
    use crate::canonicalize::canonicalize;
    use crate::fields::check_used;

    /// Every recipe is a specification without keys of no use.
    #[test]
    fn every_preset_is_a_specification_that_uses_all_it_says() {
        for preset in PRESETS {
            let mut spec: RunSpec = preset.table().unwrap().try_into().unwrap();
            canonicalize(&mut spec);
            check_used(&spec).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        }
    }

    #[test]
    fn what_is_set_lies_over_a_preset() {
        let mut table: Table = "preset = 'SMM'\nlr = 0.5\nsteps = 9".parse().unwrap();
        expand_preset(&mut table).unwrap();
        let found = |key: &str| table.get(key).map(ToString::to_string);
        assert_eq!(found("lr"), Some("0.5".into()));
        assert_eq!(found("prompt"), Some("\"smm\"".into()));
        assert_eq!((found("epochs"), found("preset")), (None, None));
        let mut unknown: Table = "preset = 'smn'".parse().unwrap();
        let error = expand_preset(&mut unknown).unwrap_err().to_string();
        assert!(error.contains("did you mean 'smm'"), "{error}");
    }
}
