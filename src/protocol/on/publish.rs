//! The operator hands in a charter file. What is news in it is made durable before the operator is told, and told to everybody.

use crate::identity::charter::CharterError;
use crate::identity::{FederationError, Published};
use crate::ledger::{Store, StoreError};
use crate::protocol::{Effect, Node, NotTakenUp, TakenUp, Turn};

pub(super) fn publish<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    id: u64,
    file: &[u8],
    settle: bool,
) -> Result<(), StoreError> {
    let outcome = match Published::decode(file) {
        Err(error) => Err(NotTakenUp::Form(error.to_string())),
        Ok(news) if settle => node.choose(turn, news)?,
        Ok(news) => take_up(node, turn, news)?,
    };
    node.out.push_durable(Effect::Published { id, outcome });
    Ok(())
}

fn take_up<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    news: Published,
) -> Result<Result<TakenUp, NotTakenUp>, StoreError> {
    let held = node.federation.charter().version();
    let newest = news.charters.last().map_or(0, |charter| charter.charter().version());
    let taken = match node.take_up(turn, news)? {
        Ok(taken) => taken,
        Err(error) => return Ok(Err(error.into())),
    };
    Ok(match taken.rival {
        Some(rivals) => Err(FederationError::Charter(CharterError::Rival(rivals)).into()),
        None if newest > held && node.splits.freeze() => {
            let version = node.splits.charter.as_ref().map_or(held, |split| split.version());
            Err(NotTakenUp::Frozen { version })
        }
        None if newest < held && !taken.is_news => Err(NotTakenUp::Older { version: newest, newest: held }),
        None => Ok(node.taken_up(taken.is_news)),
    })
}
