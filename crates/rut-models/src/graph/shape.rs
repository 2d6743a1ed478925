//! The shape of every node's value for an input of a given size; the place where misfits are found.

use super::{Conv, Graph, Linear, MaxPool, Node, Op};
use crate::error::{Error, Result};

/// The shape of a node's value, without the batch axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// An image-like value.
    Map {
        /// Number of channels.
        channels: usize,
        /// Height, in pixels.
        height: usize,
        /// Width, in pixels.
        width: usize,
    },
    /// A row of this many features.
    Flat(usize),
}

impl Shape {
    /// The number of elements.
    pub fn len(self) -> usize {
        match self {
            Self::Map {
                channels,
                height,
                width,
            } => channels * height * width,
            Self::Flat(features) => features,
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The shape of a batch of `n`: `[n, c, h, w]` or `[n, features]`.
    pub fn with_batch(self, n: usize) -> Vec<usize> {
        match self {
            Self::Map {
                channels,
                height,
                width,
            } => vec![n, channels, height, width],
            Self::Flat(features) => vec![n, features],
        }
    }
}

impl Graph {
    /// The shape of every node's value, in the order of [`nodes`](Self::nodes), for an input `[channels, height, width]`.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`] names the first node whose operation does not fit what it reads, for instance because the
    /// image is smaller than a kernel.
    ///
    /// ```
    /// use rut_models::{Shape, find};
    /// let graph = find("resnet18").unwrap().build();
    /// let shapes = graph.shapes([3, 224, 224])?;
    /// assert_eq!(shapes[graph.features().index()], Shape::Flat(512));
    /// # Ok::<(), rut_models::Error>(())
    /// ```
    pub fn shapes(&self, input: [usize; 3]) -> Result<Vec<Shape>> {
        let mut shapes = Vec::with_capacity(self.nodes().len());
        for (index, node) in self.nodes().iter().enumerate() {
            let shape = node_shape(node, input, &shapes).map_err(|reason| Error::Graph {
                node: index,
                op: node.op.name(),
                reason,
            })?;
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Multiply-adds of convolutions and linear layers for one image `[channels, height, width]`: what torchvision calls
    /// GFLOPS, in units of 1.
    ///
    /// # Errors
    ///
    /// As [`shapes`](Self::shapes).
    ///
    /// ```
    /// let graph = rut_models::find("resnet50").unwrap().build();
    /// assert_eq!(graph.multiply_adds([3, 224, 224])?, 4_089_184_256); // torchvision: 4.09 GFLOPS
    /// # Ok::<(), rut_models::Error>(())
    /// ```
    pub fn multiply_adds(&self, input: [usize; 3]) -> Result<u64> {
        let shapes = self.shapes(input)?;
        let of = |(node, shape): (&Node, &Shape)| {
            let each = match &node.op {
                Op::Conv(conv) => conv.in_channels * conv.kernel * conv.kernel,
                Op::Linear(linear) => linear.in_features,
                _ => 0,
            };
            (each * shape.len()) as u64
        };
        Ok(self.nodes().iter().zip(&shapes).map(of).sum())
    }
}

fn node_shape(
    node: &Node,
    [channels, height, width]: [usize; 3],
    shapes: &[Shape],
) -> std::result::Result<Shape, String> {
    let read: Vec<Shape> = node
        .inputs
        .iter()
        .map(|id| {
            shapes
                .get(id.index())
                .copied()
                .ok_or("it reads a later node")
        })
        .collect::<std::result::Result<_, _>>()?;
    if let (Op::Input, []) = (&node.op, &read[..]) {
        return Ok(Shape::Map {
            channels,
            height,
            width,
        });
    }
    match (&node.op, &read[..]) {
        (Op::Add, [a, b]) if a == b => Ok(*a),
        (Op::Add, [a, b]) => Err(format!("it adds {a:?} and {b:?}, expected the same shape")),
        (op, [x]) => unary_shape(op, *x),
        (op, _) => Err(format!(
            "it reads {} nodes, expected {}",
            read.len(),
            op.arity()
        )),
    }
}

fn unary_shape(op: &Op, x: Shape) -> std::result::Result<Shape, String> {
    match (op, x) {
        (Op::Relu | Op::FakeQuantize(_), x) => Ok(x),
        (Op::Flatten, x) => Ok(Shape::Flat(x.len())),
        (Op::Linear(linear), Shape::Flat(features)) => linear_shape(linear, features),
        (
            op,
            Shape::Map {
                channels,
                height,
                width,
            },
        ) => map_shape(op, [channels, height, width]),
        (_, Shape::Flat(features)) => Err(format!(
            "it reads a row of {features} features, expected an image-like value"
        )),
    }
}

fn linear_shape(linear: &Linear, features: usize) -> std::result::Result<Shape, String> {
    if features != linear.in_features {
        return Err(format!(
            "`{}` reads {features} features, expected {}",
            linear.param, linear.in_features
        ));
    }
    Ok(Shape::Flat(linear.out_features))
}

fn map_shape(op: &Op, [channels, height, width]: [usize; 3]) -> std::result::Result<Shape, String> {
    let map = |channels, height, width| Shape::Map {
        channels,
        height,
        width,
    };
    Ok(match op {
        Op::Conv(conv) => {
            check_conv(conv, channels)?;
            let side = |length| windows(length, conv.kernel, conv.stride, conv.padding);
            map(conv.out_channels, side(height)?, side(width)?)
        }
        Op::BatchNorm(norm) if norm.channels != channels => {
            return Err(format!(
                "`{}` reads {channels} channels, expected {}",
                norm.param, norm.channels
            ));
        }
        Op::BatchNorm(_) => map(channels, height, width),
        Op::MaxPool(pool) => {
            check_pool(pool)?;
            let side = |length| windows(length, pool.kernel, pool.stride, pool.padding);
            map(channels, side(height)?, side(width)?)
        }
        Op::OptionAShortcut { out_channels } => {
            if *out_channels < channels || (out_channels - channels) % 2 != 0 {
                return Err(format!(
                    "it makes {out_channels} channels of {channels}, expected an even number more"
                ));
            }
            map(*out_channels, height.div_ceil(2), width.div_ceil(2))
        }
        Op::AdaptiveAvgPool { side } => map(channels, *side, *side),
        Op::GlobalAvgPool => map(channels, 1, 1),
        other => return Err(format!("{} cannot read an image-like value", other.name())),
    })
}

fn check_conv(conv: &Conv, channels: usize) -> std::result::Result<(), String> {
    if conv.in_channels != channels {
        return Err(format!(
            "`{}` reads {channels} channels, expected {}",
            conv.param, conv.in_channels
        ));
    }
    if conv.padding >= conv.kernel || conv.stride == 0 {
        return Err(format!(
            "`{}` has stride {}, padding {} and kernel {}, expected a stride above 0 and less padding than kernel",
            conv.param, conv.stride, conv.padding, conv.kernel
        ));
    }
    Ok(())
}

fn check_pool(pool: &MaxPool) -> std::result::Result<(), String> {
    if pool.stride == 0 || pool.padding * 2 > pool.kernel {
        return Err(format!(
            "the window has stride {}, padding {} and side {}, expected a stride above 0 and at most half the side as padding",
            pool.stride, pool.padding, pool.kernel
        ));
    }
    Ok(())
}

/// The number of windows along an axis, rounded down.
fn windows(
    length: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> std::result::Result<usize, String> {
    let room = (length + 2 * padding).checked_sub(kernel);
    let room = room.ok_or_else(|| format!("{length} pixels are fewer than its window of {kernel} (padding {padding}); use a larger image"))?;
    Ok(room / stride + 1)
}
