//! From an environment to a client of its workspace: the embedded one in process, the process that serves it, or a
//! remote host.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::local_place::Place;
use super::{Failure, Run};
use crate::client::auth::{self, Credentials, Resolved};
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
    let client = if let Some(url) = place.served_at() {
        run.screen.detail(&format!("the embedded workspace is served at {url}"));
        Client::new(live(run, &url)?, Some(Credentials::token("local")), run.outside, options(run))
    } else {
        let workspace = place.open(LocalOptions { outside: Some(run.outside.clone()), ..LocalOptions::default() })?;
        Client::new(Arc::new(workspace), None, run.outside, options(run))
    };
    let (id, caller) = who(&client).await?;
    Ok(Connection { client, identity: WorkspaceIdentity { host: "local".to_owned(), id }, caller, link_host: String::new() })
}

async fn remote(run: &Run<'_>, project: &Project) -> Result<Connection, Failure> {
    let resolved = resolved(run, project)?;
    let transport: SharedTransport = live(run, &resolved.host)?;
    let client = Client::new(transport, Some(resolved.credentials), run.outside, options(run));
    let (id, caller) = who(&client).await?;
    let host = resolved.host.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned();
    Ok(Connection { client, identity: WorkspaceIdentity { host, id }, caller, link_host: resolved.host })
}

fn live(run: &Run<'_>, host: &str) -> Result<SharedTransport, Failure> {
    let live = Live::new(host, run.outside).map_err(|error| Failure::machine(error.to_string()))?;
    Ok(Arc::new(live))
}

/// How a command of this environment authenticates: what the environment's file says, then `--profile`, then the
/// process environment.
pub fn resolved(run: &Run<'_>, project: &Project) -> Result<Resolved, Failure> {
    let said = match &project.environment.workspace {
        Workspace::Local => BTreeMap::new(),
        Workspace::Remote(attributes) => attributes.clone(),
    };
    Ok(auth::resolve(run.outside, &said, run.options.profile.as_deref())?)
}

async fn who(client: &Client) -> Result<(String, String), Failure> {
    client.whoami().await.map_err(|error| Failure::api("asking the workspace who is calling", error))
}
