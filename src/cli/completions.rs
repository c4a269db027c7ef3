//! `brickform completions SHELL`: a script for the shell, from the command line's own definition.

use clap::Args;
use clap_complete::Shell;

use super::{Exit, Run};

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Bash:        brickform completions bash > ~/.local/share/bash-completion/completions/brickform\nZsh:         brickform completions zsh > ~/.zfunc/_brickform   (with `fpath+=~/.zfunc` before `compinit`)\nFish:        brickform completions fish > ~/.config/fish/completions/brickform.fish\nPowerShell:  brickform completions powershell | Out-String | Invoke-Expression"
)]
pub struct Arguments {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::definition(), "brickform", &mut script);
    run.screen.result(&String::from_utf8_lossy(&script));
    Exit::Done
}
