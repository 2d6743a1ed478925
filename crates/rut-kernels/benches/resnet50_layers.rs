//! Every kind of convolution in ResNet-50 at 224 pixels, sixteen images at once: effective GFLOP/s of each method in
//! both directions, that is by the products of the plain definition. Methods take turns; medians of several rounds.
//! `cargo bench -p rut-kernels [-- LAYER]`; threads by `RAYON_NUM_THREADS`, the instruction set by `RUT_ISA`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::Instant;

use rut_kernels::{
    Area, Conv, ConvAlgorithm, ConvShape, Direction, End, Ends, Isa, LANES, Lanes, Map, MapMut,
    Start, Workspace,
};

/// Every method is measured so many times.
const ROUNDS: usize = 11;

/// Share of the weights that the sparse kernels keep.
const DENSITY: f64 = 0.168;

/// Name, side of the input, and shape.
const LAYERS: &[(&str, usize, [usize; 5])] = &[
    ("stem 7x7/2", 224, [3, 64, 7, 2, 3]),
    ("1: 64-64 1x1", 56, [64, 64, 1, 1, 0]),
    ("1: 64-64 3x3", 56, [64, 64, 3, 1, 1]),
    ("1: 64-256 1x1", 56, [64, 256, 1, 1, 0]),
    ("1: 256-64 1x1", 56, [256, 64, 1, 1, 0]),
    ("2: 128-128 3x3/2", 56, [128, 128, 3, 2, 1]),
    ("2: 128-128 3x3", 28, [128, 128, 3, 1, 1]),
    ("2: 128-512 1x1", 28, [128, 512, 1, 1, 0]),
    ("2: 512-128 1x1", 28, [512, 128, 1, 1, 0]),
    ("3: 512-1024 1x1/2", 28, [512, 1024, 1, 2, 0]),
    ("3: 256-256 3x3", 14, [256, 256, 3, 1, 1]),
    ("3: 256-1024 1x1", 14, [256, 1024, 1, 1, 0]),
    ("3: 1024-256 1x1", 14, [1024, 256, 1, 1, 0]),
    ("4: 512-512 3x3", 7, [512, 512, 3, 1, 1]),
    ("4: 512-2048 1x1", 7, [512, 2048, 1, 1, 0]),
    ("4: 2048-512 1x1", 7, [2048, 512, 1, 1, 0]),
];

fn main() -> rut_kernels::Result<()> {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let isa = Isa::chosen()?;
    println!("{isa}, {} threads", rayon::current_num_threads());
    print!("{:<20}", "layer");
    for algorithm in ConvAlgorithm::ALL {
        print!(" {:>10} {:>10}", algorithm.name(), "backward");
    }
    println!();
    for &(name, side, [in_channels, out_channels, kernel, stride, padding]) in LAYERS {
        let wanted = |part: &String| name.contains(part.as_str());
        if !filter.as_ref().is_none_or(wanted) {
            continue;
        }
        let shape = ConvShape {
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
        };
        let cells = effective_gflops(isa, shape, side)?;
        print!("{name:<20}");
        for cell in cells {
            print!(
                " {:>10}",
                cell.map_or("-".into(), |rate| format!("{rate:.0}"))
            );
        }
        println!();
    }
    Ok(())
}

/// A rate for each method and direction; none where the method does not fit.
fn effective_gflops(
    isa: Isa,
    shape: ConvShape,
    side: usize,
) -> rut_kernels::Result<Vec<Option<f64>>> {
    let mut columns = Vec::new();
    for algorithm in ConvAlgorithm::ALL {
        for direction in [Direction::Forward, Direction::Backward] {
            let column = Column::new(isa, algorithm, shape, direction, side);
            columns.push(algorithm.fits(shape).then_some(column).transpose()?);
        }
    }
    for _ in 0..ROUNDS {
        for column in columns.iter_mut().flatten() {
            column.run()?;
        }
    }
    let output = shape.output([side, side]).unwrap_or_default();
    let flops = 2.0 * (LANES * shape.weights() * output[0] * output[1]) as f64;
    let rate = |column: Column| flops / column.median() / 1e9;
    Ok(columns.into_iter().map(|column| column.map(rate)).collect())
}

/// A method in a direction, with its maps.
struct Column {
    conv: Conv,
    sizes: [[usize; 2]; 2],
    channels: [usize; 2],
    source: Vec<Lanes>,
    target: Vec<Lanes>,
    bits: Vec<u16>,
    workspace: Workspace,
    seconds: Vec<f64>,
}

impl Column {
    fn new(
        isa: Isa,
        algorithm: ConvAlgorithm,
        shape: ConvShape,
        direction: Direction,
        side: usize,
    ) -> rut_kernels::Result<Self> {
        let input = [side, side];
        let output = shape.output(input).unwrap_or_default();
        let sizes = match direction {
            Direction::Forward => [input, output],
            Direction::Backward => [output, input],
        };
        let channels = shape.channels(direction);
        let [read, written] = [0, 1].map(|at| sizes[at][0] * sizes[at][1] * channels[at]);
        Ok(Self {
            conv: Conv::new(
                isa,
                algorithm,
                shape,
                direction,
                &weights(algorithm, shape),
                None,
            )?,
            sizes,
            channels,
            source: vec![Lanes::splat(0.5); read],
            target: vec![Lanes::ZERO; written],
            bits: vec![0; written],
            workspace: Workspace::new(),
            seconds: Vec::new(),
        })
    }

    fn run(&mut self) -> rut_kernels::Result<()> {
        let areas = self.sizes.map(|[height, width]| Area::whole(height, width));
        let source = Map {
            values: &self.source,
            size: self.sizes[0],
            area: areas[0],
            channels: self.channels[0],
        };
        let target = MapMut {
            values: &mut self.target,
            size: self.sizes[1],
            area: areas[1],
            channels: self.channels[1],
        };
        let ends = Ends {
            start: Start::Fresh,
            end: End::ReluRecord(&mut self.bits),
        };
        let begin = Instant::now();
        self.conv
            .run(&self.workspace, source, target, areas[1], ends)?;
        self.seconds.push(begin.elapsed().as_secs_f64());
        Ok(())
    }

    /// Without the first run, which allocates.
    fn median(mut self) -> f64 {
        let seconds = &mut self.seconds[1..];
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    }
}

fn weights(algorithm: ConvAlgorithm, shape: ConvShape) -> Vec<f32> {
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let keep = match algorithm {
        ConvAlgorithm::Sparse => DENSITY,
        ConvAlgorithm::Dense | ConvAlgorithm::Winograd => 1.0,
    };
    let mut weight = |_| {
        if uniform() < keep {
            uniform() as f32 - 0.5
        } else {
            0.0
        }
    };
    (0..shape.weights()).map(&mut weight).collect()
}
