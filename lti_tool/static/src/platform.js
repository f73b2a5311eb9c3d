// What passes between a page of ours and the platform that frames it: a form sent on, a window closed.

// LTI Dynamic Registration 1.0, 3.7: the platform closes the window in which the tool registered.
function closeWindow() {
  (window.opener || window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, "*");
}

export function platformPages() {
  for (const button of document.querySelectorAll("button[data-close-window]")) {
    button.hidden = false;
    button.addEventListener("click", closeWindow);
    const seconds = Number(button.dataset.closeWindow);
    if (!seconds) continue;
    setTimeout(closeWindow, 1000 * seconds);
    for (const said of document.querySelectorAll("[data-closing]")) said.hidden = false;
  }
  for (const form of document.querySelectorAll("form[data-auto]")) form.submit();
  // What belongs to a choice shows with it; without this file everything shows.
  for (const part of document.querySelectorAll("[data-shown-with]")) {
    const boxes = [...document.querySelectorAll(part.dataset.shownWith)];
    const show = () => { part.hidden = !boxes.some((box) => box.checked); };
    for (const box of document.querySelectorAll("input[name=what], input[name=module]")) box.addEventListener("change", show);
    show();
  }
}
