//! Every kernel in bfloat16 against sums in f64 of the same bfloat16 numbers: within half a unit of the last place of what is
//! stored, and the roundings of a sum in single precision.

#![expect(
    clippy::print_stdout,
    reason = "an instruction set that is skipped is said to be"
)]

use rut_kernels::bf16::{
    Bf16Average, Bf16End, Bf16Isa, Bf16MaxPool, Bf16OptionA, CHANNELS, ImageLayout, Layout, Panels,
    Places, Route, Row, halo, round, widen, zeros,
};
use rut_kernels::reference::Reference;
use rut_kernels::{Area, ConvShape, Direction, Start};

const fn shape(channels: [usize; 2], kernel: usize, stride: usize) -> ConvShape {
    ConvShape {
        in_channels: channels[0],
        out_channels: channels[1],
        kernel,
        stride,
        padding: kernel / 2,
    }
}

/// Shape and size of the input. Odd sizes, channels that do not fill a plane, several planes, each kernel and stride of the
/// networks, and more rows than a kernel sums at once.
const CASES: &[(ConvShape, [usize; 2])] = &[
    (shape([32, 32], 1, 1), [1, 1]),
    (shape([64, 32], 1, 1), [3, 5]),
    (shape([16, 40], 3, 1), [5, 7]),
    (shape([33, 64], 3, 1), [14, 14]),
    (shape([64, 96], 3, 2), [8, 8]),
    (shape([32, 31], 3, 2), [7, 9]),
    (shape([64, 128], 1, 2), [8, 6]),
    (shape([20, 17], 1, 2), [7, 7]),
    (shape([32, 32], 5, 1), [6, 20]),
    (shape([32, 32], 3, 3), [10, 11]),
];

struct Numbers(u64);

impl Numbers {
    /// Between -1 and 1, exact in bfloat16.
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        widen(round((self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0))
    }

    fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

fn isas() -> Vec<Bf16Isa> {
    let (here, missing): (Vec<_>, Vec<_>) =
        Bf16Isa::ALL.into_iter().partition(|isa| isa.is_available());
    for isa in missing {
        println!("skipped: this processor has no {}", isa.name());
    }
    here
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// `[channels, area]` of one image into its layout.
fn fill(layout: &Layout, values: &[f32], rows: &mut [Row]) {
    let area = layout.area;
    for channel in 0..layout.channels {
        for y in 0..area.height {
            for x in 0..area.width {
                let row = layout.row(area.top + y, area.left + x);
                let at = channel / CHANNELS * layout.plane() + row;
                let value = values[(channel * area.height + y) * area.width + x];
                rows[at].0[channel % CHANNELS] = round(value);
            }
        }
    }
}

fn element(layout: &Layout, rows: &[Row], [channel, y, x]: [usize; 3]) -> (usize, f32) {
    let at = channel / CHANNELS * layout.plane() + layout.row(y, x);
    (at, widen(rows[at].0[channel % CHANNELS]))
}

/// Sums and what their rounding may add up to, `[channels, height, width]`.
fn oracle(
    shape: ConvShape,
    input: [usize; 2],
    direction: Direction,
    [source, weights, bias]: [&[f32]; 3],
) -> (Vec<f64>, Vec<f64>) {
    let run = |source: &[f64], weights: &[f64], bias: &[f64]| {
        let oracle = Reference {
            shape,
            input,
            weights,
            bias: (!bias.is_empty()).then_some(bias),
        };
        oracle.run(direction, source).unwrap()
    };
    let [source, weights, bias] = [source, weights, bias].map(wide);
    let sums = run(&source, &weights, &bias);
    let [source, weights, bias] = [source, weights, bias]
        .map(|values| values.iter().map(|value| value.abs()).collect::<Vec<_>>());
    let terms = (shape.channels(direction)[0] * shape.kernel * shape.kernel + 2) as f64;
    let slack = run(&source, &weights, &bias)
        .into_iter()
        .map(|sum| sum * terms * 2.0_f64.powi(-24));
    (sums, slack.collect())
}

/// Half a unit of the last place of a bfloat16 number.
fn half_ulp(value: f64) -> f64 {
    let exponent = if value == 0.0 {
        -126
    } else {
        value.abs().log2().floor() as i32
    };
    2.0_f64.powi(exponent.max(-126) - 8)
}

#[test]
fn every_form_is_within_half_an_ulp_of_the_sum_in_f64() {
    for isa in isas() {
        for (index, &(shape, input)) in CASES.iter().enumerate() {
            for direction in [Direction::Forward, Direction::Backward] {
                for start in [Start::Fresh, Start::Add] {
                    check(isa, index as u64, shape, input, direction, start);
                }
            }
        }
    }
}

fn check(
    isa: Bf16Isa,
    seed: u64,
    shape: ConvShape,
    input: [usize; 2],
    direction: Direction,
    start: Start,
) {
    let mut numbers = Numbers(seed * 4 + 1);
    let output = shape.output(input).unwrap();
    let (from, to) = match direction {
        Direction::Forward => (input, output),
        Direction::Backward => (output, input),
    };
    let [read, written] = shape.channels(direction);
    let weights = numbers.take(shape.weights());
    let bias = match direction {
        Direction::Forward => numbers.take(written),
        Direction::Backward => Vec::new(),
    };
    let panels = Panels::new(
        shape,
        direction,
        &weights,
        (!bias.is_empty()).then_some(&bias),
    )
    .unwrap();
    let layout = |channels, [height, width]: [usize; 2], halo| Layout {
        channels,
        area: Area::whole(height, width),
        halo,
    };
    let source_layout = layout(read, from, halo(shape, direction));
    let target_layout = layout(written, to, 1);
    let area = target_layout.area;
    let route = Route::new(&panels, &source_layout, &target_layout, area, isa).unwrap();
    let images = 2;
    let mut source = zeros(&source_layout, images);
    let mut target = zeros(&target_layout, images);
    let mut values = Vec::new();
    for image in 0..images {
        let read = numbers.take(read * from[0] * from[1]);
        fill(
            &source_layout,
            &read,
            &mut source[image * source_layout.rows()..],
        );
        let there = numbers.take(written * to[0] * to[1]);
        fill(
            &target_layout,
            &there,
            &mut target[image * target_layout.rows()..],
        );
        values.push((read, there));
    }
    let before = target.clone();
    let mut bits = vec![0; target.len()];
    panels
        .run(
            isa,
            &route,
            &source,
            &mut target,
            (start, Bf16End::ReluRecord(&mut bits)),
        )
        .unwrap();
    let mut stored = before.clone();
    panels
        .run(isa, &route, &source, &mut stored, (start, Bf16End::Store))
        .unwrap();
    let mut masked = before;
    panels
        .run(
            isa,
            &route,
            &source,
            &mut masked,
            (start, Bf16End::Mask(&bits)),
        )
        .unwrap();
    let name = format!("{} {direction:?} {start:?} {shape:?} {input:?}", isa.name());
    for (image, (read, there)) in values.iter().enumerate() {
        let (sums, slack) = oracle(shape, input, direction, [read, &weights, &bias]);
        let offset = image * target_layout.rows();
        for (at, (sum, slack)) in sums.iter().zip(&slack).enumerate() {
            let [channel, pixel] = [at / (to[0] * to[1]), at % (to[0] * to[1])];
            let place = [channel, pixel / to[1], pixel % to[1]];
            let there = if start == Start::Add {
                f64::from(there[at])
            } else {
                0.0
            };
            let (want, slack) = (sum + there, slack + 2.0_f64.powi(-23) * there.abs());
            let (row, got) = element(&target_layout, &stored[offset..], place);
            let bound = half_ulp(want.abs() + slack) + slack;
            assert!(
                (f64::from(got) - want).abs() <= bound,
                "{name} {place:?}: {got}, expected {want}"
            );
            let bit = bits[offset + row] >> (channel % CHANNELS) & 1 == 1;
            if want.abs() > slack {
                assert_eq!(bit, want > 0.0, "{name} {place:?}");
            }
            let kept = if bit { got } else { 0.0 };
            for other in [&target, &masked] {
                assert_eq!(
                    element(&target_layout, &other[offset..], place).1,
                    kept,
                    "{name} {place:?}"
                );
            }
        }
    }
    // What is no pixel stays zero: halos and channels that fill up a plane.
    let kept: f64 = values
        .iter()
        .flat_map(|_| 0..written * to[0] * to[1])
        .count() as f64;
    let all = stored
        .iter()
        .flat_map(|row| row.0)
        .filter(|&bits| widen(bits) != 0.0)
        .count() as f64;
    assert!(all <= kept, "{name}: {all} numbers, {kept} elements");
}

#[test]
fn an_area_is_computed_and_nothing_else_is_touched() {
    for isa in isas() {
        for &(shape, size) in &[
            (shape([32, 64], 3, 1), [12, 13]),
            (shape([32, 32], 3, 2), [13, 16]),
        ] {
            for direction in [Direction::Forward, Direction::Backward] {
                let mut numbers = Numbers(9);
                let weights = numbers.take(shape.weights());
                let panels = Panels::new(shape, direction, &weights, None).unwrap();
                let [read, written] = shape.channels(direction);
                let output = shape.output(size).unwrap();
                let (from, to) = match direction {
                    Direction::Forward => (size, output),
                    Direction::Backward => (output, size),
                };
                let whole = |channels, [h, w]: [usize; 2]| Layout {
                    channels,
                    area: Area::whole(h, w),
                    halo: 1,
                };
                let (source_layout, target_layout) = (whole(read, from), whole(written, to));
                let mut source = zeros(&source_layout, 1);
                fill(
                    &source_layout,
                    &numbers.take(read * from[0] * from[1]),
                    &mut source,
                );
                let mut all = zeros(&target_layout, 1);
                let route = Route::new(
                    &panels,
                    &source_layout,
                    &target_layout,
                    target_layout.area,
                    isa,
                );
                let end = || (Start::Fresh, Bf16End::Store);
                panels
                    .run(isa, &route.unwrap(), &source, &mut all, end())
                    .unwrap();
                // A part of the map, kept with a frame of one pixel around it.
                let area = Area {
                    top: 2,
                    left: 1,
                    height: 3,
                    width: 4,
                };
                let held = Area {
                    top: 1,
                    left: 0,
                    height: 5,
                    width: 6,
                };
                let part_layout = Layout {
                    area: held,
                    ..target_layout
                };
                let marked = Row([round(7.0); CHANNELS]);
                let mut part = vec![marked; part_layout.rows()];
                let route = Route::new(&panels, &source_layout, &part_layout, area, isa).unwrap();
                panels.run(isa, &route, &source, &mut part, end()).unwrap();
                for plane in 0..part_layout.planes() {
                    let mut rows =
                        part[plane * part_layout.plane()..][..part_layout.plane()].to_vec();
                    for y in area.top..area.bottom() {
                        for x in area.left..area.right() {
                            let at = plane * target_layout.plane() + target_layout.row(y, x);
                            let row = &mut rows[part_layout.row(y, x)];
                            assert_eq!(*row, all[at], "{} {direction:?} {y} {x}", isa.name());
                            *row = marked;
                        }
                    }
                    assert!(
                        rows.iter().all(|row| *row == marked),
                        "a row outside was written"
                    );
                }
            }
        }
    }
}

#[test]
fn an_image_is_read_as_if_in_single_precision_and_its_gradient_goes_back() {
    let cases = [
        (shape([3, 64], 7, 2), [20, 23]),
        (shape([3, 16], 3, 1), [9, 8]),
        (shape([3, 32], 3, 2), [7, 10]),
    ];
    for isa in isas() {
        for (shape, size) in cases {
            let mut numbers = Numbers(5);
            // Not exact in bfloat16.
            let mut take =
                |count| -> Vec<f32> { (0..count).map(|_| numbers.next() * 1.2345).collect() };
            let weights = take(shape.weights());
            let bias = take(shape.out_channels);
            let pixels = take(3 * size[0] * size[1]);
            let output = shape.output(size).unwrap();
            let image = ImageLayout {
                area: Area::whole(size[0], size[1]),
                padding: shape.padding,
            };
            let layout = Layout {
                channels: shape.out_channels,
                area: Area::whole(output[0], output[1]),
                halo: 2,
            };
            let mut source = vec![Row::ZERO; image.rows()];
            image.fill(&pixels, &mut source).unwrap();
            let panels = Panels::from_image(shape, &weights, Some(&bias)).unwrap();
            let route = Route::from_image(&panels, &image, &layout, layout.area, isa).unwrap();
            let mut target = zeros(&layout, 1);
            panels
                .run(
                    isa,
                    &route,
                    &source,
                    &mut target,
                    (Start::Fresh, Bf16End::Store),
                )
                .unwrap();
            let (sums, slack) = oracle(shape, size, Direction::Forward, [&pixels, &weights, &bias]);
            for (at, (want, slack)) in sums.iter().zip(slack).enumerate() {
                let [channel, pixel] = [at / (output[0] * output[1]), at % (output[0] * output[1])];
                let got = element(
                    &layout,
                    &target,
                    [channel, pixel / output[1], pixel % output[1]],
                )
                .1;
                // Splitting leaves 2⁻¹⁶ of each product.
                let slack = slack + slack / (3.0 * 49.0) * 512.0;
                assert!(
                    (f64::from(got) - want).abs() <= half_ulp(want.abs() + slack) + slack,
                    "{} {shape:?} {at}: {got}, expected {want}",
                    isa.name()
                );
            }
            let panels = Panels::to_image(shape, &weights).unwrap();
            let whole = image.area;
            let (route, placing) = Route::to_image(&panels, &layout, whole, isa).unwrap();
            let grad: Vec<f32> = Numbers(3).take(shape.out_channels * output[0] * output[1]);
            let mut rows = zeros(&layout, 1);
            fill(&layout, &grad, &mut rows);
            let mut sums = vec![0.0; placing.len()];
            panels.run_sums(isa, &route, &rows, &mut sums).unwrap();
            let mut got = vec![f32::NAN; pixels.len()];
            placing.place(&sums, &mut got).unwrap();
            let (want, slack) = oracle(shape, size, Direction::Backward, [&grad, &weights, &[]]);
            for (at, (want, slack)) in want.iter().zip(slack).enumerate() {
                let bound = slack * 4.0 + 2.0_f64.powi(-16) * want.abs().max(1.0);
                assert!(
                    (f64::from(got[at]) - want).abs() <= bound,
                    "{} {shape:?} {at}: {}, expected {want}",
                    isa.name(),
                    got[at]
                );
            }
        }
    }
}

#[test]
fn max_pools_take_the_first_largest_and_give_its_gradient_back() {
    let pool = Bf16MaxPool {
        isa: isas().pop().unwrap(),
        kernel: 3,
        stride: 2,
        padding: 1,
    };
    let [from, to] = [Area::whole(7, 6), Area::whole(4, 3)];
    let layout = |area| Layout {
        channels: 40,
        area,
        halo: 1,
    };
    let (source_layout, target_layout) = (layout(from), layout(to));
    let mut numbers = Numbers(77);
    // Few values, so that there are ties; below zero too.
    let values: Vec<f32> = numbers
        .take(40 * from.len())
        .iter()
        .map(|v| (v * 3.0).round())
        .collect();
    let mut source = zeros(&source_layout, 1);
    fill(&source_layout, &values, &mut source);
    let mut target = zeros(&target_layout, 1);
    let mut taken = vec![Places::default(); target.len()];
    pool.run(
        [&source_layout, &target_layout],
        to,
        &source,
        &mut target,
        Some(&mut taken),
    )
    .unwrap();
    let grad_values = numbers.take(40 * to.len());
    let mut grad = zeros(&target_layout, 1);
    fill(&target_layout, &grad_values, &mut grad);
    let mut back = zeros(&source_layout, 1);
    pool.backward(
        [&target_layout, &source_layout],
        [to, from],
        (&grad, &taken),
        &mut back,
        &Bf16End::Store,
    )
    .unwrap();
    let mut expected = vec![0.0; values.len()];
    for channel in 0..40 {
        for y in 0..to.height {
            for x in 0..to.width {
                let (mut best, mut place) = (f32::NEG_INFINITY, 0);
                for (sy, sx) in (0..9).map(|tap| {
                    (
                        (2 * y + tap / 3).wrapping_sub(1),
                        (2 * x + tap % 3).wrapping_sub(1),
                    )
                }) {
                    if sy < from.height && sx < from.width {
                        let at = (channel * from.height + sy) * from.width + sx;
                        if values[at] > best {
                            (best, place) = (values[at], at);
                        }
                    }
                }
                assert_eq!(element(&target_layout, &target, [channel, y, x]).1, best);
                expected[place] += grad_values[(channel * to.height + y) * to.width + x];
            }
        }
    }
    // A NaN is taken before all numbers, whatever its sign.
    for bits in [0x7fc0, 0xffc0] {
        source[source_layout.row(0, 0)].0[0] = bits;
        pool.run(
            [&source_layout, &target_layout],
            to,
            &source,
            &mut target,
            None,
        )
        .unwrap();
        assert!(element(&target_layout, &target, [0, 0, 0]).1.is_nan());
    }
    for (at, want) in expected.iter().enumerate() {
        let [channel, pixel] = [at / from.len(), at % from.len()];
        let got = element(
            &source_layout,
            &back,
            [channel, pixel / from.width, pixel % from.width],
        )
        .1;
        assert!(
            f64::from((got - want).abs()) <= half_ulp(f64::from(*want)) + 1e-6,
            "{got} {want}"
        );
    }
}

#[test]
fn means_and_shortcuts_are_those_of_their_definitions() {
    let layout = |channels, side| Layout {
        channels,
        area: Area::whole(side, side),
        halo: 1,
    };
    let (small, values) = (layout(16, 5), Numbers(2).take(16 * 25));
    let mut rows = zeros(&small, 1);
    fill(&small, &values, &mut rows);
    let mut means = vec![0.0; 16];
    Bf16Average { side: 1 }
        .run(&small, &rows, &mut means)
        .unwrap();
    for (channel, mean) in means.iter().enumerate() {
        let sum: f32 = values[channel * 25..][..25].iter().sum();
        assert!((mean - sum / 25.0).abs() < 1e-6);
    }
    let mut back = zeros(&small, 1);
    Bf16Average { side: 1 }
        .backward(&small, &means, &mut back, (Start::Fresh, &Bf16End::Store))
        .unwrap();
    assert_eq!(
        element(&small, &back, [3, 4, 4]).1,
        widen(round(means[3] / 25.0))
    );
    let option = Bf16OptionA {
        in_channels: 16,
        out_channels: 64,
    };
    let wide = layout(64, 3);
    let mut out = zeros(&wide, 1);
    option
        .run([&small, &wide], wide.area, &rows, &mut out)
        .unwrap();
    for (channel, y, x) in [(24, 0, 0), (39, 2, 1), (23, 1, 1), (40, 2, 2)] {
        let want = (24..40)
            .contains(&channel)
            .then(|| values[(channel - 24) * 25 + 2 * y * 5 + 2 * x]);
        assert_eq!(element(&wide, &out, [channel, y, x]).1, want.unwrap_or(0.0));
    }
    let mut grad = zeros(&small, 1);
    option
        .backward(
            [&wide, &small],
            small.area,
            &out,
            &mut grad,
            (Start::Fresh, &Bf16End::Store),
        )
        .unwrap();
    assert_eq!(element(&small, &grad, [5, 2, 4]).1, values[5 * 25 + 14]);
    assert_eq!(element(&small, &grad, [5, 1, 4]).1, 0.0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let shape = shape([32, 32], 3, 1);
    let panels = Panels::new(shape, Direction::Forward, &vec![0.0; shape.weights()], None).unwrap();
    let layout = |channels, side, halo| Layout {
        channels,
        area: Area::whole(side, side),
        halo,
    };
    let whole = Area::whole(4, 4);
    let error = |source: Layout, target: Layout, area| {
        Route::new(&panels, &source, &target, area, Bf16Isa::Portable)
            .unwrap_err()
            .to_string()
    };
    let fine = layout(32, 4, 1);
    assert!(error(layout(64, 4, 1), fine, whole).contains("64 channels"));
    assert!(error(fine, layout(16, 4, 1), whole).contains("16 channels"));
    assert!(error(layout(32, 4, 0), fine, whole).contains("a halo of 0, expected 1"));
    assert!(error(fine, fine, Area::whole(5, 4)).contains("inside"));
    // The map that is read is far smaller than the one that is written.
    assert!(error(layout(32, 1, 1), fine, whole).contains("within"));
    let route = Route::new(&panels, &fine, &fine, whole, Bf16Isa::Portable).unwrap();
    let mut target = zeros(&fine, 1);
    let run = |source: &[Row], target: &mut [Row]| {
        panels.run(
            Bf16Isa::Portable,
            &route,
            source,
            target,
            (Start::Fresh, Bf16End::Store),
        )
    };
    assert!(run(&target.clone()[1..], &mut target).is_err());
    assert!(run(&zeros(&fine, 2), &mut target).is_err());
    let far = ConvShape {
        kernel: 1,
        padding: 0,
        stride: 1 << 57,
        ..shape
    };
    assert!(Panels::new(far, Direction::Forward, &vec![0.0; far.weights()], None).is_err());
    // Read beside its end, the map that is read would give pixels of the next line.
    let narrow = Layout {
        area: Area::whole(8, 4),
        halo: 3,
        ..fine
    };
    assert!(error(narrow, layout(32, 8, 1), Area::whole(8, 8)).contains("all that"));
    let stem = ConvShape {
        in_channels: 4,
        ..shape
    };
    assert!(Panels::from_image(stem, &vec![0.0; stem.weights()], None).is_err());
    assert!(Panels::new(shape, Direction::Forward, &[0.0], None).is_err());
}
