use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::format::Trust::AsWritten;
use super::journal::{read_lines, write_lines};
use super::{
    Document, Entry, Flush, Intent, Local, LockInfo, Mend, Record, StateError, Status, Store, Waiting, WorkspaceIdentity, fold, format,
};
use crate::model::{Address, Deferred, Outside, SecretSource, Value, Variable, json};

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn entry(id: &str, applied: Value) -> Entry {
    Entry {
        kind: "jobs".to_owned(),
        id: id.to_owned(),
        status: Status::Ok,
        applied,
        former: None,
        etag: None,
        protected: false,
        adopted: false,
        dependencies: vec![],
        tag: None,
        deposed: vec![],
        made_by: None,
        called: None,
        before: None,
    }
}

fn workspace() -> WorkspaceIdentity {
    WorkspaceIdentity { host: "local".to_owned(), id: "1".to_owned() }
}

fn document() -> Document {
    let full = Entry {
        former: Some(Value::Null),
        etag: Some("e1".to_owned()),
        protected: true,
        adopted: true,
        dependencies: vec![address("warehouses.bi")],
        tag: Some("abc-1".to_owned()),
        deposed: vec!["7".to_owned()],
        made_by: Some("ada@x.com".to_owned()),
        called: Some("Sales (1)".to_owned()),
        before: Some(Value::map([("name", "before".into())])),
        status: Status::Tainted,
        ..entry("12", json::parse(br#"{"z":1,"a":[null,false,0,"",{},[],1.0,18446744073709551615]}"#).unwrap())
    };
    Document {
        lineage: "l".to_owned(),
        serial: 3,
        project: "p".to_owned(),
        environment: "dev".to_owned(),
        workspace: Some(workspace()),
        commit: Some("c0ffee".to_owned()),
        known_commit: None,
        pinned: None,
        resources: BTreeMap::from([
            (address("jobs.a"), full),
            (
                address("jobs.a/permissions"),
                Entry { kind: "permissions".to_owned(), ..entry("jobs/12", Value::map([("x", true)].map(|(k, v)| (k, Value::from(v))))) },
            ),
        ]),
        open_intents: BTreeMap::from([(address("jobs.b"), intent())]),
    }
}

fn intent() -> Intent {
    Intent {
        kind: "jobs".to_owned(),
        natural: vec!["b".to_owned()],
        tag: Some("t".to_owned()),
        replaces: vec!["old".into()],
        server_seconds: Some(1_700_000_000),
        caller: "ada".to_owned(),
        applied: None,
    }
}

fn begin(serial: u64) -> Record {
    Record::Begin { lineage: "l".to_owned(), serial, workspace: workspace(), commit: None, pinned: None, note: None }
}

fn store(folder: &Path) -> Local {
    Local::at(&folder.join("dev.json"), "p", "dev", &Outside::real().unwrap())
}

fn no_blob(_: &str) -> Result<String, String> {
    Err("no blobs here".to_owned())
}

#[test]
fn a_document_reads_back_and_its_bytes_are_canonical() {
    let document = document();
    let written = format::write(&document).unwrap();
    assert_eq!(format::read(&written.bytes, &no_blob, AsWritten).unwrap(), document);
    assert_eq!(format::write(&format::read(&written.bytes, &no_blob, AsWritten).unwrap()).unwrap(), written);
    let text = String::from_utf8(written.bytes).unwrap();
    assert!(text.ends_with("}\n") && text.contains("\n  \"commit\""), "{text}");
    let a = text.find("\"a\": [").unwrap();
    assert!(a < text.find("\"z\": 1").unwrap(), "keys are sorted: {text}");
}

#[test]
fn absent_null_false_zero_and_empty_stay_five_things() {
    for applied in [r"{}", r#"{"x":null}"#, r#"{"x":false}"#, r#"{"x":0}"#, r#"{"x":""}"#, r#"{"x":{}}"#, r#"{"x":[]}"#] {
        let applied = json::parse(applied.as_bytes()).unwrap();
        let mut document = document();
        document.resources = BTreeMap::from([(address("jobs.a"), entry("1", applied.clone()))]);
        let back = format::read(&format::write(&document).unwrap().bytes, &no_blob, AsWritten).unwrap();
        assert_eq!(back.resources[&address("jobs.a")].applied, applied);
    }
}

#[test]
fn long_text_goes_to_blobs_and_user_maps_that_look_like_one_do_not_confuse() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let long = "x".repeat(format::BLOB_ABOVE + 1);
    let applied = Value::map([
        ("long", Value::from(long.as_str())),
        ("short", "y".repeat(format::BLOB_ABOVE).into()),
        ("trap", Value::map([("$blob", Value::from("mine"))])),
        ("trap2", Value::map([("$map", Value::map([("$blob", Value::Null)]))])),
        ("secret", Value::map([("$secret", Value::from("${secret(\"T\")}")), ("fingerprint", "00".into())])),
    ]);
    let mut document = document();
    document.resources.insert(address("jobs.a"), entry("1", applied));
    store.save(&document, "test").unwrap();
    assert!(!fs::read_to_string(folder.path().join("dev.json")).unwrap().contains(&long));
    assert_eq!(store.load().unwrap().unwrap(), document);
    let blobs = folder.path().join("dev.json.blobs");
    let name = fs::read_dir(&blobs).unwrap().next().unwrap().unwrap().path();
    fs::write(&name, "tampered").unwrap();
    assert!(matches!(store.load(), Err(StateError::Damaged { why, .. }) if why.contains("`jobs.a`") && why.contains("damaged")));
}

#[test]
fn blobs_live_as_long_as_a_version_that_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut document = document();
    document.resources.insert(address("jobs.a"), entry("1", Value::map([("t", Value::from("x".repeat(5000)))])));
    store.save(&document, "apply").unwrap();
    document.resources.remove(&address("jobs.a"));
    let count = || fs::read_dir(folder.path().join("dev.json.blobs")).unwrap().count();
    for more in 1..=20 {
        document.serial = 3 + more;
        store.save(&document, "apply").unwrap();
        assert_eq!(count(), usize::from(more < 20), "after {more} saves");
    }
}

