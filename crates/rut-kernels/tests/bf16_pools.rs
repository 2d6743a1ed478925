//! Pools, means and shortcuts in bfloat16 against their definitions.

mod rows;

use rows::{Numbers, element, fill, half_ulp, isas};
use rut_kernels::bf16::{
    Bf16Average, Bf16End, Bf16MaxPool, Bf16OptionA, Layout, Places, round, widen, zeros,
};
use rut_kernels::{Area, Start};

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
        together: 1,
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
        together: 1,
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
