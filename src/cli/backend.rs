//! From an environment to the store of its state: a file, a bucket, or files of the workspace.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Failure, Run, connect};
use crate::client::allowed::{self, AllowedHosts};
use crate::client::is_loopback;
use crate::model::Outside;
use crate::model::url::masked_host;
use crate::project::{Project, StateSettings};
use crate::state::remote::files::{Files, Sort};
use crate::state::remote::objects::{About, ObjectError, Objects};
use crate::state::remote::{Open, Place, Remote, Sealed, Settings, open};
use crate::state::{Local, Mend, Store as _};

/// Seconds that a lease stands without being renewed, unless the environment says otherwise.
const LEASE_SECONDS: u64 = 60;
/// Versions that are kept, unless the environment says otherwise.
const VERSIONS: u64 = 20;

/// A state's store.
pub struct Backend {
    /// The store.
    pub store: Box<dyn Mend>,
    /// Its place as plans name it: a file relative to the project's folder where it is below it.
    pub place: String,
    /// The same where it is one that many reach.
    pub remote: Option<Arc<Remote>>,
    /// The file, where it is one of this machine.
    pub file: Option<PathBuf>,
}

/// Where the state is: `--state` (a URL, or a FILE, then `FILE.ENV`), the environment's `state:`, or
/// `.brickform/state/ENV.json`.
pub fn of(run: &Run<'_>, project: &Project) -> Result<Backend, Failure> {
    opened(run, project, Form::AsSaid)
}

/// The same in the form in which the state is there, sealed or open, whatever the environment says.
pub fn found(run: &Run<'_>, project: &Project) -> Result<Backend, Failure> {
    opened(run, project, Form::AsFound)
}

/// The store at another place, in the form that the environment says.
pub fn at(run: &Run<'_>, project: &Project, place: &str) -> Result<Backend, Failure> {
    let name = &project.environment.name;
    let parsed = place.parse::<Place>().map_err(|error| Failure::usage(format!("`--to`: {error}"), &[]))?;
    endpoint_is_trusted(&parsed, false, name, run.outside)?;
    match parsed {
        Place::File(file) => Ok(local(run, project, project.folder.join(file))),
        place => shared(run, project, &place, Form::AsSaid).map_err(|failure| match failure {
            Failure::Machine { message, help } => {
                Failure::Machine { message: message.replace(&format!("the state of {name}"), "the new place"), help }
            }
            other => other,
        }),
    }
}

/// Whether a shared state is opened as the environment says (`encrypt:`), or as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    AsSaid,
    AsFound,
}

fn opened(run: &Run<'_>, project: &Project, form: Form) -> Result<Backend, Failure> {
    let environment = &project.environment;
    let given = run.options.state.as_deref();
    let said = given.or(environment.state.backend.as_deref());
    let place = said.map(str::parse::<Place>).transpose().map_err(|error| Failure::Usage {
        message: format!("the state of {}: {error}", environment.name),
        help: vec!["it is given by `state: { backend: ... }` of the environment, or by `--state`".to_owned()],
    })?;
    if let Some(place) = &place {
        endpoint_is_trusted(place, given.is_none(), &environment.name, run.outside)?;
    }
    match place {
        None => Ok(local(run, project, Local::default_file(&project.folder, &environment.name))),
        Some(Place::File(file)) if given.is_some() => {
            Ok(local(run, project, Local::file_beside(&run.outside.path(&file), &environment.name)))
        }
        Some(Place::File(file)) => Ok(local(run, project, project.folder.join(file))),
        Some(place) => shared(run, project, &place, form),
    }
}

