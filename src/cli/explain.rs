//! `brickform explain CODE`: what a diagnostic code means.

use clap::Args;

use super::{Exit, Failure, Format, Run};
use crate::diagnostic::{codes, suggest};

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brickform explain E0107")]
pub struct Arguments {
    /// The code: `E0107`
    #[arg(value_name = "CODE")]
    code: String,
}

/// Prints the row of the table.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let wanted = arguments.code.to_uppercase();
    let Some(row) = codes::ALL.iter().find(|c| c.code == wanted) else {
        let near = suggest::nearest(&wanted, codes::ALL.iter().map(|c| c.code));
        let help = near.map(|c| format!("did you mean `{c}`?"));
        return Err(Failure::Usage {
            message: format!("there is no diagnostic code `{}`", arguments.code),
            help: help.into_iter().chain(["all of them: docs/reference/diagnostics.md".to_owned()]).collect(),
        });
    };
    match run.screen.format {
        Format::Json => {
            run.screen.result(&format!("{}\n", serde_json::json!({ "code": row.code, "title": row.title, "explain": row.explain })));
        }
        Format::Text => run.screen.result(&format!("{}: {}\n\n{}\n", row.code, row.title, row.explain)),
    }
    Ok(Exit::Done)
}
