//! From an environment to a client of its workspace: the embedded one in process, the process that serves it, or a
//! remote host.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::local_place::Place;
use super::{Failure, Run};
use crate::client::auth::{self, Credentials, Description, Resolved};
use crate::client::{ApiErrorKind, Client, Live, Me, Options, SharedTransport};
use crate::kinds::Registry;
use crate::model::Outside;
use crate::project::{Project, Workspace};
use crate::state::WorkspaceIdentity;
use crate::state::remote::files;
use crate::state::remote::objects::{About, ObjectError};

/// A workspace that answered.
pub struct Connection {
    /// The client.
    pub client: Client,
    /// Which workspace it is.
    pub identity: WorkspaceIdentity,
    /// Who calls.
    pub caller: String,
    /// The same with their groups.
    pub me: Me,
    /// `https://...` for links; empty where there are no pages.
    pub link_host: String,
    /// Kinds, and by which of their APIs they are asked here.
    pub registry: Registry,
}

/// Connects and asks who is there.
pub async fn connect(run: &Run<'_>, project: &Project) -> Result<Connection, Failure> {
    let connection = match &project.environment.workspace {
        Workspace::Local => local(run, project).await,
        Workspace::Remote(_) => remote(run, project).await,
    };
    connection.map(|connection| Connection { registry: project.registry().clone(), ..connection })
}

fn options(run: &Run<'_>) -> Options {
    let first_wait_millis = u64::try_from(run.outside.system.first_wait().as_millis()).unwrap_or(u64::MAX);
    Options { parallelism: parallelism(run), first_wait_millis, ..Options::default() }
}

/// How the embedded workspace is asked in this process. Its reads do not lag behind and no network loses its answers: to wait
/// before it is asked again gains nothing, however short the wait.
fn embedded(run: &Run<'_>) -> Options {
    Options { first_wait_millis: 5, ..options(run) }
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
        Client::new(Arc::new(place.shared(run.outside)?), None, run.outside, embedded(run))
    };
    let me = who(&client, &project.environment.name, "").await?;
    let identity = WorkspaceIdentity { host: "local".to_owned(), id: me.workspace.clone() };
    Ok(Connection { client, identity, caller: me.name.clone(), me, link_host: String::new(), registry: Registry::standard() })
}

async fn remote(run: &Run<'_>, project: &Project) -> Result<Connection, Failure> {
    answered(run, resolved(run, project)?, &project.environment.name).await
}

/// Connects without a project: to the workspace of this profile, or as the process environment says.
pub async fn by_profile(run: &Run<'_>, profile: Option<&str>) -> Result<Connection, Failure> {
    let resolved = auth::resolve(run.outside, &BTreeMap::new(), profile)?;
    answered(run, resolved, profile.unwrap_or("the workspace")).await
}

async fn answered(run: &Run<'_>, resolved: Resolved, name: &str) -> Result<Connection, Failure> {
    let credentials = named(&resolved.description);
    let transport: SharedTransport = live(run, &resolved.host)?;
    let client = Client::new(transport, Some(resolved.credentials), run.outside, options(run));
    let me = who(&client, name, &credentials).await?;
    let host = resolved.host.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned();
    let identity = WorkspaceIdentity { host, id: me.workspace.clone() };
    Ok(Connection { client, identity, caller: me.name.clone(), me, link_host: resolved.host, registry: Registry::standard() })
}

fn live(run: &Run<'_>, host: &str) -> Result<SharedTransport, Failure> {
    let live = Live::new(host, run.outside).map_err(|error| Failure::machine(error.to_string()))?;
    Ok(Arc::new(live))
}

/// How long a request about the state is tried: shorter than a lease stands without being renewed.
const STATE: Options = Options { parallelism: 16, timeout_seconds: 20, retry_seconds: 20, first_wait_millis: 300 };

/// What connects to the environment's own workspace for a state that is kept there, at the first request.
pub fn for_state(run: &Run<'_>, project: &Project) -> files::Connect {
    let (outside, profile, said) = (run.outside.clone(), run.options.profile.clone(), said(project));
    let place = match project.environment.workspace {
        Workspace::Local => Some(Place::in_project(&project.folder, &project.environment.name)),
        Workspace::Remote(_) => None,
    };
    let over = |host: &str, outside: &Outside| Live::new(host, outside).map_err(|error| ObjectError::new(error.to_string()));
    Box::new(move || {
        let (transport, credentials): (SharedTransport, _) = match (&place, place.as_ref().and_then(Place::served_at)) {
            (Some(_), Some(url)) => (Arc::new(over(&url, &outside)?), Some(Credentials::token("local"))),
            (Some(place), None) => (Arc::new(place.shared(&outside).map_err(|failure| ObjectError::new(failure.to_string()))?), None),
            (None, _) => {
                let resolved = auth::resolve(&outside, &said, profile.as_deref()).map_err(|error| ObjectError {
                    why: error.to_string(),
                    help: vec![
                        "the state is kept in the environment's own workspace: `brickform auth describe` says with which credentials"
                            .to_owned(),
                    ],
                    about: About::Credentials,
                })?;
                (Arc::new(over(&resolved.host, &outside)?), Some(resolved.credentials))
            }
        };
        Ok(Client::new(transport, credentials, &outside, STATE))
    })
}

/// How a command of this environment authenticates: what the environment's file says, then `--profile`, then the
/// process environment.
pub fn resolved(run: &Run<'_>, project: &Project) -> Result<Resolved, Failure> {
    Ok(auth::resolve(run.outside, &said(project), run.options.profile.as_deref())?)
}

/// What is configured, also where it is not enough to authenticate; nothing where it cannot be read.
pub fn configured(run: &Run<'_>, project: &Project) -> Vec<auth::Described> {
    auth::configured(run.outside, &said(project), run.options.profile.as_deref()).unwrap_or_default()
}

/// What the environment's file says.
fn said(project: &Project) -> auth::Explicit {
    match &project.environment.workspace {
        Workspace::Local => BTreeMap::new(),
        Workspace::Remote(attributes) => attributes.clone(),
    }
}

async fn who(client: &Client, name: &str, credentials: &str) -> Result<Me, Failure> {
    let host = client.host();
    client.me().await.map_err(|error| match error.kind {
        ApiErrorKind::Network => {
            let why = error.message.strip_prefix(&format!("{host}: ")).unwrap_or(&error.message);
            let tries = if error.tries == 1 { "1 try".to_owned() } else { format!("{} tries", error.tries) };
            Failure::Machine {
                message: format!("{name}: {host} cannot be reached: {why} ({tries})"),
                help: vec!["check the host, the network and the proxy (HTTPS_PROXY, NO_PROXY); nothing was changed".to_owned()],
            }
        }
        ApiErrorKind::Unauthenticated => Failure::api(format!("{host} refused the credentials{credentials}"), error),
        _ => Failure::api(format!("{host} does not say who is there"), error),
    })
}

/// Which credentials, for people: ` (pat; token from DATABRICKS_TOKEN)`.
fn named(description: &Description) -> String {
    let shown =
        ["token", "client_id", "client_secret", "oidc_token_filepath", "id_token", "program", "azure_client_id", "azure_client_secret"];
    let of = |name: &str| description.attributes.iter().find(|a| a.used && a.name == name);
    let parts: Vec<String> = shown.into_iter().filter_map(|name| Some(format!("{name} from {}", of(name)?.source))).collect();
    let parts = if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) };
    format!(" ({}{parts})", description.auth_type)
}
