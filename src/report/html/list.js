/* One change as elements: its line, its fields, its texts side by side. Text goes in as text, never as HTML. */

/** What happens, in signs and words. */
const ACTIONS = {
  create: ["+", "create", "add"], update: ["~", "change", "edit"], replace: ["-/+", "replace", "gone"],
  replace_new_first: ["+/-", "replace, new first", "gone"], delete: ["-", "delete", "gone"], adopt: ["<", "adopt", "note"],
  move: [">", "move", "note"], forget: ["x", "forget", "note"], none: ["!", "blocked", "gone"],
};
const REASONS = ["changed in YAML", "drift: changed in the workspace", "conflict: changed in YAML and in the workspace", "removed from YAML"];

/** Whose a change is, where a base was named. */
const WHOSE = ["", "yours", "merged, not applied", "drift"];

/** Characters that nobody sees, or that turn the direction of the text, as what they are. */
function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(name, ""); else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((c) => c != null).map((c) => (typeof c === "string" ? visible(c) : c)));
  return made;
}

/** A sentence whose quotes (`name`) are code. */
function prose(text) {
  const parts = text.split("`");
  return parts.length % 2 ? parts.map((part, at) => (at % 2 ? make("code", {}, part) : part)) : [text];
}

function plural(count, one, many) { return `${count.toLocaleString("en")} ${count === 1 ? one : many}`; }

/** The badge of an action: sign and word, so that colour is not needed. */
function badge(action) {
  const [sign, word, tone] = ACTIONS[action];
  return make("span", { class: `badge ${tone}` }, make("span", { class: "sign", "aria-hidden": "true" }, sign), " " + word);
}

/** The line of a change and its (still empty) body. `open(step)` is told when it opens. */
function item(step, filled) {
  const body = make("div", { class: "body", id: `b${step.at}`, hidden: true });
  const flags = [];
  if (step.blocks.length) flags.push(make("span", { class: "flag gone" }, "⊘ blocked"));
  if (step.loses) flags.push(make("span", { class: "flag gone" }, "⚠ loses data"));
  if (step.whose === 1 && step.grave) flags.push(make("span", { class: "flag note" }, "yours"));
  if (step.whose === 2) flags.push(make("span", { class: "flag note" }, WHOSE[2]));
  if (step.drifts) flags.push(make("span", { class: "flag drift" }, "↯ drift"));
  const title = [badge(step.action), make("span", { class: "address" }, step.from ? `${step.from} → ${step.address}` : step.address)];
  if (step.name) title.push(make("span", { class: "called" }, step.name));
  title.push(...flags, make("span", { class: "size" }, sized(step)));
  const button = make("button", { type: "button", "aria-expanded": "false", "aria-controls": body.id }, ...title);
  const element = make("li", { class: `change ${ACTIONS[step.action][2]}`, id: `s${step.at}` }, make("h4", {}, button), body);
  const toggle = (open) => {
    if (open && !body.firstChild) body.append(...filled(step));
    body.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  button.addEventListener("click", () => toggle(body.hidden));
  return { step, element, button, toggle, isOpen: () => !body.hidden };
}

function sized(step) {
  const fields = step.changes.length;
  return fields ? plural(fields, "field", "fields") : step.because || "";
}

/** Everything about a change. */
function details(step, see) {
  const out = [];
  const say = (cls, ...text) => out.push(make("p", { class: cls }, ...text));
  if (step.because && step.changes.length) say("quiet", step.because);
  if (step.loses && !step.blocks.some((b) => b[0] === "data_loss")) say("notice gone", make("strong", {}, "Lost: "), step.loses);
  for (const [guard, reason, remedy] of step.blocks) out.push(guarded(guard, reason, remedy));
  if (step.link || step.id) {
    const where = step.link ? [make("a", { href: step.link, rel: "noopener noreferrer" }, "Open in the workspace")] : [];
    say("quiet", ...where, step.id ? `${step.link ? " · " : ""}id ${step.id}` : null);
  }
  if (step.changes.length) out.push(fields(step));
  if (step.unchanged) say("quiet", plural(step.unchanged, "field stays as it is", "fields stay as they are"));
  if (step.unmanaged) say("quiet", plural(step.unmanaged, "field is", "fields are") + " set in the workspace and not in YAML: left alone");
  for (const note of step.notes) say("quiet", note);
  if (step.answers.length) out.push(make("pre", { class: "answers", tabindex: "0", "aria-label": "Answers to the drift" }, step.answers.join("\n")));
  for (const [word, list] of [["Needs", step.needs], ["Needed by", step.needed]]) {
    if (!list.length) continue;
    const links = list.slice(0, 12).map((address) => make("li", {}, see(address)));
    if (list.length > 12) links.push(make("li", {}, `and ${list.length - 12} more`));
    out.push(make("div", { class: "around" }, make("h5", {}, word), make("ul", {}, ...links)));
  }
  if (step.requests.length) {
    out.push(make("details", { class: "requests" }, make("summary", {}, plural(step.requests.length, "request", "requests")), make("pre", { tabindex: "0" }, step.requests.join("\n"))));
  }
  return out;
}

function guarded(guard, reason, remedy) {
  const box = make("div", { class: "notice gone" }, make("p", {}, make("strong", {}, `${guard.replace(/_/g, " ")}: `), ...prose(reason)));
  if (remedy.length) box.append(make("ul", {}, ...remedy.map((r) => make("li", {}, r.startsWith("--") ? [make("code", {}, r), " lifts it"] : r))));
  return box;
}

/** The table of fields; texts of several lines stand in rows of their own. */
function fields(step) {
  const fresh = step.action === "create";
  const heads = fresh ? ["Field", "Value"] : ["Field", "Before", "After", "Why"];
  const body = make("tbody");
  for (const change of step.changes) {
    const { path, before, after } = change;
    const both = before !== null && after !== null;
    const why = [REASONS[change.reason]];
    if (change.whose && change.whose !== step.whose) why.push(WHOSE[change.whose]);
    if (change.applied) why.push(`last applied: ${change.applied}`);
    const force = change.forces ? make("strong", { class: "forces" }, "forces the replacement") : null;
    const head = make("th", { scope: "row" }, make("code", {}, path), change.form === 1 ? make("span", { class: "quiet" }, " " + language(path)) : null);
    if (fresh && change.form === 0) {
      body.append(make("tr", {}, head, make("td", {}, value(after))));
    } else if (change.form === 0) {
      const same = both && before === after ? make("span", { class: "quiet" }, " (another value)") : null;
      const [left, right] = both && before.length + after.length > 40 ? words(before, after) : [[[before, false]], [[after, false]]];
      body.append(make("tr", {}, head, make("td", { "data-label": "Before" }, before === null ? unset() : make("del", {}, make("span", { class: "sign" }, "−"), marked(left))),
        make("td", { "data-label": "After" }, after === null ? unset() : make("ins", {}, make("span", { class: "sign" }, "+"), marked(right)), same),
        make("td", { class: "why" }, why.join("; "), force)));
    } else {
      const text = both ? beside(before, after, path) : block(before === null ? after : before, before === null, path);
      const said = make("span", { class: "quiet" }, fresh ? "" : why.join("; "), force);
      body.append(make("tr", { class: "long" }, make("th", { scope: "rowgroup", colspan: heads.length }, make("div", {}, ...head.childNodes, said))),
        make("tr", { class: "long" }, make("td", { colspan: heads.length }, text)));
    }
  }
  const top = make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h))));
  return make("table", { class: fresh ? "fields fresh" : "fields" }, make("caption", { class: "unseen" }, `Fields of ${step.address}`), top, body);
}

