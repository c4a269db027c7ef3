//! Files of volumes: `/api/2.0/fs/files` and `/api/2.0/fs/directories`.
//!
//! Kept by path, names of catalog, schema and volume in lower case; folders apart from files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, habit, paging, volumes};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/fs/"],
    &[
        (Catalogue("files.files.upload"), upload),
        (Catalogue("files.files.download"), download),
        (Catalogue("files.files.delete"), delete),
        (Catalogue("files.files.create_directory"), create_directory),
        (Catalogue("files.files.delete_directory"), delete_directory),
        (Catalogue("files.files.list_directory_contents"), list),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("files", "an upload of what exists without overwrite=true: 409 ALREADY_EXISTS", Evidence::Cli),
    habit("files", "an upload into a folder that is not there: 404 NOT_FOUND", Evidence::Cli),
    habit("files", "create_directory makes missing parents and is content with what is there", Evidence::Docs),
    habit("files", "create_directory through what is no folder: 409 ALREADY_EXISTS", Evidence::Unverified),
    habit("files", "download, delete and list of what is not there: 404 NOT_FOUND", Evidence::Cli),
    habit("files", "delete_directory of one that is not empty is refused with 400", Evidence::Docs),
    habit("files", "a list shows one level, in pages of at most 1000", Evidence::Docs),
    habit("files", "files go with their volume, and keep their places when it is renamed", Evidence::Unverified),
];

const FILES: &str = "volume_files";
const FOLDERS: &str = "volume_folders";

/// A path of a volume as it is kept, and the folder of the volume itself. The volume is there.
fn place(exchange: &Exchange<'_, '_>, parameter: &str) -> Result<(String, String), Refusal> {
    let given = exchange.parameter(parameter);
    let path = given.trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let ["Volumes", catalog, schema, volume, rest @ ..] = segments.as_slice() else {
        return Err(Refusal::new(400, "BAD_REQUEST", format!("Invalid path: {given}. A path begins with /Volumes/CATALOG/SCHEMA/VOLUME.")));
    };
    if rest.iter().any(|segment| segment.is_empty()) {
        return Err(Refusal::new(400, "BAD_REQUEST", format!("Invalid path: {given}")));
    }
    let full = format!("{catalog}.{schema}.{volume}").to_lowercase();
    volumes::stored(exchange, &full)?;
    let root = root(&full);
    let path = std::iter::once(root.as_str()).chain(rest.iter().copied()).collect::<Vec<_>>().join("/");
    Ok((path, root))
}

/// The folder of the volume of this full name.
fn root(full: &str) -> String {
    format!("/Volumes/{}", full.replace('.', "/"))
}

fn absent(what: &str, path: &str) -> Refusal {
    Refusal::new(404, "NOT_FOUND", format!("The {what} being accessed is not found: {path}"))
}

fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_folder(exchange: &Exchange<'_, '_>, path: &str, root: &str) -> bool {
    path == root || exchange.objects.has(FOLDERS, path)
}

fn upload(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (path, root) = place(exchange, "file_path")?;
    if is_folder(exchange, &path, &root) {
        return Err(Refusal::new(409, "ALREADY_EXISTS", format!("The path {path} is a folder.")));
    }
    if exchange.objects.has(FILES, &path) && !exchange.flag("overwrite") {
        return Err(Refusal::new(409, "ALREADY_EXISTS", format!("The file {path} already exists.")));
    }
    if !is_folder(exchange, above(&path), &root) {
        if !exchange.rival(Rival::FilesParentsMade) {
            return Err(absent("folder", above(&path)));
        }
        make(exchange, above(&path), &root)?;
    }
    let raw = std::mem::take(&mut exchange.raw);
    let members = [
        ("size", Value::Int(i64::try_from(raw.len()).unwrap_or_default())),
        ("modified", Value::Int(exchange.now)),
        ("content", Value::Text(BASE64.encode(raw))),
    ];
    exchange.objects.put(FILES, &path, Value::map(members));
    Ok(Answer::no_content())
}

