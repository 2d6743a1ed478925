//! The public weights of each model: torchvision's, those of akamaster/pytorch_resnet_cifar10 for CIFAR-10 and those
//! of chenyaofo/pytorch-cifar-models for CIFAR-100.

use crate::spec::{Evaluation, WeightsSpec};

const fn torchvision_v1(url: &'static str, sha256_prefix: &'static str) -> WeightsSpec {
    WeightsSpec {
        name: "IMAGENET1K_V1",
        evaluation: Evaluation {
            resize: 256,
            crop: 224,
        },
        url,
        recipe: "plain: SGD, flips and random resized crops",
        sha256_prefix,
    }
}

const fn torchvision_v2(url: &'static str, sha256_prefix: &'static str) -> WeightsSpec {
    WeightsSpec {
        name: "IMAGENET1K_V2",
        evaluation: Evaluation {
            resize: 232,
            crop: 224,
        },
        url,
        recipe: "strong: 600 epochs, label smoothing, mixup, cutmix, TrivialAugment, random erasing, weight averaging",
        sha256_prefix,
    }
}

const fn cifar(name: &'static str, url: &'static str, sha256_prefix: &'static str) -> WeightsSpec {
    WeightsSpec {
        name,
        evaluation: Evaluation {
            resize: 32,
            crop: 32,
        },
        url,
        recipe: "plain: SGD, flips and padded crops",
        sha256_prefix,
    }
}

pub(super) const RESNET18: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    "f37072fd",
)];
pub(super) const RESNET34: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/resnet34-b627a593.pth",
    "b627a593",
)];
pub(super) const RESNET50: &[WeightsSpec] = &[
    torchvision_v1(
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        "0676ba61",
    ),
    torchvision_v2(
        "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        "11ad3fa6",
    ),
];
pub(super) const RESNET101: &[WeightsSpec] = &[
    torchvision_v1(
        "https://download.pytorch.org/models/resnet101-63fe2227.pth",
        "63fe2227",
    ),
    torchvision_v2(
        "https://download.pytorch.org/models/resnet101-cd907fc2.pth",
        "cd907fc2",
    ),
];
pub(super) const RESNET152: &[WeightsSpec] = &[
    torchvision_v1(
        "https://download.pytorch.org/models/resnet152-394f9c45.pth",
        "394f9c45",
    ),
    torchvision_v2(
        "https://download.pytorch.org/models/resnet152-f82ba261.pth",
        "f82ba261",
    ),
];
pub(super) const VGG11: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg11-8a719046.pth",
    "8a719046",
)];
pub(super) const VGG13: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg13-19584684.pth",
    "19584684",
)];
pub(super) const VGG16: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    "397923af",
)];
pub(super) const VGG19: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    "dcbb9e9d",
)];
pub(super) const VGG11_BN: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg11_bn-6002323d.pth",
    "6002323d",
)];
pub(super) const VGG13_BN: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg13_bn-abd245e5.pth",
    "abd245e5",
)];
pub(super) const VGG16_BN: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth",
    "6c64b313",
)];
pub(super) const VGG19_BN: &[WeightsSpec] = &[torchvision_v1(
    "https://download.pytorch.org/models/vgg19_bn-c79401a0.pth",
    "c79401a0",
)];
pub(super) const RESNET20_CIFAR10: &[WeightsSpec] = &[cifar(
    "akamaster",
    "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet20-12fca82f.th",
    "12fca82f",
)];
pub(super) const RESNET32_CIFAR10: &[WeightsSpec] = &[cifar(
    "akamaster",
    "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet32-d509ac18.th",
    "d509ac18",
)];
pub(super) const RESNET44_CIFAR10: &[WeightsSpec] = &[cifar(
    "akamaster",
    "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet44-014dd654.th",
    "014dd654",
)];
pub(super) const RESNET56_CIFAR10: &[WeightsSpec] = &[cifar(
    "akamaster",
    "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/resnet56-4bfd9763.th",
    "4bfd9763",
)];
pub(super) const RESNET20_CIFAR100: &[WeightsSpec] = &[cifar(
    "chenyaofo",
    "https://github.com/chenyaofo/pytorch-cifar-models/releases/download/resnet/cifar100_resnet20-23dac2f1.pt",
    "23dac2f1",
)];
pub(super) const RESNET32_CIFAR100: &[WeightsSpec] = &[cifar(
    "chenyaofo",
    "https://github.com/chenyaofo/pytorch-cifar-models/releases/download/resnet/cifar100_resnet32-84213ce6.pt",
    "84213ce6",
)];
pub(super) const RESNET44_CIFAR100: &[WeightsSpec] = &[cifar(
    "chenyaofo",
    "https://github.com/chenyaofo/pytorch-cifar-models/releases/download/resnet/cifar100_resnet44-ffe32858.pt",
    "ffe32858",
)];
pub(super) const RESNET56_CIFAR100: &[WeightsSpec] = &[cifar(
    "chenyaofo",
    "https://github.com/chenyaofo/pytorch-cifar-models/releases/download/resnet/cifar100_resnet56-f2eff4c8.pt",
    "f2eff4c8",
)];
