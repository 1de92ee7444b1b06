//! `shieldwall consignment close`.

use crate::cli::context::Context;
use crate::cli::entry::{self, Entry, Known, Name, needed, values};
use crate::cli::report::{Exit, Failure, Outcome};
use crate::record::{ClosingState, Declared, Draft, Kind};

/// Proposes to close a consignment, for the importing country; or agrees to it, for the exporting country.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// How it ends [default for the exporting country: as proposed]
    #[arg(value_name = "END", value_parser = values::word(ClosingState::ALL))]
    end: Option<ClosingState>,
    #[command(flatten)]
    entry: Entry,
}

pub(super) fn run(context: &Context, args: Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(&args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let draft = known.to_others(Kind::Closure, &args.entry);
    let end = args.end.map(Declared::Valid);
    if !known.is_mine() {
        let end =
            end.ok_or_else(|| needed("END", "say how it ends, such as `consignment close GE-1042 reconciled`"))?;
        return Ok(Draft { closing_state: Some(end), ..draft });
    }
    let closure = &known.standing["closure"];
    let proposal = closure["proposal"].as_str().and_then(|id| id.parse().ok());
    let proposal = proposal.ok_or_else(|| {
        Failure::new(Exit::Failure, format!("the importing country has not proposed to close {}", known.id))
            .hint("the exporting country agrees to a closure; it does not propose one")
    })?;
    let proposed = closure["closing_state"].as_str().map(Declared::read);
    Ok(Draft { answers: Some(proposal), closing_state: end.or(proposed), ..draft })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{after, args, json, notified};

    fn goods(kind: &str, readers: &str, answers: &str) -> String {
        format!(
            r#"{{"kind": "{kind}", {readers}, "answers": "{answers}", "goods": [{{"substance": "ammonium-nitrate", "hs6": "310230",
                "net": {{"value": "2750", "unit": "TNE"}}}}]}}"#
        )
    }

    #[test]
    fn one_side_proposes_and_the_other_agrees() {
        let (left, came) = (goods("E13", r#""destination": "MZ""#, "GE-1"), goods("E19", r#""to": ["GE"]"#, "GE-2"));
        let proposal: Args = args(&["GE-1", "reconciled"]);
        let expected = r#"{"kind": "closure", "consignment": "GE-1", "answers": "GE-1", "parents": ["GE-2"], "to": ["GE"],
            "closing_state": "reconciled"}"#;
        assert_eq!(draft(&proposal, &after("MZ", &[("GE-2", &left), ("MZ-1", &came)])).unwrap(), json(expected));

        let agreed: Args = args(&["GE-1"]);
        let known = after("GE", &[("GE-2", &left), ("MZ-1", &came), ("MZ-2", expected)]);
        let expected = r#"{"kind": "closure", "consignment": "GE-1", "answers": "MZ-2", "parents": ["MZ-2"], "to": ["MZ"],
            "closing_state": "reconciled"}"#;
        assert_eq!(draft(&agreed, &known).unwrap(), json(expected));
        assert!(draft(&agreed, &notified("GE")).unwrap_err().text().contains("has not proposed"));
        assert!(draft(&agreed, &notified("MZ")).unwrap_err().text().contains("END is needed"));
    }
}
