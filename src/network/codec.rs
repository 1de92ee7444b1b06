//! Requests and responses on a stream: four bytes of length (big-endian), then that many opaque bytes.
//!
//! The length is checked before anything is allocated, and memory grows only as bytes arrive.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;

use super::limits::FRAME_FIRST_BYTES;

/// Reads and writes frames of at most `limit` bytes.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    pub(super) limit: usize,
}

impl request_response::Codec for Frames {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.limit).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.limit).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, self.limit, &bytes).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, self.limit, &bytes).await
    }
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, limit: usize) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let length = u32::from_be_bytes(prefix);
    if usize::try_from(length).map_or(true, |length| length > limit) {
        return Err(too_long(length.into(), limit));
    }
    let length = length as usize;
    let mut bytes = Vec::with_capacity(length.min(FRAME_FIRST_BYTES));
    io.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, limit: usize, bytes: &[u8]) -> io::Result<()> {
    let prefix = match u32::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= limit => length.to_be_bytes(),
        Ok(_) | Err(_) => return Err(too_long(bytes.len() as u64, limit)),
    };
    io.write_all(&prefix).await?;
    io.write_all(bytes).await
}

fn too_long(length: u64, limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("frame of {length} bytes, at most {limit} are allowed"))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use proptest::prelude::*;

    use super::*;

    fn written(limit: usize, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Cursor::new(Vec::new());
        block_on(write(&mut out, limit, bytes))?;
        Ok(out.into_inner())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let wire = written(5000, &bytes).unwrap();
            prop_assert_eq!(block_on(read(&mut Cursor::new(wire), 5000)).unwrap(), bytes);
        }

        #[test]
        fn a_cut_frame_is_refused(bytes in proptest::collection::vec(any::<u8>(), 1..500), cut in 1usize..500) {
            let mut wire = written(500, &bytes).unwrap();
            wire.truncate(wire.len().saturating_sub(cut));
            prop_assert!(block_on(read(&mut Cursor::new(wire), 500)).is_err());
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes() {
        // Only the prefix is there: were it not refused by length, the error would be "unexpected end".
        let error = block_on(read(&mut Cursor::new(vec![0, 0, 4, 1]), 1024)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "frame of 1025 bytes, at most 1024 are allowed");
        let error = block_on(read(&mut Cursor::new(vec![0, 0, 4, 0]), 1024)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(block_on(read(&mut Cursor::new(vec![0xff; 4]), 1024)).is_err());
    }

    #[test]
    fn we_never_send_over_the_limit() {
        assert!(written(3, &[0; 4]).is_err());
        assert_eq!(written(3, &[9; 3]).unwrap(), [0, 0, 0, 3, 9, 9, 9]);
    }
}
