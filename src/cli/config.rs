//! `shieldwall config`.

use serde_json::{Map, Value, json};

use super::context::{Context, unexpected};
use super::report::{Exit, Outcome};
use crate::node::ask::{Request, Response};
use crate::node::config::{EXAMPLE, layers};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Check the config and what overrides it; tell all faults at once
    Check,
    /// Print a config with every option, its meaning and its default
    Example,
    /// Let the running node read its config again; tell what holds now and what needs a restart
    Reload,
    /// Show every option with the value that applies
    Show {
        /// Say also where each value comes from
        #[arg(long)]
        origin: bool,
    },
}

pub(super) fn run(context: &Context, command: &Command) -> Outcome {
    match command {
        Command::Check => {
            let config = context.config()?;
            let path = context.config_path();
            context.ui.result(
                &json!({ "valid": true, "config": path, "member": config.member }),
                format!("{}: good, for a node of {}", path.display(), config.member),
            )?;
        }
        Command::Reload => {
            let answer = context.connect()?.ask(&Request::Reload, |_| {})?;
            let Response::Reloaded(view) = answer else { return Err(unexpected()) };
            let list = |keys: &[String]| if keys.is_empty() { "(none)".to_owned() } else { keys.join(" ") };
            let text = format!("applied        {}\nneeds restart  {}", list(&view.applied), list(&view.restart));
            context.ui.result(&view, text)?;
        }
        Command::Example => context.ui.line(EXAMPLE)?,
        Command::Show { origin } => {
            let (_, settings) = context.config_with_origins()?;
            let mut lines = Vec::with_capacity(settings.len());
            let mut object = Map::new();
            for setting in &settings {
                let value = setting.value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
                let source = if *origin { format!("  # {}", setting.origin) } else { String::new() };
                lines.push(format!("{} = {value}{source}", setting.key));
                let value = setting.value.as_ref().map_or(Value::Null, to_json);
                let value =
                    if *origin { json!({ "value": value, "origin": setting.origin.to_string() }) } else { value };
                object.insert(setting.key.to_owned(), value);
            }
            context.ui.result(&object, lines.join("\n"))?;
        }
    }
    Ok(Exit::Success)
}

fn to_json(value: &layers::Value) -> Value {
    match value {
        layers::Value::Text(text) => json!(text),
        layers::Value::Number(number) => json!(number),
        layers::Value::Bool(value) => json!(value),
        layers::Value::List(items) => json!(items),
    }
}