#[test]
fn what_must_not_be_written_is_an_error_that_names_its_place_and_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.save(&document(), "apply").unwrap();
    let deferred = Deferred {
        source: "${secret('TOKEN')}".to_owned(),
        pieces: vec![],
        waits: vec![Variable::Secret(SecretSource::environment("TOKEN"))],
        bound: crate::model::Map::new(),
    };
    for (value, word) in [
        (Value::Secret(deferred.clone().into()), "is a secret"),
        (Value::Unknown(deferred.into()), "is not known yet"),
        (Value::Float(f64::NAN), "which JSON cannot hold"),
    ] {
        let mut bad = document();
        bad.resources.insert(address("jobs.a"), entry("1", Value::map([("tasks", Value::List(vec![value]))])));
        for error in [
            store.save(&bad, "apply").unwrap_err(),
            store
                .append(
                    &[Record::Put { address: address("jobs.a"), entry: Box::new(bad.resources[&address("jobs.a")].clone()) }],
                    Flush::Now,
                )
                .unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains("jobs.a: `applied.tasks[0]`") && text.contains(word), "{text}");
        }
        assert_eq!(store.load().unwrap().unwrap(), document());
    }
}

/// As `state push FILE` does.
fn taken_over(store: &Local, file: &Path) -> Result<Document, StateError> {
    let document = store.brought(&fs::read(file).unwrap(), &file.display().to_string())?;
    Ok(store.remains()?.next(document))
}

