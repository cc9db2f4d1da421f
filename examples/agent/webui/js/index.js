// The chat page: what the server said is shown as text, never as markup.
const at = (id) => document.getElementById(id);
const form = at("composer"), field = at("text");

let context = sessionStorage.getItem("context");
if (!context) startContext();

function startContext() {
  context = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("context", context);
}

async function ask(endpoint, input = {}) {
  const body = JSON.stringify({ context, ...input });
  const answer = await fetch(`/${endpoint}`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (answer.status === 401) location.replace("/login");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text ?? "";
  return made;
}

function show(message) {
  const item = element("li", message.role);
  for (const step of message.steps ?? []) item.append(stepOf(step));
  item.append(element("p", "text", message.text));
  at("messages").append(item);
  at("welcome").hidden = true;
  item.scrollIntoView({ block: "end" });
}

function stepOf(step) {
  const details = document.createElement("details");
  details.append(element("summary", "", `Used ${step.tool}`));
  details.append(element("pre", "", `${JSON.stringify(step.args)}\n${step.result ?? ""}`));
  return details;
}

async function load() {
  const chat = await ask("history");
  at("title").textContent = chat.title ?? "";
  at("model").textContent = `Model: ${chat.model}`;
  at("greeting").textContent = chat.greeting;
  at("tools").replaceChildren(...chat.tools.map(toolButton));
  at("messages").replaceChildren();
  at("welcome").hidden = chat.messages.length > 0;
  chat.messages.forEach(show);
}

function toolButton(name) {
  const button = element("button", "", name);
  button.type = "button";
  button.addEventListener("click", () => {
    field.value = `${name} `;
    field.focus();
  });
  return button;
}

async function send(text) {
  show({ role: "user", text });
  form.querySelector("button").disabled = true;
  try {
    const { title, message } = await ask("message", { text });
    at("title").textContent = title ?? "";
    show(message);
  } catch (error) {
    show({ role: "trouble", text: error.message });
  } finally {
    form.querySelector("button").disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text || form.querySelector("button").disabled) return;
  field.value = "";
  send(text);
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

at("reset").addEventListener("click", async () => {
  await ask("chat_reset");
  startContext();
  await load();
  field.focus();
});

load().catch((error) => show({ role: "trouble", text: error.message }));