/// Refuses to send credentials of whoever runs us to a service that only a file of the project names: this machine is
/// asked, and what `BRICKFORM_ALLOWED_HOSTS` lists.
fn endpoint_is_trusted(place: &Place, by_project: bool, environment: &str, outside: &Outside) -> Result<(), Failure> {
    let Some(endpoint) = place.endpoint() else { return Ok(()) };
    let host = reqwest::Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned));
    let same = |name: &str| outside.variable(name).is_some_and(|set| set.trim_end_matches('/') == endpoint.trim_end_matches('/'));
    let trusted = match AllowedHosts::of(outside) {
        _ if host.is_some_and(|host| is_loopback(&host)) => true,
        Some(allowed) => allowed.has(endpoint),
        None => !by_project || ENDPOINTS.iter().any(|name| same(name)),
    };
    if trusted {
        return Ok(());
    }
    let endpoint = masked_host(endpoint);
    Err(Failure::Undescribed {
        message: format!(
            "the state of {environment} is kept at {endpoint}, which only the URL of the state names: it is sent no credentials"
        ),
        help: vec![
            format!("if that service is meant, whoever runs this lists its host in {} (then with the workspace's)", allowed::VARIABLE),
            format!("or sets it in the environment: {}", ENDPOINTS.join(", ")),
        ],
    })
}

/// The variables by which whoever runs us names a service of buckets.
const ENDPOINTS: [&str; 4] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AZURE_STORAGE_ENDPOINT", "STORAGE_EMULATOR_HOST"];

fn local(run: &Run<'_>, project: &Project, file: PathBuf) -> Backend {
    let place = file.strip_prefix(&project.folder).unwrap_or(&file).display().to_string();
    let store = Local::at(&file, &project.name, &project.environment.name, run.outside);
    Backend { store: Box::new(store), place, remote: None, file: Some(file) }
}

fn shared(run: &Run<'_>, project: &Project, place: &Place, form: Form) -> Result<Backend, Failure> {
    let name = &project.environment.name;
    let objects = match place {
        Place::Workspace(folder) => Arc::new(Files::new(Sort::Workspace, folder, name, connect::for_state(run, project))),
        Place::Volume(folder) => Arc::new(Files::new(Sort::Volume, folder, name, connect::for_state(run, project))),
        _ => open(place, name, run.outside).map_err(|error| failed(name, error))?.expect("files were told apart above"),
    };
    let settings = &project.environment.state;
    let seals = match form {
        Form::AsSaid => settings.encrypt,
        Form::AsFound => {
            let raw = remote(Arc::clone(&objects), &project.name, name, settings, run.outside)?;
            raw.is_sealed()?.unwrap_or(settings.encrypt)
        }
    };
    let objects = sealed(objects, name, &StateSettings { encrypt: seals, ..settings.clone() })?;
    let remote = remote(objects, &project.name, name, &project.environment.state, run.outside)?;
    let remote = Arc::new(remote);
    Ok(Backend { place: remote.place(), store: Box::new(Arc::clone(&remote)), remote: Some(remote), file: None })
}

fn sealed(objects: Arc<dyn Objects>, name: &str, settings: &StateSettings) -> Result<Arc<dyn Objects>, Failure> {
    match (settings.encrypt, &settings.key) {
        (false, _) => Ok(Arc::new(Open(objects))),
        (true, Some(key)) => Ok(Arc::new(Sealed::new(objects, key))),
        (true, None) => Err(Failure::Machine {
            message: format!("the state of {name} is sealed, and its key is not there"),
            help: vec!["`state: { key: { env: NAME } }` names the environment variable that holds it: set it".to_owned()],
        }),
    }
}

fn remote(
    objects: Arc<dyn Objects>,
    project: &str,
    environment: &str,
    settings: &StateSettings,
    outside: &Outside,
) -> Result<Remote, Failure> {
    let settings = Settings {
        project: project.to_owned(),
        environment: environment.to_owned(),
        lease_seconds: settings.lease_seconds.unwrap_or(LEASE_SECONDS),
        versions: usize::try_from(settings.versions.unwrap_or(VERSIONS)).unwrap_or(usize::MAX),
    };
    Ok(Remote::new(objects, settings, outside)?)
}

fn failed(environment: &str, error: ObjectError) -> Failure {
    let message = format!("the state of {environment} cannot be opened: {}", error.why);
    match error.about {
        About::Credentials => Failure::Undescribed { message, help: error.help },
        About::Anything => Failure::Machine { message, help: error.help },
    }
}
