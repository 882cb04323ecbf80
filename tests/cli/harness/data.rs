//! Data that looks like what people track, the same for the same seed everywhere.

/// Returns bytes that no compressor can shorten.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    stream(seed).fill(&mut out);
    out
}

fn stream(seed: u64) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"haul test data").update(&seed.to_le_bytes());
    hasher.finalize_xof()
}

/// Returns a table with a header and `rows` rows of some 40 bytes, sorted by id.
///
/// A row depends on its number and the seed only, so that tables of two lengths share a prefix.
pub(crate) fn csv(seed: u64, rows: usize) -> Vec<u8> {
    let mut out = String::from("id,date,name,price\n");
    for row in 0..rows {
        out += &csv_row(seed, row);
    }
    out.into_bytes()
}

/// Replaces some rows of a table by those of another seed.
pub(crate) fn edit_csv(table: &[u8], seed: u64, rows: std::ops::Range<usize>) -> Vec<u8> {
    let text = str::from_utf8(table).expect("is text");
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match number.checked_sub(1).filter(|row| rows.contains(row)) {
            Some(row) => out += &csv_row(seed, row),
            None => out += line,
        }
    }
    out.into_bytes()
}

fn csv_row(seed: u64, row: usize) -> String {
    let mut noise = [0; 8];
    let mut stream = stream(seed);
    stream.set_position(8 * row as u64);
    stream.fill(&mut noise);
    let noise = u64::from_le_bytes(noise);
    let (day, name, cents) = (row / 50, noise % 9973, noise / 9973 % 100_000);
    let (month, day) = (1 + day / 28 % 12, 1 + day % 28);
    format!(
        "{},2024-{month:02}-{day:02},name-{name:04},{}.{:02}\n",
        1000 + row,
        cents / 100,
        cents % 100
    )
}

/// Returns a checkpoint in the safetensors format: `tensors` tensors of `values` 32-bit floats each,
/// small numbers around zero; tensor `i` depends on the seed at `i` only, the last seed serves the rest.
pub(crate) fn safetensors(seeds: &[u64], tensors: usize, values: usize) -> Vec<u8> {
    let length = 4 * values;
    let entry = |tensor: usize| {
        let (from, to) = (tensor * length, (tensor + 1) * length);
        format!(
            r#""layer.{tensor}":{{"dtype":"F32","shape":[{values}],"data_offsets":[{from},{to}]}}"#
        )
    };
    let entries: Vec<String> = (0..tensors).map(entry).collect();
    let mut header = format!("{{{}}}", entries.join(","));
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.into_bytes());
    for tensor in 0..tensors {
        let seed = *seeds.get(tensor).or(seeds.last()).expect("has a seed");
        for noise in bytes(seed ^ ((tensor as u64) << 32), length).chunks_exact(4) {
            let noise = i32::from_le_bytes(noise.try_into().expect("are four bytes"));
            let value = f64::from(noise) / f64::from(i32::MAX) * 0.05;
            #[expect(clippy::cast_possible_truncation, reason = "weights are 32-bit floats")]
            out.extend((value as f32).to_le_bytes());
        }
    }
    out
}
