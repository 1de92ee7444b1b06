//! `shieldwall inquire`.

use crate::cli::context::Context;
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Place, Shipment};

/// Asks the other side where overdue goods are.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The consignment: any record of it, such as GE-1042, or its UCR
    #[arg(value_name = "CONSIGNMENT")]
    consignment: Name,
    /// When the goods were last seen
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    last_seen: Option<UnixTime>,
    /// Where they were last seen
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    last_place: Option<Place>,
    /// Anything else worth saying to both sides
    #[arg(long, value_name = "TEXT")]
    remarks: Option<String>,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment)]
    shipment: Option<Shipment>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let known = Known::find(context, &args.consignment)?;
    entry::log::<Args>(context, draft(args, &known)?, &args.entry)
}

fn draft(args: &Args, known: &Known) -> Result<Draft, Failure> {
    let parcel = known.parcel(args.shipment, ON_THE_WAY)?;
    Ok(Draft {
        answers: Some(known.answers(parcel.as_ref())),
        shipment: args.shipment.or_else(|| parcel.as_ref().and_then(|parcel| parcel.number)),
        last_seen_at: args.last_seen,
        place: args.last_place.clone(),
        remarks: args.remarks.clone(),
        ..known.to_others(Kind::OverdueInquiry, &args.entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn an_inquiry_asks_the_other_side() {
        let args =
            args(&["GE-1", "--last-seen", "2013-11-20", "--last-place", "TRIST", "--remarks", "No news for a month."]);
        let expected = r#"{"kind": "overdue-inquiry", "consignment": "GE-1", "answers": "GE-1", "to": ["MZ"],
            "last_seen_at": "2013-11-20T00:00:00Z", "place": {"unlocode": "TRIST"}, "remarks": "No news for a month."}"#;
        assert_eq!(draft(&args, &notified("GE")).unwrap(), json(expected));
    }
}