function language(path) {
  if (/(^|[._])(sql|query|statement|query_text|definition)$/.test(path)) return "SQL";
  return /instruction|description|comment|content/.test(path) ? "text" : "";
}

function unset() { return make("span", { class: "quiet" }, "not set"); }

function value(text) { return make("code", { class: "value" }, text); }

function marked(pieces) {
  return make("code", { class: "value" }, ...pieces.map(([text, differs]) => (differs ? make("mark", {}, text) : text)));
}

/** A text that comes or goes as a whole. */
function block(text, comes, path) {
  const lines = text.replace(/\n$/, "").split("\n");
  const sign = comes ? "+" : "−";
  const shown = lines.slice(0, 400).map((line) => `${sign} ${line}`).join("\n");
  const more = lines.length > 400 ? `\n… ${lines.length - 400} more lines` : "";
  return make("pre", { class: comes ? "whole comes" : "whole goes", tabindex: "0", "aria-label": `${path}, ${comes ? "after" : "before"}` }, shown + more);
}

/** Two texts side by side: lines that differ beside each other with the words marked, long stretches of the same folded. */
function beside(before, after, path) {
  const a = before.replace(/\n$/, "").split("\n"), b = after.replace(/\n$/, "").split("\n");
  const all = rows(a, b), body = make("tbody");
  const removed = all.filter((r) => !r.same && r.left !== null).length, added = all.filter((r) => !r.same && r.right !== null).length;
  const cell = (number, sign, content, cls) => [
    make("td", { class: "number", "aria-hidden": "true" }, number === null ? "" : String(number + 1)),
    make("td", { class: cls }, number === null ? "" : make("span", { class: "sign" }, sign), number === null ? "" : content),
  ];
  const draw = (row) => {
    if (row.same) return make("tr", { class: "same" }, ...cell(row.left, " ", value(a[row.left]), "left"), ...cell(row.right, " ", value(b[row.right]), "right"));
    const two = row.left !== null && row.right !== null;
    const [left, right] = two ? words(a[row.left], b[row.right]) : [[[a[row.left], false]], [[b[row.right], false]]];
    return make("tr", {}, ...cell(row.left, "−", row.left === null ? "" : marked(left), row.left === null ? "left none" : "left goes"),
      ...cell(row.right, "+", row.right === null ? "" : marked(right), row.right === null ? "right none" : "right comes"));
  };
  for (let i = 0; i < all.length;) {
    let end = i;
    while (end < all.length && all[end].same) end++;
    const from = i === 0 ? 0 : i + 3, to = end === all.length ? end : end - 3;
    if (to - from > 3) {
      for (; i < from; i++) body.append(draw(all[i]));
      const hidden = all.slice(from, to);
      const button = make("button", { type: "button" }, `⋯ ${hidden.length} lines that stay`);
      const fold = make("tr", { class: "fold" }, make("td", { colspan: 4 }, button));
      button.addEventListener("click", () => fold.replaceWith(...hidden.map(draw)));
      body.append(fold);
      i = to;
    }
    for (; i < end; i++) body.append(draw(all[i]));
    for (; i < all.length && !all[i].same; i++) body.append(draw(all[i]));
  }
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "colgroup", colspan: 2 }, `Before (−${removed})`), make("th", { scope: "colgroup", colspan: 2 }, `After (+${added})`)));
  const table = make("table", { class: "beside" }, make("caption", { class: "unseen" }, `${path}, before and after`), head, body);
  table.prepend(make("colgroup", {}, ...[0, 1, 0, 1].map((wide) => make("col", { class: wide ? null : "number" }))));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `${path}, before and after` }, table);
}
