//! The ways in which files name the parameters of a network: torchvision's own, and those of other
//! libraries, turned into torchvision's. For where in a file such names stand, see `prefix`.

/// A way of naming parameters.
#[derive(Debug)]
pub(crate) struct Layout {
    /// What a note calls it; empty for torchvision's own names.
    pub(crate) title: &'static str,
    /// A name in the file as torchvision has it, in a network with these parameters.
    own: fn(&str, IsParameter<'_>) -> Option<String>,
}

/// Whether the network has a parameter of this name.
type IsParameter<'a> = &'a dyn Fn(&str) -> bool;

/// All layouts, torchvision's first: of two that explain as many keys the earlier one is meant.
pub(crate) static LAYOUTS: &[Layout] = &[
    Layout {
        title: "",
        own: |key, _| Some(key.to_owned()),
    },
    Layout {
        title: "Hugging Face `ResNetForImageClassification`",
        own: |key, _| hugging_face(key),
    },
    Layout {
        title: "Hugging Face `ResNetModel`",
        own: |key, _| hugging_face_body(key),
    },
    Layout {
        title: "timm's VGG",
        own: |key, _| timm_vgg(key),
    },
    Layout {
        title: "`torch.nn.Sequential` of a ResNet's children",
        own: |key, _| children(key),
    },
    Layout {
        title: "open_lth's CIFAR ResNet",
        own: open_lth,
    },
];

/// The most components that a name of any layout has.
pub(crate) const COMPONENTS: usize = 10;

/// No stage of a network has more.
const MOST_BLOCKS: usize = 1000;

impl Layout {
    /// The parameter that `key` means, if it is one of `is_parameter`.
    pub(crate) fn parameter(
        &self,
        key: &str,
        is_parameter: impl Fn(&str) -> bool,
    ) -> Option<String> {
        (self.own)(key, &is_parameter).filter(|name| is_parameter(name))
    }
}

/// `resnet.encoder.stages.0.layers.1.layer.0.convolution.weight` and `classifier.1.weight`.
fn hugging_face(key: &str) -> Option<String> {
    match key.strip_prefix("classifier.1.") {
        Some(leaf) => Some(format!("fc.{leaf}")),
        None => hugging_face_body(key.strip_prefix("resnet.")?),
    }
}

fn hugging_face_body(key: &str) -> Option<String> {
    if let Some(rest) = key.strip_prefix("embedder.embedder.") {
        let (part, leaf) = rest.split_once('.')?;
        return Some(format!("{}1.{leaf}", layer(part)?));
    }
    let rest = key.strip_prefix("encoder.stages.")?;
    let (stage, rest) = rest.split_once(".layers.")?;
    let (block, rest) = rest.split_once('.')?;
    let stage: usize = stage.parse().ok()?;
    let block = format!("layer{}.{block}", stage.checked_add(1)?);
    if let Some(rest) = rest.strip_prefix("shortcut.") {
        let (part, leaf) = rest.split_once('.')?;
        let place = usize::from(layer(part)? == "bn");
        return Some(format!("{block}.downsample.{place}.{leaf}"));
    }
    let (number, rest) = rest.strip_prefix("layer.")?.split_once('.')?;
    let (part, leaf) = rest.split_once('.')?;
    let number = number.parse::<usize>().ok()?.checked_add(1)?;
    Some(format!("{block}.{}{number}.{leaf}", layer(part)?))
}

fn layer(part: &str) -> Option<&'static str> {
    match part {
        "convolution" => Some("conv"),
        "normalization" => Some("bn"),
        _ => None,
    }
}

/// Two convolutions in place of the hidden linear layers, with the same values in the same order.
fn timm_vgg(key: &str) -> Option<String> {
    let table = [
        ("pre_logits.fc1.", "classifier.0."),
        ("pre_logits.fc2.", "classifier.3."),
        ("head.fc.", "classifier.6."),
    ];
    let mapped = table.iter().find_map(|(theirs, own)| {
        let leaf = key.strip_prefix(theirs)?;
        Some(format!("{own}{leaf}"))
    });
    mapped.or_else(|| key.starts_with("features.").then(|| key.to_owned()))
}

