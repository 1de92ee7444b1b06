//! The payload of a manifest: one CBOR map with integer keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{LogEntry, Manifest, ManifestDraft, ManifestError, SEAL_KEYS_MAX, TransportEntry};
use crate::encoding::cbor::{self, CborError, Fields, Map, Value};
use crate::encoding::hash::Digest;
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;
use crate::identity::key::PublicKey;
use crate::identity::seal_key::SealPublicKey;

impl Manifest {
    /// The payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let draft = &self.0;
        let logs = draft.logs.iter().map(|log| Value::from(encode_log(log))).collect::<Vec<_>>();
        let seal_keys: Map =
            draft.seal_keys.iter().map(|(epoch, key)| (Value::from(*epoch), Value::from(key))).collect();
        let transports =
            draft.transports.iter().map(|transport| Value::from(encode_transport(transport))).collect::<Vec<_>>();
        let custodians = draft.custodians.iter().map(|code| Value::from(*code)).collect::<Vec<_>>();
        let mut map = Map::new()
            .with(field::MEMBER, draft.member)
            .with(field::VERSION, draft.version)
            .with(field::ISSUED_AT, draft.issued_at)
            .with(field::LOGS, logs)
            .with(field::WITNESS, &draft.witness)
            .with(field::SEAL_KEYS, seal_keys)
            .with(field::TRANSPORTS, transports)
            .with(field::CUSTODIANS, custodians);
        if let Some(predecessor) = draft.predecessor {
            map.insert(field::PREDECESSOR, predecessor);
        }
        cbor::encode(&Value::Map(map))
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// [`ManifestError`] if the bytes are not the one encoding of a manifest that passes [`ManifestDraft::check`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let mut fields = Fields::of(cbor::decode(bytes)?, "manifest")?;
        let member: MemberCode = fields.parse(field::MEMBER)?;
        let version = fields.u64(field::VERSION)?;
        let predecessor =
            if fields.has(field::PREDECESSOR) { Some(Digest(fields.array(field::PREDECESSOR)?)) } else { None };
        let issued_at = time(&mut fields, field::ISSUED_AT)?;
        let logs = fields.items(field::LOGS)?.into_iter().map(decode_log).collect::<Result<_, _>>()?;
        let witness = key(fields.array(field::WITNESS)?, "witness key")?;
        let listed = fields.map(field::SEAL_KEYS)?;
        if listed.len() > SEAL_KEYS_MAX {
            return Err(ManifestError::Bounds { member, field: "number of seal keys" });
        }
        let mut seal_keys = BTreeMap::new();
        for (epoch, bytes) in listed {
            let epoch = epoch.as_u64().and_then(|epoch| u32::try_from(epoch).ok());
            let (Some(epoch), Some(bytes)) = (epoch, bytes.as_bytes()) else {
                return Err(fields.bad(field::SEAL_KEYS).into());
            };
            let key =
                SealPublicKey::from_bytes(bytes).map_err(|source| ManifestError::Key { field: "seal key", source })?;
            seal_keys.insert(epoch, key);
        }
        let transports =
            fields.items(field::TRANSPORTS)?.into_iter().map(decode_transport).collect::<Result<_, _>>()?;
        let mut custodians = BTreeSet::new();
        for code in fields.items(field::CUSTODIANS)? {
            let code: MemberCode =
                code.as_text().and_then(|text| text.parse().ok()).ok_or_else(|| fields.bad(field::CUSTODIANS))?;
            if custodians.last().is_some_and(|last| *last >= code) {
                return Err(fields.bad(field::CUSTODIANS).into());
            }
            custodians.insert(code);
        }
        fields.end()?;
        ManifestDraft { member, version, predecessor, issued_at, logs, witness, seal_keys, transports, custodians }
            .check()
    }
}

/// Keys of the payload's maps.
mod field {
    pub(super) const MEMBER: i64 = 1;
    pub(super) const VERSION: i64 = 2;
    pub(super) const PREDECESSOR: i64 = 3;
    pub(super) const ISSUED_AT: i64 = 4;
    pub(super) const LOGS: i64 = 5;
    pub(super) const WITNESS: i64 = 6;
    pub(super) const SEAL_KEYS: i64 = 7;
    pub(super) const TRANSPORTS: i64 = 8;
    pub(super) const CUSTODIANS: i64 = 9;

    pub(super) const LOG_KEY: i64 = 1;
    pub(super) const LOG_OPENED: i64 = 2;
    pub(super) const LOG_CLOSED: i64 = 3;

    pub(super) const TRANSPORT_KEY: i64 = 1;
    pub(super) const TRANSPORT_ADDRESSES: i64 = 2;
}

fn encode_log(log: &LogEntry) -> Map {
    let mut map = Map::new().with(field::LOG_KEY, &log.key).with(field::LOG_OPENED, log.opened);
    if let Some(size) = log.closed {
        map.insert(field::LOG_CLOSED, size);
    }
    map
}

