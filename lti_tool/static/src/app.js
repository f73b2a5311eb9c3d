// Enhancements only: every page works without this file.
import { watchCharts } from "./charts.js";
import { openInDialog, copyButtons } from "./messages.js";

watchCharts();
openInDialog();
copyButtons(document);

// A select that filters sends its form by itself; the button stays for readers without scripts.
for (const control of document.querySelectorAll("[data-submit]")) {
  control.addEventListener("change", () => control.form.requestSubmit());
}
// Tell before leaving a form with changes not yet saved.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let changed = false;
  form.addEventListener("change", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
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
