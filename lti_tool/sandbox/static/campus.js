// The platform's own pages: forms that post themselves, the picker, the height of the tool's frame.
for (const form of document.querySelectorAll('form[data-auto]')) form.submit();
for (const select of document.querySelectorAll('select[data-submit]')) {
  select.addEventListener('change', () => select.form.submit());
}
const frame = document.getElementById('contentframe');
if (frame) {
  // Moodle: 600 px at first, then what is left of the viewport.
  const fit = () => {
    const top = frame.getBoundingClientRect().top + window.scrollY;
    frame.style.height = `${Math.max(420, window.innerHeight - top - 15)}px`;
  };
  window.addEventListener('resize', fit);
  fit();
}
