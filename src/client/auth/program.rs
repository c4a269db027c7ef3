//! Programs that give tokens: `az` and `databricks`. What they say is told without what looks like a token.

use std::io;
use std::sync::Arc;

use serde_json::Value;

use super::azure::PROGRAM;
use super::source::{Token, Trouble};
use super::way::World;
use crate::client::elsewhere::{field, without_tokens};
use crate::model::Outside;

/// A program, and how to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name, or its path.
    pub name: String,
    /// Who named it.
    pub chosen: Chosen,
    help: &'static str,
    login: &'static str,
}

/// Who named a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// We, or whoever runs us.
    Outside,
    /// A file of the project: it is a command that `--no-commands` refuses.
    Project,
}

impl Program {
    /// Azure's.
    pub const AZ: Self = Self {
        name: String::new(),
        chosen: Chosen::Outside,
        help: "install the Azure CLI (https://learn.microsoft.com/cli/azure/install-azure-cli), then `az login`",
        login: "log in with `az login`, or look with `az account show` who is",
    };

    /// Databricks', by this name or path.
    pub fn databricks(name: &str, chosen: Chosen) -> Self {
        Self {
            name: name.to_owned(),
            chosen,
            help: "install the Databricks CLI (https://docs.databricks.com/dev-tools/cli/install), then `databricks auth login --host HOST`; `databricks_cli_path` or DATABRICKS_CLI_PATH says where it is",
            login: "log in with `databricks auth login --host HOST`",
        }
    }

    /// Its name, or its path.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { "az" } else { &self.name }
    }

    /// How to get it.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Whether it can be found: a path as it is, a name on the PATH.
    pub fn is_there(&self, outside: &Outside) -> bool {
        if self.name().contains(['/', '\\']) {
            return outside.path(self.name()).is_file();
        }
        let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
        let folders = outside.variable("PATH").map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
        folders.iter().any(|folder| endings.iter().any(|ending| folder.join(format!("{}{ending}", self.name())).is_file()))
    }
}

/// Asks a program for JSON. It reads nothing, and is ended where it does not end.
pub async fn ask(program: &Program, arguments: &[&str], world: &World<'_>) -> Result<Value, Trouble> {
    let outside = world.sender.outside().clone();
    let name = program.name().to_owned();
    let chosen = program.chosen;
    let owned: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let running = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = owned.iter().map(String::as_str).collect();
        let system = Arc::clone(&outside.system);
        match chosen {
            Chosen::Outside => system.ask(&name, &arguments, &outside.folder, PROGRAM),
            Chosen::Project => system.run_within(&name, &arguments, &outside.folder, PROGRAM),
        }
    });
    let output = running.await.unwrap_or_else(|_| Err(io::Error::other("it could not be waited for")));
    let command = format!("`{} {}`", program.name(), arguments.iter().take(2).copied().collect::<Vec<_>>().join(" "));
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::new(format!("the program `{}` is not there", program.name())).with(program.help),
        io::ErrorKind::TimedOut => Trouble::new(format!("{command} did not end within {} s", PROGRAM.as_secs())),
        _ => Trouble::new(format!("{command} cannot be run: {error}")),
    })?;
    if output.code != Some(0) {
        let said = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
        let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| "it said nothing".to_owned());
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(4).collect();
        let code = output.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        return Err(Trouble::new(format!("{command} ended with {code}: {}", without_tokens(&said.join(" ")))).with(program.login));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| Trouble::new(format!("{command} did not answer in JSON")).with(program.login))
}

/// Whoever is logged in with the `databricks` program.
pub struct DatabricksCli {
    pub program: Program,
    /// Where one is named, the program is asked for it.
    pub profile: Option<String>,
    pub host: String,
}

impl DatabricksCli {
    pub async fn token(&self, world: &World<'_>) -> Result<Token, Trouble> {
        let whose = match &self.profile {
            Some(profile) => ["--profile", profile],
            None => ["--host", &self.host],
        };
        let answer = ask(&self.program, &["auth", "token", whose[0], whose[1]], world).await?;
        let token = field(&answer, "access_token", "`databricks auth token`")?;
        let end = answer.get("expiry").and_then(Value::as_str).and_then(|text| text.parse::<jiff::Timestamp>().ok());
        Ok(Token::new(token, end.map_or(300, |end| world.seconds_until(end.as_second()))))
    }
}
