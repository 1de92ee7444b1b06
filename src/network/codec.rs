//! Requests and responses on a stream: four bytes of length (big-endian), then that many opaque bytes.
//!
//! The length is checked before anything is allocated, and memory grows only as bytes arrive.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;
use tokio::time::{Instant, timeout_at};

use super::Config;
use super::limits::{FRAME_FIRST_BYTES, PROGRESS_BYTES_PER_SECOND, PROGRESS_GRACE};

/// Reads and writes frames of at most `limit` bytes.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    limit: usize,
    /// What makes the task of the connection panic when it is read, in tests.
    #[cfg(any(test, feature = "simulate"))]
    trip_wire: Option<&'static [u8]>,
}

impl Frames {
    pub(super) fn new(config: &Config) -> Self {
        Frames {
            limit: config.limits.frame_bytes,
            #[cfg(any(test, feature = "simulate"))]
            trip_wire: config.trip_wire,
        }
    }
}

impl request_response::Codec for Frames {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read(io, self.limit).await?;
        #[cfg(any(test, feature = "simulate"))]
        assert!(
            self.trip_wire.is_none_or(|wire| bytes.strip_prefix(b"codec ") != Some(wire)),
            "the trip wire of a test"
        );
        Ok(bytes)
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
    let mut progress = Progress::begin();
    let mut prefix = [0; 4];
    progress.within(io.read_exact(&mut prefix)).await?;
    let length = u32::from_be_bytes(prefix);
    if usize::try_from(length).map_or(true, |length| length > limit) {
        return Err(too_long(length.into(), limit));
    }
    let length = length as usize;
    let mut bytes = Vec::with_capacity(length.min(FRAME_FIRST_BYTES));
    while bytes.len() < length {
        // Memory grows as bytes arrive, and never by more than has arrived or a first piece.
        let read = bytes.len();
        let piece = (length - read).min(read.max(FRAME_FIRST_BYTES));
        bytes.resize(read + piece, 0);
        match progress.within(io.read(&mut bytes[read..])).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => {
                bytes.truncate(read + more);
                progress.passed(more);
            }
        }
    }
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, limit: usize, bytes: &[u8]) -> io::Result<()> {
    let prefix = match u32::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= limit => length.to_be_bytes(),
        Ok(_) | Err(_) => return Err(too_long(bytes.len() as u64, limit)),
    };
    let mut progress = Progress::begin();
    progress.within(io.write_all(&prefix)).await?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match progress.within(io.write(rest)).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => {
                rest = &rest[written..];
                progress.passed(written);
            }
        }
    }
    progress.within(io.flush()).await
}

/// Sees to it that bytes keep passing.
struct Progress {
    until: Instant,
}

impl Progress {
    fn begin() -> Self {
        Progress { until: Instant::now() + PROGRESS_GRACE }
    }

    /// What has passed buys time.
    fn passed(&mut self, bytes: usize) {
        let bought = std::time::Duration::from_micros(bytes as u64 * 1_000_000 / PROGRESS_BYTES_PER_SECOND);
        // Not more than the grace from now on: a megabyte at once does not buy a quarter of an hour of silence.
        self.until = (self.until + bought).min(Instant::now() + PROGRESS_GRACE);
    }

    async fn within<T>(&self, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        timeout_at(self.until, step).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn too_long(length: u64, limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("frame of {length} bytes, at most {limit} are allowed"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::io::Cursor;
    use proptest::prelude::*;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    /// A stream on which a byte passes now and then.
    struct Slow {
        every: Duration,
        wait: std::pin::Pin<Box<tokio::time::Sleep>>,
    }

    impl AsyncRead for Slow {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            into: &mut [u8],
        ) -> std::task::Poll<io::Result<usize>> {
            std::task::ready!(self.wait.as_mut().poll(cx));
            let every = self.every;
            self.wait = Box::pin(tokio::time::sleep(every));
            into[0] = 0;
            std::task::Poll::Ready(Ok(1))
        }
    }

    #[test]
    fn who_sends_a_byte_a_second_is_cut_and_who_is_slow_is_not() {
        let read_at = |every: Duration, length: u8| {
            block_on(async {
                let begun = Instant::now();
                // The length comes at once, the bytes one by one.
                let prefix: &[u8] = &[0, 0, length, 0];
                let slow = Slow { every, wait: Box::pin(tokio::time::sleep(every)) };
                let result = read(&mut prefix.chain(slow), 0xffff).await;
                (result, begun.elapsed())
            })
        };
        let (result, after) = read_at(Duration::from_secs(1), 0x40);
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(after < Duration::from_secs(7), "{after:?}");
        let (result, _) = read_at(Duration::from_micros(500), 1);
        assert_eq!(result.unwrap().len(), 256);
    }

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
