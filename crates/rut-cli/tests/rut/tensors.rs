//! Tensors in a test that makes or changes files of them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Tensors of a safetensors file as bytes, with the header's own words for type and shape.
pub struct Tensors(pub HashMap<String, (serde_json::Value, Vec<u8>)>);

impl Tensors {
    pub fn read(file: &Path) -> Self {
        let bytes = fs::read(file).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: HashMap<String, serde_json::Value> =
            serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let data = &bytes[8 + length..];
        let tensor = |(name, about): (String, serde_json::Value)| {
            let at = |i: usize| about["data_offsets"][i].as_u64().map(|at| at as usize);
            let bytes = data[at(0)?..at(1)?].to_vec();
            Some((name, (about, bytes)))
        };
        Self(header.into_iter().filter_map(tensor).collect())
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, (about, bytes)) in &self.0 {
            let mut about = about.clone();
            about["data_offsets"] = serde_json::json!([data.len(), data.len() + bytes.len()]);
            data.extend(bytes);
            header.insert(name.clone(), about);
        }
        let header = serde_json::to_vec(&header).unwrap();
        [
            &(header.len() as u64).to_le_bytes(),
            header.as_slice(),
            data.as_slice(),
        ]
        .concat()
    }
}
