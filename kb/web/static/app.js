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

showButtons();
