// Shows only what is asked for: one verdict, a part of an id. Without this script everything is there.
const chosen = new Set();
const search = document.querySelector('.filters input');
const buttons = [...document.querySelectorAll('.filters button')];

function show() {
  const part = search.value.trim().toLowerCase();
  for (const check of document.querySelectorAll('details')) {
    const isChosen = chosen.size === 0 || chosen.has(check.dataset.verdict);
    check.hidden = !isChosen || !check.id.includes(part);
  }
  for (const section of document.querySelectorAll('section')) {
    section.hidden = [...section.querySelectorAll('details')].every((check) => check.hidden);
  }
}

for (const button of buttons) {
  button.addEventListener('click', () => {
    const { verdict } = button.dataset;
    if (!chosen.delete(verdict)) chosen.add(verdict);
    button.setAttribute('aria-pressed', String(chosen.has(verdict)));
    show();
  });
}
search.addEventListener('input', show);
document.querySelector('.filters').hidden = false;
