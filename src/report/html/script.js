/* Reads the plan, draws it, and answers to filters and keys. */

const root = document.documentElement, one = (selector) => document.querySelector(selector);
window.addEventListener("error", (event) => { root.dataset.error = event.message; });

/* Of several environments the address names the one that is shown: `#@prod;jobs.nightly`. */
const several = document.querySelectorAll("script.plan").length > 1;
const place = () => /^#@([^;]*);?(.*)$/.exec(location.hash) || [null, "", location.hash.slice(1)];
const names = [...document.querySelectorAll("script.plan")].map((block) => block.dataset.env);
const chosen = () => { const asked = decodeURIComponent(place()[1]); return names.includes(asked) ? asked : names[0]; };
const environment = chosen();
document.querySelectorAll("[data-env]").forEach((part) => {
  const ours = part.dataset.env === environment;
  if (part.tagName === "A") { if (ours) part.setAttribute("aria-current", "true"); } else if (part.tagName !== "SCRIPT") part.hidden = !ours;
  if (ours && part.dataset.title) document.title = part.dataset.title;
});
window.addEventListener("hashchange", () => { if (chosen() !== environment) location.reload(); });
/** Notes the place in the address, without a step in the history. */
function noted(text) { history.replaceState(null, "", several ? `#@${encodeURIComponent(environment)}${text ? ";" + text : ""}` : text ? "#" + text : location.pathname + location.search); }

const given = JSON.parse([...document.querySelectorAll("script.plan")].find((block) => block.dataset.env === environment).textContent);
const word = (place) => given.words[place - 1];
const texts = (places) => (places || []).map(word);
const block3 = ([guard, reason, remedy]) => [word(guard), word(reason), texts(remedy)];
/** How many changes are drawn at once; more come when the end is in sight. */
const CHUNK = 100;

