//! The table of models. To add one: a function that builds its graph, one row here, and its keys in
//! `golden/model_keys.json`; tests, help texts and downloads read this table.

mod weights;

use crate::spec::{ModelSpec, Normalization, WeightsSpec};
use crate::upstream::Upstream;
use crate::{resnet, vgg};

/// All models, in the order in which they are listed.
pub static MODELS: &[ModelSpec] = &[
    ModelSpec {
        name: "resnet18",
        aliases: &["resnet-18"],
        title: "ResNet-18",
        width: 512,
        weights: weights::RESNET18,
        graph: resnet::resnet18,
        ..RESNET
    },
    ModelSpec {
        name: "resnet34",
        aliases: &["resnet-34"],
        title: "ResNet-34",
        width: 512,
        weights: weights::RESNET34,
        graph: resnet::resnet34,
        ..RESNET
    },
    ModelSpec {
        name: "resnet50",
        aliases: &["resnet-50"],
        title: "ResNet-50",
        width: 2048,
        weights: weights::RESNET50,
        graph: resnet::resnet50,
        ..RESNET
    },
    ModelSpec {
        name: "resnet101",
        aliases: &["resnet-101"],
        title: "ResNet-101",
        width: 2048,
        weights: weights::RESNET101,
        graph: resnet::resnet101,
        ..RESNET
    },
    ModelSpec {
        name: "resnet152",
        aliases: &["resnet-152"],
        title: "ResNet-152",
        width: 2048,
        weights: weights::RESNET152,
        graph: resnet::resnet152,
        ..RESNET
    },
    ModelSpec {
        name: "resnet20_cifar10",
        aliases: &["resnet20-cifar10"],
        title: "ResNet-20 (CIFAR-10)",
        weights: weights::RESNET20_CIFAR10,
        graph: resnet::cifar_option_a::<3>,
        ..CIFAR10
    },
    ModelSpec {
        name: "resnet32_cifar10",
        aliases: &["resnet32-cifar10"],
        title: "ResNet-32 (CIFAR-10)",
        weights: weights::RESNET32_CIFAR10,
        graph: resnet::cifar_option_a::<5>,
        ..CIFAR10
    },
    ModelSpec {
        name: "resnet44_cifar10",
        aliases: &["resnet44-cifar10"],
        title: "ResNet-44 (CIFAR-10)",
        weights: weights::RESNET44_CIFAR10,
        graph: resnet::cifar_option_a::<7>,
        ..CIFAR10
    },
    ModelSpec {
        name: "resnet56_cifar10",
        aliases: &["resnet56-cifar10"],
        title: "ResNet-56 (CIFAR-10)",
        weights: weights::RESNET56_CIFAR10,
        graph: resnet::cifar_option_a::<9>,
        ..CIFAR10
    },
    ModelSpec {
        name: "resnet20_cifar100",
        aliases: &["resnet20-cifar100"],
        title: "ResNet-20 (CIFAR-100)",
        weights: weights::RESNET20_CIFAR100,
        graph: resnet::cifar_option_b::<3>,
        ..CIFAR100
    },
    ModelSpec {
        name: "resnet32_cifar100",
        aliases: &["resnet32-cifar100"],
        title: "ResNet-32 (CIFAR-100)",
        weights: weights::RESNET32_CIFAR100,
        graph: resnet::cifar_option_b::<5>,
        ..CIFAR100
    },
    ModelSpec {
        name: "resnet44_cifar100",
        aliases: &["resnet44-cifar100"],
        title: "ResNet-44 (CIFAR-100)",
        weights: weights::RESNET44_CIFAR100,
        graph: resnet::cifar_option_b::<7>,
        ..CIFAR100
    },
    ModelSpec {
        name: "resnet56_cifar100",
        aliases: &["resnet56-cifar100"],
        title: "ResNet-56 (CIFAR-100)",
        weights: weights::RESNET56_CIFAR100,
        graph: resnet::cifar_option_b::<9>,
        ..CIFAR100
    },
    ModelSpec {
        name: "vgg11",
        aliases: &["vgg-11"],
        title: "VGG-11",
        weights: weights::VGG11,
        graph: vgg::vgg11,
        ..VGG
    },
    ModelSpec {
        name: "vgg11_bn",
        aliases: &["vgg-11-bn"],
        title: "VGG-11 with batch norm",
        weights: weights::VGG11_BN,
        graph: vgg::vgg11_bn,
        ..VGG
    },
    ModelSpec {
        name: "vgg13",
        aliases: &["vgg-13"],
        title: "VGG-13",
        weights: weights::VGG13,
        graph: vgg::vgg13,
        ..VGG
    },
    ModelSpec {
        name: "vgg13_bn",
        aliases: &["vgg-13-bn"],
        title: "VGG-13 with batch norm",
        weights: weights::VGG13_BN,
        graph: vgg::vgg13_bn,
        ..VGG
    },
    ModelSpec {
        name: "vgg16",
        aliases: &["vgg-16"],
        title: "VGG-16",
        weights: weights::VGG16,
        graph: vgg::vgg16,
        ..VGG
    },
    ModelSpec {
        name: "vgg16_bn",
        aliases: &["vgg-16-bn"],
        title: "VGG-16 with batch norm",
        weights: weights::VGG16_BN,
        graph: vgg::vgg16_bn,
        ..VGG
    },
    ModelSpec {
        name: "vgg19",
        aliases: &["vgg-19"],
        title: "VGG-19",
        weights: weights::VGG19,
        graph: vgg::vgg19,
        ..VGG
    },
    ModelSpec {
        name: "vgg19_bn",
        aliases: &["vgg-19-bn"],
        title: "VGG-19 with batch norm",
        weights: weights::VGG19_BN,
        graph: vgg::vgg19_bn,
        ..VGG
    },
];

const RESNET: ModelSpec = ModelSpec {
    name: "",
    aliases: &[],
    title: "",
    input_size: 224,
    normalization: Normalization::IMAGENET,
    classes: 1000,
    width: 512,
    upstream: Upstream::ImageNet,
    weights: NO_WEIGHTS,
    graph: resnet::resnet18,
};

const NO_WEIGHTS: &[WeightsSpec] = &[];

const VGG: ModelSpec = ModelSpec {
    width: 4096,
    ..RESNET
};

const CIFAR10: ModelSpec = ModelSpec {
    input_size: 32,
    classes: 10,
    width: 64,
    upstream: Upstream::Cifar10,
    ..RESNET
};

const CIFAR100: ModelSpec = ModelSpec {
    normalization: Normalization::CIFAR100,
    classes: 100,
    upstream: Upstream::Cifar100,
    ..CIFAR10
};

/// The model of a name or alias.
///
/// ```
/// assert_eq!(rut_models::find("resnet50").unwrap().width, 2048);
/// assert!(rut_models::find("resnet51").is_none());
/// ```
pub fn find(name: &str) -> Option<&'static ModelSpec> {
    let known = |name: &str| {
        MODELS
            .iter()
            .find(|model| model.name == name || model.aliases.contains(&name))
    };
    known(name).or_else(|| {
        let (model, _) = name.split_once('.')?;
        let torchvision = model.strip_suffix("_Weights").map(str::to_lowercase);
        known(&torchvision.unwrap_or_else(|| model.into()))
    })
}
