//! What a check says: how grave it is, in words, and the command that mends it.

use serde::Serialize;

/// One thing that is looked at. Its number stays the same for ever: runbooks and alert rules name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Check {
    /// Such as `D020`.
    pub id: &'static str,
    /// What is so if all is well.
    pub title: &'static str,
}

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    /// As it should be.
    Pass,
    /// It cannot be known at present.
    Unknown,
    /// It will go wrong, or is against a recommendation.
    Warn,
    /// It is wrong now.
    Fail,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub id: &'static str,
    pub level: Level,
    pub text: String,
    /// The command that mends it, or tells more.
    pub fix: Option<String>,
}

impl Check {
    pub(super) fn pass(self) -> Finding {
        self.pass_with("")
    }

    /// Well, with a figure behind it.
    pub(super) fn pass_with(self, figure: impl AsRef<str>) -> Finding {
        let figure = figure.as_ref();
        let text = if figure.is_empty() { self.title.to_owned() } else { format!("{} ({figure})", self.title) };
        Finding { id: self.id, level: Level::Pass, text, fix: None }
    }

    pub(super) fn unknown(self, why: &str) -> Finding {
        Finding { id: self.id, level: Level::Unknown, text: format!("{}: unknown, {why}", self.title), fix: None }
    }

    pub(super) fn warn(self, text: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { id: self.id, level: Level::Warn, text: text.into(), fix: Some(fix.into()) }
    }

    pub(super) fn fail(self, text: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { id: self.id, level: Level::Fail, text: text.into(), fix: Some(fix.into()) }
    }
}

impl Level {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Unknown => "????",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}
