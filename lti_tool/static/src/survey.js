// A questionnaire: one question a screen when narrow, drafts kept here, an answer sent once. Without this
// file the form is one page that the browser sends by itself.

import { aliveOf, endedSession, tellEnded } from "./drafts.js";

const NARROW = "(max-width: 760px)";
const PREFIX = "estime-draft-";

// Storage may be refused (private windows, settings): then there is no draft, and all else works.
function stored(work, otherwise) {
  try {
    return work(globalThis.localStorage);
  } catch {
    return otherwise;
  }
}

function forget(name) {
  stored((storage) => storage.removeItem(name));
}

// Nobody's opinion stays on a shared computer once its questionnaire is over.
function sweep() {
  stored((storage) => {
    for (const name of Object.keys(storage).filter((key) => key.startsWith(PREFIX))) {
      let closes = 0;
      try {
        closes = Date.parse(JSON.parse(storage.getItem(name)).closes);
      } catch {
        closes = 0;
      }
      if (!(closes > Date.now())) storage.removeItem(name);
    }
  });
}

class Questionnaire {
  constructor(form) {
    this.form = form;
    this.name = form.dataset.draft;
    this.questions = [...form.querySelectorAll("[data-question]")];
    this.part = (name) => form.querySelector(`[data-${name}]`);
    this.send = this.part("send");
    this.sending = false;
    this.failed = false;
    this.at = Math.max(0, this.questions.findIndex((item) => item.hasAttribute("aria-invalid") || item.querySelector("[aria-invalid]")));
    // What was chosen before this script came is kept, and no draft takes its place.
    if (this.touched()) this.keep();
    else this.restore();
    this.narrow = matchMedia(NARROW);
    this.narrow.addEventListener("change", () => this.show());
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    form.addEventListener("submit", (event) => this.submit(event));
    // Where storage is refused (frames, in strict browsers) leaving would lose what is written: ask first.
    addEventListener("beforeunload", (event) => { if (this.unsaved && !this.sending) event.preventDefault(); });
    form.addEventListener("keydown", (event) => this.key(event));
    this.part("next").addEventListener("click", () => this.next());
    this.part("previous").addEventListener("click", () => this.move(this.at - 1));
    this.part("forget").addEventListener("click", () => { forget(this.name); form.reset(); this.part("kept").hidden = true; });
    this.show();
    form.noValidate = true;
  }

  // --- drafts ---

  touched() {
    return [...this.form.elements].some((field) => ["radio", "checkbox"].includes(field.type) ? field.checked !== field.defaultChecked : field.tagName === "TEXTAREA" && field.value !== field.defaultValue);
  }

  restore() {
    const kept = stored((storage) => JSON.parse(storage.getItem(this.name)), null);
    if (!kept || typeof kept.values !== "object" || this.form.querySelector("[aria-invalid]")) return;
    for (const [name, value] of Object.entries(kept.values)) {
      const fields = this.form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
      for (const field of fields) {
        if (["radio", "checkbox"].includes(field.type)) field.checked = [value].flat().includes(field.value);
        else if (field.tagName === "TEXTAREA") field.value = value;
      }
    }
    // An answer that left without a word back is sent again under its own number, and counts once.
    if (kept.attempt) this.form.elements.attempt.value = kept.attempt;
    this.failed = Boolean(kept.attempt);
    this.part("kept").hidden = false;
  }

  values() {
    const found = {};
    // Boxes ticked together share a name: then the value is a list.
    for (const [name, value] of new FormData(this.form)) {
      if (name.startsWith("q-") && value) found[name] = name in found ? [found[name], value].flat() : value;
    }
    return found;
  }

  keep(attempt) {
    if ("preview" in this.form.dataset) return;
    const draft = { values: this.values(), closes: this.form.dataset.closes, attempt };
    const done = stored((storage) => { storage.setItem(this.name, JSON.stringify(draft)); return true; }, false);
    this.unsaved = !done;
    if (done) this.part("kept").hidden = false;
  }

  changed() {
    // What is changed after a first sending is another answer, which takes the place of the first.
    if (this.failed && globalThis.crypto?.randomUUID) {
      this.form.elements.attempt.value = crypto.randomUUID();
      this.failed = false;
    }
    this.keep();
    for (const question of this.questions) if (this.answered(question)) this.fault(question, false);
  }

  // --- one question a screen ---

