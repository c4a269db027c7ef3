/* What differs between two texts: by line, and within a line by word. Gives data; draws nothing. */

/** Pairs of places that stay, for two lists, by the longest common subsequence; too long lists share only their ends. */
function common(before, after) {
  let start = 0, endA = before.length, endB = after.length;
  const pairs = [], tail = [];
  while (start < endA && start < endB && before[start] === after[start]) pairs.push([start, start++]);
  while (endA > start && endB > start && before[endA - 1] === after[endB - 1]) tail.push([--endA, --endB]);
  const n = endA - start, m = endB - start;
  if (n > 0 && m > 0 && n * m <= 4e6) {
    const width = m + 1, table = new Uint16Array((n + 1) * width);
    for (let i = n - 1; i >= 0; i--) {
      for (let j = m - 1; j >= 0; j--) {
        table[i * width + j] = before[start + i] === after[start + j]
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
      }
    }
    for (let i = 0, j = 0; i < n && j < m;) {
      if (before[start + i] === after[start + j]) pairs.push([start + i++, start + j++]);
      else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i++;
      else j++;
    }
  }
  return pairs.concat(tail.reverse());
}

/** Rows of a comparison side by side: {left, right}, each the number of a line or null. */
function rows(before, after) {
  const out = [];
  let i = 0, j = 0;
  for (const [a, b] of [...common(before, after), [before.length, after.length]]) {
    while (i < a || j < b) out.push({ left: i < a ? i++ : null, right: j < b ? j++ : null, same: false });
    if (a < before.length) out.push({ left: i++, right: j++, same: true });
  }
  return out;
}

/** Two lines as pieces [text, differs], where they have enough in common to be read as one line that changed. */
function words(before, after) {
  const split = (line) => line.match(/[\p{L}\p{N}_]+|\s+|[^]/gu) || [];
  const a = split(before), b = split(after);
  if (a.length * b.length > 160000) return [[[before, false]], [[after, false]]];
  const pairs = common(a, b);
  const kept = pairs.reduce((sum, [i]) => sum + (/\S/.test(a[i]) ? a[i].length : 0), 0);
  if (kept * 5 < Math.max(before.length, after.length) * 2) return [[[before, false]], [[after, false]]];
  const pieces = (list, stays) => {
    const out = [];
    list.forEach((piece, at) => {
      const differs = !stays.has(at), last = out[out.length - 1];
      if (last && last[1] === differs) last[0] += piece; else out.push([piece, differs]);
    });
    return out;
  };
  return [pieces(a, new Set(pairs.map((p) => p[0]))), pieces(b, new Set(pairs.map((p) => p[1])))];
}
