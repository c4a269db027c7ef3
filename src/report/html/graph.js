/* The graph: laid out in layers, what is needed at the left. Drawn as SVG of our own. */

const BOX = { height: 32, gap: 12, between: 64, margin: 16 };
/** More objects than this are drawn as kinds. */
const MOST_DRAWN = 120;

/** Layers of nodes 0..count for edges [needs, needed]; an edge that closes a circle is not counted. */
function layers(count, edges) {
  const needs = Array.from({ length: count }, () => []), depth = new Array(count).fill(-1), open = new Set();
  for (const [from, to] of edges) needs[from].push(to);
  const measure = (start) => {
    const stack = [[start, 0]];
    open.add(start);
    while (stack.length) {
      const top = stack[stack.length - 1], [node, next] = top;
      if (next < needs[node].length) {
        top[1]++;
        const other = needs[node][next];
        if (depth[other] < 0 && !open.has(other)) { open.add(other); stack.push([other, 0]); }
      } else {
        depth[node] = needs[node].reduce((most, other) => Math.max(most, depth[other] + 1), 0);
        open.delete(node);
        stack.pop();
      }
    }
  };
  for (let node = 0; node < count; node++) if (depth[node] < 0) measure(node);
  const out = [];
  depth.forEach((at, node) => (out[at] = out[at] || []).push(node));
  return order(out.filter(Boolean), edges);
}

/** Fewer crossings: nodes stand where their neighbours stand on average; a few sweeps are enough. */
function order(all, edges) {
  const near = new Map(), place = new Map();
  for (const [from, to] of edges) {
    for (const [a, b] of [[from, to], [to, from]]) near.set(a, (near.get(a) || []).concat(b));
  }
  const number = (layer) => layer.forEach((node, at) => place.set(node, at - layer.length / 2));
  all.forEach(number);
  for (let sweep = 0; sweep < 6; sweep++) {
    for (const layer of sweep % 2 ? [...all].reverse() : all) {
      const mean = new Map(layer.map((node) => {
        const others = near.get(node) || [];
        return [node, others.length ? others.reduce((sum, o) => sum + place.get(o), 0) / others.length : place.get(node)];
      }));
      layer.sort((a, b) => mean.get(a) - mean.get(b) || a - b);
      number(layer);
    }
  }
  return all;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Draws nodes {label, sign, tone, says, select, quiet} and edges; gives {element, width, height}. Only one node is in the
 * order of Tab; arrows lead to the others.
 */
function drawn(nodes, edges) {
  const all = layers(nodes.length, edges), at = [];
  const longest = Math.max(...nodes.map((node) => node.label.length)), wide = Math.min(320, Math.max(140, longest * 7.9 + 46));
  const tallest = Math.max(...all.map((layer) => layer.length));
  const height = tallest * (BOX.height + BOX.gap) - BOX.gap + 2 * BOX.margin;
  const width = all.length * (wide + BOX.between) - BOX.between + 2 * BOX.margin;
  all.forEach((layer, x) => layer.forEach((node, y) => {
    const free = height - (layer.length * (BOX.height + BOX.gap) - BOX.gap);
    at[node] = { x: BOX.margin + x * (wide + BOX.between), y: free / 2 + y * (BOX.height + BOX.gap) };
  }));
  const lines = svg("g", { class: "edges", "aria-hidden": "true" }), boxes = svg("g", {});
  const paths = edges.map(([from, to]) => {
    const a = at[to], b = at[from], x1 = a.x + wide, y1 = a.y + BOX.height / 2, x2 = b.x, y2 = b.y + BOX.height / 2;
    const bend = Math.max(28, Math.abs(x2 - x1) / 2);
    const path = svg("path", { d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`, "marker-end": "url(#arrow)" });
    lines.append(path);
    return path;
  });
  const elements = nodes.map((node, i) => {
    const needs = edges.filter((e) => e[0] === i).length, needed = edges.filter((e) => e[1] === i).length;
    const box = svg("g", {
      class: `node ${node.tone}${node.quiet ? " quiet" : ""}`, transform: `translate(${at[i].x},${at[i].y})`, role: "button", tabindex: "-1",
      "aria-label": `${node.label}: ${node.says}; needs ${needs}, needed by ${needed}`,
    }, svg("rect", { width: wide, height: BOX.height, rx: 6 }), svg("title", {}, node.label));
    const sign = svg("text", { x: 10, y: 21, class: "sign", "aria-hidden": "true" }, node.sign);
    // What is too long is cut at the edge of the box; its title has it whole.
    const label = svg("svg", { x: 38, y: 0, width: wide - 46, height: BOX.height }, svg("text", { x: 0, y: 21 }, node.label));
    box.append(sign, label);
    box.addEventListener("click", () => node.select());
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); node.select(); }
    });
    const light = (on) => paths.forEach((path, e) => path.classList.toggle("lit", on && edges[e].includes(i)));
    box.addEventListener("mouseenter", () => light(true));
    box.addEventListener("mouseleave", () => light(false));
    box.addEventListener("focus", () => light(true));
    box.addEventListener("blur", () => light(false));
    return box;
  });
  const walk = all.flat();
  walk.forEach((node, i) => {
    boxes.append(elements[node]);
    elements[node].addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const next = elements[walk[(i + by + walk.length) % walk.length]];
      elements[node].setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
  if (walk.length) elements[walk[0]].setAttribute("tabindex", "0");
  const arrow = svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0,0 L8,4 L0,8 z" }));
  const element = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Graph: what is needed stands at the left. Arrow keys lead through it." }, svg("defs", {}, arrow), lines, boxes);
  return { element, width, height, elements };
}
