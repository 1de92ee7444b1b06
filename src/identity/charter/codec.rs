//! The payload of a charter: one CBOR map with integer keys.

use std::collections::BTreeMap;

use super::{Charter, CharterDraft, CharterError, MEMBERS_MAX, Member, MemberKind, MemberStatus, Parameters, Quorum};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::identity::key::PublicKey;

impl Charter {
    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let draft = &self.0;
        let members: Map = draft
            .members
            .iter()
            .map(|(code, member)| (Value::from(*code), Value::from(encode_member(member))))
            .collect();
        let mut map = Map::new()
            .with(field::VERSION, draft.version)
            .with(field::NAME, draft.name.as_str())
            .with(field::ISSUED_AT, draft.issued_at)
            .with(field::QUORUM, vec![Value::from(draft.quorum.numerator), Value::from(draft.quorum.denominator)])
            .with(field::PARAMETERS, encode_parameters(&draft.parameters))
            .with(field::MEMBERS, members);
        if let Some(predecessor) = draft.predecessor {
            map.insert(field::PREDECESSOR, predecessor);
        }
        cbor::encode(&Value::Map(map))
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// [`CharterError`] if the bytes are not the one encoding of a charter that passes [`CharterDraft::check`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CharterError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "charter")?;
        let version = fields.u64(field::VERSION)?;
        let predecessor =
            if fields.has(field::PREDECESSOR) { Some(Digest(fields.array(field::PREDECESSOR)?)) } else { None };
        let name = fields.text(field::NAME)?;
        let issued_at =
            UnixTime::from_seconds(fields.i64(field::ISSUED_AT)?).map_err(|_| fields.bad(field::ISSUED_AT))?;
        let quorum = match fields.items(field::QUORUM)?.as_slice() {
            [numerator, denominator] => numerator
                .as_u64()
                .zip(denominator.as_u64())
                .map(|(numerator, denominator)| Quorum { numerator, denominator }),
            _ => None,
        }
        .ok_or_else(|| fields.bad(field::QUORUM))?;
        if quorum.denominator > 100 || quorum.numerator > 100 {
            return Err(fields.bad(field::QUORUM).into());
        }
        let parameters = decode_parameters(fields.map(field::PARAMETERS)?)?;
        let listed = fields.map(field::MEMBERS)?;
        if listed.len() > MEMBERS_MAX {
            return Err(CharterError::Bounds { field: "members" });
        }
        let mut members = BTreeMap::new();
        for (code, entry) in listed {
            let code: MemberCode =
                code.as_text().and_then(|text| text.parse().ok()).ok_or_else(|| fields.bad(field::MEMBERS))?;
            members.insert(code, decode_member(code, entry)?);
        }
        fields.end()?;
        CharterDraft { version, predecessor, name, issued_at, quorum, parameters, members }.check()
    }
}

/// Keys of the payload's maps.
mod field {
    pub(super) const VERSION: i64 = 1;
    pub(super) const PREDECESSOR: i64 = 2;
    pub(super) const NAME: i64 = 3;
    pub(super) const ISSUED_AT: i64 = 4;
    pub(super) const QUORUM: i64 = 5;
    pub(super) const PARAMETERS: i64 = 6;
    pub(super) const MEMBERS: i64 = 7;

    pub(super) mod member {
        pub(in super::super) const NAME: i64 = 1;
        pub(in super::super) const KIND: i64 = 2;
        pub(in super::super) const STATUS: i64 = 3;
        pub(in super::super) const ROOT: i64 = 4;
        pub(in super::super) const NEXT_ROOT: i64 = 5;
        pub(in super::super) const CUSTODIAN: i64 = 6;
        pub(in super::super) const STATEMENTS_PER_DAY: i64 = 7;
    }

