//! `brickform completions SHELL`: a script for the shell, from the command line's own definition. What only the project
//! knows (addresses, environments) is asked for while somebody types, by the hidden `__complete`.

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::session::Session;
use super::{Exit, Options, Run};
use crate::kinds::Registry;
use crate::project::{self, Answers};

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Bash:        brickform completions bash > ~/.local/share/bash-completion/completions/brickform\nZsh:         brickform completions zsh > ~/.zfunc/_brickform   (with `fpath+=~/.zfunc` before `compinit`)\nFish:        brickform completions fish > ~/.config/fish/completions/brickform.fish\nPowerShell:  brickform completions powershell | Out-String | Invoke-Expression\n\nIn Bash, Zsh and Fish, addresses, environments and kinds are completed too."
)]
pub struct Arguments {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Arguments of `__complete`.
#[derive(Debug, Args)]
pub struct Asked {
    /// What is asked for
    #[arg(value_enum)]
    what: What,
}

/// What scripts ask for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Addresses that are declared or in the state.
    Addresses,
    /// Environments of the project.
    Environments,
    /// Kinds.
    Kinds,
    /// Addresses of Genie spaces.
    Spaces,
}

/// Commands that take an address as it stands.
const TAKE_ADDRESSES: &str = "adopt drift explain forget graph output refresh render run show state";
/// Options that take one.
const OPTIONS: [(&str, &str); 6] = [
    ("target", "addresses"),
    ("exclude", "addresses"),
    ("replace", "addresses"),
    ("accept-conflict", "addresses"),
    ("allow-delete", "kinds"),
    ("env", "environments"),
];

/// Prints the script.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::definition(), "brickform", &mut script);
    let script = String::from_utf8_lossy(&script);
    run.screen.result(&match arguments.shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script.into_owned(),
    });
    Exit::Done
}

/// The lines that a script asked for: sorted, nothing where the project cannot be read.
pub fn answer(asked: &Asked, run: &Run<'_>) -> Exit {
    let mut found = match asked.what {
        What::Kinds => Registry::standard().iter().map(|kind| kind.name.to_owned()).collect(),
        What::Environments => environments(run),
        What::Addresses => addresses(run),
        What::Spaces => addresses(run).into_iter().filter(|address| address.starts_with("spaces.") && !address.contains('/')).collect(),
    };
    found.sort();
    found.dedup();
    run.screen.result(&found.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>());
    Exit::Done
}

fn environments(run: &Run<'_>) -> Vec<String> {
    run.options.ask(run.outside).ok().and_then(|ask| project::environments(run.outside, &ask).ok()).unwrap_or_default()
}

/// Of the environment that is chosen; where none is, of the first one that can be read.
fn addresses(run: &Run<'_>) -> Vec<String> {
    let of = |options: &Options| {
        let session = Session::open(&Run { options, outside: run.outside, screen: run.screen }).ok()?;
        let declared = session.project.resolve(&Answers::new()).map(|desired| desired.resources).unwrap_or_default();
        let applied = session.document().ok().flatten().map(|document| document.resources).unwrap_or_default();
        Some(declared.keys().chain(applied.keys()).map(ToString::to_string).collect::<Vec<_>>())
    };
    let others = environments(run);
    let other = |name: &String| of(&Options { environment: Some(name.clone()), ..run.options.clone() });
    of(run.options).or_else(|| others.iter().find_map(other)).unwrap_or_default()
}

/// Values of options stand in a `case` of the script; what stands alone is completed by a function around its own.
fn bash(script: &str) -> String {
    let mut out = String::new();
    let mut of = None;
    for line in script.lines() {
        let word = line.trim();
        if let Some((_, what)) = of.filter(|_| word == r#"COMPREPLY=($(compgen -f "${cur}"))"#) {
            out.push_str(&line.replace(word, &format!("_brickform_there_is {what}")));
        } else {
            out.push_str(&line.replace("complete -F _brickform ", "complete -F _brickform_or_an_address "));
        }
        of = OPTIONS.into_iter().find(|(option, _)| word == format!("--{option})"));
        out.push('\n');
    }
    let commands = TAKE_ADDRESSES.replace(' ', "|");
    let own = format!(
        r#"
_brickform_there_is() {{
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        [[ "${{word}}" == "${{cur}}"* ]] && COMPREPLY+=("$(printf '%q' "${{word}}")")
    done < <("${{COMP_WORDS[0]}}" __complete "$1" 2>/dev/null)
    return 0
}}

_brickform_or_an_address() {{
    _brickform "$@"
    local cur="${{COMP_WORDS[COMP_CWORD]}}" own=("${{COMPREPLY[@]}}") what=addresses
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
        "genie bench")
            [[ "${{COMP_CWORD}}" -gt 2 ]] || return 0
            what=spaces
            ;;
        *)
            case "${{COMP_WORDS[1]}}" in
                {commands}) ;;
                *) return 0 ;;
            esac
            ;;
    esac
    if [[ "${{cur}}" != -* && "${{COMP_WORDS[COMP_CWORD-1]}}" != -* ]]; then
        _brickform_there_is "${{what}}"
        COMPREPLY+=("${{own[@]}}")
    fi
}}

"#
    );
    own.trim_start().to_owned() + &out
}

/// What an argument takes is the last part of its line: `:ADDRESS:_default`.
fn zsh(script: &str) -> String {
    let kinds = [("ADDRESS", "addresses"), ("KIND", "kinds")];
    let positional = ["*::addresses", "*::what", "::address", ":address", "::what", ":what", ":from"];
    let mut out = String::new();
    for line in script.lines() {
        let mut line = line.to_owned();
        for (value, what) in kinds {
            line = line.replace(&format!(":{value}:_default'"), &format!(":{value}:_brickform_{what}'"));
        }
        if line.starts_with("'*--env=") {
            line = line.replace(":NAME:_default'", ":NAME:_brickform_environments'");
        }
        if line.starts_with("'*::spaces -- ") {
            line = line.replace(":_default'", ":_brickform_spaces'");
        }
        if positional.iter().any(|name| line.starts_with(&format!("'{name} -- "))) {
            line = line.replace(":_default'", ":_brickform_addresses'");
        }
        out.push_str(&line);
        out.push('\n');
        if line.starts_with("#compdef") {
            for what in ["addresses", "kinds", "environments", "spaces"] {
                out.push_str(&format!(
                    "\n_brickform_{what}() {{\n    local -a found\n    found=(${{(f)\"$(brickform __complete {what} 2>/dev/null)\"}})\n    compadd -a found\n}}\n"
                ));
            }
        }
    }
    out
}

fn fish(script: &str) -> String {
    let mut out = script.to_owned();
    for (option, what) in OPTIONS {
        out.push_str(&format!("complete -c brickform -l {option} -x -a '(brickform __complete {what} 2>/dev/null)'\n"));
    }
    out.push_str(&format!(
        "complete -c brickform -n '__fish_seen_subcommand_from {TAKE_ADDRESSES}' -a '(brickform __complete addresses 2>/dev/null)'\n"
    ));
    out.push_str("complete -c brickform -n '__fish_seen_subcommand_from bench' -a '(brickform __complete spaces 2>/dev/null)'\n");
    out
}
