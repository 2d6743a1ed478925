//! The images of several tables. What is remembered of an image is its place; its bytes are read
//! with those of its whole row group, of which the latest stay in memory up to a fixed number of
//! bytes. A small data set is so read once; of a large one, images that are asked for in another
//! order than that of the file cost the reading of a row group each.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rut_images::Picture;

use super::Table;
use crate::image_set::ImageSource;
use crate::{Digest, Error, Result};

/// Bytes of images that stay in memory.
const MOST_HELD: usize = 256 << 20;

/// The rows of several tables, one after the other.
pub(crate) struct TableImages {
    tables: Vec<Table>,
    groups: Vec<Group>,
    count: usize,
    latest: Mutex<Latest>,
}

/// Where a row group is.
struct Group {
    table: usize,
    /// Place in the table.
    group: usize,
    /// First image, among those of all tables and of this one.
    start: usize,
    start_in_table: usize,
}

/// The image files of a row group; nothing where a row has none.
type Images = Arc<Vec<Option<Bytes>>>;
/// Filled by the first thread that needs it, for which the others wait.
type Slot = Arc<Mutex<Option<Images>>>;

/// The row groups that were used last, the latest at the end.
#[derive(Default)]
struct Latest {
    held: VecDeque<CachedGroup>,
}

struct CachedGroup {
    group: usize,
    slot: Slot,
    /// Bytes, once they are known.
    size: usize,
}

impl Latest {
    /// The slot of a group, which is now the latest.
    fn slot(&mut self, group: usize) -> Slot {
        let at = self.held.iter().position(|held| held.group == group);
        let held = at
            .and_then(|at| self.held.remove(at))
            .unwrap_or_else(|| CachedGroup {
                group,
                slot: Slot::default(),
                size: 0,
            });
        let slot = Arc::clone(&held.slot);
        self.held.push_back(held);
        slot
    }

    /// Notes the size of a group, and forgets the oldest ones that are now too much.
    fn note(&mut self, group: usize, size: usize) {
        if let Some(held) = self.held.iter_mut().find(|held| held.group == group) {
            held.size = size;
        }
        let mut total: usize = self.held.iter().map(|held| held.size).sum();
        while total > MOST_HELD && self.held.len() > 1 {
            total -= self.held.pop_front().map_or(0, |held| held.size);
        }
    }
}

impl TableImages {
    /// The rows of these tables.
    pub(crate) fn new(tables: Vec<Table>) -> TableImages {
        let (mut groups, mut count) = (Vec::new(), 0);
        for (table, file) in tables.iter().enumerate() {
            let start_of_table = count;
            for (group, size) in file.group_sizes().enumerate() {
                groups.push(Group {
                    table,
                    group,
                    start: count,
                    start_in_table: count - start_of_table,
                });
                count += size;
            }
        }
        TableImages {
            tables,
            groups,
            count,
            latest: Mutex::default(),
        }
    }

    /// The group that holds an image, its index, and the image's row there.
    fn locate(&self, index: usize) -> Result<(&Group, usize, usize)> {
        let len = self.count;
        let after = self.groups.partition_point(|group| group.start <= index);
        let at = after.checked_sub(1).filter(|_| index < len);
        let found = at.and_then(|at| Some((self.groups.get(at)?, at)));
        let (group, at) = found.ok_or(Error::IndexOutOfRange { index, len })?;
        Ok((group, at, index - group.start))
    }

    /// The file that is image `index`.
    fn bytes(&self, index: usize) -> Result<Bytes> {
        let (group, at, row) = self.locate(index)?;
        let len = self.count;
        let table = self
            .tables
            .get(group.table)
            .ok_or(Error::IndexOutOfRange { index, len })?;
        let images = self.images(table, group.group, at)?;
        let image = images.get(row).cloned().flatten();
        image.ok_or_else(|| Error::Malformed {
            path: table.path.clone(),
            place: format!("row {}", group.start_in_table + row),
            expected: "an image with its bytes".to_owned(),
            found: "none; the table names files that are elsewhere".to_owned(),
        })
    }

    /// The name of a table's file; with the folder before it where another's is the same: `train/0000.parquet`.
    fn file(&self, table: usize) -> Option<PathBuf> {
        let path = &self.tables.get(table)?.path;
        let name = path.file_name()?;
        let same = self
            .tables
            .iter()
            .filter(|other| other.path.file_name() == Some(name));
        let folder = path.parent().and_then(Path::file_name);
        Some(match folder.filter(|_| same.count() > 1) {
            Some(folder) => Path::new(folder).join(name),
            None => PathBuf::from(name),
        })
    }

    /// The images of row group `group` of `table`, which is number `at` of all.
    fn images(&self, table: &Table, group: usize, at: usize) -> Result<Images> {
        let slot = lock(&self.latest).slot(at);
        let mut held = lock(&slot);
        if let Some(images) = &*held {
            return Ok(Arc::clone(images));
        }
        let images = Arc::new(table.images(group)?);
        *held = Some(Arc::clone(&images));
        drop(held);
        let size = images.iter().flatten().map(Bytes::len).sum();
        lock(&self.latest).note(at, size);
        Ok(images)
    }
}

/// What a mutex guards; nothing is half done in it where a thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ImageSource for TableImages {
    fn count(&self) -> usize {
        self.count
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        rut_images::decode(&self.bytes(index)?).map_err(Error::image(|| self.name(index)))
    }

    fn name(&self, index: usize) -> String {
        let Ok((group, _, row)) = self.locate(index) else {
            return String::new();
        };
        let name = self.file(group.table).unwrap_or_default();
        format!("{} #{}", name.display(), group.start_in_table + row)
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Ok(Digest::of_bytes(&self.bytes(index)?))
    }
}