    pub(super) mod parameter {
        pub(in super::super) const STATEMENT_BYTES_MAX: i64 = 1;
        pub(in super::super) const BODY_BYTES_MAX: i64 = 2;
        pub(in super::super) const TAGS_MAX: i64 = 3;
        pub(in super::super) const LOGS_PER_MEMBER: i64 = 4;
        pub(in super::super) const STATEMENTS_PER_DAY: i64 = 5;
        pub(in super::super) const EPOCH_SECONDS: i64 = 6;
    }
}

fn encode_member(member: &Member) -> Map {
    let mut map = Map::new()
        .with(field::member::NAME, member.name.as_str())
        .with(field::member::KIND, member.kind.as_str())
        .with(field::member::STATUS, member.status.as_str())
        .with(field::member::ROOT, &member.root)
        .with(field::member::NEXT_ROOT, member.next_root)
        .with(field::member::CUSTODIAN, member.custodian);
    if let Some(count) = member.statements_per_day {
        map.insert(field::member::STATEMENTS_PER_DAY, count);
    }
    map
}

fn decode_member(code: MemberCode, entry: Value) -> Result<Member, CharterError> {
    let mut fields = Fields::of(entry, "charter member")?;
    let name = fields.text(field::member::NAME)?;
    let kind = MemberKind::named(&fields.text(field::member::KIND)?).ok_or_else(|| fields.bad(field::member::KIND))?;
    let status =
        MemberStatus::named(&fields.text(field::member::STATUS)?).ok_or_else(|| fields.bad(field::member::STATUS))?;
    let root = PublicKey::from_bytes(&fields.array(field::member::ROOT)?)
        .map_err(|source| CharterError::Key { member: code, source })?;
    let next_root = Digest(fields.array(field::member::NEXT_ROOT)?);
    let custodian = fields.bool(field::member::CUSTODIAN)?;
    let statements_per_day = if fields.has(field::member::STATEMENTS_PER_DAY) {
        Some(fields.u64(field::member::STATEMENTS_PER_DAY)?)
    } else {
        None
    };
    fields.end()?;
    Ok(Member { name, kind, status, root, next_root, custodian, statements_per_day })
}

fn encode_parameters(parameters: &Parameters) -> Map {
    Map::new()
        .with(field::parameter::STATEMENT_BYTES_MAX, parameters.statement_bytes_max)
        .with(field::parameter::BODY_BYTES_MAX, parameters.body_bytes_max)
        .with(field::parameter::TAGS_MAX, parameters.tags_max)
        .with(field::parameter::LOGS_PER_MEMBER, parameters.logs_per_member)
        .with(field::parameter::STATEMENTS_PER_DAY, parameters.statements_per_day)
        .with(field::parameter::EPOCH_SECONDS, parameters.epoch_seconds)
}