fn download(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (path, _) = place(exchange, "file_path")?;
    let file = exchange.objects.get(FILES, &path).ok_or_else(|| absent("file", &path))?;
    let content = file.get("content").and_then(Value::as_str).unwrap_or_default();
    Ok(Answer::bytes(BASE64.decode(content).unwrap_or_default()))
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (path, _) = place(exchange, "file_path")?;
    if !exchange.objects.has(FILES, &path) {
        return Err(absent("file", &path));
    }
    exchange.objects.remove(FILES, &path);
    Ok(Answer::no_content())
}

fn create_directory(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (path, root) = place(exchange, "directory_path")?;
    make(exchange, &path, &root)?;
    Ok(Answer::no_content())
}

/// Makes a folder and those above it.
fn make(exchange: &mut Exchange<'_, '_>, path: &str, root: &str) -> Result<(), Refusal> {
    let ends = path[root.len()..].match_indices('/').map(|(at, _)| root.len() + at).filter(|at| *at > root.len()).chain([path.len()]);
    for folder in ends.map(|end| &path[..end]).filter(|folder| *folder != root) {
        if exchange.objects.has(FILES, folder) {
            return Err(Refusal::new(409, "ALREADY_EXISTS", format!("The path {folder} is a file.")));
        }
        if !exchange.objects.has(FOLDERS, folder) {
            exchange.objects.put(FOLDERS, folder, Value::Map(Map::new()));
        }
    }
    Ok(())
}

fn delete_directory(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (path, root) = place(exchange, "directory_path")?;
    if path == root {
        return Err(Refusal::new(400, "BAD_REQUEST", format!("The folder of a volume cannot be deleted: {path}")));
    }
    if !is_folder(exchange, &path, &root) {
        return Err(absent("folder", &path));
    }
    let below = format!("{path}/");
    if !exchange.objects.below(FILES, &below).is_empty() || !exchange.objects.below(FOLDERS, &below).is_empty() {
        return Err(Refusal::new(400, "BAD_REQUEST", format!("The folder {path} is not empty.")));
    }
    exchange.objects.remove(FOLDERS, &path);
    Ok(Answer::no_content())
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (path, root) = place(exchange, "directory_path")?;
    if !is_folder(exchange, &path, &root) {
        return Err(absent("folder", &path));
    }
    let below = format!("{path}/");
    let mut entries = Vec::new();
    for (collection, is_folder) in [(FILES, false), (FOLDERS, true)] {
        for (path, object) in exchange.objects.below(collection, &below) {
            let name = &path[below.len()..];
            if name.contains('/') {
                continue;
            }
            let mut entry = Map::from_iter([
                ("path".to_owned(), Value::text(path.as_str())),
                ("name".to_owned(), Value::text(name)),
                ("is_directory".to_owned(), Value::Bool(is_folder)),
            ]);
            for (shown, kept) in [("file_size", "size"), ("last_modified", "modified")] {
                entry.extend(object.get(kept).map(|value| (shown.to_owned(), value.clone())));
            }
            entries.push((name.to_owned(), Value::Map(entry)));
        }
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    let size = paging::size(exchange, "page_size", 1000, 1000)?;
    let page = paging::page(entries, size, exchange.asked("page_token"))?;
    Ok(Answer::ok(paging::reply("contents", page)))
}

/// The files of a volume that is gone, or has another full name now.
pub fn follow(exchange: &mut Exchange<'_, '_>, full: &str, new: Option<&str>) {
    let old = root(full);
    for collection in [FILES, FOLDERS] {
        for (path, object) in exchange.objects.below(collection, &format!("{old}/")) {
            exchange.objects.remove(collection, &path);
            if let Some(new) = new {
                exchange.objects.put(collection, &format!("{}{}", root(new), &path[old.len()..]), (*object).clone());
            }
        }
    }
}
