//! What a shell completes: options and commands from the definition, addresses and environments from the project.

use std::fs;
use std::path::Path;
use std::process::Command;

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
        fs::write(path, text).expect("a file");
    };
    write("conf/project.yaml", "name: shop\n");
    write("environments/dev.yaml", "workspace: local\n");
    write("environments/prod.yaml", "workspace: local\n");
    write("spaces/sales.yaml", "spaces:\n  sales: { title: Sales, warehouse_id: w, permissions: [] }\n");
    write("conf/jobs.yaml", "jobs:\n  nightly: { name: nightly }\n  ingest: { for_each: { eu: 1 }, name: 'x ${each.key}' }\n");
    folder
}

#[expect(clippy::disallowed_methods, reason = "it is about the real program and a real shell")]
fn said(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_brickform"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().expect("its folder").display());
    let out = Command::new(program).args(arguments).current_dir(folder).env_clear().env("PATH", path).output().expect("it runs");
    assert!(out.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn what_the_project_has_is_told() {
    let folder = project();
    let told = |what: &str| said(folder.path(), env!("CARGO_BIN_EXE_brickform"), &["__complete", what]);
    assert_eq!(told("addresses"), "jobs.ingest[\"eu\"]\njobs.nightly\nspaces.sales\nspaces.sales/permissions\n");
    assert_eq!(told("spaces"), "spaces.sales\n");
    assert_eq!(told("environments"), "dev\nprod\n");
    assert!(told("kinds").lines().any(|kind| kind == "warehouses"));
}

#[test]
fn nothing_is_told_where_there_is_no_project() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(said(folder.path(), env!("CARGO_BIN_EXE_brickform"), &["__complete", "addresses"]), "");
}

#[test]
fn bash_completes_addresses_and_environments() {
    let folder = project();
    for (line, wanted) in [
        (vec!["plan", "--target", "jobs.n"], "jobs.nightly"),
        (vec!["plan", "--env", "p"], "prod"),
        (vec!["apply", "--allow-delete", "serving"], "serving_endpoints"),
        (vec!["show", "jobs.n"], "jobs.nightly"),
        (vec!["show", "jobs.in"], "jobs.ingest\\[\\\"eu\\\"\\]"),
        (vec!["genie", "b"], "bench"),
        (vec!["genie", "bench", "sp"], "spaces.sales"),
        (vec!["genie", "bench", "--needs-review", "ig"], "ignore"),
        (vec!["genie", "bench", "--min"], "--min-score"),
        (vec!["desto"], ""),
        (vec!["destr"], "destroy"),
        (vec!["plan", "--detailed"], "--detailed-exitcode"),
    ] {
        let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let script = format!(
            "source <(brickform completions bash); COMP_WORDS=(brickform {words}); COMP_CWORD={}; \
             _brickform_or_an_address brickform '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            line.len(),
            line[line.len() - 1],
            line.get(line.len().wrapping_sub(2)).unwrap_or(&"brickform"),
        );
        assert_eq!(said(folder.path(), "bash", &["-c", &script]).trim(), wanted, "{line:?}");
    }
}

#[test]
fn zsh_and_fish_ask_for_addresses_too() {
    let folder = project();
    let script = |shell: &str| said(folder.path(), env!("CARGO_BIN_EXE_brickform"), &["completions", shell]);
    let (zsh, fish) = (script("zsh"), script("fish"));
    for line in ["]:ADDRESS:_brickform_addresses' \\", "]:KIND:_brickform_kinds' \\", "]:NAME:_brickform_environments' \\"] {
        assert!(zsh.lines().any(|l| l.ends_with(line)), "{line}");
    }
    assert!(zsh.lines().any(|l| l.starts_with("'*::spaces -- ") && l.ends_with(":_brickform_spaces' \\")), "spaces of `genie bench`");
    for function in ["addresses", "kinds", "environments", "spaces"] {
        assert!(zsh.contains(&format!("_brickform_{function}() {{")), "{function}");
    }
    assert!(fish.contains("__fish_seen_subcommand_from bench' -a '(brickform __complete spaces 2>/dev/null)'"));
    assert!(fish.contains("-l target -x -a '(brickform __complete addresses 2>/dev/null)'"));
}