#[test]
fn an_edited_document_is_an_error_until_it_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (store(folder.path()), folder.path().join("dev.json"));
    let written = Document { open_intents: BTreeMap::new(), ..document() };
    store.save(&written, "apply").unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let spread = text.replace("  ", "\t");
    fs::write(&file, &spread).unwrap();
    assert_eq!(store.load().unwrap().as_ref(), Some(&written), "white space says nothing");
    let edited = text.replace("\"12\"", "\"13\"");
    assert_ne!(edited, text);
    fs::write(&file, &edited).unwrap();
    let error = store.load().unwrap_err();
    assert!(matches!(&error, StateError::Edited { .. }) && error.help().concat().contains("state push"), "{error}");
    // Taken over it has its own checksum, and counts on.
    let taken = taken_over(&store, &file).unwrap();
    assert_eq!((taken.serial, taken.resources[&address("jobs.a")].id.as_str()), (4, "13"));
    store.save(&taken, "state push").unwrap();
    assert_eq!(store.load().unwrap(), Some(taken));
    // A version that was kept goes the same way, and one of earlier days, without a checksum, is read.
    let back = taken_over(&store, &folder.path().join("dev.json.versions/3.json")).unwrap();
    assert_eq!(back, Document { serial: 5, ..written.clone() });
    let line = text.lines().find(|line| line.contains("checksum")).unwrap();
    let without = text.replace(&format!("{line}\n"), "");
    assert_eq!(format::read(without.as_bytes(), &no_blob, AsWritten), Ok(written));
    // Neither another project's nor a document with a mistake is taken.
    let other = folder.path().join("other.json");
    for (from, to, expected) in [
        ("\"project\": \"p\"", "\"project\": \"q\"", "belongs to project `q`"),
        ("\"status\": \"tainted\"", "\"status\": \"odd\"", "jobs.a"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&other, text.replace(from, to)).unwrap();
        let error = taken_over(&store, &other).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("other.json"), "{error}");
    }
}

#[test]
fn taking_a_document_over_keeps_what_an_apply_that_was_cut_off_left() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (store(folder.path()), folder.path().join("dev.json"));
    store.save(&document(), "apply").unwrap();
    store.append(&[begin(3), Record::Removed { address: address("jobs.a") }], Flush::Now).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("c0ffee", "decaf0")).unwrap();
    let taken = taken_over(&store, &file).unwrap();
    assert!(!taken.resources.contains_key(&address("jobs.a")), "the journal was folded in");
    store.save(&taken, "state push").unwrap();
    assert_eq!(store.load().unwrap(), Some(taken));
}

#[test]
fn numbers_of_any_sort_keep_the_checksum() {
    for number in
        ["0.1", "1e300", "-0.0", "2.0", "123456789.12345679", "2.2250738585072014e-308", "18446744073709551615", "-9223372036854775808"]
    {
        let mut document = document();
        let applied = json::parse(format!("{{\"x\":{number}}}").as_bytes()).unwrap();
        document.resources.insert(address("jobs.a"), entry("1", applied));
        let written = format::write(&document).unwrap();
        assert_eq!(format::read(&written.bytes, &no_blob, AsWritten).as_ref(), Ok(&document), "{number}");
    }
}

