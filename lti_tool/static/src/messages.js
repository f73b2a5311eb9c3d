// The drafted message opens beside the list instead of in its place, and is copied in one click.

export function copyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = root.querySelector(button.dataset.copy);
      const done = root.querySelector("[data-copied]");
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        // The clipboard is refused to most iframes: selecting is the way that always works.
        field.focus();
        field.select();
        document.execCommand("copy");
      }
      done.textContent = button.dataset.done;
    });
  }
}

export function openInDialog() {
  if (typeof HTMLDialogElement === "undefined") return;
  for (const link of document.querySelectorAll("a[data-dialog]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      show(link);
    });
  }
}

async function show(link) {
  let part = null;
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      part = page.querySelector("[data-part=message]");
    }
  } catch {
    part = null;
  }
  if (!part) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.append(document.adoptNode(part));
  dialog.setAttribute("aria-labelledby", "message-title");
  const form = dialog.querySelector("[data-close]");
  if (form) {
    form.hidden = false;
    form.addEventListener("click", () => dialog.close());
  }
  for (const back of dialog.querySelectorAll("[data-back]")) back.hidden = true;
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  document.body.append(dialog);
  copyButtons(dialog);
  dialog.showModal();
}
