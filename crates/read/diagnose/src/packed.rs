//! Tables of numbers as bytes: the form in which the compiled index lies in the binary.
//!
//! Everything is little-endian 32-bit numbers behind a count, so that reading a table is copying it.

/// A row of a table: a fixed number of 32-bit numbers.
pub trait Row: Sized {
    /// How many numbers a row has.
    const NUMBERS: usize;
    /// The numbers of this row.
    fn write(&self, out: &mut Vec<u32>);
    /// The row of these numbers; there are always [`Row::NUMBERS`] of them.
    fn read(numbers: &[u32]) -> Self;
}

impl Row for u32 {
    const NUMBERS: usize = 1;

    fn write(&self, out: &mut Vec<u32>) {
        out.push(*self);
    }

    fn read(numbers: &[u32]) -> Self {
        numbers[0]
    }
}

impl Row for (u32, u32) {
    const NUMBERS: usize = 2;

    fn write(&self, out: &mut Vec<u32>) {
        out.extend([self.0, self.1]);
    }

    fn read(numbers: &[u32]) -> Self {
        (numbers[0], numbers[1])
    }
}

/// Adds a table.
pub fn pack<T: Row>(rows: &[T], out: &mut Vec<u8>) {
    let mut numbers = vec![rows.len() as u32];
    for row in rows {
        row.write(&mut numbers);
    }
    out.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
}

/// Adds bytes, filled up to whole numbers.
pub fn pack_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Takes tables off packed bytes, in the order in which they were added.
#[derive(Debug)]
pub struct Unpacker<'a>(pub &'a [u8]);

impl<'a> Unpacker<'a> {
    /// The next table; none if the bytes are not of this form.
    pub fn table<T: Row>(&mut self) -> Option<Vec<T>> {
        let count = self.count()?;
        let bytes = self.take(count.checked_mul(T::NUMBERS * 4)?)?;
        let row = |row: &[u8]| {
            let mut numbers = [0; 8];
            for (number, bytes) in numbers.iter_mut().zip(row.as_chunks::<4>().0) {
                *number = u32::from_le_bytes(*bytes);
            }
            T::read(&numbers[..T::NUMBERS])
        };
        Some(bytes.chunks_exact(T::NUMBERS * 4).map(row).collect())
    }

    /// The next bytes.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        let bytes = self.take(count.checked_next_multiple_of(4)?)?;
        bytes.get(..count)
    }

    fn count(&mut self) -> Option<usize> {
        let bytes = self.take(4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_and_damage_is_noticed() {
        let mut out = Vec::new();
        pack(&[(1, 2), (3, 4)], &mut out);
        pack_bytes(b"hello", &mut out);
        pack(&[7u32], &mut out);
        let mut packed = Unpacker(&out);
        assert_eq!(packed.table::<(u32, u32)>(), Some(vec![(1, 2), (3, 4)]));
        assert_eq!(packed.bytes(), Some(&b"hello"[..]));
        assert_eq!(packed.table::<u32>(), Some(vec![7]));
        assert_eq!(packed.table::<u32>(), None);
        assert_eq!(Unpacker(&out[..10]).table::<(u32, u32)>(), None);
    }
}