  show() {
    const narrow = this.narrow.matches;
    const last = this.questions.length - 1;
    this.form.classList.toggle("stepping", narrow);
    this.questions.forEach((question, rank) => { question.hidden = narrow && rank !== this.at; });
    this.part("about").hidden = narrow && this.at > 0;
    const progress = this.part("progress");
    progress.hidden = !narrow;
    progress.textContent = progress.dataset.text.replace("{n}", this.at + 1).replace("{total}", last + 1);
    this.part("previous").hidden = !narrow || this.at === 0;
    this.part("next").hidden = !narrow || this.at === last;
    this.send.hidden = narrow && this.at !== last;
  }

  move(to) {
    this.at = Math.min(Math.max(to, 0), this.questions.length - 1);
    this.show();
    const question = this.questions[this.at];
    question.querySelector(".asked").focus({ preventScroll: true });
    this.form.scrollIntoView({ block: "start" });
  }

  next() {
    const question = this.questions[this.at];
    if (this.missing(question)) this.complain(question);
    else this.move(this.at + 1);
  }

  key(event) {
    if (event.key !== "Enter" || !this.narrow.matches || !["radio", "checkbox"].includes(event.target.type)) return;
    event.preventDefault();
    if (this.at < this.questions.length - 1) this.next();
    else this.form.requestSubmit();
  }

  // --- faults ---

  answered(question) {
    const rows = [...question.querySelectorAll("[data-row]")];
    if (rows.length) return rows.every((row) => row.querySelector("input:checked"));
    return Boolean(question.querySelector("input:checked")) || Boolean(question.querySelector("textarea")?.value);
  }

  missing(question) {
    return "required" in question.dataset && !this.answered(question);
  }

  fault(question, there) {
    const said = question.querySelector(".fault");
    said.hidden = !there;
    if (there) {
      said.textContent = said.dataset.fault;
      question.setAttribute("aria-invalid", "true");
    } else {
      question.removeAttribute("aria-invalid");
    }
  }

  complain(question) {
    this.fault(question, true);
    const blank = [...question.querySelectorAll("[data-row]")].find((row) => !row.querySelector("input:checked"));
    (blank ?? question).querySelector("input, textarea").focus();
  }

  // --- sending ---

  async submit(event) {
    event.preventDefault();
    if (this.sending || "preview" in this.form.dataset) return;
    const wrong = this.questions.findIndex((question) => this.missing(question));
    if (wrong >= 0) {
      if (this.narrow.matches) this.move(wrong);
      this.complain(this.questions[wrong]);
      return;
    }
    this.busy(true);
    this.part("failed").hidden = true;
    this.keep(this.form.elements.attempt.value);
    let answer = null;
    try {
      answer = await fetch(this.form.action, { method: "POST", body: new URLSearchParams(new FormData(this.form)), credentials: "same-origin", signal: AbortSignal.timeout(20000) });
    } catch {
      answer = null;
    }
    if (answer?.ok && answer.redirected) {
      forget(this.name);
      location.assign(answer.url);
    } else if (answer?.status === 401) {
      // The session has ended: what is written stays on the screen, to be sent once it is open again.
      const ended = await endedSession(aliveOf(location.pathname));
      this.failed = true;
      this.busy(false);
      tellEnded(ended?.back ?? "");
    } else if (answer && answer.status < 500) {
      // A refusal: its page says why and keeps what was written. Sent again by the browser, to be shown.
      HTMLFormElement.prototype.submit.call(this.form);
    } else {
      this.failed = true;
      this.busy(false);
      this.send.textContent = this.send.dataset.retry;
      this.part("failed").hidden = false;
      this.send.focus();
    }
  }

  busy(on) {
    this.sending = on;
    this.send.setAttribute("aria-disabled", String(on));
    this.label ??= this.send.textContent;
    this.send.textContent = on ? this.send.dataset.sending : this.label;
  }
}

export function questionnaires() {
  sweep();
  const thanks = document.querySelector("[data-drop-draft]");
  if (thanks) forget(thanks.dataset.dropDraft);
  for (const form of document.querySelectorAll("form[data-survey]")) new Questionnaire(form);
  // A page that comes back from the browser's memory holds an attempt already sent.
  addEventListener("pageshow", (event) => { if (event.persisted && document.querySelector("form[data-survey]")) location.reload(); });
}
