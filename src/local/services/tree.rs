//! The tree of a workspace: folders, notebooks and files under `/api/2.0/workspace`.
//!
//! Kept by path, without `/Workspace` in front; beside it, by number, the objects that have access lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::{Exchange, digest};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::notebook_text::{self, Form};
use crate::local::services::{Evidence, Habit, Rival, habit, permissions};
use crate::local::store::Transaction;
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/workspace/"],
    &[
        (Catalogue("workspace.workspace.mkdirs"), mkdirs),
        (Catalogue("workspace.workspace.get_status"), get_status),
        (Catalogue("workspace.workspace.list"), list),
        (Catalogue("workspace.workspace.import_"), import),
        (Catalogue("workspace.workspace.export"), export),
        (Catalogue("workspace.workspace.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("workspace", "a leading /Workspace and a trailing slash make no difference", Evidence::Docs),
    habit("workspace", "replies carry paths without /Workspace", Evidence::Unverified),
    habit("workspace", "mkdirs makes missing parents and is content with what is there", Evidence::Sdk),
    habit("workspace", "mkdirs through what is no folder: 400 RESOURCE_ALREADY_EXISTS", Evidence::Sdk),
    habit("workspace", "import without the parent folder: 404 \"The parent folder (P) does not exist.\"", Evidence::Cli),
    habit("workspace", "import of what exists without overwrite: 400 RESOURCE_ALREADY_EXISTS", Evidence::Cli),
    habit("workspace", "import over an object of another type or language is refused with 400", Evidence::Unverified),
    habit(
        "workspace",
        "AUTO makes a notebook of what has a notebook's header or ending, without the ending, and a file of the rest",
        Evidence::Docs,
    ),
    habit(
        "workspace",
        "export of a notebook as SOURCE begins with its header, has no carriage returns and no last newline",
        Evidence::Unverified,
    ),
    habit("workspace", "export with direct_download=true answers the content itself", Evidence::Sdk),
    habit("workspace", "delete of a folder that is not empty: 400 DIRECTORY_NOT_EMPTY", Evidence::Cli),
    habit("workspace", "refuses more than 10485760 bytes with 400 MAX_NOTEBOOK_SIZE_EXCEEDED", Evidence::Sdk),
    habit("workspace", "answers 404 \"Path (P) doesn't exist.\"", Evidence::Cli),
];

/// Where objects are kept, by path.
pub const TREE: &str = "workspace_tree";
const MOST_BYTES: usize = 10_485_760;
const FOLDERS: [&str; 4] = ["/", "/Shared", "/Users", "/Repos"];

/// Refuses a folder that is not there, for what is kept in one beside the tree. Every user has a home.
pub fn needs_folder(exchange: &Exchange<'_, '_>, path: &str) -> Result<(), Refusal> {
    let plain = path.strip_prefix("/Workspace").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let plain = if plain.len() > 1 { plain.trim_end_matches('/') } else { plain };
    let is_home = plain.strip_prefix("/Users/").is_some_and(|rest| !rest.contains('/'));
    let is_folder = |object: &Value| object.get("object_type").and_then(Value::as_str) == Some("DIRECTORY");
    if is_home || FOLDERS.contains(&plain) || exchange.objects.get(TREE, plain).is_some_and(|object| is_folder(&object)) {
        return Ok(());
    }
    let message = format!("Path ({plain}) doesn't exist.");
    Err(if exchange.rival(Rival::GenieParent400) { Refusal::invalid(message) } else { Refusal::absent(message) })
}

/// Puts the folders there that every workspace has.
pub fn seed(objects: &mut Transaction<'_>, workspace_id: u64, now: i64) {
    let home = format!("/Users/{}", crate::local::credentials::DEFAULT_USER);
    for path in FOLDERS.into_iter().chain([home.as_str()]) {
        let folder = object(number(path, workspace_id), path, "DIRECTORY", now);
        objects.put("directories", &folder_id(&folder), Value::map([("path", Value::text(path))]));
        objects.put(TREE, path, Value::Map(folder));
    }
}

fn number(name: &str, n: u64) -> i64 {
    let digits = digest(name, n);
    let n = u64::from_str_radix(&digits[..12], 16).unwrap_or_default();
    i64::try_from(1_000_000_000_000_000 + n).unwrap_or_default()
}

fn folder_id(object: &Map) -> String {
    object.get("object_id").map(Value::key_text).unwrap_or_default()
}

fn object(id: i64, path: &str, sort: &str, now: i64) -> Map {
    let members = [
        ("object_type", Value::text(sort)),
        ("path", Value::text(path)),
        ("object_id", Value::Int(id)),
        ("resource_id", Value::Text(id.to_string())),
        ("created_at", Value::Int(now)),
        ("modified_at", Value::Int(now)),
    ];
    members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

/// A path as it is kept.
fn plain(path: &str) -> Result<String, Refusal> {
    if !path.starts_with('/') {
        return Err(Refusal::invalid(format!("Path ({path}) should start with '/'")));
    }
    let path = match path.strip_prefix("/Workspace") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    };
    let path = path.trim_end_matches('/');
    Ok(if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

fn asked_path(exchange: &Exchange<'_, '_>) -> Result<String, Refusal> {
    plain(exchange.asked("path").unwrap_or_default())
}

fn given_path(exchange: &Exchange<'_, '_>) -> Result<String, Refusal> {
    plain(exchange.text("path").unwrap_or_default())
}

fn stored(exchange: &Exchange<'_, '_>, path: &str) -> Result<Map, Refusal> {
    let found = exchange.objects.get(TREE, path).and_then(|o| o.as_map().cloned());
    found.ok_or_else(|| Refusal::absent(format!("Path ({path}) doesn't exist.")))
}

fn sort_of(object: &Map) -> &str {
    object.get("object_type").and_then(Value::as_str).unwrap_or_default()
}

/// The object as replies show it, under the path that was asked for where a rival habit says so.
fn shown(object: &Map, asked: Option<&str>) -> Value {
    let hidden = ["content", "form"];
    let mut shown: Map = object.iter().filter(|(k, _)| !hidden.contains(&k.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    if let Some(asked) = asked {
        shown.insert("path".to_owned(), Value::text(asked.trim_end_matches('/')));
    }
    Value::Map(shown)
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// The collection and permission type of an object.
fn collection(sort: &str) -> &'static str {
    match sort {
        "DIRECTORY" => "directories",
        "NOTEBOOK" => "notebooks",
        _ => "files",
    }
}

fn put_new(exchange: &mut Exchange<'_, '_>, path: &str, sort: &str, members: Map) {
    let n = exchange.objects.next(TREE);
    let mut new = object(number(TREE, n), path, sort, exchange.now);
    new.extend(members);
    let id = folder_id(&new);
    exchange.objects.put(collection(sort), &id, Value::map([("path", Value::text(path))]));
    exchange.objects.put(TREE, path, Value::Map(new));
    permissions::born(exchange, collection(sort), &id);
}

fn mkdirs(exchange: &mut Exchange<'_, '_>) -> Handled {
    let path = given_path(exchange)?;
    let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0).chain([path.len()]);
    for folder in ends.map(|end| &path[..end]) {
        match exchange.objects.get(TREE, folder) {
            Some(there) if there.get("object_type").and_then(Value::as_str) != Some("DIRECTORY") => {
                let message = format!("The path ({folder}) already exists and is not a folder.");
                return Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", message));
            }
            Some(_) => {}
            None => put_new(exchange, folder, "DIRECTORY", Map::new()),
        }
    }
    Ok(Answer::empty())
}

fn get_status(exchange: &mut Exchange<'_, '_>) -> Handled {
    let object = stored(exchange, &asked_path(exchange)?)?;
    let asked = exchange.asked("path").filter(|_| exchange.rival(Rival::PathsAsAsked));
    Ok(Answer::ok(shown(&object, asked)))
}

fn children(exchange: &Exchange<'_, '_>, path: &str) -> Vec<Value> {
    let below = if path == "/" { "/".to_owned() } else { format!("{path}/") };
    let all = exchange.objects.below(TREE, &below);
    let direct = all.iter().filter(|(p, _)| p.len() > below.len() && !p[below.len()..].contains('/'));
    direct.filter_map(|(_, o)| Some(shown(o.as_map()?, None))).collect()
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let path = asked_path(exchange)?;
    let object = stored(exchange, &path)?;
    let objects = if sort_of(&object) == "DIRECTORY" { children(exchange, &path) } else { vec![shown(&object, None)] };
    Ok(if objects.is_empty() { Answer::empty() } else { Answer::ok(Value::map([("objects", Value::List(objects))])) })
}

/// What an import makes: a sort of object, its members, and the path it gets.
struct Import {
    path: String,
    sort: &'static str,
    members: Map,
}

fn imported(exchange: &Exchange<'_, '_>) -> Result<Import, Refusal> {
    let path = given_path(exchange)?;
    let content = exchange.text("content").unwrap_or_default();
    let bytes = BASE64.decode(content).map_err(|_| Refusal::invalid("content is not valid base64."))?;
    if bytes.len() > MOST_BYTES {
        let message = format!("File size imported is ({} bytes), exceeded max size ({MOST_BYTES} bytes)", bytes.len());
        return Err(Refusal::new(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", message));
    }
    let language = exchange.text("language");
    let members = |pairs: Vec<(&str, Value)>| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map>();
    let file = |path: String| Import {
        path,
        sort: "FILE",
        members: members(vec![("size", Value::Int(i64::try_from(bytes.len()).unwrap_or_default())), ("content", Value::text(content))]),
    };
    let notebook = |path: String, language: &str, form: Form, text: String| Import {
        path,
        sort: "NOTEBOOK",
        members: members(vec![("language", Value::text(language)), ("form", Value::text(form.word())), ("content", Value::Text(text))]),
    };
    let text = || String::from_utf8(bytes.clone()).map_err(|_| Refusal::invalid("The notebook is not valid UTF-8 text."));
    match exchange.text("format").unwrap_or("SOURCE") {
        "RAW" => Ok(file(path)),
        "SOURCE" => {
            let language = language.ok_or_else(|| Refusal::invalid("The language is required for the format SOURCE."))?;
            Ok(notebook(path, language, Form::Source, text()?))
        }
        "JUPYTER" => {
            let (language, text) = notebook_text::jupyter(&text()?, language)?;
            Ok(notebook(path, &language, Form::Jupyter, text))
        }
        "AUTO" => match notebook_text::looks_like(&path, &bytes) {
            Some((Form::Jupyter, path)) => {
                let (language, text) = notebook_text::jupyter(&text()?, language)?;
                Ok(notebook(path, &language, Form::Jupyter, text))
            }
            Some((Form::Source, path_without)) => {
                let language = notebook_text::language_of(&path).unwrap_or("PYTHON");
                Ok(notebook(path_without, language, Form::Source, text()?))
            }
            None => Ok(file(path)),
        },
        other => Err(Refusal::new(501, "NOT_IMPLEMENTED", format!("The local workspace does not import the format {other}."))),
    }
}

fn import(exchange: &mut Exchange<'_, '_>) -> Handled {
    let Import { path, sort, mut members } = imported(exchange)?;
    let above = parent(&path);
    match exchange.objects.get(TREE, above) {
        None => return Err(Refusal::absent(format!("The parent folder ({above}) does not exist."))),
        Some(folder) if folder.get("object_type").and_then(Value::as_str) != Some("DIRECTORY") => {
            return Err(Refusal::invalid(format!("The path ({above}) is not a folder.")));
        }
        Some(_) => {}
    }
    let Some(there) = exchange.objects.get(TREE, &path).and_then(|o| o.as_map().cloned()) else {
        put_new(exchange, &path, sort, members);
        return Ok(Answer::empty());
    };
    if exchange.body.get("overwrite").and_then(Value::as_bool) != Some(true) {
        return Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", format!("Path ({path}) already exists.")));
    }
    let of = |object: &Map, member: &str| object.get(member).cloned();
    if sort_of(&there) != sort || of(&there, "language") != of(&members, "language") {
        return Err(Refusal::invalid(format!(
            "Cannot overwrite the asset at {path} due to type mismatch (asked: {sort}, actual: {}).",
            sort_of(&there)
        )));
    }
    for kept in ["object_type", "path", "object_id", "resource_id", "created_at"] {
        members.extend(there.get(kept).map(|v| (kept.to_owned(), v.clone())));
    }
    members.insert("modified_at".to_owned(), Value::Int(exchange.now));
    exchange.objects.put(TREE, &path, Value::Map(members));
    Ok(Answer::empty())
}

fn export(exchange: &mut Exchange<'_, '_>) -> Handled {
    let path = asked_path(exchange)?;
    let object = stored(exchange, &path)?;
    let text = |member: &str| object.get(member).and_then(Value::as_str).unwrap_or_default();
    let format = exchange.asked("format").unwrap_or("SOURCE");
    let (content, ending) = match sort_of(&object) {
        "FILE" => (text("content").to_owned(), path.rsplit_once('.').map_or("", |(_, end)| end).to_owned()),
        "NOTEBOOK" => {
            let as_sent = exchange.rival(Rival::NotebooksAsSent);
            let (words, ending) = notebook_text::exported(text("language"), text("form"), text("content"), format, as_sent)?;
            (BASE64.encode(words), ending.to_owned())
        }
        _ => return Err(Refusal::new(501, "NOT_IMPLEMENTED", "The local workspace does not export folders.")),
    };
    // Not in the API's data; the SDK's `workspace.download` asks for it and reads the body as it comes.
    if exchange.flag("direct_download") {
        return Ok(Answer::bytes(BASE64.decode(content).unwrap_or_default()));
    }
    Ok(Answer::ok(Value::map([("content", Value::Text(content)), ("file_type", Value::Text(ending))])))
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let path = given_path(exchange)?;
    stored(exchange, &path)?;
    if FOLDERS.contains(&path.as_str()) {
        return Err(Refusal::new(403, "PERMISSION_DENIED", format!("The folder ({path}) cannot be deleted.")));
    }
    let below = exchange.objects.below(TREE, &format!("{path}/"));
    let recursive = exchange.body.get("recursive").and_then(Value::as_bool) == Some(true);
    if !below.is_empty() && !recursive {
        return Err(Refusal::new(400, "DIRECTORY_NOT_EMPTY", format!("Folder ({path}) is not empty")));
    }
    for path in below.into_iter().map(|(path, _)| path).chain([path]) {
        let object = stored(exchange, &path)?;
        let (of, id) = (collection(sort_of(&object)), folder_id(&object));
        exchange.objects.remove(of, &id);
        permissions::died(exchange, of, &id);
        exchange.objects.remove(TREE, &path);
    }
    Ok(Answer::empty())
}
