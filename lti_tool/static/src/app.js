// Enhancements only: every page works without this file.
import { watchCharts } from "./charts.js";
import { keepForms } from "./drafts.js";
import { openInDialog, copyButtons } from "./messages.js";
import { platformPages } from "./platform.js";
import { questionnaires } from "./survey.js";

watchCharts();
openInDialog();
copyButtons(document);
questionnaires();
platformPages();

// The tabs are wider than a telephone: the one that is open stands in the middle, as far as they go.
for (const openTab of document.querySelectorAll(".tabs [aria-current]")) {
  const [tab, bar] = [openTab, openTab.parentElement].map((box) => box.getBoundingClientRect());
  openTab.parentElement.scrollLeft += tab.left + tab.width / 2 - (bar.left + bar.width / 2);
}

// A new tab does not have this frame's cookies: ask here for an address that is good once, then open it.
for (const link of document.querySelectorAll("a[data-large]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    let address = "";
    try {
      const answer = await fetch(link.href, { method: "POST", credentials: "same-origin", headers: { "X-CSRF-Token": link.dataset.large } });
      if (answer.ok) address = (await answer.json()).address;
    } catch {
      address = "";
    }
    const tab = address ? open(address, "_blank") : null;
    if (tab) tab.opener = null;
    else location.assign(link.href);
  });
}

// A select that filters sends its form by itself; the button stays for readers without scripts.
for (const control of document.querySelectorAll("[data-submit]")) {
  control.addEventListener("change", () => control.form.requestSubmit());
}
// Tell before leaving a form with changes not yet saved; listening before drafts put changes back.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let changed = false;
  form.addEventListener("change", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
keepForms();
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
// Tick or untick everybody at once.
for (const button of document.querySelectorAll("button[data-tick]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = button.form.querySelectorAll("input[type=checkbox][name=present]");
    const tick = [...boxes].some((box) => !box.checked);
    for (const box of boxes) box.checked = tick;
  });
}
// A new tab has cookies of its own: ask for a one-time address here, then open it. Without scripts, or
// when the browser holds the tab back, the link leads to a page with that address.
for (const link of document.querySelectorAll("a.open-large")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { method: "POST", headers: { "X-CSRF-Token": link.dataset.csrf } });
      const { address } = await answer.json();
      if (open(address, "_blank")) return;
    } catch (error) {
      console.warn("new tab:", error);
    }
    location.assign(link.href);
  });
}
