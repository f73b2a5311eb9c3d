// What was changed in a form and not yet saved stays in this tab, until it is saved: a session that ends, or
// a frame that is loaded again, then loses nothing. Only what differs from what the server had is kept.

const PREFIX = "estime-form-";
const LONGEST = 24 * 60 * 60 * 1000;

// Storage may be refused (frames in strict browsers): then leaving asks first, as it always does.
function held(work, otherwise) {
  try {
    return work(globalThis.sessionStorage);
  } catch {
    return otherwise;
  }
}

// The part of an address that stays the same from one launch to the next.
function place(address) {
  const { pathname, search } = new URL(address, location.href);
  const found = /\/c\/[^/]+\/(.*)$/.exec(pathname);
  return found ? found[1] + search : "";
}

function drafts() {
  return held((storage) => Object.keys(storage).filter((key) => key.startsWith(PREFIX)).map((key) => {
    try {
      return { key, ...JSON.parse(storage.getItem(key)) };
    } catch {
      return { key };
    }
  }), []);
}

function write(draft) {
  const { key, ...rest } = draft;
  held((storage) => storage.setItem(key, JSON.stringify(rest)));
}

function drop(key) {
  held((storage) => storage.removeItem(key));
}

// --- fields ---

const ticked = (field) => field.type === "checkbox" || field.type === "radio";

function usual(field) {
  if (ticked(field)) return field.defaultChecked;
  if (field.tagName === "SELECT") return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value;
  return field.defaultValue;
}

const current = (field) => (ticked(field) ? field.checked : field.value);

// A line of a table is known by what it is about, not by its rank: others may have moved it meanwhile.
function fieldsOf(form) {
  const found = new Map();
  for (const field of form.elements) {
    if (!field.name || ["hidden", "submit", "button", "file", "password"].includes(field.type) || field.tagName === "FIELDSET") continue;
    const row = field.closest("tr")?.querySelector("input[name=iri]")?.value ?? "";
    const name = row ? field.name.replace(/-\d+$/, "") : field.name;
    found.set(JSON.stringify([row, name, ticked(field) ? field.value : ""]), field);
  }
  return found;
}

class Draft {
  constructor(form, person) {
    this.form = form;
    const about = form.querySelector("input[type=hidden][name=gathering]")?.value ?? "";
    this.key = `${PREFIX}${person}-${place(form.action)}-${about}`;
    const kept = drafts().find((draft) => draft.key === this.key);
    // A form that comes back with its faults shown holds what was sent.
    if (kept && form.querySelector("[aria-invalid], .fault")) drop(this.key);
    else if (kept) this.restore(kept);
    form.addEventListener("input", () => this.keep());
    form.addEventListener("change", () => this.keep());
    form.addEventListener("click", (event) => { if (event.target.closest("button[type=button]")) setTimeout(() => this.keep()); });
    form.addEventListener("submit", () => this.keep(Date.now()));
  }

  restore(kept) {
    const fields = fieldsOf(this.form);
    let count = 0;
    for (const [id, was, value] of kept.fields ?? []) {
      const field = fields.get(id);
      // What somebody else has saved meanwhile is not undone.
      if (!field || usual(field) !== was || current(field) === value) continue;
      if (ticked(field)) field.checked = value;
      else field.value = value;
      count += 1;
    }
    if (!count) return drop(this.key);
    this.keep();
    this.form.dispatchEvent(new Event("change"));
    const forget = document.createElement("button");
    forget.type = "button";
    forget.className = "small";
    forget.textContent = document.body.dataset.undo;
    forget.addEventListener("click", () => { this.form.reset(); drop(this.key); said.remove(); });
    const said = tell(document.body.dataset.restored, forget);
    said.dataset.restoredNotice = "";
  }

  keep(sent) {
    const changed = [...fieldsOf(this.form)].map(([id, field]) => [id, usual(field), current(field)]).filter(([, was, value]) => was !== value);
    if (changed.length) write({ key: this.key, fields: changed, page: place(location.href), at: Date.now(), sent });
    else drop(this.key);
  }
}

function tell(text, ...more) {
  const said = document.createElement("p");
  said.className = "notice";
  said.setAttribute("role", "status");
  said.append(text, " ", ...more);
  document.querySelector("main").prepend(said);
  return said;
}

// --- a session that has ended ---

// A form is sent once the session is known to be open; else the page stays as it is, with what to do. A launch
// of the same person in the same browser, in another tab, opens it again.
function waitForSession(form, alive) {
  let sure = false;
  form.addEventListener("submit", async (event) => {
    if (sure || event.defaultPrevented) return;
    event.preventDefault();
    const ended = await endedSession(alive);
    if (ended) {
      form.dispatchEvent(new Event("change"));
      tellEnded(ended.back);
      return;
    }
    sure = true;
    const by = event.submitter;
    form.requestSubmit(by?.form === form ? by : undefined);
    sure = false;
  });
}

export async function endedSession(alive) {
  try {
    const answer = await fetch(alive, { credentials: "same-origin", signal: AbortSignal.timeout(20000) });
    if (answer.status !== 401) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { back: page.querySelector("a[target=_top]")?.href ?? "" };
  } catch {
    return null;
  }
}

export function aliveOf(address) {
  return /^.*?\/c\/[^/]+\//.exec(address)?.[0].concat("alive") ?? "";
}

export function tellEnded(back) {
  document.querySelector("[data-ended-notice]")?.remove();
  const more = [];
  if (back) {
    const link = document.createElement("a");
    link.href = back;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = document.body.dataset.course;
    more.push(link);
  }
  const said = tell(document.body.dataset.ended, ...more);
  said.dataset.endedNotice = "";
  said.classList.add("warn");
  said.scrollIntoView({ block: "center" });
}

// --- pages ---

export function keepForms() {
  for (const draft of drafts()) if (!(Date.now() - draft.at < LONGEST)) drop(draft.key);
  if ("failed" in document.body.dataset) return interrupted();
  const person = document.body.dataset.person;
  if (!person) return;
  if (new URLSearchParams(location.search).has("done")) {
    for (const draft of drafts()) if (draft.sent && draft.key.startsWith(`${PREFIX}${person}-`)) drop(draft.key);
  }
  const alive = aliveOf(location.pathname);
  for (const form of document.querySelectorAll("form[method=post]:not([data-survey]):not([data-auto])")) waitForSession(form, alive);
  const here = [...document.querySelectorAll("form[data-guard]")].map((form) => new Draft(form, person).key);
  for (const draft of drafts()) if (draft.interrupted && draft.key.startsWith(`${PREFIX}${person}-`) && !here.includes(draft.key)) offer(draft);
}

// The page that came instead of the one expected: what was sent with it was not saved.
function interrupted() {
  const left = drafts().filter((draft) => draft.sent || Date.now() - draft.at < LONGEST);
  for (const draft of left) write({ ...draft, sent: undefined, interrupted: true });
  const answers = left.length || held(() => Object.keys(localStorage).some((name) => name.startsWith("estime-draft-")), false);
  const said = document.querySelector("[data-kept-forms]");
  if (said && answers) said.hidden = false;
}

function offer(draft) {
  const course = (address) => /(?:^|\/)courses\/(-?\d+)\//.exec(address)?.[1];
  const front = /^.*?\/c\/[^/]+\//.exec(location.pathname)?.[0];
  const other = course(draft.page) && course(location.pathname) && course(draft.page) !== course(location.pathname);
  if (!front || other) return;
  const link = document.createElement("a");
  link.href = front + draft.page;
  link.textContent = document.body.dataset.resume;
  tell(document.body.dataset.unsaved, link);
}
