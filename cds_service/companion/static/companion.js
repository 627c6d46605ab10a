// The companion's page: sends an answer, shows what the server made of it. Nothing is decided here; every piece of HTML
// comes from our own server, escaped there.

const { path, key } = document.body.dataset;
const $ = (id) => document.getElementById(id);

function say(text, kind = '') {
  $('status').textContent = text;
  $('status').dataset.kind = kind;
}

function blank() {
  document.title = 'Calcinosis companion';
  const text = document.createElement('p');
  text.className = 'blank';
  text.textContent = 'This session has ended, or another patient was opened. Open the companion again from a card.';
  document.body.replaceChildren(text);
}

async function post(what, body) {
  const answer = await fetch(`${path}/${what}`, {
    method: 'POST', credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', 'X-Companion-Key': key }, body: JSON.stringify(body),
  });
  if (answer.status === 410) { blank(); throw new Error('ended'); }
  const found = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(found?.issue?.[0]?.diagnostics ?? String(answer.status));
  return found;
}

function show(id, html) {
  $(id).replaceChildren(...new DOMParser().parseFromString(html, 'text/html').body.childNodes);
}

async function send(what, body, done) {
  say('One moment …');
  document.body.setAttribute('aria-busy', 'true');
  try {
    const found = await post(what, body);
    if (found.live) {
      show('live', found.live);
      show('dialogue', found.dialogue);
      $('question').focus({ preventScroll: false });
    }
    say(done(found));
  } catch (error) { if (error.message !== 'ended') say(`Not done: ${error.message}`, 'error'); } finally { document.body.removeAttribute('aria-busy'); }
}

const verdict = () => `Grade: ${document.querySelector('.verdict').dataset.grade}.`;
const answer = (question, answers) => send('answers', { question, answers }, verdict);

function toggle(region) {
  region.setAttribute('aria-checked', String(region.getAttribute('aria-checked') !== 'true'));
  const chosen = [...document.querySelectorAll('.region[aria-checked=true]')].map((one) => one.getAttribute('aria-label'));
  $('chosen').textContent = chosen.join(', ') || 'none';
}

document.addEventListener('click', (event) => {
  const region = event.target.closest('.region');
  if (region) { toggle(region); return; }
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.answer) answer(button.closest('[data-question]').dataset.question, [button.dataset.answer]);
  else if (button.dataset.forget) answer(button.dataset.forget, []);
  else if (button.dataset.ask) { $('typed').value = button.dataset.ask; $('ask').requestSubmit(); }
  else if (button.id === 'copy') navigator.clipboard.writeText($('summary').value).then(() => say('Copied.'), () => { $('summary').select(); say('Press Ctrl+C to copy.'); });
});

document.addEventListener('keydown', (event) => {
  const region = event.target.closest?.('.region');
  if (region && [' ', 'Enter'].includes(event.key)) { event.preventDefault(); toggle(region); }
});

document.addEventListener('change', (event) => {
  const box = event.target;
  if (box.name !== 'several' || !box.checked) return;
  const alone = 'alone' in box.dataset;
  for (const other of box.form.querySelectorAll('input[name=several]')) {
    if (other !== box && (alone || 'alone' in other.dataset)) other.checked = false;
  }
});

document.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.id === 'ask') ask();
  else if (form.id === 'save') send('save', { consent: $('consent').checked }, () => document.getElementById('saved')?.textContent ?? 'Saved.');
  else {
    const question = form.closest('[data-question]').dataset.question;
    const chosen = form.className === 'number' ? [form.elements.number.value]
      : [...form.querySelectorAll('input:checked')].map((box) => box.value)
        .concat([...form.querySelectorAll('.region[aria-checked=true]')].map((region) => region.dataset.site));
    if (chosen.length) answer(question, chosen); else say('Choose at least one answer.', 'error');
  }
});

async function ask() {
  const question = $('typed').value.trim();
  if (!question) return;
  say('Looking it up …');
  try {
    const { reply } = await post('questions', { question });
    $('replies').prepend(...new DOMParser().parseFromString(reply, 'text/html').body.children);
    $('typed').value = '';
    say('Answered below.');
  } catch (error) { if (error.message !== 'ended') say(`Not answered: ${error.message}`, 'error'); }
}

// the page goes blank once its session ended or another patient was opened in the same browser
async function check() {
  const answer = await fetch(`${path}/alive`, { credentials: 'same-origin' }).catch(() => null);
  if (answer?.status === 410) blank();
}
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') check(); });
window.addEventListener('focus', check);
window.addEventListener('pageshow', (event) => { if (event.persisted) check(); });
setInterval(check, 20_000);
