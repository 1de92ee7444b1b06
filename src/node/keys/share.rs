//! A root in shares on paper: any few of them give the key again, fewer give nothing (Shamir's secret sharing over GF(256), byte by byte).
//!
//! A share is 32 bytes, written as 24 words of the English list of BIP-39, whose checksum finds 255 of 256 slips. The fingerprint of the
//! public key stands on every sheet: what is put together is believed only if it gives that key.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bip39::Mnemonic;
use blahaj::{Share, Sharks};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use zeroize::Zeroizing;

use super::{KeyName, Seed};
use crate::encoding::ids::MemberCode;
use crate::identity::SecretKey;

/// Sheets of one key at most: more than a ceremony has people.
pub const SHARES_MAX: u8 = 16;

/// Bytes of a sheet's text at most.
pub const SHEET_BYTES_MAX: usize = 4096;

const TITLE: &str = "SHIELDWALL SHARE";
const WORDS: usize = 24;
const WORDS_IN_LINE: usize = 6;

/// One share of a key, as it stands on paper.
#[derive(Clone)]
pub struct Sheet {
    /// Whose key.
    pub member: MemberCode,
    /// Which of its keys: one of the roots.
    pub key: KeyName,
    /// The first half of the digest of the public key, in hexadecimal digits.
    pub fingerprint: String,
    /// Which set of shares of that key this one is of, in hexadecimal digits: sheets of two sets do not go together.
    pub set: String,
    /// The number of this share, from 1.
    pub number: u8,
    /// How many there are.
    pub of: u8,
    /// How many are needed.
    pub needed: u8,
    share: Zeroizing<[u8; 32]>,
}

/// Why shares do not give a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// The text is no sheet.
    #[error("not a sheet with a share: {0}")]
    Form(String),
    /// A word that is not in the list.
    #[error("word {0} is not in the list of BIP-39: it is written wrongly")]
    Word(usize),
    /// Another number of words.
    #[error("{0} words, where there must be {WORDS}")]
    Words(usize),
    /// The words are all in the list, and one of them is another.
    #[error("the words do not fit together: one of them is wrong, or two are exchanged")]
    Checksum,
    /// There is no sharing like that.
    #[error("{of} shares of which {needed} are needed: 2 to {SHARES_MAX} shares, and 2 at least are needed")]
    Numbers {
        /// How many there would be.
        of: u8,
        /// How many would be needed.
        needed: u8,
    },
    /// Two sheets are not of one set.
    #[error("share {number} is of another set or key than the first one: compare {what}")]
    Strange {
        /// The number on the second.
        number: u8,
        /// In what they differ.
        what: &'static str,
    },
    /// Too few different sheets.
    #[error("{have} of {needed} shares")]
    TooFew {
        /// How many there are.
        have: usize,
        /// How many are needed.
        needed: u8,
    },
    /// What they give is not the key on the sheets.
    #[error("the shares do not give the key with this fingerprint: one of them at least is wrong")]
    Wrong,
    /// The operating system gave no randomness.
    #[error("no randomness to be had")]
    Random,
}

/// A key put together from shares.
#[derive(Debug)]
pub struct Joined {
    /// The secret.
    pub seed: Seed,
    /// Shares that do not belong to it, although their words are in order. Known only if there were more than were needed.
    pub wrong: Vec<u8>,
}

/// Divides a key.
///
/// # Errors
/// [`ShareError::Numbers`] outside the bounds, [`ShareError::Random`] without randomness.
pub fn split(member: MemberCode, key: KeyName, seed: &Seed, of: u8, needed: u8) -> Result<Vec<Sheet>, ShareError> {
    if !(2..=SHARES_MAX).contains(&of) || !(2..=of).contains(&needed) {
        return Err(ShareError::Numbers { of, needed });
    }
    let random = Seed::random().map_err(|_| ShareError::Random)?;
    let mut random = ChaCha20Rng::from_seed(*random.expose());
    let set = Seed::random().map_err(|_| ShareError::Random)?;
    let set = data_encoding::HEXLOWER.encode(&set.expose()[..2]);
    let fingerprint = fingerprint(seed);
    let shares = Sharks(needed).dealer_rng(seed.expose(), &mut random).take(of.into());
    Ok(shares
        .map(|share| {
            let bytes = Zeroizing::new(Vec::from(&share));
            let mut share = Zeroizing::new([0; 32]);
            share.copy_from_slice(&bytes[1..]);
            Sheet {
                member,
                key,
                fingerprint: fingerprint.clone(),
                set: set.clone(),
                number: bytes[0],
                of,
                needed,
                share,
            }
        })
        .collect())
}

