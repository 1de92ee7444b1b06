//! Which flag says what a field of a record says: findings about fields become advice.

/// Fields by name, each with the flags that can set it.
const FLAGS: [(&str, &[&str]); 46] = [
    ("to", &["to"]),
    ("happened_at", &["at"]),
    ("destination", &["destination"]),
    ("new_destination", &["new-destination"]),
    ("operation_name", &["name"]),
    ("period", &["period"]),
    ("members", &["member"]),
    ("substances", &["substance"]),
    ("new_readers", &["reader"]),
    ("compartments", &["compartment"]),
    ("mode", &["mode"]),
    ("conveyance", &["ship"]),
    ("former_conveyance", &["from"]),
    ("carrier", &["carrier"]),
    ("itinerary", &["route"]),
    ("point_of_exit", &["exit"]),
    ("point_of_entry", &["entry"]),
    ("place", &["place", "last-place"]),
    ("last_seen_at", &["last-seen"]),
    ("dispatch", &["dispatch"]),
    ("arrival", &["arrival"]),
    ("seals_intact", &["seals-intact"]),
    ("mrn", &["mrn"]),
    ("bill_of_lading", &["bill-of-lading"]),
    ("goods", &["goods"]),
    ("end_use", &["end-use"]),
    ("licences", &["licence"]),
    ("reply_by", &["reply-by"]),
    ("attachments", &["attachment"]),
    ("valid_until", &["valid-until"]),
    ("consignee_status", &["consignee-status"]),
    ("reason_code", &["code"]),
    ("legal_basis", &["legal-basis"]),
    ("urgency", &["urgency"]),
    ("release", &["release"]),
    ("remarks", &["remarks"]),
    ("method", &["method"]),
    ("changes", &["set"]),
    ("control_type", &["control"]),
    ("office", &["office"]),
    ("exporter", &["exporter"]),
    ("consignee", &["consignee"]),
    ("importer", &["importer"]),
    ("reason", &["reason"]),
    ("reported_at", &["reported"]),
    ("effective_from", &["effective-from"]),
];

/// A finding (`happened_at: missing`) with the flag that sets the field, if the command of `A` has one.
pub(super) fn told<A: clap::Args>(finding: &str) -> String {
    let path = finding.split_once(':').map_or(finding, |(path, _)| path);
    // What is said of a part of a line of goods has a flag of its own.
    let part = match path.rsplit('/').next() {
        Some("concentration_ppm") => "concentration",
        Some("net") if finding.contains("density") => "density",
        Some(_) | None => "",
    };
    match part_flag::<A>(part).or_else(|| flag::<A>(path)) {
        Some(flag) => format!("{finding} (--{flag})"),
        None => finding.to_owned(),
    }
}

fn part_flag<A: clap::Args>(part: &str) -> Option<&'static str> {
    ["concentration", "density"].into_iter().find(|flag| *flag == part && has::<A>(flag))
}

fn has<A: clap::Args>(flag: &str) -> bool {
    let command = A::augment_args(clap::Command::new("any"));
    command.get_arguments().any(|arg| arg.get_long() == Some(flag))
}

fn flag<A: clap::Args>(path: &str) -> Option<&'static str> {
    let fields = FLAGS
        .iter()
        .filter(|(field, _)| path == *field || path.strip_prefix(field).is_some_and(|rest| rest.starts_with('/')));
    fields.flat_map(|(_, flags)| flags.iter()).copied().find(|flag| has::<A>(flag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::goods::GoodsArgs;
    use crate::record::Kind;
    use crate::record::content::compartment_of;

    #[test]
    fn a_finding_names_the_flag_that_helps() {
        assert_eq!(
            told::<GoodsArgs>("goods/0/concentration_ppm: missing"),
            "goods/0/concentration_ppm: missing (--concentration)"
        );
        assert_eq!(
            told::<GoodsArgs>("goods/0/net: a volume needs a density to become a mass"),
            "goods/0/net: a volume needs a density to become a mass (--density)"
        );
        assert_eq!(told::<GoodsArgs>("goods: missing"), "goods: missing (--goods)");
        assert_eq!(told::<GoodsArgs>("reason: missing"), "reason: missing", "not a flag of this command");
    }

    #[test]
    fn every_field_of_the_table_is_a_field_of_records() {
        for (field, _) in FLAGS {
            assert!(compartment_of(&Kind::ExportNotification, field).is_some(), "{field}");
        }
    }
}
