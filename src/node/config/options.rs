//! Every option of the config: its name, kind and default, in the order of `node-config/example.toml`.

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// Its name, with the section before a point.
    pub key: &'static str,
    /// What a value looks like.
    pub kind: Kind,
    /// Its default, written as in an environment variable.
    pub default: Default,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A path; relative to the config file, or to the working directory if it comes from elsewhere.
    Path,
    /// `true` or `false`.
    Bool,
    /// A whole number within these bounds.
    Number {
        /// The lowest.
        min: u32,
        /// The highest.
        max: u32,
    },
    /// A list of texts; in an environment variable separated by commas.
    List,
}

/// What holds if nobody says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// This value.
    Is(&'static str),
    /// Nothing, or something that follows from other options.
    None,
    /// The option must be given.
    Required,
}

/// All options.
pub const OPTIONS: [OptionRow; 55] = [
    row("member", Kind::Text, Default::Required),
    row("data_dir", Kind::Path, Default::Is("data")),
    row("keys_dir", Kind::Path, Default::Is("keys")),
    row("charter", Kind::Path, Default::Is("charter.cose")),
    row("backup_dir", Kind::Path, Default::Is("backups")),
    row("socket", Kind::Path, Default::None),
    row("socket_group", Kind::Text, Default::None),
    row("passphrase_file", Kind::Path, Default::None),
    row("insecure_dev_keys", Kind::Bool, Default::Is("false")),
    row("listen", Kind::List, Default::Is("/ip4/0.0.0.0/udp/4310/quic-v1,/ip4/0.0.0.0/tcp/4310")),
    row("external", Kind::List, Default::Is("")),
    row("allow_foreign_exporter", Kind::Bool, Default::Is("false")),
    row("hsm.module", Kind::Path, Default::None),
    row("hsm.token", Kind::Text, Default::None),
    row("hsm.pin_file", Kind::Path, Default::None),
    row("signer.socket", Kind::Path, Default::None),
    row("signer.folder", Kind::Path, Default::None),
    row("signer.node_user", Kind::Text, Default::None),
    row("log.level", Kind::Text, Default::Is("info")),
    row("log.format", Kind::Text, Default::Is("text")),
    // Below 100 ms cosignatures would outnumber records; above a minute nobody would see that others keep up.
    row("intervals.cosign_ms", Kind::Number { min: 100, max: 60_000 }, Default::Is("1000")),
    row("intervals.heartbeat_s", Kind::Number { min: 10, max: 86_400 }, Default::Is("600")),
    row("intervals.sync_s", Kind::Number { min: 1, max: 3_600 }, Default::Is("10")),
    // An hour at most: an acknowledgement is what tells an exporter that its notice arrived.
    row("intervals.acknowledge_after_ms", Kind::Number { min: 0, max: 3_600_000 }, Default::Is("1000")),
    // Each is a record that every member keeps; what is newer than the last can be altered without a trace.
    row("intervals.audit_anchor_s", Kind::Number { min: 5, max: 2_592_000 }, Default::Is("86400")),
    row("watch.risk_policy", Kind::Path, Default::None),
    row("watch.lists", Kind::Path, Default::None),
    row("watch.answer_due_days", Kind::Number { min: 0, max: 90 }, Default::Is("3")),
    row("limits.free_space_min_mb", Kind::Number { min: 16, max: 1_000_000 }, Default::Is("256")),
    row("limits.api_connections", Kind::Number { min: 1, max: 1_000 }, Default::Is("16")),
    // Ten thousand a second is more than a node can sign; below a hundred a minute its own lanes and acknowledgements would wait.
    row("limits.signed_per_minute", Kind::Number { min: 100, max: 600_000 }, Default::Is("600000")),
    row("limits.signed_per_day", Kind::Number { min: 1_000, max: 100_000_000 }, Default::Is("5000000")),
    row("approvals.charters", Kind::Bool, Default::Is("false")),
    row("approvals.records", Kind::Bool, Default::Is("false")),
    row("approvals.bans", Kind::Bool, Default::Is("false")),
    row("approvals.erasures", Kind::Bool, Default::Is("false")),
    row("approvals.users", Kind::List, Default::Is("")),
    row("approvals.group", Kind::Text, Default::None),
    // One person is none that approves; a desk of more than nine has no use for all of them.
    row("approvals.persons", Kind::Number { min: 2, max: 9 }, Default::Is("2")),
    // What nobody has looked at in three months is asked for again.
    row("approvals.days", Kind::Number { min: 1, max: 90 }, Default::Is("7")),
    row("retention.own", Kind::List, Default::Is("")),
    row("retention.copies", Kind::List, Default::Is("")),
    row("retention.legal_basis", Kind::Text, Default::None),
    // A federation has 250 members at most.
    row("custody.members", Kind::Number { min: 0, max: 250 }, Default::Is("0")),
    row("custody.regions", Kind::Number { min: 0, max: 250 }, Default::Is("0")),
    row("custody.region_of", Kind::List, Default::Is("")),
    row("alerts.smtp", Kind::Text, Default::None),
    row("alerts.mail_from", Kind::Text, Default::None),
    row("alerts.mail_to", Kind::List, Default::Is("")),
    row("alerts.smtp_user", Kind::Text, Default::None),
    row("alerts.smtp_password_file", Kind::Path, Default::None),
    row("alerts.digest_hour", Kind::Number { min: 0, max: 23 }, Default::None),
    row("alerts.webhooks", Kind::List, Default::Is("")),
    row("alerts.webhook_hosts", Kind::List, Default::Is("")),
    row("alerts.webhook_key_file", Kind::Path, Default::None),
];

const fn row(key: &'static str, kind: Kind, default: Default) -> OptionRow {
    OptionRow { key, kind, default }
}

impl OptionRow {
    /// The environment variable that overrides it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("SHIELDWALL_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

/// The name among `known` that `wrong` was probably meant to be.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = wrong.chars().count();
    let most = length.div_ceil(3);
    // Names that differ by more than that in length alone need not be compared letter by letter.
    let near = known.filter(|name| name.chars().count().abs_diff(length) <= most);
    let closest = near.map(|name| (distance(wrong, name), name)).min()?;
    (closest.0 <= most).then_some(closest.1)
}

/// How many letters must be added, removed or changed to make `right` of `left`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_unless_all_are_far() {
        let known = || OPTIONS.iter().map(|option| option.key);
        assert_eq!(nearest("lisen", known()), Some("listen"));
        assert_eq!(nearest("log.fromat", known()), Some("log.format"));
        assert_eq!(nearest("colour", known()), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