const byAddress = new Map();
const owner = (address) => { const at = address.lastIndexOf("/"); return at > 0 && !/["\]]/.test(address.slice(at)) ? address.slice(0, at) : address; };
const steps = given.steps.map((s, at) => {
  const step = {
    at, address: word(s.a), kind: word(s.k), action: s.d, name: s.n ? word(s.n) : "", link: s.l && word(s.l), because: s.b ? word(s.b) : "",
    from: s.m && word(s.m), loses: s.x && word(s.x), id: s.i && word(s.i), blocks: (s.g || []).map(block3), notes: texts(s.t), requests: texts(s.r),
    whose: s.w || 0, answers: texts(s.y), unchanged: s.o || 0, unmanaged: s.u || 0, needs: [], needed: [],
    changes: (s.c || []).map(([path, reason, before, after, form, forces, applied, whose]) => ({
      path: word(path), reason: reason || 0, before: before ? word(before) : null, after: after ? word(after) : null, form: form || 0,
      forces: !!forces, whose: whose || 0, applied: applied ? word(applied) : "",
    })),
  };
  step.deletedBehind = step.because === "deleted in the workspace";
  step.drifts = step.deletedBehind || step.changes.some((c) => c.reason === 1 || c.reason === 2);
  step.grave = !!step.loses || ["delete", "replace", "replace_new_first"].includes(step.action);
  byAddress.set(step.address, step);
  return step;
});
const nodes = given.nodes.map(word);
for (const [from, to] of given.edges) {
  const a = byAddress.get(nodes[from]), b = byAddress.get(nodes[to]);
  if (a) a.needs.push(nodes[to]);
  if (b) b.needed.push(nodes[from]);
}

/* Sections of the list: what is lost first. */
const GROUPS = given.sorted ? [
  ["Deleted or replaced", (s) => s.grave],
  ["Yours", (s) => s.whose === 1],
  ["Not yours: merged, not applied", (s) => s.whose === 2],
  ["Not yours: changed in the workspace, put back by this plan", () => true],
] : [
  ["Deleted or replaced", (s) => s.grave],
  ["Changed behind its back, put back by this plan", (s) => s.drifts],
  ["Changed in YAML", () => true],
];
const group = (step) => GROUPS.findIndex(([, holds]) => holds(step));
const sorted = steps.map((step) => [group(step), step]).sort((a, b) => a[0] - b[0] || !a[1].loses - !b[1].loses || a[1].at - b[1].at);

/* Filters */
const filter = { q: "", action: "", kind: "", reason: "", guard: "", whose: "" };
const CHOICES = {
  reason: [["yaml", "Changed in YAML", (s) => s.changes.some((c) => c.reason === 0) || (!s.drifts && !s.changes.length)], ["drift", "Drift", (s) => s.drifts],
    ["conflict", "Conflict", (s) => s.changes.some((c) => c.reason === 2)], ["removed", "Removed from YAML", (s) => s.action === "delete" || s.changes.some((c) => c.reason === 3)],
    ["forces", "Forces a replacement", (s) => s.changes.some((c) => c.forces)]],
  whose: given.sorted ? ["yours", "merged", "drift"].map((key, i) => [key, WHOSE[i + 1], (s) => s.whose === i + 1]) : [],
  guard: [["blocked", "Blocked", (s) => s.blocks.length > 0], ["loss", "Loses data", (s) => !!s.loses]],
};
const guards = [...new Set(steps.flatMap((s) => s.blocks.map((b) => b[0])))].sort();
for (const name of guards) CHOICES.guard.push([name, name.replace(/_/g, " "), (s) => s.blocks.some((b) => b[0] === name)]);
const spoken = new Map();
function hay(step) {
  let text = spoken.get(step);
  if (text === undefined) {
    text = [step.address, step.kind, step.name, step.from || "", step.because, step.id || "", step.loses || "", ...step.changes.flatMap((c) => [c.path, c.before || "", c.after || ""])].join("\n").toLowerCase();
    spoken.set(step, text);
  }
  return text;
}
function matches(step) {
  if (filter.action && step.action !== filter.action) return false;
  if (filter.kind && step.kind !== filter.kind) return false;
  for (const name of ["reason", "guard", "whose"]) {
    const choice = filter[name] && CHOICES[name].find((c) => c[0] === filter[name]);
    if (choice && !choice[2](step)) return false;
  }
  return filter.q.toLowerCase().split(/\s+/).every((part) => !part || hay(step).includes(part));
}

/* The list, drawn in pieces */
const list = one("#list"), shown = [];
let found = [], current = -1, end = null, watcher = null;
function see(address) {
  const step = byAddress.get(address);
  if (!step) return make("code", {}, address);
  const link = make("a", { href: `#${several ? "@" + encodeURIComponent(environment) + ";" : ""}${encodeURIComponent(address)}` }, address);
  link.addEventListener("click", (event) => { event.preventDefault(); go(address); });
  return link;
}
function more() {
  const until = Math.min(found.length, shown.length + CHUNK);
  for (let i = shown.length; i < until; i++) {
    const [at, step] = found[i];
    let part = list.querySelector(`[data-group="${at}"] ul`);
    if (!part) {
      const size = found.filter((f) => f[0] === at).length, title = make("h3", { id: `g${at}` }, `${GROUPS[at][0]} (${size.toLocaleString("en")})`);
      part = make("ul", {});
      list.insertBefore(make("section", { "data-group": at, "aria-labelledby": `g${at}` }, title, part), end);
    }
    const made = item(step, (s) => details(s, see));
    made.button.addEventListener("focus", () => choose(i, false));
    shown.push(made);
    part.append(made.element);
  }
  if (end) end.hidden = until >= found.length;
}
function draw() {
  found = sorted.filter(([, step]) => matches(step));
  shown.length = 0;
  current = -1;
  list.replaceChildren();
  if (watcher) watcher.disconnect();
  end = make("button", { type: "button", class: "more" }, "Show more");
  end.addEventListener("click", more);
  list.append(end);
  more();
  if ("IntersectionObserver" in window) {
    watcher = new IntersectionObserver((seen) => { if (seen.some((s) => s.isIntersecting)) more(); }, { rootMargin: "600px" });
    watcher.observe(end);
  }
  const all = steps.length, filtered = found.length < all || Object.values(filter).some(Boolean);
  one("#count").textContent = !all ? "Nothing changes." : filtered ? `${found.length.toLocaleString("en")} of ${plural(all, "change", "changes")} match` : plural(all, "change", "changes");
  if (all && !found.length) list.prepend(make("p", { class: "notice" }, "Nothing matches. Esc shows everything again."));
}
function choose(i, focus) {
  if (i < 0 || i >= found.length) return;
  while (shown.length <= i) more();
  if (shown[current]) shown[current].element.classList.remove("current");
  current = i;
  shown[i].element.classList.add("current");
  if (focus) { shown[i].button.focus({ preventScroll: true }); shown[i].element.scrollIntoView({ block: "nearest" }); }
}
function go(address) {
  let at = found.findIndex(([, step]) => step.address === address);
  if (at < 0 && byAddress.has(address)) { clear(); at = found.findIndex(([, step]) => step.address === address); }
  if (at < 0) return;
  choose(at, true);
  shown[at].toggle(true);
  shown[at].element.scrollIntoView({ block: "start" });
  noted(encodeURIComponent(address));
}

/* The summary */
const panels = one("#summary .panels");
const TONES = ["gone", "edit", "add", "note"];
function bar(parts, total) {
  const made = make("span", { class: "bar", "aria-hidden": "true" });
  for (const [tone, count] of parts) {
    if (!count) continue;
    const piece = make("span", { class: tone });
    piece.style.flexGrow = count;
    made.append(piece);
  }
  made.style.width = `${Math.max(2, (100 * parts.reduce((sum, p) => sum + p[1], 0)) / total)}%`;
  return made;
}
function panel(title, ...content) { panels.append(make("div", { class: "panel" }, make("h3", {}, title), ...content)); }
function tally(of) {
  const counts = new Map();
  for (const step of steps) {
    const key = of(step), tones = counts.get(key) || new Map();
    const tone = ACTIONS[step.action][2];
    tones.set(tone, (tones.get(tone) || 0) + 1);
    counts.set(key, tones);
  }
  return counts;
}
function bars(name, counts, label, keys, before) {
  const sum = (tones) => [...tones.values()].reduce((a, b) => a + b, 0), most = Math.max(...[...counts.values()].map(sum));
  const make1 = (key) => {
    const tones = counts.get(key), button = make("button", { type: "button", class: "row", "aria-pressed": "false", "data-filter": name, "data-value": key },
      make("span", { class: "label" }, ...label(key)), make("span", { class: "track" }, bar(TONES.map((t) => [t, tones.get(t) || 0]), most)), make("span", { class: "number" }, sum(tones).toLocaleString("en")));
    button.addEventListener("click", () => set(name, filter[name] === key ? "" : key));
    return make("li", {}, button);
  };
  const items = keys.filter((k) => counts.has(k)), out = [make("ul", { class: "bars" }, ...items.slice(0, 12).map(make1))];
  if (before) out.unshift(before);
  if (items.length > 12) out.push(make("details", {}, make("summary", {}, `${items.length - 12} more`), make("ul", { class: "bars" }, ...items.slice(12).map(make1))));
  return out;
}
function summary() {
  if (given.failed) return panel("No plan", make("p", {}, "What went wrong stands above."));
  if (!steps.length && !given.blocks.length) {
    panel("Nothing to do", make("p", {}, "Every resource is as the configuration says."));
  }
  const lost = steps.filter((s) => s.loses);
  if (lost.length) {
    const links = lost.slice(0, 8).map((s) => make("li", {}, see(s.address), `: ${s.loses}`));
    if (lost.length > 8) links.push(make("li", {}, filterLink(`and ${lost.length - 8} more`, "guard", "loss")));
    panel(`⚠ Data that is lost (${lost.length})`, make("ul", { class: "plain" }, ...links));
  }
  const held = steps.filter((s) => s.blocks.length), rest = given.blocks.map(block3);
  if (held.length || rest.length) {
    const first = held.slice(0, 6).flatMap((s) => s.blocks.map((b) => make("div", {}, see(s.address), guarded(...b))));
    if (held.length > 6) first.push(make("p", {}, filterLink(`and ${held.length - 6} more that are blocked`, "guard", "blocked")));
    panel(`⊘ Blocked (${held.length + rest.length})`, ...rest.map((b) => guarded(...b)), ...first);
  }
  if (given.warnings.length) {
    panel(`Warnings (${given.warnings.length})`, make("ul", { class: "plain" }, ...given.warnings.map(block3).slice(0, 30).map(([, reason]) => make("li", {}, ...prose(reason)))));
  }
  if (steps.length) {
    if (given.sorted) panel("Whose changes", ...bars("whose", tally((s) => ["", "yours", "merged", "drift"][s.whose]), (key) => [WHOSE[["", "yours", "merged", "drift"].indexOf(key)]], ["yours", "merged", "drift"]));
    const actions = tally((s) => s.action), kinds = tally((s) => s.kind);
    panel("By action", ...bars("action", actions, (key) => [badge(key)], ["none", "delete", "replace", "replace_new_first", "update", "create", "adopt", "move", "forget"]));
    panel("By kind", ...bars("kind", kinds, (key) => [key], [...kinds.keys()].sort()));
  }
  if (given.cut) panels.append(make("p", { class: "notice" }, `Values longer than ${plural(given.cut, "byte", "bytes")} are cut${given.cut < 1024 ? " and requests are left out" : ""}, so that this page stays small. The JSON of the plan has everything.`));
}
function filterLink(text, name, value) {
  const button = make("button", { type: "button", class: "link" }, text);
  button.addEventListener("click", () => { set(name, value); one("#changes").focus(); });
  return button;
}

/* Controls of the list */
const controls = {};
function filters() {
  const bar = one(".filters");
  const search = make("input", { type: "search", id: "search", placeholder: "Address, name, field, value", autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => set("q", search.value));
  controls.q = search;
  bar.append(make("label", { class: "field grow" }, make("span", {}, "Search ", make("kbd", {}, "/")), search));
  const choice = (name, title, all, options) => {
    if (!options.length) return;
    const select = make("select", { id: `by-${name}` }, make("option", { value: "" }, all), ...options.map(([value, text, count]) => make("option", { value }, `${text} (${count.toLocaleString("en")})`)));
    select.addEventListener("change", () => set(name, select.value));
    controls[name] = select;
    bar.append(make("label", { class: "field" }, make("span", {}, title), select));
  };
  const counted = (of) => [...steps.reduce((map, s) => map.set(of(s), (map.get(of(s)) || 0) + 1), new Map())];
  choice("action", "Action", "every action", counted((s) => s.action).map(([key, n]) => [key, `${ACTIONS[key][0]} ${ACTIONS[key][1]}`, n]));
  choice("kind", "Kind", "every kind", counted((s) => s.kind).sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([key, n]) => [key, key, n]));
  for (const [name, title, all] of [["whose", "Whose", "everybody's"], ["reason", "Why", "every reason"], ["guard", "Guard", "with and without"]]) {
    choice(name, title, all, CHOICES[name].map(([key, text, holds]) => [key, text, steps.filter(holds).length]).filter((c) => c[2]));
  }
  const all = make("button", { type: "button", id: "all" }, "Open all");
  all.addEventListener("click", openAll);
  bar.append(all);
}
function openAll() {
  const open = !shown.length || !shown.every((s) => s.isOpen());
  shown.forEach((s) => s.toggle(open));
  one("#all").textContent = open ? "Close all" : "Open all";
}
function set(name, value) {
  filter[name] = value;
  if (controls[name] && controls[name].value !== value) controls[name].value = value;
  document.querySelectorAll(`[data-filter="${name}"]`).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.value === value)));
  draw();
  const set1 = Object.entries(filter).filter(([, v]) => v);
  noted(set1.length ? "?" + new URLSearchParams(set1) : "");
}
function clear() { for (const name of Object.keys(filter)) if (filter[name]) set(name, ""); }

