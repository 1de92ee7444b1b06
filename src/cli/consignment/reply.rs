//! `shieldwall consignment reply`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, amounts, values};
use crate::cli::report::Outcome;
use crate::record::{ConsigneeStatus, Date, Declared, Draft, Kind, Mass, ReasonCode};

/// Answers the present version of an announcement, for the importing country or one that the goods pass through.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    #[command(subcommand)]
    reply: Reply,
}

#[derive(clap::Subcommand, Debug)]
enum Reply {
    /// Your country has no objection (E06)
    NoObjection(NoObjection),
    /// Your country objects (E07)
    Objection(Objection),
}

/// Says that there is no objection, and on which conditions.
#[derive(clap::Args, Debug)]
struct NoObjection {
    /// Last day on which this holds
    #[arg(long, value_name = "DAY")]
    valid_until: Option<Date>,
    /// What is known of the consignee
    #[arg(long, value_name = "WORD", value_parser = values::word(ConsigneeStatus::ALL))]
    consignee_status: Option<ConsigneeStatus>,
    /// Most that may leave, such as '2750 t'
    #[arg(long, value_name = "AMOUNT", value_parser = mass)]
    max_net_mass: Option<Mass>,
    /// A condition, in words; several are given one by one
    #[arg(long = "condition", value_name = "TEXT")]
    conditions: Vec<String>,
    /// Import permit that this refers to
    #[arg(long, value_name = "TEXT")]
    import_permit: Option<String>,
    #[command(flatten)]
    entry: Entry,
}

/// Says that there is an objection, and why.
#[derive(clap::Args, Debug)]
struct Objection {
    /// Why, in one word
    #[arg(long, value_name = "WORD", value_parser = values::word(ReasonCode::ALL))]
    code: ReasonCode,
    /// Why, in words; for the addressees alone
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    let draft = draft(&args, &known);
    match &args.reply {
        Reply::NoObjection(args) => entry::log::<NoObjection>(context, draft, &args.entry),
        Reply::Objection(args) => entry::log::<Objection>(context, draft, &args.entry),
    }
}

fn draft(args: &Args, known: &Known) -> Draft {
    match &args.reply {
        Reply::NoObjection(args) => Draft {
            valid_until: args.valid_until,
            consignee_status: args.consignee_status.map(Declared::Valid),
            max_net_mass_g: args.max_net_mass,
            conditions: args.conditions.clone(),
            import_permit: args.import_permit.clone(),
            ..known.to_others(Kind::NoObjection, &args.entry)
        },
        Reply::Objection(args) => Draft {
            reason_code: Some(Declared::Valid(args.code)),
            reason: args.reason.clone(),
            ..known.to_others(Kind::Objection, &args.entry)
        },
    }
}

fn mass(text: &str) -> Result<Mass, String> {
    amounts::quantity(text)?.mass(None).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json, notified, usage};

    #[test]
    fn no_objection_with_its_conditions() {
        let args = args(&[
            "GE-1",
            "no-objection",
            "--valid-until",
            "2013-12-31",
            "--consignee-status",
            "licensed",
            "--max-net-mass",
            "2750 t",
            "--condition",
            "By sea only.",
            "--import-permit",
            "P-9",
        ]);
        let expected = r#"{"kind": "no-objection", "consignment": "GE-1", "answers": "GE-1", "to": ["GE"],
            "valid_until": "2013-12-31", "consignee_status": "licensed", "max_net_mass_g": 2750000000,
            "conditions": ["By sea only."], "import_permit": "P-9"}"#;
        assert_eq!(draft(&args, &notified("MZ")), json(expected));
    }

    #[test]
    fn an_objection_answers_the_version_that_an_amendment_made() {
        let amendment = r#"{"kind": "E10", "answers": "GE-1", "destination": "MZ", "reason": "sold anew",
            "changes": [{"path": "/consignee", "value": {"name": "Another Sample Buyer"}}]}"#;
        let args = args(&["GE-1", "objection", "--code", "importer-unknown", "--reason", "Nobody is there."]);
        let expected = r#"{"kind": "objection", "consignment": "GE-1", "answers": "GE-2", "parents": ["GE-2"], "to": ["GE"],
            "reason_code": "importer-unknown", "reason": "Nobody is there."}"#;
        assert_eq!(draft(&args, &after("MZ", &[("GE-2", amendment)])), json(expected));
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        let told = usage::<Args>(&["GE-1", "objection", "--code", "importer-unknwon"]);
        assert!(
            told.contains("--code") && told.contains("importer-unknown") && told.contains("no-import-permit"),
            "{told}"
        );
        let told = usage::<Args>(&["GE-1", "no-objection", "--max-net-mass", "2750"]);
        assert!(told.contains("--max-net-mass") && told.contains("2750 t or kg"), "{told}");
    }
}
