//! Made-up convolutions: weights, maps and what the oracle says about them.

use rut_kernels::reference::Reference;
use rut_kernels::{
    Area, Conv, ConvAlgorithm, ConvShape, Direction, End, Ends, Isa, LANES, Lanes, Map, MapMut,
    Start, Workspace,
};

/// Both directions.
pub(crate) const DIRECTIONS: [Direction; 2] = [Direction::Forward, Direction::Backward];

/// Rounding to f32 changes a number by at most this share of it.
const ROUNDING: f64 = (f32::EPSILON / 2.0) as f64;

/// A stream of random numbers.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    /// Uniform in [−1, 1).
    pub(crate) fn number(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(crate) fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.number()).collect()
    }

    pub(crate) fn lanes(&mut self, count: usize) -> Vec<Lanes> {
        let lanes = |_| Lanes(std::array::from_fn(|_| self.number()));
        (0..count).map(lanes).collect()
    }
}

/// Which weights are not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mask {
    Full,
    Zero,
    /// About one in so many.
    OneIn(usize),
    /// The same, and of every third written channel none.
    EmptyRows(usize),
}

/// `[kernel, stride, padding]` and channels as a shape.
pub(crate) fn shape(
    [kernel, stride, padding]: [usize; 3],
    [in_channels, out_channels]: [usize; 2],
) -> ConvShape {
    ConvShape {
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
    }
}

/// Pixels of a run: those that the source holds, those that the target holds, and those of them that are computed.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) held: Area,
    pub(crate) whole: Area,
    pub(crate) area: Area,
}

/// A convolution of a few images in one direction.
pub(crate) struct Problem {
    pub(crate) shape: ConvShape,
    pub(crate) direction: Direction,
    /// Size of the map that is read, and of the one that is written.
    pub(crate) sizes: [[usize; 2]; 2],
    pub(crate) images: usize,
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Option<Vec<f32>>,
    /// `[images, channels, height, width]`.
    pub(crate) source: Vec<f32>,
    input: [usize; 2],
}

impl Problem {
    /// `None` where the kernel is larger than the input. Even seeds have a bias.
    pub(crate) fn new(
        shape: ConvShape,
        input: [usize; 2],
        direction: Direction,
        mask: Mask,
        seed: u64,
    ) -> Option<Self> {
        let output = shape.output(input)?;
        let sizes = match direction {
            Direction::Forward => [input, output],
            Direction::Backward => [output, input],
        };
        let [read, written] = shape.channels(direction);
        let mut draws = Draws::new(seed);
        let images = [LANES, 5, 1, 11][draws.below(4)].min(1 + 400_000 / shape.weights());
        let taps = shape.kernel * shape.kernel;
        let weight = |index: usize| {
            let value = draws.number();
            let row = match direction {
                Direction::Forward => index / taps / shape.in_channels,
                Direction::Backward => index / taps % shape.in_channels,
            };
            let keep = match mask {
                Mask::Full => true,
                Mask::Zero => false,
                Mask::OneIn(n) => draws.below(n) == 0,
                Mask::EmptyRows(n) => draws.below(n) == 0 && row % 3 != 1,
            };
            if keep { value } else { 0.0 }
        };
        Some(Self {
            shape,
            direction,
            sizes,
            images,
            weights: (0..shape.weights()).map(weight).collect(),
            bias: seed.is_multiple_of(2).then(|| draws.numbers(written)),
            source: draws.numbers(images * read * sizes[0][0] * sizes[0][1]),
            input,
        })
    }

    pub(crate) fn label(&self) -> String {
        let (shape, input) = (self.shape, self.input);
        format!(
            "{:?} {}→{} {}×{}/{}+{} on {}×{}, {} images",
            self.direction,
            shape.in_channels,
            shape.out_channels,
            shape.kernel,
            shape.kernel,
            shape.stride,
            shape.padding,
            input[0],
            input[1],
            self.images
        )
    }

    pub(crate) fn read(&self) -> usize {
        self.shape.channels(self.direction)[0]
    }

    pub(crate) fn written(&self) -> usize {
        self.shape.channels(self.direction)[1]
    }

    /// All of the written map.
    pub(crate) fn whole(&self) -> Area {
        Area::whole(self.sizes[1][0], self.sizes[1][1])
    }

    /// What must be known of the read map to compute `area`.
    pub(crate) fn needed(&self, area: Area) -> Area {
        match self.direction {
            Direction::Forward => self.shape.read(area, self.sizes[0]),
            Direction::Backward => self.shape.reach(area, self.sizes[0]),
        }
    }

    pub(crate) fn conv(&self, isa: Isa, algorithm: ConvAlgorithm) -> Conv {
        let bias = self.bias.as_deref();
        Conv::new(
            isa,
            algorithm,
            self.shape,
            self.direction,
            &self.weights,
            bias,
        )
        .unwrap_or_else(|error| panic!("{}: {error}", self.label()))
    }

    /// What the oracle says of every image, `[images, channels, height, width]`, and the sums of the products' sizes.
    pub(crate) fn oracle(&self) -> [Vec<f64>; 2] {
        let run = |sign: fn(f64) -> f64| {
            let wide = |values: &[f32]| -> Vec<f64> {
                values.iter().map(|&value| sign(value.into())).collect()
            };
            let bias = self.bias.as_deref().map(wide);
            let oracle = Reference {
                shape: self.shape,
                input: self.input,
                weights: &wide(&self.weights),
                bias: bias.as_deref(),
            };
            oracle.run(self.direction, &wide(&self.source))
        };
        [run(|value| value), run(f64::abs)]
            .map(|sums| sums.unwrap_or_else(|error| panic!("{}: {error}", self.label())))
    }

