//! What trade in these substances looks like: countries with their ports, lots, packages, modes and how long they take.

use crate::encoding::ids::MemberCode;

/// A country that takes part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trader {
    pub(super) code: MemberCode,
    /// A sea port, by UN/LOCODE.
    pub(super) port: &'static str,
    /// Countries of one region reach each other by road and rail.
    pub(super) region: u8,
}

/// Country, port, region.
pub(super) const COUNTRIES: [(&str, &str, u8); 24] = [
    ("GE", "GEBUS", 0),
    ("TR", "TRMER", 0),
    ("LB", "LBBEY", 1),
    ("MZ", "MZBEW", 2),
    ("DE", "DEHAM", 3),
    ("NL", "NLRTM", 3),
    ("PL", "PLGDN", 3),
    ("RO", "ROCND", 0),
    ("BG", "BGVAR", 0),
    ("GR", "GRPIR", 0),
    ("EG", "EGALY", 1),
    ("IT", "ITGOA", 3),
    ("FR", "FRLEH", 3),
    ("ES", "ESVLC", 3),
    ("ZA", "ZADUR", 2),
    ("KE", "KEMBA", 2),
    ("IN", "INNSA", 4),
    ("LK", "LKCMB", 4),
    ("PK", "PKKHI", 4),
    ("VN", "VNSGN", 5),
    ("KR", "KRPUS", 5),
    ("BR", "BRSSZ", 6),
    ("CL", "CLVAP", 6),
    ("PE", "PECLL", 6),
];

/// The first so many of them.
pub(super) fn traders(count: usize) -> Vec<Trader> {
    COUNTRIES
        .iter()
        .take(count)
        .map(|(code, port, region)| Trader {
            code: code.parse().expect("the table has member codes"),
            port,
            region: *region,
        })
        .collect()
}

/// How a substance is traded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot {
    pub(super) substance: &'static str,
    /// Unit of declaration, UN/ECE Recommendation 20.
    pub(super) unit: &'static str,
    /// The smallest and the largest lot in kilograms; most are between, as many per factor of ten.
    pub(super) kilograms: (u64, u64),
    /// Package type, UN/ECE Recommendation 21, and its net kilograms. Lots of a hundred of tonnes and more go in bulk.
    pub(super) package: (&'static str, u64),
    /// Grams per litre, of liquids.
    pub(super) density: Option<u32>,
    /// Usual concentrations in parts per million.
    pub(super) ppm: &'static [u32],
    /// Kilograms of the pure substance above which a buyer is asked questions.
    pub(super) threshold: u64,
    pub(super) end_use: &'static str,
    pub(super) sector: &'static str,
}

/// A kind of trade, most frequent first: each is drawn as often as its weight says.
pub(super) const LOTS: [(u32, Lot); 14] = [
    (25, lot("urea", "TNE", (20_000, 30_000_000), ("43", 1_000), "fertiliser for spring application", "agriculture")),
    (20, lot("ammonium-nitrate", "TNE", (20_000, 5_000_000), ("43", 1_000), "blasting agent for quarries", "mining")),
    (12, lot("calcium-ammonium-nitrate", "TNE", (20_000, 8_000_000), ("BG", 50), "fertiliser", "agriculture")),
    (9, lot("potassium-nitrate", "KGM", (1_000, 500_000), ("BG", 25), "fertiliser for greenhouses", "agriculture")),
    (6, lot("sodium-nitrate", "KGM", (1_000, 300_000), ("BG", 25), "glass making", "glass")),
    (
        8,
        liquid("hydrogen-peroxide", (1_000, 200_000), 1_130, &[350_000, 500_000, 70_000], "bleaching of pulp", "paper"),
    ),
    (6, liquid("nitric-acid", (1_000, 500_000), 1_400, &[680_000, 600_000], "etching and fertiliser", "chemicals")),
    (6, liquid("acetone", (200, 200_000), 784, &[], "solvent for coatings", "coatings")),
    (3, liquid("nitromethane", (200, 20_000), 1_137, &[], "solvent and racing fuel", "chemicals")),
    (2, liquid("acetic-anhydride", (200, 50_000), 1_080, &[], "acetylation", "pharmaceuticals")),
    (2, lot("aluminium-powder", "KGM", (500, 60_000), ("DR", 50), "pigments", "coatings")),
    (1, lot("sodium-chlorate", "KGM", (1_000, 300_000), ("BG", 1_000), "bleaching of pulp", "paper")),
    (1, lot("potassium-chlorate", "KGM", (200, 20_000), ("BG", 25), "matches", "matches")),
    (1, lot("potassium-perchlorate", "KGM", (200, 20_000), ("DR", 50), "fireworks and airbags", "pyrotechnics")),
];

const fn lot(
    substance: &'static str,
    unit: &'static str,
    kilograms: (u64, u64),
    package: (&'static str, u64),
    end_use: &'static str,
    sector: &'static str,
) -> Lot {
    Lot { substance, unit, kilograms, package, density: None, ppm: &[], threshold: kilograms.0 * 2, end_use, sector }
}

const fn liquid(
    substance: &'static str,
    kilograms: (u64, u64),
    density: u32,
    ppm: &'static [u32],
    end_use: &'static str,
    sector: &'static str,
) -> Lot {
    Lot {
        substance,
        unit: "LTR",
        kilograms,
        package: ("IB", 1_000),
        density: Some(density),
        ppm,
        threshold: kilograms.0 * 2,
        end_use,
        sector,
    }
}

/// A mode at the border with its UN/ECE Recommendation 19 code and the days on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    pub(super) code: u8,
    pub(super) days: (u64, u64),
}

pub(super) const SEA: Mode = Mode { code: 1, days: (8, 42) };
pub(super) const RAIL: Mode = Mode { code: 2, days: (4, 15) };
pub(super) const ROAD: Mode = Mode { code: 3, days: (2, 9) };
pub(super) const AIR: Mode = Mode { code: 4, days: (1, 3) };

/// First and second halves of names that no company has.
pub(super) const NAMES: ([&str; 16], [&str; 12]) = (
    [
        "Amberfield",
        "Bluecairn",
        "Copperline",
        "Dunwater",
        "Eastmarl",
        "Fernholt",
        "Greyloch",
        "Highmoor",
        "Ironvale",
        "Juniper Bay",
        "Kestrel Point",
        "Larkmead",
        "Millstone",
        "Northquay",
        "Oakhaven",
        "Pinecrest",
    ],
    [
        "Agro",
        "Chemicals",
        "Trading",
        "Industries",
        "Minerals",
        "Supplies",
        "Fertilisers",
        "Coatings",
        "Quarries",
        "Glass",
        "Paper",
        "Imports",
    ],
);