/// Puts a key together. More sheets than are needed find out which of them is wrong.
///
/// # Errors
/// [`ShareError`] if they are of different sets, too few, or do not give the key whose fingerprint they bear.
pub fn join(sheets: &[Sheet]) -> Result<Joined, ShareError> {
    let Some(first) = sheets.first() else { return Err(ShareError::TooFew { have: 0, needed: 2 }) };
    for sheet in sheets {
        let strange = |what| ShareError::Strange { number: sheet.number, what };
        if (sheet.member, sheet.key) != (first.member, first.key) {
            return Err(strange("whose key it is, and which"));
        }
        if sheet.fingerprint != first.fingerprint {
            return Err(strange("the fingerprints"));
        }
        if (sheet.needed, sheet.of, &sheet.set) != (first.needed, first.of, &first.set) {
            return Err(strange("set, needed and of"));
        }
    }
    let by_number: BTreeMap<u8, &Sheet> = sheets.iter().map(|sheet| (sheet.number, sheet)).collect();
    let sheets: Vec<&Sheet> = by_number.into_values().collect();
    let needed = usize::from(first.needed);
    if sheets.len() < needed {
        return Err(ShareError::TooFew { have: sheets.len(), needed: first.needed });
    }
    let gives = |chosen: &[&Sheet]| -> Option<Seed> {
        let shares = chosen.iter().map(|sheet| sheet.share()).collect::<Option<Vec<_>>>()?;
        let secret = Zeroizing::new(Sharks(first.needed).recover(&shares).ok()?);
        let seed = Seed::new(<[u8; 32]>::try_from(secret.as_slice()).ok()?);
        (fingerprint(&seed) == first.fingerprint).then_some(seed)
    };
    let mut chosen: Vec<usize> = (0..needed).collect();
    loop {
        let those: Vec<&Sheet> = chosen.iter().filter_map(|at| sheets.get(*at).copied()).collect();
        if let Some(seed) = gives(&those) {
            // With one share of those that fit left out, each of the others is tried in its place.
            let fits = |sheet: &&&Sheet| {
                those.iter().any(|one| one.number == sheet.number)
                    || gives(&those.iter().skip(1).copied().chain([**sheet]).collect::<Vec<_>>()).is_some()
            };
            let wrong = sheets.iter().filter(|sheet| !fits(sheet)).map(|sheet| sheet.number).collect();
            return Ok(Joined { seed, wrong });
        }
        if !next_choice(&mut chosen, sheets.len()) {
            return Err(ShareError::Wrong);
        }
    }
}

/// The next choice of so many out of `from`, in lexical order; `false` after the last. At most 12,870 for [`SHARES_MAX`].
fn next_choice(chosen: &mut [usize], from: usize) -> bool {
    let many = chosen.len();
    let Some(at) = (0..many).rev().find(|at| chosen[*at] + (many - at) < from) else { return false };
    chosen[at] += 1;
    for later in at + 1..many {
        chosen[later] = chosen[later - 1] + 1;
    }
    true
}

/// The first 16 bytes of the digest of the key's public half.
fn fingerprint(seed: &Seed) -> String {
    let digest = SecretKey::from_seed(seed.expose()).public().digest().to_string();
    digest.get(..32).unwrap_or(&digest).to_owned()
}

impl Sheet {
    fn share(&self) -> Option<Share> {
        let mut bytes = Zeroizing::new(vec![self.number]);
        bytes.extend_from_slice(self.share.as_slice());
        Share::try_from(bytes.as_slice()).ok()
    }