/* The graph */
let drawing = null, scale = 1, view = "", withStaying = false;
function zoom(to) {
  scale = Math.min(2, Math.max(0.2, to));
  if (!drawing) return;
  drawing.element.setAttribute("width", drawing.width * scale);
  drawing.element.setAttribute("height", drawing.height * scale);
}
function fit() { if (drawing) zoom(Math.min(1, Math.max(one("#canvas").clientWidth / drawing.width, 0.55))); }
function show(kept, edges, what, mark) {
  const place = new Map(kept.map((n, i) => [n, i]));
  drawing = drawn(kept.map(what), edges.filter((e) => place.has(e[0]) && place.has(e[1])).map((e) => [place.get(e[0]), place.get(e[1])]));
  one("#canvas").replaceChildren(drawing.element);
  if (mark !== undefined && place.has(mark)) drawing.elements[place.get(mark)].classList.add("marked");
  fit();
}
const actionOf = (address) => {
  const step = byAddress.get(address) || steps.find((s) => owner(s.address) === address);
  return step && step.action === "create" && step.address !== address ? { ...step, action: "update" } : step;
};
function object(node) {
  const address = nodes[node], step = actionOf(address);
  const [sign, says, tone] = step ? ACTIONS[step.action] : ["·", "stays as it is", "stays"];
  return { label: address, sign, says, tone, quiet: !step, select: () => { if (step) go(step.address); around(address); } };
}
function around(address) {
  const at = nodes.indexOf(owner(address));
  if (at < 0) return;
  const edges = given.edges.filter((e) => e.includes(at)), kept = [...new Set([at, ...edges.flat()])].slice(0, MOST_DRAWN);
  view = "around";
  show(kept, given.edges, object, at);
  note(`${nodes[at]} with what it needs and what needs it${edges.length >= MOST_DRAWN ? "; the first of many" : ""}.`);
}
function note(text) {
  one("#graph-note").textContent = text;
  one("#whole").hidden = view !== "around";
  if (view === "around") one("#staying").hidden = true;
}
function whole() {
  view = "whole";
  const all = nodes.map((_, i) => i), stay = all.filter((i) => !actionOf(nodes[i])), most = 14;
  const kept = withStaying || nodes.length <= most ? all : all.filter((i) => !stay.includes(i));
  one("#staying").hidden = !stay.length || nodes.length <= most || nodes.length > MOST_DRAWN;
  one("#staying").setAttribute("aria-pressed", String(withStaying));
  if (nodes.length <= MOST_DRAWN) {
    show(kept, given.edges, object);
    const alone = new Set(steps.map((s) => owner(s.address)).filter((a) => !nodes.includes(a))).size;
    note(`What is needed stands at the left. ${alone ? `${plural(alone, "change", "changes")} without dependencies not drawn. ` : ""}Choose one to see its fields.`);
    return;
  }
  const kindOf = nodes.map((address) => address.slice(0, address.indexOf("."))), kinds = [...new Set(kindOf)].sort();
  const edges = new Map(given.edges.map(([a, b]) => [kinds.indexOf(kindOf[a]), kinds.indexOf(kindOf[b])]).filter(([a, b]) => a !== b).map((e) => [e.join(), e]));
  const counts = tally((s) => owner(s.address).slice(0, s.address.indexOf(".")));
  show(kinds.map((_, i) => i), [...edges.values()], (i) => {
    const tones = counts.get(kinds[i]), size = tones ? [...tones.values()].reduce((a, b) => a + b, 0) : 0;
    const tone = tones ? TONES.find((t) => tones.has(t)) : "stays";
    return { label: `${kinds[i]} (${size.toLocaleString("en")})`, sign: "▤", says: `${size} changes`, tone, quiet: !size, select: () => set("kind", kinds[i]) };
  });
  note(`${plural(nodes.length, "object", "objects")} are too many for one picture: drawn by kind. Open a change and press g for its surroundings.`);
}
function graph() {
  if (!given.edges.length) return;
  one("#graph").hidden = false;
  const tool = (text, title, act, id) => {
    const button = make("button", { type: "button", "aria-label": text.length > 1 ? null : title, title, id }, text);
    button.addEventListener("click", act);
    return button;
  };
  one(".graph-tools").append(tool("−", "Smaller", () => zoom(scale / 1.25)), tool("+", "Larger", () => zoom(scale * 1.25)), tool("Fit", "Fit the width", fit), tool("Whole graph", "The whole graph", whole, "whole"),
    tool("With what stays", "Also what does not change beside what does", () => { withStaying = !withStaying; whole(); }, "staying"));
  one("#canvas").addEventListener("wheel", (event) => { if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(scale * (event.deltaY < 0 ? 1.1 : 0.9)); } }, { passive: false });
  whole();
}

