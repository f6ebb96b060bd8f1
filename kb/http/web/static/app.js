// What makes the pages quicker; every page works without it. No markup is made from text here.
"use strict";

function say(text) {
  let live = document.getElementById("besked");
  if (!live) {
    live = document.createElement("p");
    live.id = "besked";
    live.setAttribute("role", "status");
    live.className = "status-message";
    document.body.append(live);
  }
  live.textContent = text;
  window.setTimeout(() => { live.textContent = ""; }, 4000);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https the clipboard is closed to pages, but a selected field can still be copied.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr-only";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) {
      say("Teksten kunne ikke kopieres. Markér den, og kopiér den selv.");
      return;
    }
  }
  say("Kopieret med kilde.");
}

function showButtons() {
  for (const button of document.querySelectorAll("[data-copy], [data-print]")) {
    button.hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (!button) {
    return;
  }
  if (button.hasAttribute("data-print")) {
    window.print();
  } else {
    const focus = button;
    copy(button.closest("[data-citation]").dataset.citation).then(() => focus.focus());
  }
});

// A reference opens its source just below, so that the reader keeps the place; without script it leads to the source.
function toggleSource(link) {
  const open = document.getElementById(link.getAttribute("aria-controls") || "");
  if (open) {
    open.remove();
    link.removeAttribute("aria-controls");
    link.setAttribute("aria-expanded", "false");
    return;
  }
  const source = document.getElementById(link.dataset.cite);
  const block = link.closest("p, dd, li");
  if (!source || !block) {
    return;
  }
  const box = document.createElement("div");
  box.className = "cite-open";
  box.id = `aaben-${Math.random().toString(36).slice(2)}`;
  box.append(...source.lastElementChild.cloneNode(true).childNodes);
  if (block.tagName === "P") {
    block.after(box);
  } else {
    block.append(box);
  }
  link.setAttribute("aria-controls", box.id);
  link.setAttribute("aria-expanded", "true");
}

function prepareReferences() {
  for (const link of document.querySelectorAll("a[data-cite]")) {
    link.setAttribute("role", "button");
    link.setAttribute("aria-expanded", "false");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-cite]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    toggleSource(link);
  }
});

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("a[data-cite]");
  if (link && event.key === " ") {
    event.preventDefault();
    toggleSource(link);
  }
});

// A run's page keeps itself fresh.
async function follow(area) {
  const response = await fetch(area.dataset.job, { headers: { Accept: "application/json" } });
  if (!response.ok) {
    return;
  }
  const job = await response.json();
  if (job.over) {
    window.location.reload();
    return;
  }
  const state = document.getElementById("tilstand");
  const text = `${job.state}: ${job.stage}`;
  if (state.textContent !== text) {
    state.textContent = text;
  }
  const bar = document.getElementById("fremdrift");
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  } else {
    bar.removeAttribute("value");
  }
  for (const cell of area.querySelectorAll("[data-file]")) {
    const state = job.files[cell.dataset.file].state;
    cell.textContent = state.charAt(0).toUpperCase() + state.slice(1);
  }
  window.setTimeout(() => follow(area), 700);
}

function prepareDrop(form) {
  const field = form.querySelector("input[type=file]");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) {
        field.files = event.dataTransfer.files;
      }
    });
  }
}

for (const area of document.querySelectorAll("[data-job]")) {
  follow(area);
}
for (const form of document.querySelectorAll("form[data-drop]")) {
  prepareDrop(form);
}

// Beside the text there is room for filters and contents; above it they would push it away.
function foldOnNarrow() {
  if (window.matchMedia("(max-width: 991px)").matches) {
    for (const details of document.querySelectorAll("details[data-fold]")) {
      details.open = false;
    }
  }
}

// What a reader would unfold on the screen is on the paper; the style sheet does it where the browser lets it.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details[data-open-in-print]:not([open])")) {
    details.open = true;
    details.dataset.openedToPrint = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-opened-to-print]")) {
    details.open = false;
    delete details.dataset.openedToPrint;
  }
});

showButtons();
prepareReferences();
foldOnNarrow();
