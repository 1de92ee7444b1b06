//! The risk policy and the lists of this country, from their TOML files. `node-config/risk.toml` shows every setting with its default,
//! `node-config/lists.toml` the form of each list.

use std::path::{Path, PathBuf};

use crate::watch::risk::{Lists, PolicyFault, RiskPolicy};

/// The file with every default, for an operator to start from.
pub const RISK_EXAMPLE: &str = include_str!("../../../node-config/risk.toml");

/// The file with the form of every list, for an operator to start from.
pub const LISTS_EXAMPLE: &str = include_str!("../../../node-config/lists.toml");

/// Why a risk policy or the lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RiskPolicyError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no TOML, or has a setting that does not exist or not of its type. The source tells line and column.
    #[error("{} cannot be understood", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Settings that a policy cannot have.
    #[error("the risk policy {} has settings that cannot be:{}", .path.display(), listed(.faults))]
    Faulty {
        /// The file.
        path: PathBuf,
        /// All of them.
        faults: Vec<PolicyFault>,
    },
}

/// Reads and checks a risk policy.
///
/// # Errors
/// [`RiskPolicyError`]: the file cannot be read or understood, or all settings that cannot be.
pub fn load_risk_policy(path: &Path) -> Result<RiskPolicy, RiskPolicyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| RiskPolicyError::Unreadable { path: path.to_owned(), source })?;
    parse_risk_policy(path, &text)
}

/// As [`load_risk_policy`], with the file's text at hand.
///
/// # Errors
/// [`RiskPolicyError`] as there.
pub fn parse_risk_policy(path: &Path, text: &str) -> Result<RiskPolicy, RiskPolicyError> {
    let policy: RiskPolicy = toml::from_str(text)
        .map_err(|source| RiskPolicyError::Form { path: path.to_owned(), source: Box::new(source) })?;
    let faults = policy.faults();
    if faults.is_empty() { Ok(policy) } else { Err(RiskPolicyError::Faulty { path: path.to_owned(), faults }) }
}

/// Reads the lists of this country.
///
/// # Errors
/// [`RiskPolicyError`]: the file cannot be read or understood.
pub fn load_lists(path: &Path) -> Result<Lists, RiskPolicyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| RiskPolicyError::Unreadable { path: path.to_owned(), source })?;
    parse_lists(path, &text)
}

/// As [`load_lists`], with the file's text at hand.
///
/// # Errors
/// [`RiskPolicyError`] as there.
pub fn parse_lists(path: &Path, text: &str) -> Result<Lists, RiskPolicyError> {
    toml::from_str(text).map_err(|source| RiskPolicyError::Form { path: path.to_owned(), source: Box::new(source) })
}

fn listed(faults: &[PolicyFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RiskPolicy, RiskPolicyError> {
        parse_risk_policy(Path::new("risk.toml"), text)
    }

    #[test]
    fn the_example_shows_every_setting_with_its_default() {
        let shown: toml::Table = RISK_EXAMPLE.parse().unwrap();
        let defaults = toml::Table::try_from(RiskPolicy::default()).unwrap();
        for (name, default) in &defaults {
            assert_eq!(shown.get(name), Some(default), "{name}");
        }
        assert_eq!(shown, defaults);
        assert_eq!(parse(RISK_EXAMPLE).unwrap(), RiskPolicy::default());
        assert_eq!(parse("").unwrap(), RiskPolicy::default());
    }

    #[test]
    fn the_example_of_lists_is_read_whole_and_empty_without_its_lines() {
        let file = Path::new("lists.toml");
        // As it is shipped, every list is a comment: none is given.
        assert!(!LISTS_EXAMPLE.lines().any(|line| !line.is_empty() && !line.starts_with('#')));
        let bare = |line: &str| line.strip_prefix("#: ").map_or_else(String::new, str::to_owned);
        let text: Vec<String> = LISTS_EXAMPLE.lines().map(bare).collect();
        let text = text.join("\n");
        parse_lists(file, &text).unwrap();
        for list in ["high_risk_countries", "places", "end_users", "watch", "seasons"] {
            assert!(text.contains(list), "{list}");
            let wrong = text.replace(list, "no_such_list");
            let RiskPolicyError::Form { source, .. } = parse_lists(file, &wrong).unwrap_err() else { panic!("{list}") };
            assert!(source.to_string().contains("no_such_list"), "{source}");
        }
    }

    #[test]
    fn a_faulty_policy_is_told_with_its_place() {
        let error = parse("[R04]\non = true\npoint = 5\n").unwrap_err();
        let RiskPolicyError::Form { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains("line 3") && source.to_string().contains("point"), "{source}");
        let error = parse("[bands]\namber = 60\n[R14]\namendments = 0\n").unwrap_err();
        let told = "the risk policy risk.toml has settings that cannot be:\
            \n  bands: red begins at 50, below amber at 60; raise red or lower amber\
            \n  R14: amendments takes a whole number from 1";
        assert_eq!(error.to_string(), told);
    }
}