/* Tools and keys */
function theme() {
  const ways = [["", "as the system"], ["dark", "dark"], ["light", "light"]];
  const remember = (way) => { try { localStorage.setItem("brickform-colours", way); } catch { /* a page in a file may keep nothing */ } };
  let way = "";
  try { way = localStorage.getItem("brickform-colours") || ""; } catch { /* as above */ }
  const apply = () => {
    if (way) root.dataset.theme = way; else delete root.dataset.theme;
    one("#theme").textContent = `Colours: ${(ways.find((w) => w[0] === way) || ways[0])[1]}`;
  };
  one("#theme").addEventListener("click", () => { way = ways[(ways.findIndex((w) => w[0] === way) + 1) % ways.length][0]; remember(way); apply(); });
  apply();
}
function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || one("#help").open) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape") {
    if (typing) event.target.blur(); else clear();
  } else if (!typing) {
    const acts = {
      "/": () => { one("#search").focus(); one("#search").select(); },
      j: () => choose(Math.min(current + 1, found.length - 1), true),
      k: () => choose(Math.max(current - 1, 0), true),
      e: openAll,
      g: () => { if (shown[current]) { around(shown[current].step.address); one("#graph").scrollIntoView({ block: "start" }); } },
      "?": () => one("#help").showModal(),
    };
    if (!acts[event.key]) return;
    acts[event.key]();
  } else {
    return;
  }
  event.preventDefault();
}
/** For paper: what matches, as far as anybody would read it there, and the first hundred open. */
function paper() {
  while (shown.length < Math.min(found.length, 1000)) more();
  shown.slice(0, 100).forEach((s) => s.toggle(true));
  const left = found.length - shown.length;
  if (left > 0 && !one(".unprinted")) list.append(make("p", { class: "notice unprinted" }, `${plural(left, "change is", "changes are")} not printed.`));
}

filters();
summary();
graph();
draw();
const hash = decodeURIComponent(place()[2]);
if (hash.startsWith("?")) for (const [name, value] of new URLSearchParams(hash.slice(1))) if (name in filter) set(name, value);
if (byAddress.has(hash)) go(hash);
else shown.slice(0, steps.length <= 8 ? 8 : 0).forEach((s) => s.toggle(true));
one(".tools").hidden = false;
theme();
one("#print").addEventListener("click", () => { paper(); window.print(); });
one("#keys").addEventListener("click", () => one("#help").showModal());
window.addEventListener("beforeprint", paper);
document.addEventListener("keydown", keys);
root.dataset.ready = String(Math.round(performance.now()));
