// The little that HTML cannot say. Everything works without it.
const byId = (id) => document.getElementById(id);

const panelOf = (event) => event.detail?.ctx?.sourceElement?.closest?.(".explain");

// No answer at all: say so, and leave what was typed alone.
document.addEventListener("htmx:error", (event) => {
  const errors = panelOf(event) ? null : byId("errors");
  if (!errors || errors.querySelector(".failure")) return;
  const box = document.createElement("div");
  box.className = "failure";
  const text = document.createElement("p");
  text.className = "failure-title";
  text.textContent = "Could not reach the server";
  const again = document.createElement("button");
  again.className = "button";
  again.type = "submit";
  again.setAttribute("form", "case");
  again.textContent = "Try again";
  box.append(text, again);
  errors.replaceChildren(box);
});

// Screen readers wait while the answer is on its way.
const busy = (state) => (event) => (panelOf(event) ?? byId("answer"))?.setAttribute("aria-busy", state);
document.addEventListener("htmx:before:request", busy("true"));
document.addEventListener("htmx:finally:request", busy("false"));

// Typing a value means that it is known.
document.addEventListener("input", ({ target }) => {
  const unknown = byId(`${target.id}-unknown`);
  if (unknown && target.value) unknown.checked = false;
});

// A panel that gets no answer says so; nor is a number left beside a slider that has moved on without one.
document.addEventListener("htmx:error", (event) => {
  const result = panelOf(event)?.querySelector(".try-result, .waiting");
  if (!result) return;
  const text = document.createElement("span");
  text.className = "error";
  text.setAttribute("role", "alert");
  text.textContent = "Could not reach the server. Try again in a moment.";
  result.replaceChildren(text);
});

// A slider says where it stands while it is moved.
document.addEventListener("input", ({ target }) => {
  const shown = byId(`${target.id}-output`);
  if (shown) shown.value = target.value;
});

// A link far below that changes the case leads to the answer about it. It is gone once the answer is there.
document.addEventListener("htmx:after:request", ({ detail }) => {
  if (detail?.ctx?.sourceElement?.matches?.(".to-answer")) detail.ctx.leadsToAnswer = true;
});
document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (detail?.ctx?.leadsToAnswer) byId("answer")?.focus();
});
