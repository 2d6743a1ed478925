//! The picture of a trained prompt: the border as the network sees it, before it is normalised.

use candle_core::Tensor;
use rut_formats::regular;
use rut_images::RgbImage;
use rut_record::{Error, Record, Result, RunDir, file};

/// The shade of what is not trained: the place of the image.
const PLACE: u8 = 236;

/// The prompt of the finished run in `dir` as a PNG file.
///
/// # Errors
/// If its file cannot be read.
pub fn prompt_picture(dir: &RunDir, record: &Record) -> Result<Vec<u8>> {
    let path = dir.prompt();
    let bytes = regular::read(&path, regular::WEIGHTS).map_err(file("read", &path))?;
    let broken = |problem: String| Error::broken(&path, problem);
    let (tensors, version) =
        rut_adapt::state::deserialize(&bytes, "rut.prompt").map_err(|e| broken(e.to_string()))?;
    let program = tensors
        .get("program")
        .ok_or_else(|| broken("expected a tensor `program`, found none".into()))?;
    let values = sigmoid(program).map_err(|e| broken(e.to_string()))?;
    let &[3, side, width] = program.dims() else {
        let found = program.dims();
        return Err(broken(format!(
            "expected a program [3, S, S], found {found:?}"
        )));
    };
    let image = record.data.image_size.unwrap_or(0).min(side);
    let offset = (side - image).div_ceil(2);
    let triangle = version.ends_with("upper triangle");
    let inside = |row: usize, column: usize| {
        let within = |at: usize| (offset..offset + image).contains(&at);
        within(row) && within(column) && (!triangle || column > row)
    };
    let mut pixels = Vec::with_capacity(3 * side * width);
    for (row, column) in (0..side).flat_map(|row| (0..width).map(move |column| (row, column))) {
        for channel in 0..3 {
            let value = values.get((channel * side + row) * width + column);
            pixels.push(match inside(row, column) {
                true => PLACE,
                false => value.map_or(PLACE, |value| (255.0 * value).round() as u8),
            });
        }
    }
    let image = RgbImage {
        width: width as u32,
        height: side as u32,
        pixels,
    };
    rut_images::encode_png(&image).map_err(|e| broken(e.to_string()))
}

fn sigmoid(program: &Tensor) -> candle_core::Result<Vec<f32>> {
    let values: Vec<f32> = program
        .to_dtype(candle_core::DType::F32)?
        .flatten_all()?
        .to_vec1()?;
    let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
    Ok(values.into_iter().map(sigmoid).collect())
}