fn decode_parameters(map: Map) -> Result<Parameters, CborError> {
    let mut fields = Fields::of_map(map, "charter parameters");
    let parameters = Parameters {
        statement_bytes_max: fields.u64(field::parameter::STATEMENT_BYTES_MAX)?,
        body_bytes_max: fields.u64(field::parameter::BODY_BYTES_MAX)?,
        tags_max: fields.u64(field::parameter::TAGS_MAX)?,
        logs_per_member: fields.u64(field::parameter::LOGS_PER_MEMBER)?,
        statements_per_day: fields.u64(field::parameter::STATEMENTS_PER_DAY)?,
        epoch_seconds: fields.u64(field::parameter::EPOCH_SECONDS)?,
    };
    fields.end()?;
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::charter::MemberFault;
    use crate::identity::fixture::{at, charter, code, key, member};

    fn draft() -> CharterDraft {
        charter(&["GE", "TR", "W1"])
    }

    #[test]
    fn charters_survive_the_round_trip() {
        let mut draft = draft();
        draft.members.get_mut(&code("TR")).unwrap().statements_per_day = Some(5);
        draft.members.get_mut(&code("W1")).unwrap().status = MemberStatus::Suspended;
        let charter = draft.check().unwrap();
        assert_eq!(Charter::decode(&charter.encode()), Ok(charter.clone()));
        let next = charter.next_draft(at(7)).check().unwrap();
        assert_eq!((next.version(), next.predecessor(), next.issued_at()), (2, Some(charter.digest()), at(7)));
        assert_eq!(Charter::decode(&next.encode()), Ok(next));
        // As many members as there may be, and the highest quorum.
        let mut draft = super::tests::draft();
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
        draft.members = codes.take(MEMBERS_MAX).map(|text| (code(&text), member(&text))).collect();
        draft.quorum = Quorum { numerator: 99, denominator: 100 };
        let charter = draft.check().unwrap();
        assert_eq!(Charter::decode(&charter.encode()), Ok(charter));
    }

    #[test]
    fn values_out_of_bounds_are_refused_when_drafted_and_when_read() {
        type Change = fn(&mut CharterDraft);
        let changes: [Change; 17] = [
            |draft| draft.version = 0,
            |draft| draft.version = 2,
            |draft| (draft.version, draft.predecessor) = (1 << 32, Some(Digest::ZERO)),
            |draft| draft.predecessor = Some(Digest::ZERO),
            |draft| draft.name = String::new(),
            |draft| draft.name = "x".repeat(129),
            |draft| draft.name = "two\nlines".to_owned(),
            |draft| draft.quorum = Quorum { numerator: 1, denominator: 3 },
            |draft| draft.quorum = Quorum { numerator: 3, denominator: 3 },
            |draft| draft.quorum = Quorum { numerator: 99, denominator: 101 },
            |draft| draft.parameters.tags_max = 100,
            |draft| draft.parameters.body_bytes_max = 1 << 25,
            |draft| draft.parameters.statement_bytes_max = 1 << 20,
            |draft| draft.parameters.logs_per_member = 0,
            |draft| draft.parameters.epoch_seconds = 0,
            |draft| draft.members.clear(),
            |draft| draft.members.values_mut().for_each(|member| member.status = MemberStatus::Suspended),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut draft = draft();
            change(&mut draft);
            // Around the check, as somebody with another program might write it.
            let bytes = Charter(draft.clone()).encode();
            assert!(matches!(draft.check(), Err(CharterError::Bounds { .. })), "change {number}");
            assert!(Charter::decode(&bytes).is_err(), "change {number}");
        }
    }

    #[test]
    fn entries_that_contradict_themselves_are_refused() {
        let fault = |change: fn(&mut CharterDraft)| {
            let mut draft = draft();
            change(&mut draft);
            match draft.check() {
                Err(CharterError::Member { fault, .. }) => fault,
                other => panic!("{other:?}"),
            }
        };
        let digit = |draft: &mut CharterDraft| draft.members.get_mut(&code("W1")).unwrap().kind = MemberKind::Country;
        assert_eq!(fault(digit), MemberFault::Code);
        let same = |draft: &mut CharterDraft| {
            draft.members.get_mut(&code("TR")).unwrap().next_root = key("TR", "root").public().digest();
        };
        assert_eq!(fault(same), MemberFault::NextRootIsRoot);
        let shared = |draft: &mut CharterDraft| draft.members.get_mut(&code("TR")).unwrap().root = member("GE").root;
        assert_eq!(fault(shared), MemberFault::RootReused);
    }

    #[test]
    fn a_weak_root_and_an_unknown_field_are_refused() {
        let bytes = draft().check().unwrap().encode();
        let good = cbor::decode(&bytes).unwrap();
        let map = good.as_map().unwrap().clone();
        assert!(Charter::decode(&cbor::encode(&Value::Map(map.clone().with(8, 1)))).is_err());

        let mut members = map.get(&Value::from(field::MEMBERS)).and_then(Value::as_map).unwrap().clone();
        let mut weak = [0; 32];
        weak[0] = 1;
        let entry = encode_member(&member("TR")).with(field::member::ROOT, weak);
        members.insert(code("TR"), entry);
        let refused = Charter::decode(&cbor::encode(&Value::Map(map.with(field::MEMBERS, members))));
        assert!(matches!(refused, Err(CharterError::Key { .. })));
    }
}
