//! The weights of the goldens, made from parameter names: FNV-1a, SplitMix64, one rounding to f32. The rule is
//! described in `golden/weights_rule.py`.

use std::collections::BTreeMap;

use rut_models::{Array, Graph, Parameter, ParameterKind, Weights};

fn fnv1a64(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

/// `count` numbers in [0, 1) for `name`.
pub fn uniform(name: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
    let seed = fnv1a64(name);
    (1..=count as u64).map(move |i| {
        let mut z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / (1u64 << 24) as f64
    })
}

/// An image batch in [0, 1).
pub fn image(name: &str, count: usize) -> Vec<f32> {
    uniform(name, count).map(|u| u as f32).collect()
}

/// All weights of a network; with a density, every convolution but the stem is masked.
pub fn weights(graph: &Graph, density: Option<f64>) -> Weights {
    let bottleneck = graph
        .parameters()
        .iter()
        .any(|p| p.name.ends_with("conv3.weight"));
    let arrays = graph.parameters().into_iter().map(|p| {
        let mut array = array(&p, bottleneck);
        if let (Some(density), ParameterKind::ConvWeight) = (density, p.kind)
            && p.name != "conv1.weight"
        {
            mask(&p.name, density, &mut array);
        }
        (p.name, array)
    });
    let arrays: BTreeMap<_, _> = arrays.collect();
    Weights::from_arrays(graph, arrays).expect("the rule covers every parameter")
}

fn array(p: &Parameter, bottleneck: bool) -> Array {
    let fan_in: usize = p.shape[1..].iter().product();
    let (scale, offset) = match p.kind {
        ParameterKind::ConvWeight => (
            (6.0 / fan_in as f64).sqrt() * gain(&p.name, bottleneck),
            None,
        ),
        ParameterKind::LinearWeight => ((3.0 / fan_in as f64).sqrt(), None),
        ParameterKind::NormWeight | ParameterKind::NormVariance => (0.5, Some(0.75)),
        _ => (0.1, None),
    };
    let value = |u: f64| offset.map_or((2.0 * u - 1.0) * scale, |offset| offset + scale * u) as f32;
    let count = p.shape.iter().product();
    Array {
        shape: p.shape.clone(),
        data: uniform(&p.name, count).map(value).collect(),
    }
}

/// The last convolution of a residual block is halved, to keep deep networks in a sensible range.
fn gain(name: &str, bottleneck: bool) -> f64 {
    let last = if bottleneck {
        "conv3.weight"
    } else {
        "conv2.weight"
    };
    if name.starts_with("layer") && name.ends_with(last) {
        0.5
    } else {
        1.0
    }
}

fn mask(name: &str, density: f64, array: &mut Array) {
    let draws = uniform(&format!("{name}.mask"), array.data.len());
    array
        .data
        .iter_mut()
        .zip(draws)
        .filter(|(_, u)| *u >= density)
        .for_each(|(w, _)| *w = 0.0);
}
