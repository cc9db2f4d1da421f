// The chat page: what the server said is shown as text, never as markup.
const at = (id) => document.getElementById(id);
const form = at("composer"), field = at("text");

const LOOK_EVERY_MS = 2000; // another tab may show the same chat

// ?chat=NAME opens a chat by its name; else each tab has one of its own.
let context = new URLSearchParams(location.search).get("chat") || sessionStorage.getItem("context");
let shown = 0;
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
  shown += 1;
  scrollTo(0, document.documentElement.scrollHeight);
}

function stepOf(step) {
  const details = document.createElement("details");
  details.append(element("summary", "", `Used ${step.tool}`));
  details.append(element("pre", "", `${JSON.stringify(step.args)}\n${step.result ?? ""}`));
  return details;
}

async function load() {
  render(await ask("history"));
}

function render(chat) {
  at("title").textContent = chat.title ?? "";
  at("model").textContent = `Model: ${chat.model}`;
  at("greeting").textContent = chat.greeting;
  at("tools").replaceChildren(...chat.tools.map(toolButton));
  at("messages").replaceChildren();
  shown = 0;
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
  history.replaceState(null, "", "/");
  startContext();
  await load();
  field.focus();
});

setInterval(async () => {
  if (document.hidden || form.querySelector("button").disabled) return;
  const chat = await ask("history").catch(() => null); // the server is restarting
  if (chat && chat.context === context && chat.messages.length !== shown) render(chat);
}, LOOK_EVERY_MS);

load().catch((error) => show({ role: "trouble", text: error.message }));
