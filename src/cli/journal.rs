//! The log of a running node: to stderr, as lines for people or objects for collectors.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload::Error;

use super::report::Failure;
use crate::node::config::{Log, LogFormat, log};
use crate::node::engine::SetLogLevel;

/// Starts the log. From then on every event of this process goes there. Gives what changes its filter later.
///
/// # Errors
/// If it was started before, or the filter is none.
pub(super) fn start(settings: &Log, color: bool) -> Result<SetLogLevel, Failure> {
    let filter = log::filter(&settings.level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let (started, set): (_, SetLogLevel) = match settings.format {
        LogFormat::Text => {
            let builder = builder.with_ansi(color).with_filter_reloading();
            let handle = builder.reload_handle();
            let set = move |level: &str| change(level, |filter| handle.reload(filter));
            (builder.try_init(), Box::new(set))
        }
        LogFormat::Json => {
            let builder = builder
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .with_filter_reloading();
            let handle = builder.reload_handle();
            let set = move |level: &str| change(level, |filter| handle.reload(filter));
            (builder.try_init(), Box::new(set))
        }
    };
    started.map_err(|error| Failure::from(anyhow::anyhow!(error)))?;
    Ok(set)
}

fn change(level: &str, reload: impl Fn(EnvFilter) -> Result<(), Error>) -> Result<(), String> {
    let filter = log::filter(level).map_err(|error| format!("log.level: {error}"))?;
    reload(filter).map_err(|error| format!("log.level: {error}"))
}

/// The log of a command that runs a node for a while: nothing, unless more is asked for.
pub(super) fn start_for_command(log: &Log, verbose: u8, color: bool) -> Result<(), Failure> {
    let level = if verbose > 0 { log.level.clone() } else { "off".to_owned() };
    start(&Log { level, format: log.format }, color).map(drop)
}
