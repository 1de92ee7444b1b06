//! Writing frames: they are staged as bytes at the place that they will have, and a [`FlushJob`] brings a group to the disk.
//!
//! The job runs on any thread while the store goes on: what is staged meanwhile belongs to the next group.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::erase;
use super::files::Doing as _;
use super::frame::{self, Context, Place};
use super::index::{Changes, Index, Row, Seen};
use super::segment::{HEADER, Segments};
use crate::encoding::ids::RecordId;
use crate::ledger::{Frame, Key, StoreError};

/// Bytes that a group adds to one segment.
#[derive(Debug)]
pub(crate) struct Chunk {
    context: Context,
    /// Whether the segment begins with this chunk.
    begins: bool,
    start: u32,
    bytes: Vec<u8>,
}

/// Chunks of one family, in order.
pub(crate) type Chunks = Vec<(Arc<Segments>, Arc<Chunk>)>;

/// Where the frames of one family go.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) segments: Arc<Segments>,
    roll: u32,
    /// The segment that is written to; none if the next frame begins one.
    current: Option<Context>,
    pub(crate) seen: Seen,
    staged: Vec<Chunk>,
    flushing: Vec<Arc<Chunk>>,
}

/// A group on its way to the disk.
#[derive(Debug)]
#[must_use = "what was staged is not on the disk before the job has run"]
pub struct FlushJob {
    /// Of statements, of bodies.
    chunks: (Chunks, Chunks),
    /// Bodies to be erased, and the segments in which they lie.
    erasing: Option<(Arc<Segments>, BTreeSet<RecordId>)>,
    index: Arc<dyn Index>,
    changes: Arc<Changes>,
}

/// How a job went; only the store that began it can tell what that means.
#[derive(Debug)]
#[must_use = "the store must be told how its flush went"]
pub struct Flushed(pub(crate) Result<(), StoreError>);

impl FlushJob {
    /// Writes the group, waits until it is on the disk, and then tells the index.
    pub fn run(self) -> Flushed {
        Flushed(self.write())
    }

    fn write(self) -> Result<(), StoreError> {
        let (statements, bodies) = &self.chunks;
        let is_parallel = statements.first().is_some_and(|(segments, _)| segments.fs.is_parallel());
        if is_parallel && !bodies.is_empty() {
            // A single record is two files and so two fsyncs: to wait for both at once takes a third of the time.
            thread::scope(|scope| {
                let bodies = scope.spawn(|| write_all(bodies));
                let statements = write_all(statements);
                statements.and(bodies.join().unwrap_or_else(|panic| resume_unwind(panic)))
            })?;
        } else {
            write_all(statements)?;
            write_all(bodies)?;
        }
        // The notes are on the disk.
        if let Some((bodies, records)) = &self.erasing {
            let confirms = |key: &Key, place| Ok(erase::is_at(self.index.get(&key.to_bytes())?, place));
            erase::blank(bodies, records, &confirms)?;
        }
        self.index.apply(&self.changes)
    }
}

impl Writer {
    /// Goes on where `seen` ends, in the segment of `current`, or in the one after if there is none.
    pub(crate) fn new(segments: Arc<Segments>, roll: u32, current: Option<Context>, seen: Seen) -> Self {
        Self { segments, roll, current, seen, staged: Vec::new(), flushing: Vec::new() }
    }

    /// Stages a frame; gives where it will lie.
    pub(crate) fn push(&mut self, frame: &Frame) -> Result<Row, StoreError> {
        let length = frame::length(frame);
        if length > frame::MAX {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "a frame is longer than 64 MiB");
            return Err(StoreError::Io { doing: format!("staging {:?}", frame.key.kind()), source });
        }
        self.make_room(length)?;
        let chunk = self.staged.last_mut().expect("room was made");
        let (start, offset) = (chunk.start, self.seen.next.offset);
        let (length, checksum) = frame::write(&mut chunk.bytes, chunk.context, offset, start, frame);
        let place = self.seen.next;
        self.seen.next.offset += length;
        self.seen.last = offset;
        self.seen.checksum = checksum;
        Ok(Row { place, length, leaf: None })
    }

    /// The bytes of a frame, staged or written.
    pub(crate) fn read(&self, row: Row) -> Result<(Vec<u8>, Context), StoreError> {
        let Row { place: Place { segment, offset }, length, .. } = row;
        let chunks = self.flushing.iter().map(Arc::as_ref).chain(&self.staged);
        let chunk = chunks.into_iter().find(|chunk| {
            chunk.context.segment == segment && offset >= chunk.start && offset - chunk.start < chunk.length()
        });
        let Some(chunk) = chunk else { return self.segments.read(row.place, length) };
        let start = (offset - chunk.start) as usize;
        let bytes = chunk.bytes.get(start..start + length as usize);
        Ok((bytes.expect("a row names a whole staged frame").to_vec(), chunk.context))
    }

    /// Closes the group.
    pub(crate) fn begin(&mut self) -> Chunks {
        self.flushing = self.staged.drain(..).map(Arc::new).collect();
        self.flushing.iter().map(|chunk| (Arc::clone(&self.segments), Arc::clone(chunk))).collect()
    }

    /// The group is on the disk.
    pub(crate) fn finish(&mut self) {
        self.flushing.clear();
    }

    pub(crate) fn is_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Sees to it that the last staged chunk is one that the next frame can go to.
    fn make_room(&mut self, length: usize) -> Result<(), StoreError> {
        let next = self.seen.next;
        let fits = next.offset == HEADER || next.offset as usize + length <= self.roll as usize;
        match self.current.filter(|_| fits) {
            Some(context) if self.staged.is_empty() => {
                self.staged.push(Chunk { context, begins: false, start: next.offset, bytes: Vec::new() });
            }
            Some(_) => {}
            None => self.begin_segment()?,
        }
        Ok(())
    }

    /// Begins the next segment with this group, unless the present one is empty.
    pub(crate) fn roll_on(&mut self) -> Result<(), StoreError> {
        let Place { segment, offset } = self.seen.next;
        if segment == 0 || offset == HEADER { Ok(()) } else { self.begin_segment() }
    }

    fn begin_segment(&mut self) -> Result<(), StoreError> {
        let salt = self.segments.salt()?;
        let context = Context { family: self.segments.family, segment: self.seen.next.segment + 1, salt };
        self.current = Some(context);
        self.seen = Seen { next: Place { segment: context.segment, offset: HEADER }, last: 0, checksum: 0 };
        self.staged.push(Chunk { context, begins: true, start: HEADER, bytes: Vec::new() });
        Ok(())
    }
}

impl Chunk {
    fn length(&self) -> u32 {
        u32::try_from(self.bytes.len()).expect("a chunk lies within one segment")
    }
}

/// Writes chunks in order, each on the disk before the next.
fn write_all(chunks: &Chunks) -> Result<(), StoreError> {
    for (segments, chunk) in chunks {
        let number = chunk.context.segment;
        let segment = if chunk.begins { segments.create(number, chunk.context.salt)? } else { segments.get(number)? };
        segment.file.write_at(&chunk.bytes, u64::from(chunk.start)).doing("writing", &segment.path)?;
        segment.file.sync().doing("syncing", &segment.path)?;
    }
    Ok(())
}

pub(crate) fn job(
    chunks: (Chunks, Chunks),
    erasing: Option<(Arc<Segments>, BTreeSet<RecordId>)>,
    index: &Arc<dyn Index>,
    changes: Arc<Changes>,
) -> FlushJob {
    FlushJob { chunks, erasing, index: Arc::clone(index), changes }
}
