//! The consignments built again from the ledger, beside those that there are, a little at a time.

use super::{Engine, RECORDS_READ_IDLE};
use crate::ledger::StoreError;
use crate::node::ask::{Problem, ProblemKind, Progress, Reply, Response};
use crate::node::consignments;
use crate::node::views::{Keeper, Nobody};

impl Engine {
    /// Begins to build the consignments again, beside those that there are.
    pub(super) fn reindex(&mut self, reply: Reply) {
        if self.again.is_some() {
            reply.fail(ProblemKind::Busy, "the consignments are being built again already");
            return;
        }
        match self.catch_up() {
            Ok(()) => self.again = Some((reply, Keeper::new(&self.node.view()))),
            Err(Problem { kind, message }) => reply.fail(kind, message),
        }
    }

    /// Builds a little more; when all is built, answers, and keeps what was built.
    pub(super) fn build_again(&mut self, records: usize) -> Result<(), StoreError> {
        let Some((reply, mut again)) = self.again.take() else { return Ok(()) };
        again.work(&self.node.view(), records, &mut Nobody)?;
        if again.is_behind() {
            if let Some((done, total)) = again.progress().filter(|_| records != RECORDS_READ_IDLE) {
                reply.progress(Progress { what: "reading records".to_owned(), done, total: Some(total) });
            }
            self.again = Some((reply, again)).filter(|(reply, _)| !reply.is_abandoned());
            return Ok(());
        }
        let reindexed = consignments::reindexed(Some(self.keeper.views()), &again);
        self.keeper = again;
        reply.done(Response::Reindexed(reindexed));
        Ok(())
    }
}
