//! `shieldwall incident`.

use crate::cli::context::Context;
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::parcel::ON_THE_WAY;
use crate::cli::entry::{self, Entry, Known, Name, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::node::clock;
use crate::record::{Declared, Draft, IncidentKind, Kind, Place, Shipment};

/// Reports a theft, a disappearance, a diversion or a suspicious transaction, which is due within 24 hours of its detection.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// What happened
    #[arg(value_name = "WHAT", value_parser = values::word(IncidentKind::ALL))]
    what: IncidentKind,
    /// When it was noticed
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    detected: UnixTime,
    /// When it was reported to the authority [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    reported: Option<UnixTime>,
    /// Where
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    place: Option<Place>,
    #[command(flatten)]
    goods: GoodsArgs,
    /// What is known, in words; for the addressees alone
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The consignment, if it is known: any record of it, or its UCR
    #[arg(long, value_name = "CONSIGNMENT")]
    consignment: Option<Name>,
    /// Which of how many shipments, such as 2/11
    #[arg(long, value_name = "N/M", value_parser = values::shipment, requires = "consignment")]
    shipment: Option<Shipment>,
    #[command(flatten)]
    entry: Entry,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Outcome {
    let known = super::known(context, args.consignment.as_ref())?;
    entry::log::<Args>(context, draft(args, known.as_ref(), clock::now())?, &args.entry)
}

fn draft(args: &Args, known: Option<&Known>, now: UnixTime) -> Result<Draft, Failure> {
    let parcel = known.map(|known| known.parcel(args.shipment, ON_THE_WAY)).transpose()?.flatten();
    Ok(Draft {
        answers: known.map(|known| known.answers(parcel.as_ref())),
        shipment: args.shipment.or_else(|| parcel.as_ref().and_then(|parcel| parcel.number)),
        incident: Some(Declared::Valid(args.what)),
        detected_at: Some(args.detected),
        reported_at: Some(args.reported.unwrap_or(now)),
        place: args.place.clone(),
        goods: args.goods.complete(known.map_or(&[], |known| known.goods_of(parcel.as_ref())))?,
        reason: args.reason.clone(),
        ..super::draft(Kind::Incident, known, &args.entry)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn an_incident_has_two_times() {
        let now = "2013-10-02T09:00:00Z".parse().unwrap();
        let free: Args = args(&[
            "theft",
            "--detected",
            "2013-10-02T07:30:00Z",
            "--place",
            "Poti, GE",
            "--goods",
            "urea 400 kg",
            "--to",
            "TR",
        ]);
        let expected = r#"{"kind": "incident", "to": ["TR"], "incident": "theft", "detected_at": "2013-10-02T07:30:00Z",
            "reported_at": "2013-10-02T09:00:00Z", "place": {"name": "Poti", "country": "GE"},
            "goods": [{"substance": "urea", "hs6": "310210", "net": {"value": "400", "unit": "KGM"}}]}"#;
        assert_eq!(draft(&free, None, now).unwrap(), json(expected));
        let about: Args =
            args(&["disappearance", "--detected", "2013-10-02", "--consignment", "GE-1", "--goods", "12"]);
        let drafted = draft(&about, Some(&notified("GE")), now).unwrap();
        assert_eq!(
            (drafted.consignment, drafted.to, drafted.goods.len()),
            ("GE-1".parse().ok(), vec!["MZ".parse().unwrap()], 1)
        );
    }
}
