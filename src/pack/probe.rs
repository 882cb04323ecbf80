//! A cheap guess whether compressing is worth the time.

/// Samples are taken at this many places.
const SAMPLES: usize = 4;
/// Bytes of one sample.
const SAMPLE: usize = 1024;
/// Bits per byte from which data counts as incompressible. Tables lie near 5, weights between 6 and
/// 7.3, photographs at 7.9, noise at 8.
const BITS: f64 = 7.6;

/// Says whether the bytes look as if an entropy coder could shrink them.
///
/// Reads at most 4 KiB, so that data which is compressed already costs next to nothing. Long
/// repetitions of noise are missed; chunks catch those.
pub fn looks_compressible(bytes: &[u8]) -> bool {
    let mut counts = [0u32; 256];
    let mut add = |sample: &[u8]| {
        for byte in sample {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
    };
    if bytes.len() <= SAMPLES * SAMPLE {
        add(bytes);
    } else {
        let stride = (bytes.len() - SAMPLE) / (SAMPLES - 1);
        for sample in 0..SAMPLES {
            add(bytes.get(sample * stride..).and_then(|b| b.get(..SAMPLE)).unwrap_or_default());
        }
    }
    entropy(&counts) < BITS
}

/// Bits per symbol of a histogram.
fn entropy(counts: &[u32; 256]) -> f64 {
    let total: f64 = counts.iter().copied().map(f64::from).sum();
    if total == 0.0 {
        return 0.0;
    }
    let weighted: f64 =
        counts.iter().filter(|&&c| c > 0).map(|&c| f64::from(c) * f64::from(c).log2()).sum();
    total.log2() - weighted / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn text_and_skewed_bytes_look_compressible() {
        assert!(looks_compressible(&b"id,name,value\n1,one,1.0\n".repeat(4000)));
        let skewed: Vec<u8> = noise(65_536).iter().map(|b| b & 0x7f).collect();
        assert!(looks_compressible(&skewed));
        assert!(looks_compressible(b""));
    }

    #[test]
    fn noise_does_not_look_compressible() {
        assert!(!looks_compressible(&noise(65_536)));
        assert!(!looks_compressible(&noise(4097)));
    }

    #[test]
    fn every_quarter_of_the_bytes_is_seen() {
        for quarter in 0..4 {
            let mut bytes = noise(65_536);
            bytes[quarter * 16_384..(quarter + 1) * 16_384].fill(0);
            assert!(looks_compressible(&bytes), "quarter {quarter}");
        }
    }
}
