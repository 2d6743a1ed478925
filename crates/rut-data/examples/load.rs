//! Images per second from disk to batches: `cargo run --release -p rut-data --example load -- DATASET [SIDE [DATA_DIR]]`.
//! `RAYON_NUM_THREADS` sets the threads. `benchmarks/compare_loading.py` runs it beside torchvision.

#![expect(clippy::print_stdout, reason = "an example prints its measurement")]

use std::path::Path;
use std::time::Instant;

use rut_data::{Order, Prepared, batches, open};
use rut_images::{ColorOrder, Transform};

/// Images of a batch.
const BATCH: usize = 128;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let name = words.next().ok_or("name a data set or a folder")?;
    let side = words.next().map_or(Ok(224), |side| side.parse())?;
    let root = words.next().unwrap_or_else(|| "data".to_owned());
    let start = Instant::now();
    let dataset = open(&name, Path::new(&root))?;
    let opened = start.elapsed().as_secs_f64();
    let transform = Transform::squash(side, ColorOrder::RgbThenResize);
    let prepared = Prepared::new(&dataset.train, &transform, 0)?;
    let start = Instant::now();
    let mut images = 0;
    for batch in batches(prepared.len(), BATCH, Order::Sequential) {
        images += prepared.batch(&batch)?.labels.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = images as f64 / seconds;
    println!("opened {opened:.3} s, {images} images {seconds:.3} s, {rate:.1} images/s");
    Ok(())
}
