//! What a file is whose keys do not fit: the first line of the message.

use super::Reading;
use super::contents::FileContents;
use super::key_match::{KeyMatch, match_keys};
use super::shapes;
use crate::graph::{Graph, ParameterKind};
use crate::mismatch::{Mismatch, quoted};
use crate::registry::MODELS;
use crate::spec::ModelSpec;

/// How a kind of file is recognised by its keys.
struct Sign {
    /// Some key holds one of these.
    parts: &'static [&'static str],
    /// What it looks like, and what to do.
    about: &'static str,
}

/// Other networks and other ways to save one, the more particular first.
const SIGNS: &[Sign] = &[
    Sign {
        parts: &[".parametrizations."],
        about: "its layers are parametrised: call torch.nn.utils.parametrize.remove_parametrizations(layer, \"weight\") for each before saving",
    },
    Sign {
        parts: &[".weight_g", ".weight_v"],
        about: "its layers have weight norm: call torch.nn.utils.remove_weight_norm(layer) for each before saving",
    },
    Sign {
        parts: &[".weight_orig"],
        about: "it is pruned by torch.nn.utils.prune, and masks are missing or of another shape: call torch.nn.utils.prune.remove(layer, \"weight\") for each before saving",
    },
    Sign {
        parts: &["._packed_params", ".zero_point", "weight_fake_quant"],
        about: "it is a quantised network: save the floating-point network that it was made from",
    },
    Sign {
        parts: &["lora_A", "lora_B"],
        about: "it holds LoRA adapters: merge them into the network before saving",
    },
    Sign {
        parts: &[
            "attn.qkv.",
            "cls_token",
            "class_token",
            "encoder.layers.encoder_layer_",
            "attention.attention.query",
            "self_attn.",
            "relative_position_bias",
        ],
        about: "it looks like a transformer: `rut models list` has convolutional ResNets and VGGs",
    },
    Sign {
        parts: &["visual.attnpool.", "attnpool."],
        about: "it looks like CLIP's ResNet, which has another stem and pools by attention: `rut models list` has torchvision's",
    },
    Sign {
        parts: &[".se.", ".se_module.", ".fc1.weight", ".attn.conv."],
        about: "it looks like a ResNet with squeeze-and-excitation or another attention: `rut models list` has plain ones",
    },
    Sign {
        parts: &["dwconv.", "depthwise_conv.", ".gamma", "conv_dw."],
        about: "it looks like a ConvNeXt, an EfficientNet or a MobileNet: `rut models list` has ResNets and VGGs",
    },
    Sign {
        parts: &["denseblock1.denselayer1."],
        about: "it looks like a DenseNet: `rut models list` has ResNets and VGGs",
    },
    Sign {
        parts: &["res2.0.conv1.norm.", "stem.conv1.norm."],
        about: "it looks like detectron2's ResNet, whose batch norms are folded another way: `rut models list` has torchvision's",
    },
    Sign {
        parts: &["blocks.0.conv1."],
        about: "it looks like open_lth's ResNet, which names and builds its blocks another way: `rut models list` has torchvision's",
    },
];

/// Why a file does not fit, in one line.
pub(super) fn why(
    graph: &Graph,
    contents: &FileContents<'_>,
    key_match: &KeyMatch<'_>,
    found: &Mismatch,
) -> String {
    classes(graph, found)
        .or_else(|| deep_stem(contents))
        .or_else(|| sign(contents))
        .or_else(|| another_model(graph, contents))
        .or_else(|| wider(graph, found))
        .or_else(|| shared_prefix(contents, key_match))
        .unwrap_or_else(|| {
            "expected exactly the network's parameters: name the model that the file was trained as"
                .into()
        })
}

/// Another number of classes alone.
fn classes(graph: &Graph, found: &Mismatch) -> Option<String> {
    let classifier = format!("{}.", graph.classifier().param);
    let head = |name: &str| name.starts_with(&classifier);
    if !found.missing.is_empty()
        || !found.unexpected.is_empty()
        || !found.misshaped.iter().all(|m| head(&m.name))
    {
        return None;
    }
    let weight = found
        .misshaped
        .iter()
        .find(|m| m.name.ends_with("weight"))?;
    let classes = weight.found.first()?;
    Some(format!(
        "the file's classifier has {classes} classes, the network {}: choose the model of the task that the file was trained on",
        graph.classes()
    ))
}

