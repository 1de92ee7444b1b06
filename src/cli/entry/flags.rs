//! Which flag says what a field of a record says: findings about fields become advice.

/// Fields by name, each with the flags that can set it.
const FLAGS: [(&str, &[&str]); 1] = [("reason", &["reason"])];

/// A finding (`happened_at: missing`) with the flag that sets the field, if the command of `A` has one.
pub(super) fn told<A: clap::Args>(finding: &str) -> String {
    let path = finding.split_once(':').map_or(finding, |(path, _)| path);
    match flag::<A>(path) {
        Some(flag) => format!("{finding} (--{flag})"),
        None => finding.to_owned(),
    }
}

fn flag<A: clap::Args>(path: &str) -> Option<&'static str> {
    let command = A::augment_args(clap::Command::new("any"));
    let has = |flag: &&&str| command.get_arguments().any(|arg| arg.get_long() == Some(**flag));
    let fields = FLAGS
        .iter()
        .filter(|(field, _)| path == *field || path.strip_prefix(field).is_some_and(|rest| rest.starts_with('/')));
    fields.flat_map(|(_, flags)| flags.iter()).find(has).copied()
}