    /// What the file of this sheet is called.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("share-{}-{}-{}-{}-of-{}.txt", self.member, self.key, self.set, self.number, self.of)
    }

    /// The text, to be printed or written off by hand.
    ///
    /// # Errors
    /// None in practice: 32 bytes always make 24 words.
    pub fn text(&self) -> Result<Zeroizing<String>, ShareError> {
        let mnemonic = Mnemonic::from_entropy(self.share.as_slice()).map_err(|_| ShareError::Checksum)?;
        // Large enough from the start: what grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(SHEET_BYTES_MAX));
        text.push_str(&format!("{TITLE}\n\n"));
        let groups: Vec<&str> = (0..32).step_by(4).filter_map(|at| self.fingerprint.get(at..at + 4)).collect();
        let rows = [
            ("member", self.member.to_string()),
            ("key", self.key.to_string()),
            ("public", groups.join(" ")),
            ("set", self.set.clone()),
            ("share", self.number.to_string()),
            ("of", self.of.to_string()),
            ("needed", self.needed.to_string()),
        ];
        for (label, value) in rows {
            text.push_str(&format!("{label:<7} {value}\n"));
        }
        let words: Vec<&str> = mnemonic.words().collect();
        for (row, words) in words.chunks(WORDS_IN_LINE).enumerate() {
            text.push('\n');
            for (at, word) in words.iter().enumerate() {
                text.push_str(&format!("{:>2} {word:<10}", row * WORDS_IN_LINE + at + 1));
            }
            let end = text.trim_end().len();
            text.truncate(end);
        }
        text.push_str(&format!(
            "\n\nAny {} of the {} sheets give the key; fewer give nothing. Keep them in {} places.\n",
            self.needed, self.of, self.of
        ));
        Ok(text)
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Sheet({} {} {}, {} of {}, [redacted])",
            self.member, self.key, self.set, self.number, self.of
        )
    }
}

/// Reads the sheets in a text, each from its title on. What stands between the lines that it knows, and the numbers of the words, is
/// passed over, so that a sheet may be typed in again without care for its form.
///
/// # Errors
/// [`ShareError`] that names what is missing or wrong.
pub fn read_all(text: &str) -> Result<Vec<Sheet>, ShareError> {
    let sheets = text.split(TITLE).skip(1).map(Sheet::from_str).collect::<Result<Vec<_>, _>>()?;
    if sheets.is_empty() { Err(ShareError::Form(format!("there is no line `{TITLE}`"))) } else { Ok(sheets) }
}

impl FromStr for Sheet {
    type Err = ShareError;

    /// Reads what stands below the title.
    fn from_str(text: &str) -> Result<Self, ShareError> {
        if text.len() > SHEET_BYTES_MAX {
            return Err(ShareError::Form(format!("it has more than {SHEET_BYTES_MAX} bytes")));
        }
        let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
        let mut words = Zeroizing::new(String::with_capacity(SHEET_BYTES_MAX));
        for line in text.lines().map(str::trim) {
            let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if let Some(name) = FIELDS.into_iter().find(|name| name.eq_ignore_ascii_case(first)) {
                if fields.insert(name, rest.trim()).is_some() {
                    return Err(ShareError::Form(format!("`{name}` stands there twice")));
                }
            } else if first.trim_end_matches('.').parse::<u8>().is_ok() {
                for word in line.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)) {
                    words.push_str(&word.to_lowercase());
                    words.push(' ');
                }
            }
        }
        let field = |name: &str| {
            let value = fields.get(name).copied().filter(|value| !value.is_empty());
            value.ok_or_else(|| ShareError::Form(format!("`{name}` is missing")))
        };
        let number = |name: &str| {
            field(name)?.parse::<u8>().map_err(|_| ShareError::Form(format!("`{name}` must be a number up to 255")))
        };
        let digits = |name: &str, many: usize| {
            let text: String = field(name)?.split_whitespace().collect::<String>().to_lowercase();
            let fits = text.len() == many && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            fits.then_some(text).ok_or_else(|| ShareError::Form(format!("`{name}` must have {many} digits 0 to f")))
        };
        let member = field("member")?.parse().map_err(|_| ShareError::Form("`member` is no member's code".into()))?;
        let (share, of, needed) = (number("share")?, number("of")?, number("needed")?);
        if !(2..=SHARES_MAX).contains(&of) || !(2..=of).contains(&needed) {
            return Err(ShareError::Numbers { of, needed });
        }
        if !(1..=of).contains(&share) {
            return Err(ShareError::Form(format!("`share` must be from 1 to {of}")));
        }
        let wanted = field("key")?;
        let key = KeyName::ROOTS.into_iter().find(|key| key.to_string().eq_ignore_ascii_case(wanted));
        let key = key.ok_or_else(|| ShareError::Form("`key` must be root, next-root or later-root".into()))?;
        Ok(Self {
            member,
            key,
            fingerprint: digits("public", 32)?,
            set: digits("set", 4)?,
            number: share,
            of,
            needed,
            share: read_words(words.trim_end())?,
        })
    }
}

