//! Goods that came and that nobody announced: whom they are told to, and by what others can recognise them.

use crate::cli::entry::carriage::Papers;
use crate::cli::entry::{Entry, Name, needed};
use crate::cli::report::{Exit, Failure};
use crate::encoding::ids::MemberCode;
use crate::record::{Country, Declared, Draft, Kind, Ucr};

/// Flags for goods without a known notification.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct Unannounced {
    /// No notification is known here: name the goods by --ucr, --mrn, --container or --bill-of-lading, and tell --to whom
    #[arg(long, conflicts_with = "consignment")]
    pub(super) unannounced: bool,
    /// Reference on the papers of unannounced goods
    #[arg(long, value_name = "TEXT", requires = "unannounced", conflicts_with = "consignment")]
    ucr: Option<Ucr>,
    /// Country that they say they come from
    #[arg(long, value_name = "COUNTRY", requires = "unannounced", conflicts_with = "consignment")]
    export_country: Option<Country>,
}

impl Unannounced {
    /// The consignment that is meant, or none for unannounced goods.
    ///
    /// # Errors
    /// If neither was said.
    pub(super) fn or_consignment<'a>(&self, name: Option<&'a Name>) -> Result<Option<&'a Name>, Failure> {
        if name.is_none() && !self.unannounced {
            return Err(Failure::new(Exit::Usage, "which consignment?")
                .hint("name a record of it or its UCR; --unannounced, if no notification is known here"));
        }
        Ok(name)
    }

    /// A draft that belongs to no consignment yet.
    ///
    /// # Errors
    /// If nobody could recognise the goods, or nobody is told.
    pub(super) fn draft(&self, kind: Kind, papers: &Papers, entry: &Entry) -> Result<Draft, Failure> {
        let mut to = entry.to.clone();
        let from = self.export_country.as_ref();
        to.extend(from.and_then(|country| country.as_str().parse::<MemberCode>().ok()));
        to.sort();
        to.dedup();
        if to.is_empty() {
            return Err(needed("--to", "--export-country or --to says who has to know of unannounced goods"));
        }
        let mut draft = Draft {
            kind: Some(kind),
            to,
            export_country: from.cloned().map(Declared::Valid),
            ucr: self.ucr.clone().map(Declared::Valid),
            ..Draft::default()
        };
        papers.fill(&mut draft);
        let named = draft.ucr.is_some()
            || draft.mrn.is_some()
            || draft.bill_of_lading.is_some()
            || !draft.containers.is_empty();
        if named {
            Ok(draft)
        } else {
            Err(needed("--ucr", "--mrn, --container or --bill-of-lading will do too: others recognise the goods by it"))
        }
    }
}