/// `torch.nn.Sequential(*list(resnet.children())[:-1])`: convolution, norm, ReLU, pool and four stages.
fn children(key: &str) -> Option<String> {
    let (number, rest) = key.split_once('.')?;
    let own = match number {
        "0" => "conv1",
        "1" => "bn1",
        "4" => "layer1",
        "5" => "layer2",
        "6" => "layer3",
        "7" => "layer4",
        _ => return None,
    };
    Some(format!("{own}.{rest}"))
}

/// open_lth's `models/cifar_resnet.py`: `conv.weight`, `bn.bias`, `blocks.4.shortcut.0.weight`; blocks are numbered through all
/// three stages, which have equally many.
fn open_lth(key: &str, is_parameter: IsParameter<'_>) -> Option<String> {
    if let Some(leaf) = key.strip_prefix("conv.") {
        return Some(format!("conv1.{leaf}"));
    }
    if let Some(leaf) = key.strip_prefix("bn.") {
        return Some(format!("bn1.{leaf}"));
    }
    if key.starts_with("fc.") {
        return Some(key.to_owned());
    }
    let (block, rest) = key.strip_prefix("blocks.")?.split_once('.')?;
    let block: usize = block.parse().ok()?;
    let is_block = |block: &usize| is_parameter(&format!("layer1.{block}.conv1.weight"));
    let of_stage = (0..MOST_BLOCKS).take_while(is_block).count();
    let stage = block.checked_div(of_stage)? + 1;
    let rest = match rest.strip_prefix("shortcut.") {
        Some(leaf) => format!("downsample.{leaf}"),
        None => rest.to_owned(),
    };
    Some(format!("layer{stage}.{}.{rest}", block % of_stage))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys as transformers 4 and timm 1 write them.
    #[test]
    fn names_of_other_libraries_are_torchvision_s() {
        let cases: [(usize, &str, &str); 14] = [
            (
                1,
                "resnet.embedder.embedder.convolution.weight",
                "conv1.weight",
            ),
            (
                1,
                "resnet.embedder.embedder.normalization.running_var",
                "bn1.running_var",
            ),
            (
                1,
                "resnet.encoder.stages.0.layers.1.layer.0.convolution.weight",
                "layer1.1.conv1.weight",
            ),
            (
                1,
                "resnet.encoder.stages.3.layers.0.layer.2.normalization.bias",
                "layer4.0.bn3.bias",
            ),
            (
                1,
                "resnet.encoder.stages.1.layers.0.shortcut.normalization.bias",
                "layer2.0.downsample.1.bias",
            ),
            (1, "classifier.1.weight", "fc.weight"),
            (
                2,
                "encoder.stages.1.layers.0.shortcut.convolution.weight",
                "layer2.0.downsample.0.weight",
            ),
            (3, "pre_logits.fc2.bias", "classifier.3.bias"),
            (4, "4.0.conv1.weight", "layer1.0.conv1.weight"),
            (5, "conv.weight", "conv1.weight"),
            (5, "bn.running_var", "bn1.running_var"),
            (5, "blocks.2.conv2.weight", "layer1.2.conv2.weight"),
            (5, "blocks.3.shortcut.1.bias", "layer2.0.downsample.1.bias"),
            (5, "blocks.8.bn1.weight", "layer3.2.bn1.weight"),
        ];
        for (layout, key, own) in cases {
            // A stage of three blocks.
            let found = LAYOUTS[layout].parameter(key, |name| name != "layer1.3.conv1.weight");
            assert_eq!(found.as_deref(), Some(own), "{key}");
            assert!(key.split('.').count() <= COMPONENTS, "{key}");
        }
    }

    #[test]
    fn a_number_beyond_all_is_no_stage() {
        let key = format!(
            "encoder.stages.{}.layers.0.layer.0.convolution.weight",
            usize::MAX
        );
        assert_eq!(LAYOUTS[2].parameter(&key, |_| true), None);
    }
}
