//! A checkpoint of a model in the safetensors format: a JSON header, then tensors of 32-bit floats.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::cli::demo::random::Random;

const SEED: u64 = 2;

/// The tensor that training moved between the versions.
const TRAINED: u64 = 5;

/// Writes a checkpoint of square tensors in its first or a later version.
pub(super) fn write(
    (tensors, side): (u64, u64),
    version: u64,
    out: &mut impl Write,
) -> io::Result<()> {
    let header = header(tensors, side);
    out.write_all(&u64::try_from(header.len()).unwrap_or(0).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for tensor in 0..tensors {
        let mut values = Random::new(SEED, tensor);
        let mut moved =
            (version > 1 && tensor == TRAINED).then(|| Random::new(SEED + version, tensor));
        for _ in 0..side * side {
            let value = values.normal() * 0.02;
            let step = moved.as_mut().map_or(0.0, |moved| moved.normal() * 0.0002);
            out.write_all(&(value + step).to_le_bytes())?;
        }
    }
    Ok(())
}

/// The tensors' bytes begin at a multiple of eight, as readers that map the file like it.
fn header(tensors: u64, side: u64) -> String {
    let bytes = side * side * 4;
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    for tensor in 0..tensors {
        let entry: Value = json!({
            "dtype": "F32",
            "shape": [side, side],
            "data_offsets": [tensor * bytes, (tensor + 1) * bytes],
        });
        entries.insert(format!("model.layers.{tensor:02}.weight"), entry);
    }
    let mut text = Value::Object(entries).to_string();
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(version: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write((8, 16), version, &mut out).expect("writes to memory");
        out
    }

    #[test]
    fn the_header_describes_exactly_what_follows() {
        let bytes = bytes(1);
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("are eight"));
        let start = 8 + usize::try_from(length).expect("is small");
        assert!(start.is_multiple_of(8));
        let header: Value = serde_json::from_slice(&bytes[8..start]).expect("is JSON");
        let end = header["model.layers.07.weight"]["data_offsets"][1].as_u64();
        assert_eq!(end, u64::try_from(bytes.len() - start).ok());
    }

    #[test]
    fn the_second_version_moves_one_tensor_a_little() {
        let (old, new) = (bytes(1), bytes(2));
        let tensor = 16 * 16 * 4;
        let start = old.len() - 8 * tensor;
        for place in 0..8 {
            let range = start + place * tensor..start + (place + 1) * tensor;
            assert_eq!(old[range.clone()] == new[range], place != 5, "tensor {place}");
        }
        let value = |bytes: &[u8]| {
            let at = start + 5 * tensor;
            f32::from_le_bytes(bytes[at..at + 4].try_into().expect("are four"))
        };
        assert!((value(&old) - value(&new)).abs() < 0.002);
    }
}
