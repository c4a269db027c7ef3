//! `template()` and sources that are templates.

use super::folder;

fn comment(template: &str, expression: &str, more: &[(&str, &str)]) -> String {
    let catalog = format!("catalogs:\n  c: {{ name: c, comment: '${{{expression}}}' }}\n");
    let environment =
        "workspace: local\nvariables:\n  catalog: main\n  tables: [a, b]\n  people: [{ name: ana }, { name: bo }]\n  loud: true\n";
    let mut files = vec![("conf/a.yaml", catalog.as_str()), ("sql/x.hbs", template), ("environments/dev.yaml", environment)];
    files.extend_from_slice(more);
    let made = folder(&files);
    match made.resolve() {
        Ok(desired) => super::field(&desired, "catalogs.c", "comment").as_str().unwrap_or("(waits)").to_owned(),
        Err(found) => super::shown(&found),
    }
}

#[test]
fn text_is_made_of_variables_and_arguments() {
    let call = "template(\"sql/x.hbs\", table=\"t\", n=2)";
    for (template, want) in [
        ("from {{catalog}}.{{table}}", "from main.t"),
        ("{{n}} {{loud}} {{env.name}} {{var.catalog}}", "2 true dev main"),
        ("{{#each tables}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}", "a, b"),
        ("{{#each people}}{{name}} of {{../catalog}};{{/each}}", "ana of main;bo of main;"),
        ("{{#if loud}}yes{{else}}no{{/if}}", "yes"),
        (r"keep \{{job.id}} and {{catalog}}", "keep {{job.id}} and main"),
        ("<{{catalog}}> & \"q\"", "<main> & \"q\""),
        ("{{json tables}}", r#"["a","b"]"#),
        ("{{> sql/part}}!", "part of main!"),
        ("{{#each tables as |t|}}{{t}}{{/each}}", "ab"),
    ] {
        assert_eq!(comment(template, call, &[("sql/part.hbs", "part of {{catalog}}")]), want, "{template}");
    }
}

#[test]
fn mistakes_cite_the_template() {
    let call = "template(\"sql/x.hbs\")";
    for (template, want) in [
        ("a\n{{catlog}}", "E0230 sql/x.hbs:2:3 `catlog` is not defined in this template [did you mean `catalog`?]"),
        ("{{#if lod}}x{{/if}}", "E0230 sql/x.hbs:1:7 `lod` is not defined in this template [did you mean `loud`?]"),
        ("{{job.id}}", "E0230 sql/x.hbs:1:3 `job` is not defined in this template [Databricks' own braces"),
        ("{{#each people}}{{nam}}{{/each}}", "E0230 sql/x.hbs:1:19 `nam` is not defined"),
        ("{{#each people}}{{catalog}}{{/each}}", "E0230 sql/x.hbs:1:19 `catalog` is not defined in this template [inside `{{#each}}`"),
        ("{{tables}}", "E0231 sql/x.hbs:1:1 `tables` is a list"),
        ("{{#each tables}}x", "E0229 sql/x.hbs:1:1 a block is not closed"),
        ("x {{catalog", "E0229 sql/x.hbs:1:3 a tag does not end"),
        ("{{upper catalog}}", "E0230 sql/x.hbs:1:3 there is no helper `upper`"),
        ("{{> ../out}}", "E0229 sql/x.hbs:1:5 a partial: `../out` leads out of the project's folder"),
    ] {
        let got = comment(template, call, &[]);
        assert!(got.contains(want), "{template}: {got}");
    }
    let got = comment("x", "template(\"sql/y.hbs\")", &[]);
    assert!(got.contains("E0213 conf/a.yaml:2:") && got.contains("did you mean `sql/x.hbs`?"), "{got}");
}

#[test]
fn what_waits_can_be_printed_and_not_looked_at() {
    let job = ("conf/j.yaml", "jobs:\n  j: { name: j, tasks: [{ task_key: t, notebook_task: { notebook_path: /a } }] }\n");
    let call = "template(\"sql/x.hbs\", id=jobs.j.id)";
    assert_eq!(comment("job {{id}}", call, &[job]), "(waits)");
    let got = comment("{{#if id}}x{{/if}}", call, &[job]);
    assert!(got.contains("E0231 sql/x.hbs:1:7 `id` is") && got.contains("can only print it"), "{got}");
}

#[test]
fn whole_sources_give_resources_with_places_in_the_template() {
    let template =
        "catalogs:\n{{#each tables}}\n  {{this}}:\n    name: \"{{this}}\"\n    comment: \"${catalog} \\{{job.id}}\"\n{{/each}}\n";
    let environment = "workspace: local\nvariables:\n  catalog: main\n  tables: [a, b]\n";
    let made = folder(&[("conf/a.yaml.hbs", template), ("environments/dev.yaml", environment)]);
    assert_eq!(made.found(), "");
    assert_eq!(made.body("catalogs.b"), r#"{"name": "b", "comment": "main {{job.id}}"}"#);

    made.write("conf/a.yaml.hbs", &template.replace("comment:", "coment:"));
    assert!(made.found().contains("E0107 conf/a.yaml.hbs:5:5 unknown field `coment`"), "{}", made.found());

    made.write("conf/a.yaml.hbs", "catalogs:\n  a: { name: {{catalog}} }\n  b: { name: [}\n");
    assert!(made.found().contains("conf/a.yaml.hbs:3:"), "{}", made.found());

    made.write("environments/dev.yaml", "workspace: local\nvariables: { catalog: \"${secret('X')}\" }\n");
    let found = made.found();
    assert!(
        found.contains("E0231 conf/a.yaml.hbs:2:16 `catalog` is (sensitive) when the YAML is read")
            || found.contains("E0231 conf/a.yaml.hbs:2:16"),
        "{found}"
    );
}