/// A document of earlier days, without a checksum: what is wrong in it is told member by member.
fn unsummed() -> String {
    let text = String::from_utf8(format::write(&document()).unwrap().bytes).unwrap();
    text.lines().filter(|line| !line.contains("checksum")).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn an_unreadable_document_is_a_precise_error_never_an_empty_state() {
    let good = unsummed();
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    for (text, want) in [
        (String::new(), "the file is empty"),
        ("\n ".to_owned(), "the file is empty"),
        (good[..good.len() / 2].to_owned(), "it is cut short: it ends at line"),
        ("resources:\n  a: b\n".to_owned(), "it is not JSON: expected value at line 1 column 1"),
        (format!("{good}x"), "it is not JSON: trailing characters"),
        ("[]".to_owned(), "it holds a list, not a map"),
        ("{}".to_owned(), "its `format` is missing"),
        (replaced("\"format\": 1", "\"format\": \"one\""), "its `format` is \"one\""),
        (replaced("\"format\": 1", "\"format\": 0"), "its `format` is 0"),
        (replaced("\"lineage\"", "\"linage\""), "`lineage` is missing"),
        (replaced("\"serial\": 3", "\"serial\": -3"), "`serial` is -3, not a whole number from 0"),
        (replaced("\"status\": \"tainted\"", "\"status\": \"great\""), "`jobs.a`: `status` is `great`"),
        (replaced("\"id\": \"12\",", ""), "`jobs.a`: `id` is missing"),
        (replaced("\"jobs.a\": {", "\"jobs a\": {"), "`resources`: `jobs a` is not an address"),
        (replaced("\"adopted\": true", "\"adopted\": 1"), "`jobs.a`: `adopted` is a whole number, not a boolean"),
        (replaced("\"caller\": \"ada\",", ""), "`intents`, `jobs.b`: `caller` is missing"),
        (
            replaced("\"kind\": \"permissions\"", "\"kind\": \"jobs\""),
            "`jobs.a/permissions`: its `kind` is `jobs`, but its address says `permissions`",
        ),
        (
            good.replace("\"kind\": \"jobs\"", "\"kind\": \"warehouses\""),
            "`jobs.a`: its `kind` is `warehouses`, but its address says `jobs`",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dev.json"), &text).unwrap();
        let error = store(folder.path()).load().unwrap_err();
        let StateError::Damaged { why, place } = &error else { panic!("{error}") };
        assert!(why.starts_with(want), "{why}\n{want}");
        assert!(place.ends_with("dev.json"), "{place}");
        assert!(error.help().iter().any(|h| h.contains("state history")));
        assert_eq!(fs::read_to_string(folder.path().join("dev.json")).unwrap(), text, "reading changes nothing");
    }
}

#[test]
fn a_newer_format_and_a_foreign_state_are_refused() {
    let good = unsummed();
    let load = |text: String| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dev.json"), text).unwrap();
        store(folder.path()).load().unwrap_err()
    };
    // Whatever else a newer format changes, its number is read first.
    assert!(matches!(load("{\"format\": 2, \"things\": []}".to_owned()), StateError::Newer { found: 2, known: 1, .. }));
    let other = load(good.replace("\"environment\": \"dev\"", "\"environment\": \"prod\""));
    assert!(matches!(&other, StateError::Foreign { why, .. } if why == "belongs to environment `prod`, not `dev`"), "{other}");
    let other = load(good.replace("\"project\": \"p\"", "\"project\": \"q\""));
    assert!(matches!(&other, StateError::Foreign { why, .. } if why == "belongs to project `q`, not `p`"), "{other}");
}

/// The serial and whether the new resource is there, or a part of the error.
type Folded = Result<(u64, bool), &'static str>;

#[test]
fn the_journal_goes_with_its_document_or_is_refused() {
    let put = Record::Put { address: address("jobs.new"), entry: Box::new(entry("9", Value::Null)) };
    let cases: [(Vec<Record>, Folded); 6] = [
        (vec![begin(3), put.clone()], Ok((4, true))),
        (vec![begin(3), put.clone(), Record::End, begin(4)], Ok((5, true))),
        // Saved already, the process ended before the journal was cleared.
        (vec![begin(2), put.clone(), Record::End], Ok((3, false))),
        (vec![begin(3), put.clone(), begin(3)], Err("begins at serial 3 after a later one")),
        (vec![begin(5), put.clone()], Err("goes on from serial 5, but the document has serial 3")),
        (
            vec![Record::Begin { lineage: "other".to_owned(), serial: 3, workspace: workspace(), commit: None, pinned: None, note: None }],
            Err("of lineage other"),
        ),
    ];
    for (records, want) in cases {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.save(&document(), "apply").unwrap();
        store.append(&records, Flush::Now).unwrap();
        match (store.load(), want) {
            (Ok(Some(got)), Ok((serial, there))) => {
                assert_eq!((got.serial, got.resources.contains_key(&address("jobs.new"))), (serial, there));
            }
            (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{error}"),
            (got, want) => panic!("{got:?} {want:?}"),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.append(&[begin(0)], Flush::Now).unwrap();
    assert!(store.load().unwrap_err().to_string().contains("the document itself is missing"));
}

#[test]
fn a_torn_last_line_is_dropped_and_the_next_append_goes_on_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json.journal");
    store(folder.path()).save(&document(), "apply").unwrap();
    store(folder.path()).append(&[begin(3), Record::Removed { address: address("jobs.a") }], Flush::Now).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    assert_eq!(store(folder.path()).load().unwrap().unwrap().resources.len(), 2, "the removal was not whole");
    store(folder.path()).append(&[Record::Withdrawn { address: address("jobs.b") }], Flush::Later).unwrap();
    let got = store(folder.path()).load().unwrap().unwrap();
    assert_eq!((got.resources.len(), got.open_intents.len(), got.serial), (2, 0, 4));
}

#[test]
fn versions_are_kept_with_their_side_documents() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert_eq!(store.load().unwrap(), None);
    assert_eq!(store.history().unwrap(), vec![]);
    for serial in 1..=25 {
        let document = Document { serial, ..document() };
        store.save(&document, if serial == 25 { "state mv" } else { "apply" }).unwrap();
    }
    let history = store.history().unwrap();
    assert_eq!(history.iter().map(|v| v.serial).collect::<Vec<_>>(), (6..=25).rev().collect::<Vec<_>>());
    assert_eq!((history[0].by.as_str(), history[0].commit.as_deref(), history[0].resources), ("state mv", Some("c0ffee"), 2));
    assert!(history[0].at.parse::<jiff::Timestamp>().is_ok());
    assert!(!fs::read_to_string(folder.path().join("dev.json")).unwrap().contains(&history[0].at[..10]), "no time inside");
    // A damaged document does not hide the versions, and one of them takes its place.
    fs::write(folder.path().join("dev.json"), "").unwrap();
    assert!(store.load().is_err());
    assert_eq!(store.history().unwrap().len(), 20);
    fs::copy(folder.path().join("dev.json.versions/24.json"), folder.path().join("dev.json")).unwrap();
    let error = store.load().unwrap_err().to_string();
    assert!(error.contains("an older one was put in its place"), "{error}");
    let back = store.remains().unwrap().next(store.kept(24).unwrap().unwrap());
    store.replace(&back, "state push").unwrap();
    assert_eq!(store.load().unwrap(), Some(Document { serial: 26, ..document() }), "through the door it is taken");
    fs::remove_file(folder.path().join("dev.json")).unwrap();
    let error = store.load().unwrap_err();
    assert!(
        error.to_string().contains("a version is kept (serial 26)") && error.help().concat().contains("state push --serial"),
        "{error}"
    );
    store.replace(&store.remains().unwrap().next(back), "state push").unwrap();
    assert_eq!(store.load().unwrap().unwrap().serial, 27);
}

#[test]
fn a_state_that_was_moved_names_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.save(&document(), "apply").unwrap();
    let moved = super::Moved { to: "s3://acme/bf".to_owned(), by: "ada".to_owned(), at: "2026-01-01T00:00:00Z".to_owned() };
    store.mark(Some(&moved)).unwrap();
    let error = store.load().unwrap_err();
    assert!(error.to_string().contains("is at s3://acme/bf now (ada moved it"), "{error}");
    store.mark(None).unwrap();
    assert_eq!(store.load().unwrap().unwrap().serial, 3);
}

#[test]
fn one_process_holds_the_lock_and_says_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (store(folder.path()), store(folder.path()));
    let info = LockInfo {
        holder: "ada@ci (process 7)".to_owned(),
        operation: "apply".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
        ..LockInfo::default()
    };
    assert_eq!(second.holder(), None);
    first.lock(&info, Waiting::NOT).unwrap();
    assert_eq!(second.holder(), Some(info.clone()));
    let error = second.lock(&info, Waiting::NOT).unwrap_err();
    assert!(error.to_string().ends_with("is locked by ada@ci (process 7), apply since 2026-01-01T00:00:00Z"), "{error}");
    first.unlock();
    assert_eq!(second.holder(), None);
    second.lock(&info, Waiting::NOT).unwrap();
    drop(second);
    first.lock(&info, Waiting::NOT).expect("dropping the store lets go of the lock, as the end of a process does");
}

