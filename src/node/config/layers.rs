//! Where each value comes from: default, file, environment or flag, each over the one before it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::options::{Default, Kind, OPTIONS, OptionRow, nearest};

/// A line longer than this is not shown beside its fault: nobody would find the place in it.
const EXCERPT_BYTES_MAX: usize = 300;
/// Faults that are told one by one: a file that is none of ours has as many as it has lines.
const FAULTS_TOLD: usize = 40;

/// What overrides the file.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The environment: names and values.
    pub environment: BTreeMap<String, String>,
    /// Flags: name as typed (`--data-dir`), the option it sets, its value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// One option with its value and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The option's name.
    pub key: &'static str,
    /// Its value; none where there is no default.
    pub value: Option<Value>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A value before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text or path.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}

/// Where a value or a fault stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// In the file, at this line and column, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// In this environment variable.
    Environment(String),
    /// In this flag.
    Flag(&'static str),
}

/// One fault in the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong.
    pub what: String,
    /// The line of the file, and how many characters of it from the column on are meant.
    pub excerpt: Option<(String, usize)>,
}

/// Why there is no config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are faults in it.
    #[error("the config has {}{}", counted(.faults.len()), listed(.faults))]
    Faulty {
        /// All of them, in the order of their places.
        faults: Vec<Fault>,
    },
}

/// The values of all options as the layers give them, and the faults found on the way.
pub(super) struct Layers<'a> {
    file: &'a Path,
    text: &'a str,
    values: BTreeMap<&'static str, (Value, Origin)>,
    spans: BTreeMap<&'static str, Range<usize>>,
    faults: Vec<Fault>,
}

impl<'a> Layers<'a> {
    pub(super) fn read(file: &'a Path, text: &'a str, sources: &Sources) -> Self {
        let mut layers = Self { file, text, values: BTreeMap::new(), spans: BTreeMap::new(), faults: Vec::new() };
        for option in &OPTIONS {
            if let Default::Is(default) = option.default {
                let value = parse(option.kind, default).expect("a default is of its option's kind");
                layers.values.insert(option.key, (value, Origin::Default));
            }
        }
        layers.read_file();
        for option in &OPTIONS {
            if let Some(value) = sources.environment.get(&option.variable()) {
                layers.set(option, value, Origin::Environment(option.variable()));
            }
        }
        for (flag, key, value) in &sources.flags {
            if let Some(option) = OPTIONS.iter().find(|option| option.key == *key) {
                layers.set(option, value, Origin::Flag(flag));
            }
        }
        layers
    }

    /// All settings in the order of the options, and all faults in the order of their places.
    pub(super) fn finish(mut self) -> (Vec<Setting>, Vec<Fault>) {
        self.faults.sort_by_key(|fault| match &fault.origin {
            Origin::File { line, column, .. } => (*line, *column),
            Origin::Default | Origin::Environment(_) | Origin::Flag(_) => (usize::MAX, 0),
        });
        let settings = OPTIONS.iter().map(|option| match self.values.remove(option.key) {
            Some((value, origin)) => Setting { key: option.key, value: Some(value), origin },
            None => Setting { key: option.key, value: None, origin: Origin::Default },
        });
        (settings.collect(), self.faults)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.values.get(key) {
            Some((Value::Text(text), _)) => Some(text.clone()),
            Some((Value::Number(_) | Value::Bool(_) | Value::List(_), _)) => None,
            None => {
                let missing = OPTIONS.iter().any(|option| option.key == key && option.default == Default::Required);
                let already = self.faults.iter().any(|fault| fault.what.contains(&format!("`{key}`")));
                if missing && !already {
                    let origin = Origin::File { path: self.file.to_owned(), line: 1, column: 1 };
                    self.faults.push(Fault { origin, what: format!("`{key}` is missing"), excerpt: None });
                }
                None
            }
        }
    }

    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<T> {
        let text = self.text(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, format!("is `{text}`: {error}"));
                None
            }
        }
    }

    pub(super) fn parsed_list<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<Vec<T>> {
        let Some((Value::List(items), _)) = self.values.get(key) else { return None };
        let items = items.clone();
        let mut values = Vec::with_capacity(items.len());
        for item in &items {
            match item.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.fault(key, format!("holds `{item}`: {error}")),
            }
        }
        (values.len() == items.len()).then_some(values)
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(key)?);
        let (_, origin) = self.values.get(key)?;
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        match (origin, folder) {
            (Origin::Default | Origin::File { .. }, Some(folder)) => Some(folder.join(path)),
            (Origin::Default | Origin::File { .. } | Origin::Environment(_) | Origin::Flag(_), _) => Some(path),
        }
    }

    pub(super) fn bool(&mut self, key: &'static str) -> Option<bool> {
        let Some((Value::Bool(value), _)) = self.values.get(key) else { return None };
        Some(*value)
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<u32> {
        let Some((Value::Number(value), _)) = self.values.get(key) else { return None };
        u32::try_from(*value).ok()
    }

    /// Notes that the value of `key` will not do, at the place where it stands.
    pub(super) fn fault(&mut self, key: &'static str, what: String) {
        let origin = self.values.get(key).map_or(Origin::Default, |(_, origin)| origin.clone());
        let what = format!("`{key}` {what}");
        match (&origin, self.spans.get(key).cloned()) {
            (Origin::File { .. }, Some(span)) => self.fault_at(span, what),
            _ => self.faults.push(Fault { origin, what, excerpt: None }),
        }
    }

    fn fault_at(&mut self, span: Range<usize>, what: String) {
        let (line, column, excerpt) = place(self.text, &span);
        let origin = Origin::File { path: self.file.to_owned(), line, column };
        let excerpt = Some(excerpt).filter(|(line, _)| line.len() <= EXCERPT_BYTES_MAX);
        self.faults.push(Fault { origin, what, excerpt });
    }

    fn read_file(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.fault_at(error.span().unwrap_or(0..0), error.message().to_owned());
        }
        self.read_table(table.get_ref(), "");
    }

    fn read_table(&mut self, table: &DeTable<'_>, section: &str) {
        for (name, value) in table {
            let key = format!("{section}{}", name.get_ref());
            if let Some(option) = OPTIONS.iter().find(|option| option.key == key) {
                self.take(option, value);
            } else if let (DeValue::Table(inner), true) = (value.get_ref(), is_section(&key)) {
                self.read_table(inner, &format!("{key}."));
            } else {
                let what = match nearest(&key, OPTIONS.iter().map(|option| option.key)) {
                    Some(meant) => format!("unknown option `{key}`, did you mean `{meant}`?"),
                    None => format!("unknown option `{key}`"),
                };
                self.fault_at(name.span(), what);
            }
        }
    }

    /// Takes the value of an option out of the file.
    fn take(&mut self, option: &OptionRow, value: &Spanned<DeValue<'_>>) {
        let key = option.key;
        match read(option.kind, value.get_ref()) {
            Ok(read) => {
                let (line, column, _) = place(self.text, &value.span());
                let origin = Origin::File { path: self.file.to_owned(), line, column };
                self.values.insert(key, (read, origin));
                self.spans.insert(key, value.span());
            }
            Err(wanted) => {
                self.values.remove(key);
                self.fault_at(value.span(), format!("`{key}` {wanted}"));
            }
        }
    }

    /// Takes the value of an option from a text that overrides the file.
    fn set(&mut self, option: &OptionRow, text: &str, origin: Origin) {
        match parse(option.kind, text) {
            Ok(value) => {
                self.values.insert(option.key, (value, origin));
            }
            Err(wanted) => {
                self.faults.push(Fault { origin, what: format!("`{}` {wanted}", option.key), excerpt: None })
            }
        }
    }
}