const FIELDS: [&str; 7] = ["member", "key", "public", "set", "share", "of", "needed"];

fn read_words(text: &str) -> Result<Zeroizing<[u8; 32]>, ShareError> {
    let many = text.split_whitespace().count();
    if many != WORDS {
        return Err(ShareError::Words(many));
    }
    let mnemonic = Mnemonic::parse_in_normalized(bip39::Language::English, text).map_err(|error| match error {
        bip39::Error::UnknownWord(at) => ShareError::Word(at + 1),
        bip39::Error::BadWordCount(_)
        | bip39::Error::BadEntropyBitCount(_)
        | bip39::Error::InvalidChecksum
        | bip39::Error::AmbiguousLanguages(_) => ShareError::Checksum,
    })?;
    let bytes = Zeroizing::new(mnemonic.to_entropy());
    let mut share = Zeroizing::new([0; 32]);
    if bytes.len() != share.len() {
        return Err(ShareError::Words(many));
    }
    share.copy_from_slice(&bytes);
    Ok(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sheets(seed: u8, of: u8, needed: u8) -> (Seed, Vec<Sheet>) {
        let seed = Seed::new([seed; 32]);
        let sheets = split("GE".parse().unwrap(), KeyName::Root, &seed, of, needed).unwrap();
        (seed, sheets)
    }

    fn joined(sheets: &[Sheet]) -> Result<[u8; 32], ShareError> {
        join(sheets).map(|joined| *joined.seed.expose())
    }

    proptest! {
        #[test]
        fn any_few_that_are_enough_give_the_key_and_fewer_do_not(
            (of, needed) in (2..=SHARES_MAX).prop_flat_map(|of| (Just(of), 2..=of)),
            order in any::<proptest::sample::Index>(),
            seed: [u8; 32],
        ) {
            let seed = Seed::new(seed);
            let mut all = split("GE".parse().unwrap(), KeyName::NextRoot, &seed, of, needed).unwrap();
            let by = order.index(all.len());
            all.rotate_left(by);
            let enough = &all[..usize::from(needed)];
            prop_assert_eq!(&joined(enough).unwrap(), seed.expose());
            let fewer = &enough[1..];
            let (have, needed) = (fewer.len(), needed);
            prop_assert_eq!(joined(fewer), Err(ShareError::TooFew { have, needed }));
            // Nor do they by a lie about how many are needed.
            let mut lied = fewer.to_vec();
            lied.iter_mut().for_each(|sheet| sheet.needed = needed - 1);
            prop_assert_eq!(joined(&lied), Err(ShareError::Wrong));
        }

        #[test]
        fn a_sheet_survives_paper(seed: [u8; 32]) {
            let all = split("W1".parse().unwrap(), KeyName::LaterRoot, &Seed::new(seed), 5, 3).unwrap();
            let texts: String = all.iter().map(|sheet| format!("copied by hand\n{}\n", *sheet.text().unwrap())).collect();
            for texts in [texts.to_uppercase(), texts] {
                let read = read_all(&texts).unwrap();
                prop_assert_eq!(read.len(), 5);
                for (read, sheet) in read.iter().zip(&all) {
                    prop_assert_eq!(format!("{read:?}"), format!("{sheet:?}"));
                    prop_assert_eq!(&*read.share, &*sheet.share);
                }
            }
        }
    }

    #[test]
    fn a_wrong_share_is_found_by_those_that_are_more_than_needed() {
        let (seed, mut sheets) = sheets(7, 5, 3);
        sheets[0].share[4] ^= 1;
        sheets[3].share[0] ^= 0x80;
        let joined = join(&sheets).unwrap();
        assert_eq!((joined.seed.expose(), joined.wrong), (seed.expose(), vec![1, 4]));
        assert_eq!(join(&sheets[..3]).unwrap_err(), ShareError::Wrong, "three, one of them wrong");
        let (_, good) = self::sheets(7, 5, 3);
        assert!(join(&good).unwrap().wrong.is_empty());
    }

    #[test]
    fn sheets_of_two_sets_are_not_mixed() {
        let ((_, first), (_, second), (_, other)) = (sheets(7, 3, 2), sheets(7, 3, 2), sheets(8, 3, 2));
        if first[0].set != second[0].set {
            let mixed = join(&[first[0].clone(), second[1].clone()]).unwrap_err();
            assert_eq!(mixed, ShareError::Strange { number: 2, what: "set, needed and of" });
        }
        let mixed = join(&[first[0].clone(), other[1].clone()]).unwrap_err();
        assert_eq!(mixed, ShareError::Strange { number: 2, what: "the fingerprints" });
        assert_eq!(joined(&[first[0].clone(), first[0].clone()]), Err(ShareError::TooFew { have: 1, needed: 2 }));
    }

    #[test]
    fn slips_are_named() {
        let (_, sheets) = sheets(3, 3, 2);
        let text = sheets[0].text().unwrap();
        let words = Mnemonic::from_entropy(sheets[0].share.as_slice()).unwrap();
        let words: Vec<&str> = words.words().collect();
        let wrong = |text: String| read_all(&text).map(|sheets| sheets.len());
        assert_eq!(wrong(text.replacen(words[2], "shieldwal", 1)), Err(ShareError::Word(3)));
        assert_eq!(wrong(text.replacen(&format!(" 1 {}", words[0]), " 1 ", 1)), Err(ShareError::Words(23)));
        let other = if words[0] == "zoo" { "abandon" } else { "zoo" };
        let exchanged = wrong(text.replacen(words[0], other, 1));
        assert!(matches!(exchanged, Err(ShareError::Checksum) | Ok(1)), "{exchanged:?}");
        assert_eq!(wrong(text.replace("needed ", "wanted ")), Err(ShareError::Form("`needed` is missing".into())));
        assert_eq!(
            wrong(text.replace("share   1", "share   9")),
            Err(ShareError::Form("`share` must be from 1 to 3".into()))
        );
        assert_eq!(wrong(text.replace("needed  2", "needed  4")), Err(ShareError::Numbers { of: 3, needed: 4 }));
        assert!(matches!(wrong("a letter".into()), Err(ShareError::Form(_))));
        assert!(matches!(wrong(format!("{TITLE}{}", " ".repeat(5000))), Err(ShareError::Form(_))));
    }

    #[test]
    fn there_are_bounds() {
        let seed = Seed::new([1; 32]);
        for (of, needed) in [(1, 1), (2, 1), (3, 4), (17, 3), (0, 0)] {
            let refused = split("GE".parse().unwrap(), KeyName::Root, &seed, of, needed).unwrap_err();
            assert_eq!(refused, ShareError::Numbers { of, needed });
        }
    }

    #[test]
    fn nothing_of_a_share_is_in_its_debug_text() {
        let (_, sheets) = sheets(9, 2, 2);
        let word = Mnemonic::from_entropy(sheets[0].share.as_slice()).unwrap().words().next().unwrap().to_owned();
        let said = format!("{:?}", sheets[0]);
        assert!(said.contains("[redacted]") && !said.contains(&word), "{said}");
    }
}
