// The platform's own pages: forms that post themselves, the picker, the height of the tool's frame.
for (const form of document.querySelectorAll('form[data-auto]')) form.submit();
for (const select of document.querySelectorAll('select[data-submit]')) {
  select.addEventListener('change', () => select.form.submit());
}
const frame = document.getElementById('contentframe');

// The tool has registered itself: its window closes, the list of tools shows it.
const registration = document.getElementById('registration');
if (registration) {
  window.addEventListener('message', (event) => {
    if (event.data?.subject === 'org.imsglobal.lti.close') location.assign(registration.dataset.list);
  });
}

// Content is chosen in a frame of the tool; what comes back fills the form of the activity.
const choose = document.querySelector('button[data-choose]');
if (choose) {
  choose.addEventListener('click', () => { frame.hidden = false; frame.src = choose.dataset.choose; });
  window.addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || !event.data?.draft) return;
    frame.hidden = true;
    const form = document.getElementById('chosen');
    form.elements.draft.value = event.data.draft;
    form.querySelector('ul').replaceChildren(...event.data.titles.map((title) => Object.assign(document.createElement('li'), { textContent: title })));
    form.hidden = event.data.titles.length === 0;
    document.getElementById('nothing').hidden = !form.hidden;
  });
}
const done = document.getElementById('done');
if (done) {
  const titles = [...done.querySelectorAll('li')].map((item) => item.textContent);
  parent.postMessage({ draft: done.dataset.draft, titles }, '*');
}
if (frame) {
  // Moodle: 600 px at first, then what is left of the viewport.
  const fit = () => {
    const top = frame.getBoundingClientRect().top + window.scrollY;
    frame.style.height = `${Math.max(420, window.innerHeight - top - 15)}px`;
  };
  window.addEventListener('resize', fit);
  fit();
}