fn is_section(key: &str) -> bool {
    OPTIONS.iter().any(|option| option.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

/// The value that a TOML value stands for, or what was wanted instead.
fn read(kind: Kind, value: &DeValue<'_>) -> Result<Value, String> {
    match (kind, value) {
        (Kind::Text | Kind::Path, DeValue::String(text)) if !text.is_empty() => Ok(Value::Text(text.to_string())),
        (Kind::Bool, DeValue::Boolean(value)) => Ok(Value::Bool(*value)),
        (Kind::Number { .. }, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(&number.as_str().replace('_', ""), number.radix());
            within(kind, number.map_err(|_| wanted(kind))?)
        }
        (Kind::List, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<Vec<String>>>().map(Value::List).ok_or_else(|| wanted(kind))
        }
        _ => Err(wanted(kind)),
    }
}

/// The value that a text stands for in the environment, in a flag or as a default, or what was wanted instead.
fn parse(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Text | Kind::Path if text.is_empty() => Err(wanted(kind)),
        Kind::Text | Kind::Path => Ok(Value::Text(text.to_owned())),
        Kind::Bool => text.parse().map(Value::Bool).map_err(|_| wanted(kind)),
        Kind::Number { .. } => within(kind, text.parse().map_err(|_| wanted(kind))?),
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::List(items.map(str::to_owned).collect()))
        }
    }
}

fn within(kind: Kind, number: i64) -> Result<Value, String> {
    match kind {
        Kind::Number { min, max } if (i64::from(min)..=i64::from(max)).contains(&number) => Ok(Value::Number(number)),
        Kind::Number { .. } | Kind::Text | Kind::Path | Kind::Bool | Kind::List => Err(wanted(kind)),
    }
}

fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Text => "takes a text in quotes".to_owned(),
        Kind::Path => "takes a path in quotes".to_owned(),
        Kind::Bool => "takes true or false".to_owned(),
        Kind::Number { min, max } => format!("takes a whole number from {min} to {max}"),
        Kind::List => "takes a list of texts, such as [\"…\", \"…\"]".to_owned(),
    }
}

/// Line and column of a span's start, the line itself, and how many of its characters the span covers.
fn place(text: &str, span: &Range<usize>) -> (usize, usize, (String, usize)) {
    let start = (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let column = before[line_start..].chars().count() + 1;
    let covered = text.get(start..span.end.min(line_start + line.len())).unwrap_or_default();
    (before.matches('\n').count() + 1, column, (line.to_owned(), covered.chars().count().max(1)))
}

fn counted(faults: usize) -> String {
    if faults == 1 { "a fault".to_owned() } else { format!("{faults} faults") }
}

fn listed(faults: &[Fault]) -> String {
    let more =
        if faults.len() > FAULTS_TOLD { format!("\n  and {} more", faults.len() - FAULTS_TOLD) } else { String::new() };
    faults.iter().take(FAULTS_TOLD).map(|fault| format!("\n{fault}")).chain([more]).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "  {}: {}", self.origin, self.what)?;
        if let (Some((line, width)), Origin::File { line: number, column, .. }) = (&self.excerpt, &self.origin) {
            let number = number.to_string();
            let margin = " ".repeat(number.len());
            let marks = "^".repeat(*width);
            write!(formatter, "\n    {number} | {line}\n    {margin} | {}{marks}", " ".repeat(column - 1))?;
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line, column } => write!(formatter, "{}:{line}:{column}", path.display()),
            Self::Environment(name) => write!(formatter, "env {name}"),
            Self::Flag(name) => write!(formatter, "flag {name}"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::List(items) => write!(formatter, "{items:?}"),
        }
    }
}
