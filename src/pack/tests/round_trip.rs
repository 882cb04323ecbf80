use proptest::prelude::*;

use super::samples::*;
use crate::pack::{
    Batcher, CODEC_PLANES, CODEC_STORED, CODEC_ZSTD, Footer, FrameError, Header, MAX_CHUNK,
    MAX_NODE_RAW, TRAILER_LEN, chunk_in, decode_frame,
};

fn tail_of(bytes: &[u8]) -> Vec<u8> {
    let size = bytes.len() as u64;
    let trailer = bytes.last_chunk::<{ TRAILER_LEN as usize }>().unwrap();
    let len = Footer::tail_len(trailer, size).unwrap() as usize;
    bytes[bytes.len() - len..].to_vec()
}

#[test]
fn text_is_compressed_and_noise_is_stored() {
    let text = [&text(3000)[..], b"and no table\n"].concat();
    let frame = data_frame(&[&text]);
    assert_eq!(frame.codec(), CODEC_ZSTD);
    assert!(frame.bytes().len() < text.len() / 2);
    let noise = noise(1, 65_536);
    let frame = data_frame(&[&noise]);
    assert_eq!(frame.codec(), CODEC_STORED);
    assert_eq!(frame.bytes().len(), noise.len() + 12);
}

#[test]
fn a_gain_below_three_in_a_hundred_is_not_taken() {
    let mut bytes = noise(1, 3900);
    bytes.extend_from_slice(&[0; 100]);
    assert_eq!(data_frame(&[&bytes]).codec(), CODEC_STORED);
    bytes.extend_from_slice(&[0; 2000]);
    assert_eq!(data_frame(&[&bytes]).codec(), CODEC_ZSTD);
}

#[test]
fn every_chunk_of_a_pack_reads_back_from_its_place() {
    let chunks = [noise(1, 40_000), text(4000), b"a".to_vec(), text(3), noise(2, 700)];
    let frames = [
        data_frame(&[&chunks[0]]),
        data_frame(&[&chunks[1]]),
        data_frame(&[&chunks[2], &chunks[3], &chunks[4]]),
    ];
    let (summary, bytes) = pack_of(PackKind::Data, &frames);
    assert_eq!(summary.size, bytes.len() as u64);
    assert_eq!((summary.n_frames, summary.n_objects), (3, 5));
    let mut codecs = Codecs::new();
    for (place, chunk) in summary.objects.iter().zip(&chunks) {
        let frame = &bytes[place.offset as usize..][..place.frame_len as usize];
        let frame = decode_frame(&mut codecs, PackKind::Data, frame).unwrap();
        let id = ChunkId(place.id);
        assert_eq!(frame.chunk(place.skip, place.len, id).unwrap(), chunk);
        assert!(matches!(
            chunk_in(&frame.raw, place.skip, place.len, ChunkId([0; 32])),
            Err(FrameError::WrongId { .. })
        ));
        assert!(frame.chunk(place.skip + 1, place.len, id).is_err());
        assert!(frame.chunk(u32::MAX, u32::MAX, id).is_err());
    }
    assert_eq!(verify(summary.id, &bytes).unwrap(), summary);
}

#[test]
fn a_node_reads_back_with_its_placement() {
    let large = node(&text(100));
    let (summary, bytes) =
        pack_of(PackKind::Nodes, &[node_frame(&large, b"placement"), node_frame(&node(b""), b"")]);
    let place = summary.objects[0];
    assert_eq!(place.len as usize, large.len());
    let frame = &bytes[place.offset as usize..][..place.frame_len as usize];
    let frame = decode_frame(&mut Codecs::new(), PackKind::Nodes, frame).unwrap();
    assert_eq!(frame.node(NodeId::of(&large)).unwrap(), (&large[..], &b"placement"[..]));
    assert!(matches!(frame.node(NodeId([0; 32])), Err(FrameError::WrongId { .. })));
    assert_eq!(verify(summary.id, &bytes).unwrap(), summary);
}

