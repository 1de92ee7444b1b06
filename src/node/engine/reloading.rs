//! The config, read again while the node runs: what can change at once does, and what cannot is told.

use super::Engine;
use crate::node::ask::{Problem, ProblemKind, ReloadView, Response};
use crate::node::config::{Config, Setting};
use crate::node::notify::Notifier;
use crate::protocol::Settings;

/// How the config is read again, and how the level of the log is changed. Without it, as in tests of the engine alone, nothing is.
pub struct Reloading {
    /// What holds now.
    pub settings: Vec<Setting>,
    /// Reads the config.
    pub read: ReadConfig,
    /// Sets the filter of the log.
    pub set_log_level: SetLogLevel,
}

/// Reads config, environment and flags; in words why they are not valid.
pub type ReadConfig = Box<dyn FnMut() -> Result<(Config, Vec<Setting>), String> + Send>;

/// Sets the filter of a log that was started; in words why it is none.
pub type SetLogLevel = Box<dyn Fn(&str) -> Result<(), String> + Send>;

/// Options that hold from the moment at which they are read, beside all of [`ALERTS`].
const AT_ONCE: [&str; 7] = [
    "log.level",
    "intervals.cosign_ms",
    "intervals.heartbeat_s",
    "intervals.sync_s",
    "intervals.acknowledge_after_ms",
    "intervals.audit_anchor_s",
    "limits.free_space_min_mb",
];

/// How the options of the alerts start: if one of them changes, what tells of alerts is started anew with all of them.
const ALERTS: &str = "alerts.";

impl std::fmt::Debug for Reloading {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Reloading({} settings)", self.settings.len())
    }
}

/// Whether an option holds from the moment at which it is read.
fn holds_at_once(key: &str) -> bool {
    key.starts_with(ALERTS) || AT_ONCE.contains(&key)
}

/// Names of the options that differ, in the order of the config.
fn changed(before: &[Setting], after: &[Setting]) -> Vec<&'static str> {
    let was = |key: &str| before.iter().find(|setting| setting.key == key).map(|setting| &setting.value);
    after.iter().filter(|setting| was(setting.key) != Some(&setting.value)).map(|setting| setting.key).collect()
}

impl Engine {
    /// Reads the config again. A config that is not valid changes nothing.
    pub(super) fn reload(&mut self) -> Result<Response, Problem> {
        let refused = |message: String| Problem { kind: ProblemKind::BadRequest, message };
        let Some(mut reloading) = self.reloading.take() else {
            return Err(refused("this node was started without a config file".to_owned()));
        };
        let answer = self.reload_with(&mut reloading).map_err(refused);
        self.reloading = Some(reloading);
        answer.map(|view| {
            tracing::info!(applied = %view.applied.join(" "), restart = %view.restart.join(" "), "the config was read again");
            Response::Reloaded(view)
        })
    }

    fn reload_with(&mut self, reloading: &mut Reloading) -> Result<ReloadView, String> {
        let (config, settings) = (reloading.read)()?;
        let (now, later): (Vec<&str>, Vec<&str>) =
            changed(&reloading.settings, &settings).into_iter().partition(|key| holds_at_once(key));
        // What can be refused comes first, so that nothing is half done.
        let notify = if now.iter().any(|key| key.starts_with(ALERTS)) {
            let member = self.node.view().me().member;
            Some(Notifier::start(&config, member).map_err(|error| error.to_string())?)
        } else {
            None
        };
        if now.contains(&"log.level") {
            (reloading.set_log_level)(&config.log.level)?;
        }
        if let Some(notify) = notify
            && let Some(before) = self.notify.replace(notify)
        {
            drop(tokio::spawn(before.stop()));
        }
        self.node.set_settings(Settings::from(config.intervals));
        if let Some(anchoring) = &mut self.anchoring {
            anchoring.set_interval(config.intervals.audit_anchor_s);
        }
        self.node.store_mut().set_low_water(u64::from(config.limits.free_space_min_mb) << 20);
        // What waits for the next start goes on being told.
        for setting in settings.into_iter().filter(|setting| now.contains(&setting.key)) {
            if let Some(held) = reloading.settings.iter_mut().find(|held| held.key == setting.key) {
                *held = setting;
            }
        }
        let names = |keys: Vec<&str>| keys.into_iter().map(str::to_owned).collect();
        Ok(ReloadView { applied: names(now), restart: names(later) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::config::options::OPTIONS;

    #[test]
    fn what_holds_at_once_are_options() {
        for key in AT_ONCE {
            assert!(OPTIONS.iter().any(|option| option.key == key), "{key} is no option");
        }
        assert!(OPTIONS.iter().any(|option| option.key.starts_with(ALERTS)));
        assert!(holds_at_once("alerts.webhook_key_file") && holds_at_once("log.level"));
        assert!(!holds_at_once("data_dir") && !holds_at_once("alerts"));
    }
}
