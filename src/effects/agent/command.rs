//! The `command` adapter: a command-line program such as `claude -p`. The prompt goes to its standard input, the answer
//! comes from its standard output. Needs `effects.shell.enabled`.
//!
//! Parameters: `program`; `arguments`, in which `{model}` and `{system_prompt}` are replaced; `environment`;
//! `working_directory`; `output`, the form of the answer: `text` (default), `json` or `json_lines`; `text_field`, a JSON
//! pointer to the text in a JSON answer or in every line that has it; `prices`. Without `text_field` the usual places are
//! looked at, see `command_output`.
//!
//! When no argument mentions `{system_prompt}`, it is put in front of the prompt.

use super::command_output::{Format, Reader};
use super::usage::{Report, read_prices, record};
use super::{Parameters, answered, failed, invalid, wrong};
use crate::domain::{Agent, AgentRequest, EffectOutcome, Failure, Prices, StandardType};
use crate::effects::EffectContext;
use crate::effects::process::{Command, Excess, Processes};
use crate::effects::shell::{ErrorLines, exit_failure, report_dropped};
use std::path::Path;
use tokio::time::Instant;

/// Asks the program once.
pub async fn perform(
    processes: &Processes,
    agent: &Agent,
    request: AgentRequest,
    context: &EffectContext,
) -> EffectOutcome {
    let call = match Call::prepare(agent, &request) {
        Ok(call) => call,
        Err(failure) => return failed(failure, None),
    };
    let observer = context.observer.as_ref();
    let mut reader = Reader::new(call.format, call.text_field.clone(), processes.output_limit_bytes(), observer);
    let mut errors = ErrorLines::new(observer);
    let started = Instant::now();
    let mut on_stderr = |piece: &[u8]| {
        errors.push(piece);
        Ok(())
    };
    let finished = processes.run(call.command, context, &mut |piece| reader.push(piece), &mut on_stderr).await;
    let latency = started.elapsed();
    errors.finish();
    let reading = reader.finish();
    let model = agent.model.as_deref().or(reading.model.as_deref());
    let usage = reading.tokens.map(|tokens| {
        let model = model.unwrap_or(&call.provider);
        let report = Report { provider: &call.provider, model, tokens, cost_usd: reading.cost_usd, latency };
        record(agent, &report, call.prices)
    });
    let finished = match finished {
        Ok(finished) => finished,
        Err(failure) => return failed(failure, usage),
    };
    report_dropped(&finished, observer);
    if let Some(error) = reading.error {
        let title = format!("{} reported an error", call.provider);
        return failed(Failure::new(StandardType::Runtime, title, error), usage);
    }
    if finished.code != 0 {
        return failed(exit_failure(&finished), usage);
    }
    match reading.text {
        Ok(text) => answered(agent, request.output, text, model, usage),
        Err(failure) => failed(failure, usage),
    }
}

/// One call, ready to be started.
struct Call {
    command: Command,
    format: Format,
    text_field: Option<String>,
    prices: Option<Prices>,
    /// The file name of the program.
    provider: String,
}

impl Call {
    fn prepare(agent: &Agent, request: &AgentRequest) -> Result<Self, Failure> {
        let parameters = Parameters::of(agent, request)?;
        let program = parameters.text("program")?.filter(|program| !program.is_empty());
        let program =
            program.ok_or_else(|| invalid("an agent with the command adapter needs the parameter `program`"))?;
        let system_prompt = request.system_prompt.as_deref().or(agent.system_prompt.as_deref()).unwrap_or_default();
        let given = parameters.texts("arguments")?.unwrap_or_default();
        let places_system_prompt = given.iter().any(|argument| argument.contains("{system_prompt}"));
        if agent.model.is_none() && given.iter().any(|argument| argument.contains("{model}")) {
            return Err(invalid("an argument mentions `{model}`, but the agent has no model"));
        }
        let model = agent.model.as_deref().unwrap_or_default();
        let arguments = given.iter().map(|argument| replace(argument, model, system_prompt).into()).collect();
        let prompt = if places_system_prompt || system_prompt.is_empty() {
            request.prompt.clone()
        } else {
            format!("{system_prompt}\n\n{}", request.prompt)
        };
        let mut environment = Vec::new();
        for (name, value) in parameters.object("environment")?.into_iter().flatten() {
            let value = value.as_str().ok_or_else(|| wrong("environment", "an object of texts"))?;
            environment.push((name.clone(), value.to_owned()));
        }
        let command = Command {
            program: program.into(),
            arguments,
            environment,
            working_directory: parameters.text("working_directory")?.map(Into::into),
            stdin: Some(prompt.into_bytes()),
            stdout: Excess::IsTheListeners,
            stderr: Excess::IsDropped,
        };
        let name = Path::new(program).file_name().map_or_else(|| program.into(), |name| name.to_string_lossy());
        Ok(Self {
            command,
            format: Format::read(parameters)?,
            text_field: parameters.text("text_field")?.map(str::to_owned),
            prices: read_prices(parameters)?,
            provider: name.into_owned(),
        })
    }
}

/// Replaces both placeholders in one pass, so that a replaced text is never looked at again.
fn replace(argument: &str, model: &str, system_prompt: &str) -> String {
    let mut replaced = String::new();
    let mut rest = argument;
    while let Some((before, from_brace)) = rest.find('{').and_then(|at| rest.split_at_checked(at)) {
        replaced.push_str(before);
        if let Some(after) = from_brace.strip_prefix("{model}") {
            replaced.push_str(model);
            rest = after;
        } else if let Some(after) = from_brace.strip_prefix("{system_prompt}") {
            replaced.push_str(system_prompt);
            rest = after;
        } else {
            replaced.push('{');
            rest = from_brace.strip_prefix('{').unwrap_or_default();
        }
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn placeholders_are_replaced_once() {
        assert_eq!(replace("--x={model}:{system_prompt}{other}", "m", "say {model}"), "--x=m:say {model}{other}");
    }
}