#[test]
fn lineages_are_unlike_and_of_the_form_of_a_uuid() {
    let outside = Outside::real().unwrap();
    let (a, b) = (super::new_lineage(&outside), super::new_lineage(&outside));
    assert_ne!(a, b);
    let first = super::new_document("p", "dev");
    assert_eq!((first.serial, first.lineage.as_str(), first.resources.len(), first.environment.as_str()), (0, "", 0, "dev"));
    let parts: Vec<usize> = a.split('-').map(str::len).collect();
    assert_eq!((parts, a.as_bytes()[14]), (vec![8, 4, 4, 4, 12], b'4'), "{a}");
}

#[test]
fn a_line_is_refused_for_each_way_it_can_be_wrong() {
    let lines = write_lines(&[begin(1), Record::End], 1).unwrap();
    let text = String::from_utf8(lines).unwrap();
    let (first, last) = text.split_once('\n').unwrap();
    let json = first.splitn(4, ' ').last().unwrap();
    for (damaged, want) in [
        ("nonsense".to_owned(), "does not have the form"),
        (first.replacen("1 ", "2 ", 1), "its sequence number is `2`, not 1"),
        (format!("{first} "), "bytes, not"),
        (first.replacen("\"serial\":1", "\"serial\":2", 1), "its checksum does not match"),
        (String::new(), "does not have the form"),
        (format!("1 {} {} {json}", json.len(), "0".repeat(16)), "its checksum does not match"),
    ] {
        let error = read_lines(format!("{damaged}\n{last}").as_bytes()).unwrap_err();
        assert!(error.starts_with("line 1 of the journal is damaged: ") && error.contains(want), "{error}");
    }
}

