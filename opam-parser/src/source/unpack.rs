//! The bytes of an archive, unpacked, and no more of them than the limit allows.

use super::limits::Limit;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// The members of a gzip file, one after the other. Each is checked against its checksum at its end. Zeros after
/// the last one are padding.
pub(super) struct Members<R> {
    /// `None` at the end of the last one.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { member: Some(GzDecoder::new(reader)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            self.member = self.member.take().map(GzDecoder::into_inner).map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The next member, if there is one.
fn next_member<R: BufRead>(mut rest: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = rest.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        match bytes.get(zeros) {
            None if bytes.is_empty() => return Ok(None),
            None => rest.consume(zeros),
            Some(0x1f) => {
                rest.consume(zeros);
                return Ok(Some(GzDecoder::new(rest)));
            }
            Some(_) => return Err(io::Error::other("something that is not gzip follows its end")),
        }
    }
}

/// The bytes of an archive up to [`Limit::Unpacked`], which is an error.
pub(super) struct Unpacked<R> {
    reader: R,
    left: u64,
    ended: bool,
}

impl<R: Read> Unpacked<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, left: Limit::Unpacked.most(), ended: false }
    }

    /// Whether somebody wanted to read more than there was.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.ended |= count == 0 && !into.is_empty();
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(Limit::Unpacked))?;
        Ok(count)
    }
}
