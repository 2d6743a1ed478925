//! Tables of images in Parquet files: fixtures of other programs, and what is written here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rut_data::{Dataset, Error, open};
use tempfile::{TempDir, tempdir};

use super::{dot, write};

/// Nine images that `parquet/hf.py` wrote with the `datasets` library (`hf`), or what `parquet/codecs.py` wrote with pyarrow.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet");
    folder.join(format!("{name}.parquet"))
}

pub(crate) fn open_path(path: &Path) -> Result<Dataset, Error> {
    open(path.to_str().expect("a UTF-8 path"), Path::new("nowhere"))
}

const SCHEMA: &str = "message schema { optional group image { optional binary bytes; optional binary path (UTF8); } \
                      optional int64 label; }";

/// A file whose images are dots of the value of their place, in row groups of two.
pub(crate) struct Written {
    pub(crate) schema: &'static str,
    pub(crate) names: Option<&'static str>,
    pub(crate) compression: Compression,
}

pub(crate) const PLAIN: Written = Written {
    schema: SCHEMA,
    names: None,
    compression: Compression::SNAPPY,
};

impl Written {
    fn properties(&self) -> WriterProperties {
        let names = self
            .names
            .map(|names| KeyValue::new("huggingface".to_owned(), names.to_owned()));
        WriterProperties::builder()
            .set_key_value_metadata(names.map(|names| vec![names]))
            .set_compression(self.compression)
            .build()
    }

    pub(crate) fn bytes(&self, labels: &[Option<i64>]) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(self.schema).expect("a schema"));
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(self.properties()))
            .expect("a writer");
        for (group, labels) in labels.chunks(2).enumerate() {
            let mut columns = writer.next_row_group().expect("a row group");
            let images: Vec<ByteArray> = (0..labels.len())
                .map(|row| dot((2 * group + row) as u8).into())
                .collect();
            let paths = vec![ByteArray::from("a.jpg"); labels.len()];
            for (values, levels) in [(&images, 2), (&paths, 2)] {
                let mut column = columns.next_column().expect("a column").expect("one more");
                let levels = vec![levels; labels.len()];
                column
                    .typed::<ByteArrayType>()
                    .write_batch(values, Some(&levels), None)
                    .expect("written");
                column.close().expect("closed");
            }
            let mut column = columns.next_column().expect("a column").expect("one more");
            let levels: Vec<i16> = labels
                .iter()
                .map(|label| i16::from(label.is_some()))
                .collect();
            let values: Vec<i64> = labels.iter().copied().flatten().collect();
            column
                .typed::<Int64Type>()
                .write_batch(&values, Some(&levels), None)
                .expect("written");
            column.close().expect("closed");
            columns.close().expect("closed");
        }
        writer.close().expect("closed");
        bytes
    }
}

pub(crate) fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempdir().expect("a folder");
    for (name, bytes) in files {
        write(folder.path().join(name), bytes);
    }
    folder
}

pub(crate) fn table(labels: &[i64]) -> Vec<u8> {
    PLAIN.bytes(&labels.iter().copied().map(Some).collect::<Vec<_>>())
}
