//! Every kind of convolution in ResNet-50 at 224 pixels, sixteen images at once: effective GFLOP/s of each kernel in
//! both directions, median of several runs. `cargo bench -p rut-kernels [-- LAYER]`; threads by `RAYON_NUM_THREADS`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::Instant;

use rut_kernels::{
    Area, Conv, ConvShape, Direction, End, Isa, LANES, Lanes, Map, MapMut, Method, Start, Workspace,
};

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

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let isa = Isa::chosen().unwrap_or(Isa::Portable);
    println!("{isa}, {} threads", rayon::current_num_threads());
    println!(
        "{:<20} {:>10} {:>10} {:>10} {:>10}",
        "layer", "dense", "backward", "sparse", "backward"
    );
    for &(name, side, [in_channels, out_channels, kernel, stride, padding]) in LAYERS {
        if filter
            .as_ref()
            .is_some_and(|wanted| !name.contains(wanted.as_str()))
        {
            continue;
        }
        let shape = ConvShape {
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
        };
        let mut cells = Vec::new();
        for method in [Method::Dense, Method::Sparse] {
            for direction in [Direction::Forward, Direction::Backward] {
                cells.push(effective_gflops(isa, method, shape, direction, side));
            }
        }
        println!(
            "{name:<20} {:>10.0} {:>10.0} {:>10.0} {:>10.0}",
            cells[0], cells[1], cells[2], cells[3]
        );
    }
}

fn effective_gflops(
    isa: Isa,
    method: Method,
    shape: ConvShape,
    direction: Direction,
    side: usize,
) -> f64 {
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let keep = if method == Method::Dense {
        1.0
    } else {
        DENSITY
    };
    let weights: Vec<f32> = (0..shape.weights())
        .map(|_| {
            if uniform() < keep {
                uniform() as f32 - 0.5
            } else {
                0.0
            }
        })
        .collect();
    let Ok(conv) = Conv::new(isa, method, shape, direction, &weights, None) else {
        return f64::NAN;
    };
    let input = [side, side];
    let output = shape.output(input).unwrap_or_default();
    let (from, to) = match direction {
        Direction::Forward => (input, output),
        Direction::Backward => (output, input),
    };
    let [read, written] = shape.channels(direction);
    let source = vec![Lanes::splat(0.5); from[0] * from[1] * read];
    let mut target = vec![Lanes::ZERO; to[0] * to[1] * written];
    let mut bits = vec![0_u16; target.len()];
    let workspace = Workspace::new();
    let mut run = || {
        let area = Area::whole(to[0], to[1]);
        let source = Map {
            values: &source,
            size: from,
            area: Area::whole(from[0], from[1]),
            channels: read,
        };
        let target = MapMut {
            values: &mut target,
            size: to,
            area,
            channels: written,
        };
        let start = Instant::now();
        let end = End::ReluRecord(&mut bits);
        let ran = conv.run(&workspace, source, target, area, Start::Fresh, end);
        ran.map_or(f64::NAN, |()| start.elapsed().as_secs_f64())
    };
    run();
    let mut seconds: Vec<f64> = (0..9).map(|_| run()).collect();
    seconds.sort_by(f64::total_cmp);
    let flops = 2.0 * (LANES * shape.weights() * output[0] * output[1]) as f64;
    flops / seconds[seconds.len() / 2] / 1e9
}
