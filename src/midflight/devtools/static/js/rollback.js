// Going back: first what it would do, then one click.

import { h, icon, plural } from "./dom.js";

// `target` is the body of api/rollback: {version} or {modules}.
export async function goBack(app, target, to) {
  const body = h("div.body", {}, h("p.quiet", {}, "Asking what that would do…"));
  const act = h("button.button.main", { type: "button", disabled: true, onclick: () => done() }, icon("rolled back"), "Go back");
  const dialog = h("dialog.go-back", { "aria-labelledby": "go-back-title" },
    h("h2", { id: "go-back-title" }, `Go back to ${to}?`), body,
    h("footer", {}, h("button.button", { type: "button", onclick: () => dialog.close() }, "Cancel"), act));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();

  async function done() {
    act.disabled = true;
    const report = await app.act("api/rollback", target, (one) => one.outcome === "unchanged" ? "It is there already." : one.ok ? "The program went back." : "It could not go back.");
    dialog.close();
    if (report && report.outcome !== "unchanged") location.hash = `#/timeline/${report.id}`;
  }

  try {
    const plan = await app.line.post("api/plan", { stable: true, ...target });
    body.replaceChildren(...planned(plan));
    act.disabled = plan.problems.length > 0;
    if (!act.disabled) act.focus();
  } catch (error) {
    body.replaceChildren(h("p.message", {}, error.what), h("p.quiet", {}, [error.why, error.hint].filter(Boolean).join(" ")));
  }
}

export function planned(plan) {
  if (plan.problems.length) return plan.problems.map((one) => h("p.message", {}, `${one.path}:${one.line} ${one.message}`));
  const parts = [];
  if (!plan.steps.length) parts.push(h("p", {}, "The program runs that already, down to every statement; only files would be written."));
  else parts.push(h("p", {}, `${plural(plan.steps.length, "step")}, all of them or none:`), h("ol.plan", {}, plan.steps.slice(0, 200).map(step)));
  if (plan.kept.length) parts.push(h("p", {}, "Kept as it is:"), h("ul.plan", {}, plan.kept.map((one) => h("li", {}, h("code.name", {}, one.name), " ", one.because))));
  return parts;
}

function step(one) {
  return h("li", {}, h("span.kind", { class: `kind-${{ run: "ran", graft: "grafted", rebind: "rebound", remove: "removed" }[one.action] ?? "moved"}` }, one.action),
    h("code.name", {}, `${one.module}.${one.name}`), one.because ? h("span.quiet", {}, ` ${one.because}`) : null);
}
