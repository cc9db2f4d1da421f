// Python as it is read: lines with numbers, coloured; a diff of two texts; the lines around a problem.

import { h } from "./dom.js";

const WORDS = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda match case nonlocal not or pass raise return try while with yield"
  ).split(" "),
);
const TOKEN = /(#.*)|([rbfuRBFU]{0,2}(?:"""(?:.*?""")?|'''(?:.*?''')?|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?))|(\b\d[\w.]*)|(@[\w.]+)|(\b[A-Za-z_]\w*)|([^\w#"'@]+|.)/g;
const KINDS = ["comment", "string", "number", "decorator"];

// [text, kind] pairs of one line. A text that spans lines is not followed: a line is coloured by itself.
function tokens(line) {
  return [...line.matchAll(TOKEN)].map((found) => {
    const place = KINDS.findIndex((_, at) => found[at + 1] !== undefined);
    if (place >= 0) return [found[0], KINDS[place]];
    return [found[0], WORDS.has(found[0]) ? "word" : ""];
  });
}

export function line(text, marks = []) {
  const parts = [];
  let column = 0;
  const marked = (at) => marks.some(([start, end]) => at >= start && at < end);
  for (const [token, kind] of tokens(text)) {
    const cuts = [...new Set([0, ...marks.flat().map((at) => at - column), token.length])];
    const places = cuts.filter((at) => at >= 0 && at <= token.length).sort((a, b) => a - b);
    for (let at = 0; at < places.length - 1; at++) {
      const piece = token.slice(places[at], places[at + 1]);
      const inside = marked(column + places[at]);
      if (piece) parts.push(kind || inside ? h(inside ? "mark" : "span", { class: kind ? `py-${kind}` : "" }, piece) : piece);
    }
    column += token.length;
  }
  return parts;
}

export function diff(rows) {
  if (rows === null) return h("p.quiet", {}, "The texts of this report are no longer known.");
  if (!rows.length) return h("p.quiet", {}, "The text is the same.");
  const names = { "+": "added", "-": "removed", "@": "skipped", " ": "same" };
  const body = rows.map((row) =>
    h("tr", { class: `row-${names[row.kind]}` },
      h("td.number", { "data-line": row.old ?? "" }),
      h("td.number", { "data-line": row.new ?? "" }),
      h("td.sign", { "data-sign": row.kind === "@" ? "⋯" : row.kind }, h("span.hidden", {}, names[row.kind])),
      h("td.text", {}, row.kind === "@" ? "" : line(row.text, row.marks))));
  return h("div.code", { tabindex: 0, role: "region", "aria-label": "Difference" }, h("table", {}, h("tbody", {}, body)));
}

export function excerpt(lines, at) {
  if (!lines.length) return null;
  const body = lines.map((one) =>
    h("tr", { class: one.line === at ? "row-here" : "" },
      h("td.number", { "data-line": one.line }),
      h("td.sign", { "data-sign": one.line === at ? "▸" : "" }),
      h("td.text", {}, line(one.text))));
  return h("div.code", { tabindex: 0, role: "region", "aria-label": "Source" }, h("table", {}, h("tbody", {}, body)));
}
