// Small helpers. Text is always set as text: a file may be named <script>.

export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [name, one] of Object.entries(value)) element.style.setProperty(name, one);
    else if (key === "class") element.classList.add(...value.split(" ").filter(Boolean));
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(path, { size = 16, label } = {}) {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  const set = (element, values) => Object.entries(values).forEach(([key, value]) => element.setAttribute(key, value));
  set(icon, { viewBox: "0 0 16 16", width: size, height: size, fill: "none", stroke: "currentColor" });
  set(icon, { "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" });
  set(icon, label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" });
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  icon.append(line);
  return icon;
}

export const ICONS = {
  committed: "M3 8.5l3.2 3.2L13 4.8",
  unchanged: "M3.5 6.2h9M3.5 9.8h9",
  refused: "M8 4.2v4.6M8 11.8v.1",
  "rolled back": "M3.2 6.5h6.3a3.3 3.3 0 010 6.6H6M3.2 6.5l3-3M3.2 6.5l3 3",
  event: "M8 5.2a2.8 2.8 0 110 5.6 2.8 2.8 0 010-5.6z",
  reload: "M12.8 5.6A5.2 5.2 0 103 9.3M13 2.6v3.2H9.8",
  pause: "M5.7 3.6v8.8M10.3 3.6v8.8",
  play: "M5 3.6l7 4.4-7 4.4z",
  open: "M6.2 3.5h-3v9.3h9.3v-3M9 3.2h3.8V7M12.6 3.4L7.4 8.6",
  down: "M3.8 6.2L8 10.4l4.2-4.2",
  close: "M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6",
  back: "M9.8 3.8L5.6 8l4.2 4.2",
  timeline: "M3 3.5v9M6 4.5h7M6 8h5M6 11.5h7",
  graph: "M4 4.2h.1M12 4.2h.1M8 12h.1M5 5.4l2.4 5M11 5.4l-2.4 5M5.6 4.2h4.8",
  versions: "M8 4.6V8l2.4 1.6M3 8a5 5 0 105-5c-1.9 0-3.5 1-4.3 2.5M3.2 2.8v2.9H6",
  speed: "M2.8 11.8a5.6 5.6 0 1110.4 0M8 9.6l2.6-3.4",
  tests: "M5.8 2.8h4.4M6.6 2.8v3.6L3.4 12a1 1 0 00.9 1.4h7.4a1 1 0 00.9-1.4L9.4 6.4V2.8M5 9.6h6",
  settings: "M3 5h6.4M12 5h1M3 11h1M6.6 11H13M10.7 3.6v2.8M5.3 9.6v2.8",
};

export const icon = (name, options) => svg(ICONS[name] ?? ICONS.event, options);

export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export function clock(at) {
  return new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

// The date only where it is another day's.
export function day(at) {
  const then = new Date(at * 1000);
  return then.toDateString() === new Date().toDateString() ? "" : `${then.toLocaleDateString()} `;
}

export function ms(value) {
  if (value === undefined) return "";
  if (value >= 1000) return `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s`;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let place = 0;
  while (bytes >= 1024 && place < units.length - 1) [bytes, place] = [bytes / 1024, place + 1];
  return `${bytes < 100 && place ? bytes.toFixed(1).replace(/\.0$/, "") : Math.round(bytes)} ${units[place]}`;
}

// A report in a few words: what it was about.
export function subject(report) {
  const names = Object.keys(report.modules);
  const did = names.filter((name) => ["ran", "grafted", "rebound", "removed"].some((key) => report.modules[name][key].length));
  const shown = did.length ? did : names;
  if (!shown.length) return report.problems[0] ? base(report.problems[0].path) : "nothing had changed";
  return shown.length > 2 ? `${shown.slice(0, 2).join(", ")} +${shown.length - 2}` : shown.join(", ");
}

export const base = (path) => path.split("/").pop();

export function below(path, root) {
  return root && path.startsWith(root + "/") ? path.slice(root.length + 1) : path;
}

export function where(problem, root) {
  return below(problem.path, root) + (problem.line ? `:${problem.line}` : "");
}
