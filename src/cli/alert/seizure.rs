//! `shieldwall seizure`.

use crate::cli::context::Context;
use crate::cli::entry::carriage::Carriage;
use crate::cli::entry::goods::GoodsArgs;
use crate::cli::entry::parcel::NOT_IMPORTED;
use crate::cli::entry::{self, Entry, Known, Name, needed, values};
use crate::cli::report::{Failure, Outcome};
use crate::encoding::time::UnixTime;
use crate::record::{Draft, Kind, Place, Shipment};

/// Reports goods that were seized. Persons are counted, never named.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    goods: GoodsArgs,
    /// When
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: UnixTime,
    /// Where
    #[arg(long, value_name = "PLACE", value_parser = values::place)]
    place: Option<Place>,
    /// The customs office that acted
    #[arg(long, value_name = "TEXT")]
    office: Option<String>,
    #[command(flatten)]
    carriage: Carriage,
    /// How they were found
    #[arg(long, value_name = "TEXT")]
    detection: Option<String>,
    /// How they were hidden
    #[arg(long, value_name = "TEXT")]
    concealment: Option<String>,
    /// How many persons were involved
    #[arg(long, value_name = "N")]
    persons: Option<u32>,
    /// The law that it rests on
    #[arg(long, value_name = "TEXT")]
    legal_basis: Option<String>,
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
    entry::log::<Args>(context, draft(args, known.as_ref())?, &args.entry)
}

fn draft(args: &Args, known: Option<&Known>) -> Result<Draft, Failure> {
    let parcel = known.map(|known| known.parcel(args.shipment, NOT_IMPORTED)).transpose()?.flatten();
    if args.goods.lines.is_empty() {
        return Err(needed("--goods", "write what was seized, such as --goods 'ammonium-nitrate 1200 kg'"));
    }
    Ok(Draft {
        answers: known.map(|known| known.answers(parcel.as_ref())),
        goods: args.goods.complete(known.map_or(&[], |known| known.goods_of(parcel.as_ref())))?,
        shipment: args.shipment.or_else(|| parcel.as_ref().and_then(|parcel| parcel.number)),
        happened_at: Some(args.at),
        place: args.place.clone(),
        office: args.office.clone(),
        conveyance: args.carriage.conveyance(),
        mode: args.carriage.mode(),
        detection_method: args.detection.clone(),
        concealment: args.concealment.clone(),
        persons: args.persons,
        legal_basis: args.legal_basis.clone(),
        ..super::draft(Kind::Seizure, known, &args.entry)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::entry::fixture::{args, json, notified};

    #[test]
    fn a_seizure_of_a_known_consignment_or_of_none() {
        let line = [
            "--goods",
            "ammonium-nitrate 1200 kg, 48 sacks",
            "--at",
            "2013-10-02",
            "--place",
            "TRSSX",
            "--office",
            "Samsun",
            "--detection",
            "x-ray",
            "--concealment",
            "under onions",
            "--persons",
            "2",
            "--truck",
            "AB-123-CD",
        ];
        let free: Args = args(&[line.as_slice(), &["--to", "GE"]].concat());
        let expected = r#"{"kind": "seizure", "to": ["GE"], "happened_at": "2013-10-02T00:00:00Z", "place": {"unlocode": "TRSSX"},
            "goods": [{"substance": "ammonium-nitrate", "hs6": "310230", "net": {"value": "1200", "unit": "KGM"},
                "packages": [{"type": "SA", "count": 48}]}], "office": "Samsun", "detection_method": "x-ray",
            "concealment": "under onions", "persons": 2, "conveyance": {"name": "AB-123-CD"}, "mode": 3}"#;
        assert_eq!(draft(&free, None).unwrap(), json(expected));
        let known: Args = args(&[line.as_slice(), &["--consignment", "GE-1"]].concat());
        let drafted = draft(&known, Some(&notified("TR"))).unwrap();
        assert_eq!(
            (drafted.to.len(), drafted.answers, drafted.consignment),
            (2, "GE-1".parse().ok(), "GE-1".parse().ok())
        );
    }
}
