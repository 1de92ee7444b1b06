//! The log of a running node: to stderr, as lines for people or objects for collectors.

use std::io;

use tracing_subscriber::EnvFilter;

use super::report::Failure;
use crate::node::config::{Log, LogFormat};

/// Starts the log. From then on every event of this process goes there.
///
/// # Errors
/// If it was started before, or the filter is none.
pub(super) fn start(log: &Log, color: bool) -> Result<(), Failure> {
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::try_new(&log.level)?).with_writer(io::stderr);
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(color).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
    started.map_err(|error| Failure::from(anyhow::anyhow!(error)))
}