/// timm's ResNets with a stem of three convolutions and pooled shortcuts, by depth.
fn deep_stem(contents: &FileContents<'_>) -> Option<String> {
    let keys = || contents.tensors.keys();
    let stem = keys().find(|key| key.ends_with("conv1.0.weight"))?;
    let prefix = stem.strip_suffix("conv1.0.weight")?;
    let has = |name: &str| contents.tensors.contains_key(&format!("{prefix}{name}"));
    if !has("conv1.3.weight") || !has("layer1.0.conv1.weight") {
        return None;
    }
    let blocks = |stage: usize| {
        let has = |block: &usize| has(&format!("layer{stage}.{block}.conv1.weight"));
        (0..100).take_while(has).count()
    };
    let convolutions = if has("layer1.0.conv3.weight") { 3 } else { 2 };
    let depth = 2 + convolutions * (1..=4).map(blocks).sum::<usize>();
    let shortcut = if has("layer2.0.downsample.1.weight") && has("layer2.0.downsample.2.weight") {
        "d"
    } else {
        "c"
    };
    Some(format!(
        "it looks like timm's resnet{depth}{shortcut}, which has another stem: `rut models list` has torchvision's ResNets; \
         timm's plain resnet{depth} is one"
    ))
}

fn sign(contents: &FileContents<'_>) -> Option<String> {
    let keys = || contents.tensors.keys().chain(contents.others.keys());
    let seen = |sign: &&Sign| keys().any(|key| sign.parts.iter().any(|part| key.contains(part)));
    SIGNS.iter().find(seen).map(|sign| sign.about.to_owned())
}

/// A model of the table that the file fits.
fn another_model(graph: &Graph, contents: &FileContents<'_>) -> Option<String> {
    let fits = |model: &&ModelSpec| {
        let other = (model.graph)(graph.classes());
        let found = match_keys(&other, contents, &Reading::default()).ok();
        &other != graph && found.is_some_and(|found| shapes::fits(&other, contents, &found))
    };
    let names: Vec<&str> = MODELS.iter().filter(fits).map(|model| model.name).collect();
    (!names.is_empty()).then(|| format!("it fits {}: name it as the model", quoted(&names)))
}

/// The same names with other numbers of channels.
fn wider(graph: &Graph, found: &Mismatch) -> Option<String> {
    if !found.missing.is_empty() || !found.unexpected.is_empty() {
        return None;
    }
    let kernel = graph
        .parameters()
        .into_iter()
        .find(|p| p.kind == ParameterKind::ConvWeight && p.name == "layer1.0.conv2.weight")?;
    let other = found.misshaped.iter().find(|m| m.name == kernel.name)?;
    let grouped = other.found.get(1) < kernel.shape.get(1);
    Some(if grouped {
        "it looks like a ResNeXt, whose convolutions are grouped: `rut models list` has plain ResNets".into()
    } else {
        "it looks like a wide ResNet: `rut models list` has those of the usual width".into()
    })
}

/// What all keys begin with.
fn shared_prefix(contents: &FileContents<'_>, key_match: &KeyMatch<'_>) -> Option<String> {
    let keys: Vec<&String> = contents
        .tensors
        .keys()
        .chain(contents.others.keys())
        .collect();
    // The first and the last in order share what all share.
    let (least, most) = (keys.iter().min()?, keys.iter().max()?);
    let pairs = least.split_inclusive('.').zip(most.split_inclusive('.'));
    let shared: String = pairs
        .take_while(|(one, other)| one == other && one.ends_with('.'))
        .map(|(part, _)| part)
        .collect();
    if shared.is_empty() || !key_match.place.keys.is_empty() {
        return None;
    }
    Some(format!(
        "all {} keys begin with {}, and nothing behind it is of this network: name the model that the file was trained as",
        keys.len(),
        quoted(&[shared.as_str()])
    ))
}
