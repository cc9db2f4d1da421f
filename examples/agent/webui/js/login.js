// Sends name and password as JSON: a form of another site could not.
const form = document.querySelector("#login");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  const answer = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (answer.ok) location.replace("/");
  else document.querySelector("#trouble").textContent = (await answer.json()).error;
});
