//! How Git is asked: about the repository that a folder is in, and by nothing that somebody else may have put there.
//!
//! What a commit descends from is told by its own bytes alone: replaced objects (`git replace --graft`) and grafts files would
//! let whoever can push one fake it. Nothing runs and nothing is written: no monitor of files, no hook, no lock. A folder
//! that only looks like a bare repository (a pull request can bring one, with a configuration that names programs) is none.
//! Variables of the caller that point Git elsewhere (it sets them itself in hooks and `git rebase --exec`) do not count; those
//! that configure it (`GIT_CONFIG_GLOBAL`, `GIT_CONFIG_COUNT`) are the caller's and stay.

/// What stands before the command.
pub(super) const OPTIONS: &[&str] = &[
    "--no-replace-objects",
    "--no-optional-locks",
    "--no-pager",
    "-c",
    "core.fsmonitor=",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.bareRepository=explicit",
];

/// What asks about a bare repository all the same, after `OPTIONS`: whoever calls has seen that it is no part of another one.
pub const BARE: [&str; 2] = ["-c", "safe.bareRepository=all"];

/// The setting that Git names where it takes a folder for a bare repository that nobody asked for; it is not translated.
pub const BARE_SETTING: &str = "safe.bareRepository";

/// Variables that are set.
pub(super) const SET: &[(&str, &str)] = &[
    // What is passed on to programs that Git itself starts.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// Variables that do not reach it.
pub(super) const UNSET: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_ATTR_SOURCE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_TRACE",
];