#[test]
fn a_pack_refuses_an_object_twice_and_stays_usable() {
    let mut writer = PackWriter::new(Vec::new(), PackKind::Data, [0; 16]).unwrap();
    writer.push(&data_frame(&[b"one"])).unwrap();
    assert!(writer.contains(&ChunkId::of(b"one").0));
    let twice = data_frame(&[b"two", b"one"]);
    assert_eq!(writer.push(&twice).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    assert!(!writer.contains(&ChunkId::of(b"two").0));
    writer.push(&data_frame(&[b"two"])).unwrap();
    let (summary, bytes) = writer.finish().unwrap();
    verify(summary.id, &bytes).unwrap();
}

#[test]
fn a_pack_takes_no_frame_of_the_other_kind_and_is_never_empty() {
    let mut writer = PackWriter::new(Vec::new(), PackKind::Data, [0; 16]).unwrap();
    assert!(writer.push(&node_frame(&node(b"x"), b"")).is_err());
    assert!(writer.finish().is_err());
}

#[test]
fn a_pack_is_full_before_it_passes_the_largest_size() {
    let mut writer = PackWriter::new(std::io::sink(), PackKind::Nodes, [0; 16]).unwrap();
    let mut seed = 0;
    loop {
        let frame = node_frame(&node(&noise(seed, 2 << 20)), b"");
        if !writer.room_for(&frame) {
            assert!(writer.push(&frame).is_err());
            break;
        }
        writer.push(&frame).unwrap();
        seed += 1;
    }
    let (summary, _) = writer.finish().unwrap();
    assert_eq!(summary.n_frames, 7);
    assert!(summary.size <= 16 << 20);
}

#[test]
fn a_pack_holds_at_most_65535_objects() {
    let mut writer = PackWriter::new(std::io::sink(), PackKind::Data, [0; 16]).unwrap();
    let mut batcher = Batcher::new();
    let mut codecs = Codecs::new();
    for n in 0..65_535u32 {
        let chunk = n.to_le_bytes();
        if let Some(batch) = batcher.push(ChunkId::of(&chunk), &chunk) {
            writer.push(&batch.encode(&mut codecs).unwrap()).unwrap();
        }
    }
    let last = batcher.finish().unwrap().encode(&mut codecs).unwrap();
    writer.push(&last).unwrap();
    assert!(!writer.room_for(&data_frame(&[b"one more"])));
}

#[test]
fn what_is_above_the_limits_is_not_encoded() {
    let mut codecs = Codecs::new();
    let large = vec![0; MAX_CHUNK as usize + 1];
    for objects in [&[][..], &[&b""[..]], &[&large[..]], &[&large[..131_073], &large[..131_072]]] {
        let objects: Vec<_> = objects.iter().map(|c| (ChunkId::of(c), *c)).collect();
        assert!(encode_data_frame(&mut codecs, &objects).is_err());
    }
    let largest = node(&vec![0; (4 << 20) - 12]);
    let id = NodeId::of(&largest);
    assert!(
        encode_node_frame(&mut codecs, id, &largest, &vec![0; MAX_NODE_RAW as usize / 2]).is_ok()
    );
    assert!(
        encode_node_frame(&mut codecs, id, &largest, &vec![0; MAX_NODE_RAW as usize / 2 + 1])
            .is_err()
    );
    assert!(encode_node_frame(&mut codecs, id, &largest[..20], b"").is_err());
    assert!(encode_node_frame(&mut codecs, id, b"short", b"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_set_of_chunks_reads_back(
        chunks in proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 1..400), 1..20)
    ) {
        let frames: Vec<_> = chunks.iter().collect::<Vec<_>>().chunks(3)
            .map(|group| data_frame(&group.iter().map(|c| &c[..]).collect::<Vec<_>>()))
            .collect();
        let (summary, bytes) = pack_of(PackKind::Data, &frames);
        prop_assert_eq!(verify(summary.id, &bytes).unwrap(), summary);
        let tail = tail_of(&bytes);
        let footer = Footer::parse(PackKind::Data, &tail, bytes.len() as u64).unwrap();
        prop_assert_eq!(footer.encode(), tail);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut codecs = Codecs::new();
        for kind in [PackKind::Data, PackKind::Nodes] {
            let stored = decode_frame(&mut codecs, kind, &bytes);
            prop_assert!(stored.is_err() || bytes[0] <= CODEC_PLANES);
            prop_assert!(Footer::parse(kind, &bytes, bytes.len() as u64).is_err());
        }
        prop_assert!(verify_content(&bytes).is_err());
        if let Some(header) = bytes.first_chunk() {
            prop_assert!(Header::parse(header).is_err());
        }
    }

    #[test]
    fn a_header_that_is_accepted_has_one_encoding(at in 0usize..24, value: u8) {
        let mut bytes = Header { kind: PackKind::Data, nonce: [7; 16] }.encode();
        bytes[at] = value;
        if let Ok(header) = Header::parse(&bytes) {
            prop_assert_eq!(header.encode(), bytes);
        }
    }

    #[test]
    fn a_footer_that_is_accepted_has_one_encoding(at in 0usize..96, value: u8) {
        let (_, bytes) = pack_of(PackKind::Data, &[data_frame(&[b"one", b"two"])]);
        let mut tail = tail_of(&bytes);
        let table = tail.len() - TRAILER_LEN as usize;
        if at < table {
            tail[at] = value;
        }
        let hash = *blake3::hash(&tail[..table + 8]).as_bytes();
        tail[table + 8..table + 40].copy_from_slice(&hash);
        if let Ok(footer) = Footer::parse(PackKind::Data, &tail, bytes.len() as u64) {
            prop_assert_eq!(footer.encode(), tail);
        }
    }
}
