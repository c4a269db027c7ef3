//! What is known of the fields of a space.

use super::form;
use crate::kinds::{At, Fact, Lit};

const BACKEND: Fact = Fact::Default(Lit::Backend);

/// By path, or by type wherever it occurs.
pub(super) const FACTS: &[(At, Fact)] = &[
    ("description", Fact::Default(Lit::Text(""))),
    ("warehouse_id", Fact::Refers("warehouses")),
    // The caller's home; an update moves the space.
    ("parent_path", BACKEND),
    ("parent_path", Fact::WorkspacePath),
    ("tables", Fact::Keyed(&["identifier"])),
    ("metric_views", Fact::Keyed(&["identifier"])),
    ("volumes", Fact::Keyed(&["path"])),
    ("mcp_connections", Fact::Keyed(&["mcp_connection"])),
    ("sample_questions", Fact::Keyed(&["question"])),
    ("benchmarks", Fact::Keyed(&["question"])),
    ("@forms.SpaceTable.identifier", Fact::CaseBlind),
    ("@forms.SpaceTable.columns", Fact::Keyed(&["name"])),
    ("@forms.SpaceColumn.name", Fact::CaseBlind),
    ("@forms.SpaceColumn.synonyms", Fact::Set),
    ("@forms.SpaceInstructions.text_id", BACKEND),
    ("@forms.SpaceInstructions.example_sql", Fact::Keyed(&["question"])),
    ("@forms.SpaceInstructions.functions", Fact::Keyed(&["identifier"])),
    ("@forms.SpaceInstructions.joins", Fact::Keyed(&["left", "left_alias", "right", "right_alias"])),
    ("@forms.SpaceSnippets.filters", Fact::Keyed(&["name"])),
    ("@forms.SpaceSnippets.expressions", Fact::Keyed(&["name"])),
    ("@forms.SpaceSnippets.measures", Fact::Keyed(&["name"])),
    ("@forms.SpaceExample.parameters", Fact::Keyed(&["name"])),
    ("@forms.SpaceSnippet.synonyms", Fact::Set),
    // The API tells items apart by their ids alone: what has the same text is another item if it has a key of its own.
    ("sample_questions", Fact::Apart(&[form::KEY])),
    ("benchmarks", Fact::Apart(&[form::KEY])),
    ("@forms.SpaceInstructions.example_sql", Fact::Apart(&[form::KEY])),
    ("@forms.SpaceInstructions.joins", Fact::Apart(&["condition", form::KEY])),
    ("@forms.SpaceSnippets.filters", Fact::Apart(&[form::KEY])),
    ("@forms.SpaceSnippets.expressions", Fact::Apart(&[form::KEY])),
    ("@forms.SpaceSnippets.measures", Fact::Apart(&[form::KEY])),
    ("sample_questions", Fact::Also("id")),
    ("benchmarks", Fact::Also("id")),
    ("@forms.SpaceInstructions.example_sql", Fact::Also("id")),
    ("@forms.SpaceInstructions.functions", Fact::Also("id")),
    ("@forms.SpaceInstructions.joins", Fact::Also("id")),
    ("@forms.SpaceSnippets.filters", Fact::Also("id")),
    ("@forms.SpaceSnippets.expressions", Fact::Also("id")),
    ("@forms.SpaceSnippets.measures", Fact::Also("id")),
    ("@forms.SpaceExample.id", BACKEND),
    ("@forms.SpaceFunction.id", BACKEND),
    ("@forms.SpaceJoin.id", BACKEND),
    ("@forms.SpaceSnippet.id", BACKEND),
    ("@forms.SpaceQuestion.id", BACKEND),
    ("@forms.SpaceBenchmark.id", BACKEND),
    ("@forms.SpaceExample.$key", Fact::InputOnly),
    ("@forms.SpaceFunction.$key", Fact::InputOnly),
    ("@forms.SpaceJoin.$key", Fact::InputOnly),
    ("@forms.SpaceSnippet.$key", Fact::InputOnly),
    ("@forms.SpaceQuestion.$key", Fact::InputOnly),
    ("@forms.SpaceBenchmark.$key", Fact::InputOnly),
];
