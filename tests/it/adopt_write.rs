//! `adopt --write` as a user meets it: what it writes where, and what it says when it does not.

use base64::Engine as _;

use super::adoption::Desk;

fn import(path: &str, content: &[u8], rest: &str) -> String {
    let content = base64::engine::general_purpose::STANDARD.encode(content);
    format!(r#"POST /api/2.0/workspace/import {{"path":"{path}","content":"{content}","overwrite":true,{rest}}}"#)
}

fn applied(conf: &str, files: &[(&str, &[u8])]) -> Desk {
    let desk = Desk::new();
    for (name, bytes) in files {
        desk.write_bytes(name, bytes);
    }
    desk.write("conf/a.yaml", conf);
    desk.done(&["apply", "--yes"], "the first apply");
    desk
}

fn by_hand(desk: &Desk, lines: &[String]) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(lines));
}

const NOTEBOOK: &str = r#""format":"SOURCE","language":"PYTHON""#;
const HEADER: &str = "# Databricks notebook source\n";

#[test]
fn what_a_source_file_holds_goes_back_into_it() {
    let conf = "notebooks:\n  a: { path: /Shared/a, source: nb/a.py } # ours\nfiles:\n  b: { path: /Shared/b.bin, source: nb/b.bin }\n  \
                c: { path: /Shared/c.txt, source: nb/c.txt }\n";
    let (binary, new) = (b"\x00\xffone".as_slice(), b"\xfe\x00two\r\n".as_slice());
    let desk = applied(conf, &[("nb/a.py", b"x = 1\r\ny = 1\r\n"), ("nb/b.bin", binary), ("nb/c.txt", b"one\r\n")]);
    by_hand(
        &desk,
        &[
            import("/Shared/a", format!("{HEADER}x = '${{no}}'\ny = 1\n").as_bytes(), NOTEBOOK),
            import("/Shared/b.bin", new, r#""format":"RAW""#),
            import("/Shared/c.txt", b"\xef\xbb\xbftwo\nthree", r#""format":"RAW""#),
        ],
    );
    let said = desk.done(&["adopt", "--write", "--all-drift", "--yes"], "drift of contents");
    assert!(said.contains("nb/a.py") && said.contains("3 addresses accepted"), "{said}");
    assert!(said.contains("nb/b.bin is no text: 5 bytes become 7"), "{said}");
    assert_eq!(desk.read("nb/a.py"), "x = '${no}'\r\ny = 1\r\n");
    assert_eq!(desk.bytes("nb/b.bin"), new);
    assert_eq!(desk.bytes("nb/c.txt"), b"\xef\xbb\xbftwo\nthree");
    assert_eq!(desk.read("conf/a.yaml"), conf);
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn a_file_that_several_have_their_content_from_is_left_alone() {
    let conf = "notebooks:\n  a: { path: /Shared/a, source: nb/a.py }\n  b: { path: /Shared/b, source: ./nb/a.py }\n";
    let desk = applied(conf, &[("nb/a.py", b"x = 1\n")]);
    by_hand(&desk, &[import("/Shared/a", format!("{HEADER}x = 2\n").as_bytes(), NOTEBOOK)]);
    let (exit, said) = desk.run(&["adopt", "--write", "notebooks.a", "--yes"]);
    assert_ne!(exit, 0, "{said}");
    assert!(said.contains("`nb/a.py` is the content of several: notebooks.a, notebooks.b"), "{said}");
    assert_eq!(desk.read("nb/a.py"), "x = 1\n");
}

#[test]
fn instances_write_into_files_of_their_own() {
    let conf = "notebooks:\n  n: { for_each: [a, b], path: \"/Shared/${each.key}\", source: \"nb/${each.key}.py\" }\n";
    let desk = applied(conf, &[("nb/a.py", b"x = 1\n"), ("nb/b.py", b"x = 1\n")]);
    by_hand(&desk, &[import("/Shared/b", format!("{HEADER}x = 2\n").as_bytes(), NOTEBOOK)]);
    desk.done(&["adopt", "--write", "--all-drift", "--yes"], "drift of an instance");
    assert_eq!((desk.read("nb/a.py").as_str(), desk.read("nb/b.py").as_str()), ("x = 1\n", "x = 2\n"));
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn an_overlay_does_not_hold_what_a_file_holds() {
    let desk = applied("notebooks:\n  a: { path: /Shared/a, source: nb/a.py }\n", &[("nb/a.py", b"x = 1\n")]);
    by_hand(&desk, &[import("/Shared/a", format!("{HEADER}x = 2\n").as_bytes(), NOTEBOOK)]);
    let (exit, said) = desk.run(&["adopt", "--write", "--overlay", "notebooks.a", "--yes"]);
    assert_ne!(exit, 0, "{said}");
    assert!(said.contains("notebooks.a source is not written") && said.contains("leave `--overlay` out"), "{said}");
    assert_eq!(desk.read("nb/a.py"), "x = 1\n");
}
