//! The growing file of an extraction that is not finished. `cache` uses its rows.
//!
//! It holds a block for every batch of the pass, in order: rows of features then logits, little-endian f32 or f16, and the
//! SHA-256 of the block's first row's index and these bytes.
//!
//! A block that was written outlives the process, however that ends: the system has it. It is not synced to the disk one
//! by one, so a power loss may cut the file off, or leave zeros in it, anywhere behind what the system wrote out by itself.
//! Then the digests show how far the file is good: what follows the last good block is dropped and extracted again.
//! Nothing relies on the file beyond that, and the finished file is another one, written whole and synced.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rut_data::Digest;
use rut_formats::regular;

use super::Extracted;
use super::file::{FeatureShape, failed, remove};
use crate::error::Result;
use crate::evaluate::PASS_BATCH;

/// Bytes of a block's digest.
const DIGEST: usize = 32;

/// The file, open. Its lock is held as long as it is.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    shape: FeatureShape,
    /// Rows that the file holds.
    rows: usize,
}

impl Part {
    /// Opens and locks the file. While another process has the lock, `wait` is called, and may end the waiting.
    pub(super) fn open(
        path: &Path,
        shape: FeatureShape,
        mut wait: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = regular::open_with(&mut options, path).map_err(failed(path))?;
            loop {
                match file.try_lock() {
                    Ok(()) => break,
                    Err(TryLockError::WouldBlock) => {
                        wait()?;
                        std::thread::sleep(Duration::from_millis(200));
                    }
                    Err(TryLockError::Error(error)) => {
                        tracing::warn!(path = %path.display(), %error, "the feature cache's file system has no locks: two processes may extract the same");
                        break;
                    }
                }
            }
            // Who had the lock may have finished and deleted the file. Where locks are unknown, all go on without.
            if path.exists() {
                return Ok(Self {
                    file,
                    path: path.into(),
                    shape,
                    rows: 0,
                });
            }
        }
    }

    /// The rows of all good blocks, at most as many as there are images; what follows them is dropped. Batches are kept
    /// together, for the last bits of a row depend on the rows computed beside it.
    pub(super) fn read(&mut self) -> Result<Extracted> {
        let mut bytes = Vec::new();
        self.file
            .read_to_end(&mut bytes)
            .map_err(failed(&self.path))?;
        let mut rest = bytes.as_slice();
        let shape = self.shape;
        let mut all = Extracted::new(shape.width, shape.classes, shape.kept);
        while let Some((block, behind)) = self.good_block(rest) {
            for row in block.chunks_exact(self.row_bytes()) {
                let (features, logits) = row.split_at(shape.width * shape.kept.bytes());
                all.features.push_bytes(features);
                all.logits.push_bytes(logits);
                self.rows += 1;
            }
            rest = behind;
        }
        if !rest.is_empty() {
            tracing::warn!(path = %self.path.display(), bytes = rest.len(), "the end of a file of the feature cache is torn: extracting it again");
        }
        let good = (bytes.len() - rest.len()) as u64;
        let cut = self.file.set_len(good);
        cut.and_then(|()| self.file.seek(SeekFrom::Start(good)))
            .map_err(failed(&self.path))?;
        Ok(all)
    }

    /// Bytes of an image's features and logits.
    fn row_bytes(&self) -> usize {
        (self.shape.width + self.shape.classes) * self.shape.kept.bytes()
    }

    /// The next block without its digest, and what stands behind it; `None` where none is left or it is not good.
    fn good_block<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let rows = PASS_BATCH.min(self.shape.images - self.rows);
        let (block, behind) = bytes.split_at_checked(rows * self.row_bytes())?;
        let (digest, behind) = behind.split_at_checked(DIGEST)?;
        (rows > 0 && digest == self.digest(block).as_bytes()).then_some((block, behind))
    }

    /// Writes the rows of `all` that are not in the file yet, those of one batch, behind what is there.
    pub(super) fn append(&mut self, all: &Extracted) -> Result<()> {
        let features = all.features.bytes_from(self.rows);
        let logits = all.logits.bytes_from(self.rows);
        let bytes = self.shape.kept.bytes();
        let rows = features
            .chunks_exact(self.shape.width * bytes)
            .zip(logits.chunks_exact(self.shape.classes * bytes));
        let mut block = Vec::with_capacity(features.len() + logits.len() + DIGEST);
        for (features, logits) in rows {
            block.extend(features);
            block.extend(logits);
        }
        let digest = self.digest(&block);
        block.extend(digest.as_bytes());
        self.file.write_all(&block).map_err(failed(&self.path))?;
        self.rows = all.len();
        Ok(())
    }

    /// What a block says of itself. Its place is part of it: a good block in another place is none.
    fn digest(&self, block: &[u8]) -> Digest {
        let place = (self.rows as u64).to_le_bytes();
        Digest::of_bytes(&[place.as_slice(), block].concat())
    }

    /// Deletes the file, whose rows stand elsewhere by now.
    pub(super) fn delete(self) -> Result<()> {
        remove(&self.path)
    }
}
