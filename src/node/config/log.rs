//! What a running node writes to its log.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use super::layers::Layers;

/// What is written to the log, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A filter in the syntax of `tracing`, as [`filter`] reads it.
    pub level: String,
    /// For whom.
    pub format: LogFormat,
}

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// Reads a log filter: `info`, or `warn,shieldwall::protocol=debug`, in the syntax of `tracing`. Spaces around the commas are of no account, and
/// fields are compared as they are written: as a regular expression, a short one could take any amount of memory.
///
/// # Errors
/// If it is none.
pub fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    // The library counts a directive's places without the spaces before it and cuts with them, which gives other names or breaks a letter apart.
    let trimmed: Vec<&str> = text.split(',').map(str::trim).collect();
    EnvFilter::builder().with_regex(false).parse(trimmed.join(","))
}

/// The section `[log]`.
pub(super) fn check(layers: &mut Layers<'_>) -> Option<Log> {
    let level = layers.text("log.level");
    let format = layers.text("log.format");
    if let Some(Err(error)) = level.as_deref().map(filter) {
        layers.fault("log.level", format!("is no log filter: {error}"));
    }
    let format = match format.as_deref() {
        Some("text") => Some(LogFormat::Text),
        Some("json") => Some(LogFormat::Json),
        Some(other) => {
            layers.fault("log.format", format!("is `text` or `json`, not `{other}`"));
            None
        }
        None => None,
    };
    Some(Log { level: level?, format: format? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_around_a_comma_change_nothing() {
        let tight = filter("warn,shieldwall::node=debug,libp2p=off").unwrap();
        let spaced = filter(" warn ,  shieldwall::node=debug,\tlibp2p=off ").unwrap();
        assert_eq!(spaced.to_string(), tight.to_string());
        assert!(tight.to_string().contains("shieldwall::node=debug"), "{tight}");
    }

    #[test]
    fn names_in_any_script_are_read_or_refused_behind_a_space() {
        for text in ["warn, el\u{1d}\u{89}=", "warn, ლოგი=debug", "warn,\u{a0}e\u{301}=3"] {
            assert!(filter(text).is_ok(), "{text:?}");
        }
        for text in ["info, e\u{301}=trace9", "warn,\u{a0}ლოგი=ბ", "warn, =", "[span{field="] {
            assert!(filter(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_field_is_no_regular_expression() {
        // As an expression it is refused: nothing ends what begins here.
        assert!(filter("[span{field=(}]=info").is_ok());
    }
}
