//! Residual networks under torchvision's parameter names: the ImageNet ones of `torchvision.models.resnet`, and the
//! CIFAR ones of He et al. 2016 (arXiv 1512.03385), section 4.2, with either kind of shortcut.

use crate::graph::{Graph, GraphBuilder, MaxPool, NodeId};

/// Blocks in each stage and the kind of block; a network of the ImageNet family.
#[derive(Debug, Clone, Copy)]
struct Layout {
    blocks: [usize; 4],
    block: Block,
}

/// The two residual blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, 3×3 (with the stride) and 1×1 convolutions; four times as many channels leave as are inside.
    Bottleneck,
}

/// What carries a block's input past it where the shape changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shortcut {
    /// Every second pixel and zero channels, no parameters.
    OptionA,
    /// A 1×1 convolution and a batch norm, `downsample.0` and `downsample.1`.
    OptionB,
}

/// ResNet-18 with `classes` logits.
pub fn resnet18(classes: usize) -> Graph {
    imagenet(
        Layout {
            blocks: [2, 2, 2, 2],
            block: Block::Basic,
        },
        classes,
    )
}

/// ResNet-34 with `classes` logits.
pub fn resnet34(classes: usize) -> Graph {
    imagenet(
        Layout {
            blocks: [3, 4, 6, 3],
            block: Block::Basic,
        },
        classes,
    )
}

/// ResNet-50 with `classes` logits; the stride of a block is in its 3×3 convolution, as in torchvision.
pub fn resnet50(classes: usize) -> Graph {
    imagenet(
        Layout {
            blocks: [3, 4, 6, 3],
            block: Block::Bottleneck,
        },
        classes,
    )
}

/// ResNet-101 with `classes` logits.
pub fn resnet101(classes: usize) -> Graph {
    imagenet(
        Layout {
            blocks: [3, 4, 23, 3],
            block: Block::Bottleneck,
        },
        classes,
    )
}

/// ResNet-152 with `classes` logits.
pub fn resnet152(classes: usize) -> Graph {
    imagenet(
        Layout {
            blocks: [3, 8, 36, 3],
            block: Block::Bottleneck,
        },
        classes,
    )
}

/// The CIFAR network of 6·`BLOCKS` + 2 layers with shortcuts without parameters; its classifier is named `linear`.
pub fn cifar_option_a<const BLOCKS: usize>(classes: usize) -> Graph {
    cifar(BLOCKS, Shortcut::OptionA, "linear", classes)
}

/// The CIFAR network of 6·`BLOCKS` + 2 layers with 1×1 convolutions as shortcuts; its classifier is named `fc`.
pub fn cifar_option_b<const BLOCKS: usize>(classes: usize) -> Graph {
    cifar(BLOCKS, Shortcut::OptionB, "fc", classes)
}

fn imagenet(layout: Layout, classes: usize) -> Graph {
    let mut net = Residual {
        graph: GraphBuilder::new(),
        channels: 64,
        shortcut: Shortcut::OptionB,
    };
    let x = net.stem(7, 2);
    let mut x = net.graph.max_pool(
        x,
        MaxPool {
            kernel: 3,
            stride: 2,
            padding: 1,
        },
    );
    for (stage, blocks) in layout.blocks.into_iter().enumerate() {
        let first_stride = if stage == 0 { 1 } else { 2 };
        x = net.stage(
            x,
            Stage {
                name: stage + 1,
                blocks,
                inner: 64 << stage,
                first_stride,
                block: layout.block,
            },
        );
    }
    net.head(x, "fc", classes)
}

fn cifar(blocks: usize, shortcut: Shortcut, classifier: &str, classes: usize) -> Graph {
    let mut net = Residual {
        graph: GraphBuilder::new(),
        channels: 16,
        shortcut,
    };
    let mut x = net.stem(3, 1);
    for stage in 0..3 {
        let first_stride = if stage == 0 { 1 } else { 2 };
        x = net.stage(
            x,
            Stage {
                name: stage + 1,
                blocks,
                inner: 16 << stage,
                first_stride,
                block: Block::Basic,
            },
        );
    }
    net.head(x, classifier, classes)
}

/// A stage `layer{name}` of equal blocks; the first of them changes size and channels.
struct Stage {
    name: usize,
    blocks: usize,
    inner: usize,
    first_stride: usize,
    block: Block,
}

/// A residual network under construction.
struct Residual {
    graph: GraphBuilder,
    /// Channels of the value that the next block reads.
    channels: usize,
    shortcut: Shortcut,
}

impl Residual {
    fn stem(&mut self, kernel: usize, stride: usize) -> NodeId {
        let x = self.graph.input();
        let x = self
            .graph
            .conv_same(x, "conv1".into(), [self.channels, 3, kernel], stride);
        let x = self.graph.batch_norm(x, "bn1".into(), self.channels);
        self.graph.relu(x)
    }

    fn stage(&mut self, mut x: NodeId, stage: Stage) -> NodeId {
        for index in 0..stage.blocks {
            let prefix = format!("layer{}.{index}", stage.name);
            let stride = if index == 0 { stage.first_stride } else { 1 };
            let (out, y) = match stage.block {
                Block::Basic => (stage.inner, self.basic(x, &prefix, stage.inner, stride)),
                Block::Bottleneck => (
                    4 * stage.inner,
                    self.bottleneck(x, &prefix, stage.inner, stride),
                ),
            };
            let past = self.past(x, &prefix, out, stride);
            let sum = self.graph.add(y, past);
            x = self.graph.relu(sum);
            self.channels = out;
        }
        x
    }

    fn basic(&mut self, x: NodeId, prefix: &str, inner: usize, stride: usize) -> NodeId {
        let x = self.conv_norm(x, prefix, 1, [inner, self.channels, 3], stride);
        let x = self.graph.relu(x);
        self.conv_norm(x, prefix, 2, [inner, inner, 3], 1)
    }

    fn bottleneck(&mut self, x: NodeId, prefix: &str, inner: usize, stride: usize) -> NodeId {
        let x = self.conv_norm(x, prefix, 1, [inner, self.channels, 1], 1);
        let x = self.graph.relu(x);
        let x = self.conv_norm(x, prefix, 2, [inner, inner, 3], stride);
        let x = self.graph.relu(x);
        self.conv_norm(x, prefix, 3, [4 * inner, inner, 1], 1)
    }

    fn conv_norm(
        &mut self,
        x: NodeId,
        prefix: &str,
        number: usize,
        shape: [usize; 3],
        stride: usize,
    ) -> NodeId {
        let x = self
            .graph
            .conv_same(x, format!("{prefix}.conv{number}"), shape, stride);
        self.graph
            .batch_norm(x, format!("{prefix}.bn{number}"), shape[0])
    }

    fn past(&mut self, x: NodeId, prefix: &str, out: usize, stride: usize) -> NodeId {
        if stride == 1 && self.channels == out {
            return x;
        }
        match self.shortcut {
            Shortcut::OptionA => self.graph.option_a_shortcut(x, out),
            Shortcut::OptionB => {
                let shape = [out, self.channels, 1];
                let y = self
                    .graph
                    .conv_same(x, format!("{prefix}.downsample.0"), shape, stride);
                self.graph
                    .batch_norm(y, format!("{prefix}.downsample.1"), out)
            }
        }
    }

    fn head(mut self, x: NodeId, classifier: &str, classes: usize) -> Graph {
        let x = self.graph.global_avg_pool(x);
        let x = self.graph.flatten(x);
        self.graph.finish(x, classifier, self.channels, classes)
    }
}
