//! Bytes out of gzip and zstd, as they are asked for.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::budget::Metered;
use super::{ArchiveError, Budget, Packing};

/// Largest window of zstd, in bytes. RFC 8878 3.1.1.1.2 recommends to support 8 MiB; `--ultra` and `--long` use more, and
/// a frame that asks for more is refused by name.
pub const LARGEST_WINDOW: u64 = 8 * 1024 * 1024;

/// Bytes of packed input that are read at a time.
const INPUT: usize = 64 * 1024;

/// Reads what gzip or zstd packed, in one piece or several.
///
/// Errors of the reader turn into [`ArchiveError`] by `From`. A zip or tar is no stream: [`ArchiveError::Unsupported`].
pub fn unpack<'r>(
    packing: Packing,
    packed: impl Read + 'r,
    budget: &Budget,
) -> Result<Box<dyn Read + 'r>, ArchiveError> {
    let packed = BufReader::with_capacity(INPUT, packed);
    let budget = budget.clone();
    match packing {
        Packing::Gzip => Ok(Box::new(Metered { inner: MultiGzDecoder::new(packed), budget })),
        Packing::Zstd => Ok(Box::new(Metered { inner: Frames::new(packed), budget })),
        other => Err(ArchiveError::Unsupported(other.name())),
    }
}

/// The frames of a zstd file, one after another (RFC 8878 3.1).
struct Frames<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R, Box<FrameDecoder>),
    Within(StreamingDecoder<R, Box<FrameDecoder>>),
    Done,
}

impl<R: BufRead> Frames<R> {
    fn new(reader: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self { state: State::Between(reader, Box::new(decoder)) }
    }

    /// Goes to the next frame, over frames to be skipped.
    fn begin(mut reader: R, decoder: Box<FrameDecoder>) -> io::Result<State<R>> {
        loop {
            let ready = reader.fill_buf()?;
            if ready.is_empty() {
                return Ok(State::Done);
            }
            // RFC 8878 3.1.2; its first byte alone tells it from a frame, which begins with 0x28.
            if !matches!(ready[0], 0x50..=0x5f) {
                break;
            }
            let mut head = [0; 8];
            reader.read_exact(&mut head)?;
            let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
            io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        }
        let frame = StreamingDecoder::new_with_decoder(reader, decoder);
        let frame = frame.map_err(|error| ArchiveError::damaged(error.to_string()))?;
        Ok(State::Within(frame))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(reader, decoder) => self.state = Self::begin(reader, decoder)?,
                State::Within(mut frame) => {
                    let read = frame.read(buffer).map_err(|error| ArchiveError::damaged(error.to_string()))?;
                    if read > 0 || buffer.is_empty() {
                        self.state = State::Within(frame);
                        return Ok(read);
                    }
                    let (reader, decoder) = frame.into_parts();
                    self.state = State::Between(reader, decoder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn read(packing: Packing, packed: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let budget = Budget::new(Some(packed.len() as u64), u64::MAX);
        budget.packed(packed.len() as u64);
        let mut bytes = Vec::new();
        unpack(packing, packed, &budget)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn pieces_one_after_another_are_one_text() {
        let text = b"Nov 21 10:00:00 mx a\n".repeat(10_000);
        for (packing, packed) in [(Packing::Gzip, gzip(&text)), (Packing::Zstd, zstd(&text))] {
            assert_eq!(read(packing, &packed).unwrap(), text);
            let twice = [&packed[..], &packed].concat();
            assert_eq!(read(packing, &twice).unwrap(), [&text[..], &text].concat());
            let cut = read(packing, &packed[..packed.len() / 2]);
            assert!(matches!(cut, Err(ArchiveError::Damaged(_))), "{packing:?} {cut:?}");
        }
        let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(b"x")].concat();
        assert_eq!(read(Packing::Zstd, &skipped).unwrap(), b"x");
    }

    #[test]
    fn a_bomb_is_named_and_not_unpacked() {
        let zeros = vec![0; 64 * 1024 * 1024];
        assert!(matches!(read(Packing::Gzip, &gzip(&zeros)), Err(ArchiveError::Bomb)));
        assert!(matches!(read(Packing::Zstd, &zstd(&zeros)), Err(ArchiveError::Bomb)));
    }

    #[test]
    fn a_log_that_says_the_same_all_day_is_no_bomb() {
        let line = |second: u32| {
            let (hour, minute) = (second / 3600, second / 60 % 60);
            let words = "mx postfix/smtp[1]: connect to mx.example.net[192.0.2.1]:25: Connection timed out";
            format!("Nov 21 {hour:02}:{minute:02}:{:02} {words}\n", second % 60)
        };
        for seconds in [10_000, 86_400] {
            let log: String = (0..seconds).map(line).collect();
            let packed = gzip(log.as_bytes());
            assert!(log.len() > 25 * packed.len(), "{} in {}", log.len(), packed.len());
            assert_eq!(read(Packing::Gzip, &packed).unwrap().len(), log.len());
            let hour = line(0).repeat(seconds as usize / 8);
            assert_eq!(read(Packing::Gzip, &gzip(hour.as_bytes())).unwrap().len(), hour.len());
        }
    }

    #[test]
    fn a_window_that_would_fill_the_memory_is_refused() {
        // A frame with a window of 1 GiB (RFC 8878 3.1.1.1.2) and one empty last block.
        let frame = b"\x28\xb5\x2f\xfd\x00\xa0\x01\0\0";
        let got = read(Packing::Zstd, frame);
        assert!(matches!(&got, Err(ArchiveError::Damaged(words)) if words.contains("indow")), "{got:?}");
    }
}