fn decode_log(entry: Value) -> Result<LogEntry, ManifestError> {
    let mut fields = Fields::of(entry, "log in a manifest")?;
    let key = key(fields.array(field::LOG_KEY)?, "log key")?;
    let opened = time(&mut fields, field::LOG_OPENED)?;
    let closed = if fields.has(field::LOG_CLOSED) { Some(fields.u64(field::LOG_CLOSED)?) } else { None };
    fields.end()?;
    Ok(LogEntry { key, opened, closed })
}

fn encode_transport(transport: &TransportEntry) -> Map {
    let addresses = transport.addresses.iter().map(|address| Value::from(address.as_str())).collect::<Vec<_>>();
    Map::new().with(field::TRANSPORT_KEY, &transport.key).with(field::TRANSPORT_ADDRESSES, addresses)
}

fn decode_transport(entry: Value) -> Result<TransportEntry, ManifestError> {
    let mut fields = Fields::of(entry, "transport in a manifest")?;
    let key = key(fields.array(field::TRANSPORT_KEY)?, "transport key")?;
    let addresses = fields
        .items(field::TRANSPORT_ADDRESSES)?
        .into_iter()
        .map(
            |address| {
                if let Value::Text(text) = address { Ok(text) } else { Err(fields.bad(field::TRANSPORT_ADDRESSES)) }
            },
        )
        .collect::<Result<_, _>>()?;
    fields.end()?;
    Ok(TransportEntry { key, addresses })
}

fn key(bytes: [u8; 32], field: &'static str) -> Result<PublicKey, ManifestError> {
    PublicKey::from_bytes(&bytes).map_err(|source| ManifestError::Key { field, source })
}

fn time(fields: &mut Fields, key: i64) -> Result<UnixTime, CborError> {
    let seconds = fields.i64(key)?;
    UnixTime::from_seconds(seconds).map_err(|_| fields.bad(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::fixture::{at, code, key, manifest, seal_key};

    #[test]
    fn manifests_survive_the_round_trip() {
        let mut draft = manifest("TR");
        draft.logs[0].closed = Some(3);
        draft.custodians = [code("GE"), code("W1")].into();
        let manifest = draft.check().unwrap();
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest.clone()));
        let mut next = manifest.next_draft(at(1));
        // As many seal keys as there may be.
        next.seal_keys = (0..24).map(|epoch| (epoch, seal_key("TR", epoch).public())).collect();
        let next = next.check().unwrap();
        assert_eq!((next.version(), next.predecessor(), next.issued_at()), (2, Some(manifest.digest()), at(1)));
        assert_eq!(Manifest::decode(&next.encode()), Ok(next));
    }

    #[test]
    fn values_out_of_bounds_are_refused_when_drafted_and_when_read() {
        type Change = fn(&mut ManifestDraft);
        let changes: [Change; 13] = [
            |draft| draft.version = 0,
            |draft| draft.version = 2,
            |draft| (draft.version, draft.predecessor) = (1 << 32, Some(Digest::ZERO)),
            |draft| draft.seal_keys = (0..25).map(|epoch| (epoch, seal_key("TR", epoch).public())).collect(),
            |draft| draft.transports[0].addresses = vec!["/ip4/127.0.0.1".to_owned(); 9],
            |draft| draft.transports[0].addresses = vec![format!("/{}", "x".repeat(128))],
            |draft| draft.transports[0].addresses = vec!["127.0.0.1:4001".to_owned()],
            |draft| draft.transports[0].addresses = vec!["/dns4/a b".to_owned()],
            |draft| draft.transports = vec![draft.transports[0].clone(); 9],
            |draft| draft.custodians = [code("TR")].into(),
            |draft| draft.witness = draft.logs[0].key,
            |draft| draft.logs.push(draft.logs[0].clone()),
            |draft| draft.seal_keys = [(0, seal_key("TR", 0).public()), (1, seal_key("TR", 0).public())].into(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut draft = manifest("TR");
            change(&mut draft);
            // Around the check, as somebody with another program might write it.
            let bytes = Manifest(draft.clone()).encode();
            assert!(draft.check().is_err(), "change {number}");
            assert!(Manifest::decode(&bytes).is_err(), "change {number}");
        }
    }

    #[test]
    fn weak_keys_are_refused() {
        let map = cbor::decode(&manifest("TR").check().unwrap().encode()).unwrap().as_map().unwrap().clone();
        let mut weak = [0; 32];
        weak[0] = 1;
        let log = encode_log(&LogEntry { key: key("TR", "log").public(), opened: at(0), closed: None });
        for changed in [
            map.clone().with(field::WITNESS, weak),
            map.clone().with(field::LOGS, vec![Value::from(log.with(field::LOG_KEY, weak))]),
            map.with(field::SEAL_KEYS, Map::new().with(0, [0xff; 1216])),
        ] {
            let refused = Manifest::decode(&cbor::encode(&Value::Map(changed)));
            assert!(matches!(refused, Err(ManifestError::Key { .. })), "{refused:?}");
        }
    }
}