fn some_address() -> impl Strategy<Value = Address> {
    (0..4u8, proptest::bool::ANY).prop_map(|(n, facet)| {
        let parent = Address::new("jobs", format!("j{n}"));
        if facet { parent.facet("permissions") } else { parent }
    })
}

fn kind_of(address: &Address) -> String {
    address.facet.clone().unwrap_or_else(|| address.kind.clone())
}

/// Serials of `Begin` go up in every journal that a store accepts.
fn some_journal() -> impl Strategy<Value = Vec<Record>> {
    proptest::collection::vec(some_record(), 0..24).prop_map(|mut records| {
        let mut serials: Vec<u64> =
            records.iter().filter_map(|r| if let Record::Begin { serial, .. } = r { Some(*serial) } else { None }).collect();
        serials.sort_unstable();
        let mut serials = serials.into_iter();
        for record in &mut records {
            if let Record::Begin { serial, .. } = record {
                *serial = serials.next().expect("one each");
            }
        }
        records
    })
}

fn some_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        1 => (0..5u64).prop_map(begin),
        3 => some_address().prop_map(|address| {
            let intent = Intent { kind: kind_of(&address), ..intent() };
            Record::Intent { address, intent }
        }),
        1 => some_address().prop_map(|address| Record::Withdrawn { address }),
        4 => (some_address(), 0..9i64).prop_map(|(address, n)| {
            let entry = Entry { kind: kind_of(&address), ..entry(&n.to_string(), Value::map([("n", Value::from(n))])) };
            Record::Put { address, entry: Box::new(entry) }
        }),
        2 => some_address().prop_map(|address| Record::Removed { address }),
        2 => proptest::collection::vec((some_address(), some_address()), 1..3).prop_map(|moves| Record::Moved { moves }),
        1 => Just(Record::End),
    ]
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(records in some_journal()) {
        let once = fold(document(), &records);
        prop_assert_eq!(&fold(once.clone(), &records), &once);
    }

    #[test]
    fn a_journal_cut_anywhere_reads_as_its_whole_lines(
        records in proptest::collection::vec(some_record(), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = write_lines(&records, 1).unwrap();
        let cut = cut.index(bytes.len() + 1);
        let journal = read_lines(&bytes[..cut]).unwrap();
        let lines = bytes[..cut].split(|b| *b == b'\n').count() - 1;
        prop_assert_eq!(journal.records.as_slice(), &records[..lines]);
        prop_assert!(journal.whole <= cut && bytes[journal.whole..cut].iter().all(|b| *b != b'\n'));
    }

    #[test]
    fn a_byte_changed_before_the_last_line_is_noticed(
        records in proptest::collection::vec(some_record(), 2..8),
        place in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut bytes = write_lines(&records, 1).unwrap();
        let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
        let place = place.index(last - 1);
        prop_assume!(bytes[place] != to);
        bytes[place] = to;
        prop_assert!(read_lines(&bytes).is_err());
    }

    #[test]
    fn a_changed_byte_of_a_document_is_an_error_unless_it_says_the_same(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = format::write(&document()).unwrap().bytes;
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != to);
        bytes[place] = to;
        // White space, or the name of the checksum itself.
        if let Ok(read) = format::read(&bytes, &no_blob, AsWritten) {
            prop_assert_eq!(read, document());
        }
    }

    #[test]
    fn damaged_documents_never_read_as_something_else(place in any::<prop::sample::Index>()) {
        let bytes = format::write(&document()).unwrap().bytes;
        let cut = place.index(bytes.len() - 1);
        prop_assert!(format::read(&bytes[..cut], &no_blob, AsWritten).is_err());
    }
}
