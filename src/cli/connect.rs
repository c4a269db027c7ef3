//! From an environment to a client of its workspace: the embedded one in process, the process that serves it, or a
//! remote host.

use std::sync::Arc;

use super::local_place::Place;
use super::{Failure, Run};
use crate::client::auth::{self, Credentials, Explicit};
use crate::client::{Client, Live, Options, SharedTransport};
use crate::local::LocalOptions;
use crate::project::{Project, Workspace};
use crate::state::WorkspaceIdentity;

/// A workspace that answered.
pub struct Connection {
    /// The client.
    pub client: Client,
    /// Which workspace it is.
    pub identity: WorkspaceIdentity,
    /// Who calls.
    pub caller: String,
    /// `https://...` for links; empty where there are no pages.
    pub link_host: String,
}

/// Connects and asks who is there.
pub async fn connect(run: &Run<'_>, project: &Project) -> Result<Connection, Failure> {
    match &project.environment.workspace {
        Workspace::Local => local(run, project).await,
        Workspace::Remote(_) => remote(run, project).await,
    }
}

fn options(run: &Run<'_>) -> Options {
    Options { parallelism: parallelism(run), ..Options::default() }
}

/// `--parallelism`, or the client's default.
pub fn parallelism(run: &Run<'_>) -> usize {
    run.options.parallelism.map_or(Options::default().parallelism, usize::from)
}

async fn local(run: &Run<'_>, project: &Project) -> Result<Connection, Failure> {
    let place = Place::in_project(&project.folder, &project.environment.name);
    let client = match place.served_at() {
        Some(url) => {
            run.screen.detail(&format!("the embedded workspace is served at {url}"));
            let transport: SharedTransport = Arc::new(Live::new(&url, &options(run)).map_err(Failure::machine)?);
            Client::new(transport, Some(Credentials::token("local")), run.outside, options(run))
        }
        None => {
            let workspace = place.open(LocalOptions { outside: Some(run.outside.clone()), ..LocalOptions::default() })?;
            Client::new(Arc::new(workspace), None, run.outside, options(run))
        }
    };
    let (id, caller) = who(&client).await?;
    Ok(Connection { client, identity: WorkspaceIdentity { host: "local".to_owned(), id }, caller, link_host: String::new() })
}

async fn remote(run: &Run<'_>, project: &Project) -> Result<Connection, Failure> {
    let resolved = auth::resolve(run.outside, &explicit(run, project)).map_err(|e| Failure::credentials(&e))?;
    let transport: SharedTransport = Arc::new(Live::new(&resolved.host, &options(run)).map_err(Failure::machine)?);
    let client = Client::new(transport, Some(resolved.credentials), run.outside, options(run));
    let (id, caller) = who(&client).await?;
    let host = resolved.host.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned();
    Ok(Connection { client, identity: WorkspaceIdentity { host, id }, caller, link_host: resolved.host })
}

/// What the environment and the command line say about authentication.
pub fn explicit(run: &Run<'_>, project: &Project) -> Explicit {
    let _ = (run, project);
    Explicit::default()
}

async fn who(client: &Client) -> Result<(String, String), Failure> {
    client.whoami().await.map_err(|error| Failure::api(format!("{} does not say who is there", client.host()), error))
}