    /// The pixels `area` of the read map, a lane for each image; further lanes are zero.
    pub(crate) fn lanes(&self, area: Area) -> Vec<Lanes> {
        let [height, width] = self.sizes[0];
        let mut lanes = Vec::with_capacity(area.len() * self.read());
        for row in area.top..area.bottom() {
            for column in area.left..area.right() {
                for channel in 0..self.read() {
                    let mut element = Lanes::ZERO;
                    for image in 0..self.images {
                        let plane = image * self.read() + channel;
                        element.0[image] = self.source[(plane * height + row) * width + column];
                    }
                    lanes.push(element);
                }
            }
        }
        lanes
    }

    /// Runs `conv` on a part.
    pub(crate) fn run_part(
        &self,
        conv: &Conv,
        part: Part,
        target: &mut [Lanes],
        ends: Ends<'_>,
    ) -> rut_kernels::Result<()> {
        let Part { held, whole, area } = part;
        let source = Map {
            values: &self.lanes(held),
            size: self.sizes[0],
            area: held,
            channels: self.read(),
        };
        let target = MapMut {
            values: target,
            size: self.sizes[1],
            area: whole,
            channels: self.written(),
        };
        conv.run(&Workspace::new(), source, target, area, ends)
    }

    /// Runs `conv` on all of the source into all of a target that holds `target` before.
    pub(crate) fn run_into(
        &self,
        conv: &Conv,
        mut target: Vec<Lanes>,
        start: Start,
        end: End<'_>,
    ) -> Vec<Lanes> {
        let held = Area::whole(self.sizes[0][0], self.sizes[0][1]);
        let whole = self.whole();
        let part = Part {
            held,
            whole,
            area: whole,
        };
        self.run_part(conv, part, &mut target, Ends { start, end })
            .unwrap_or_else(|error| panic!("{}: {error}", self.label()));
        target
    }

    /// The plain sums.
    pub(crate) fn run(&self, conv: &Conv) -> Vec<Lanes> {
        let target = vec![Lanes::splat(f32::NAN); self.whole().len() * self.written()];
        self.run_into(conv, target, Start::Fresh, End::Store)
    }

    /// How far a sum may be from the oracle's, for the sums of the products' sizes.
    ///
    /// A sum of n products rounds about n times, each time by at most 2⁻²⁴ of what is there; the roundings are as good as
    /// independent, so that they add up like √n (Higham and Mary 2019, a new approach to probabilistic rounding error
    /// analysis), here with the constant 4.
    ///
    /// Winograd's sums are differences of larger ones, made of all pixels of a tile and all weights of a channel: what is
    /// rounded is measured by the largest pixel times the sum of the channel's weights, whatever of it reaches the sum.
    pub(crate) fn bounds(&self, algorithm: ConvAlgorithm, sizes: &[f64]) -> Vec<f64> {
        let terms = self.read() * self.shape.kernel * self.shape.kernel + 2;
        let share = 4.0 * (terms as f64).sqrt() * ROUNDING;
        let direct = sizes.iter().map(|size| share * size);
        if algorithm != ConvAlgorithm::Winograd {
            return direct.collect();
        }
        let (pixels, written) = (self.whole().len(), self.written());
        let scales: Vec<f64> = (0..self.images * written)
            .map(|at| self.largest_pixel(at / written) * self.weight_sum(at % written))
            .collect();
        let whole = |at: usize| 4.0 * share * scales[at / pixels];
        direct
            .enumerate()
            .map(|(at, direct)| direct + whole(at))
            .collect()
    }

    fn largest_pixel(&self, image: usize) -> f64 {
        let len = self.source.len() / self.images;
        let pixels = self.source[image * len..][..len].iter();
        pixels.fold(0.0, |most, pixel| f64::from(pixel.abs()).max(most))
    }

    /// The sum of the sizes of the weights of a written channel.
    fn weight_sum(&self, channel: usize) -> f64 {
        let taps = self.shape.kernel * self.shape.kernel;
        let mine = |at: usize| match self.direction {
            Direction::Forward => at / taps / self.shape.in_channels == channel,
            Direction::Backward => at / taps % self.shape.in_channels == channel,
        };
        let weights = self.weights.iter().enumerate();
        let sizes = weights
            .filter(|(at, _)| mine(*at))
            .map(|(_, weight)| weight.abs());
        sizes.map(f64::from).sum()
    }

    /// Fails unless `got` is within the bounds of the oracle, and lanes beyond the images hold the bias.
    #[track_caller]
    pub(crate) fn assert_agrees(&self, label: &str, got: &[Lanes], [want, bounds]: [&[f64]; 2]) {
        let pixels = self.whole().len();
        let mut worst = (1.0, String::new());
        for (at, lanes) in got.iter().enumerate() {
            let (pixel, channel) = (at / self.written(), at % self.written());
            let empty = self.bias.as_ref().map_or(0.0, |bias| bias[channel]);
            for (image, &value) in lanes.0.iter().enumerate() {
                let (want, bound) = if image < self.images {
                    let index = (image * self.written() + channel) * pixels + pixel;
                    (want[index], bounds[index])
                } else {
                    (f64::from(empty), 0.0)
                };
                let off = (f64::from(value) - want).abs();
                if off > bound * worst.0 || off.is_nan() {
                    let place = format!("image {image}, channel {channel}, pixel {pixel}");
                    worst = (
                        off / bound,
                        format!("{place}: got {value:e}, want {want:e}"),
                    );
                }
            }
        }
        assert!(
            worst.1.is_empty(),
            "{label}, {}: worst at {}, {} times the bound",
            self.label(),
            worst.1,
            worst.0
        );
    }
}
