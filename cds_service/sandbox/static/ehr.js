// A small CDS Hooks client: choose a patient, fire patient-view, act on the cards. It does what the public sandbox
// does not: an accepted suggestion really becomes a draft on the FHIR server, and feedback is really posted.

import { CHART_TYPES, assessmentView, cardView, chartLists, age, element, markdownNodes, patientList, silenceView } from './render.js';

const $ = (id) => document.getElementById(id);
const state = { config: null, services: null, patient: null, calls: 0 };

async function json(url, options = {}) {
  const answer = await fetch(url, options);
  const text = await answer.text();
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { /* not JSON: told below */ }
  if (!answer.ok) {
    const reason = body?.issue?.map((issue) => issue.diagnostics ?? issue.details?.text ?? issue.code).join('; ');
    throw new Error(`${answer.status} ${reason ?? answer.statusText}`);
  }
  return body;
}
const post = (url, body) => json(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

function say(text, kind = '') {
  $('status').textContent = text;
  $('status').dataset.kind = kind;
}

// ---------------------------------------------------------------- choosing

function drawPatients() {
  const { nodes, count } = patientList(state.config.patients, state.config.today, $('search').value, choose, state.patient?.id);
  $('patients').replaceChildren(...nodes);
  $('found').textContent = `${count} of ${state.config.patients.length} charts`;
}

async function choose(id) {
  const patient = state.config.patients.find((p) => p.id === id);
  if (!patient) return;
  state.patient = patient;
  state.calls += 1;
  history.replaceState(null, '', `#${encodeURIComponent(id)}`);
  for (const button of document.querySelectorAll('[data-patient]')) {
    if (button.dataset.patient === id) button.setAttribute('aria-current', 'true'); else button.removeAttribute('aria-current');
  }
  $('welcome').hidden = true;
  $('chart').hidden = false;
  $('answer').hidden = true;
  $('wire').hidden = true;
  $('name').textContent = patient.title ? `${patient.name}, ${patient.title}` : patient.name;
  $('demographics').textContent = [patient.gender, age(patient.birthDate, state.config.today), `born ${patient.birthDate ?? 'unknown'}`, `Patient/${id}`].filter(Boolean).join(' · ');
  $('story').textContent = patient.summary ? `${patient.summary}. ${patient.citation}.` : '';
  say('');
  $('patient').focus({ preventScroll: true });
  $('patient').scrollIntoView();
  await drawChart();
}

async function drawChart() {
  const { id } = state.patient;
  const found = await Promise.all(CHART_TYPES.map((type) =>
    json(`${state.config.fhirServer}/${type}?patient=${encodeURIComponent(id)}&_count=200`)));
  if (state.patient.id !== id) return;
  const byType = Object.fromEntries(CHART_TYPES.map((type, index) => [type, resources(found[index])]));
  $('lists').replaceChildren(...chartLists(byType));
}
const resources = (bundle) => (bundle.entry ?? []).filter((e) => e.search?.mode !== 'outcome').map((e) => e.resource);

// ---------------------------------------------------------------- the hook

async function prefetchFor(service, context) {
  const filled = await Promise.all(Object.entries(service.prefetch ?? {}).map(async ([key, template]) => {
    const query = template.replace(/\{\{context\.(\w+)\}\}/g, (token, name) => encodeURIComponent(context[name] ?? '').replaceAll('%2F', '/'));
    if (query.includes('{{')) return null;
    try { return [key, await json(`${state.config.fhirServer}/${query}`)]; } catch { return null; }
  }));
  return Object.fromEntries(filled.filter(Boolean));
}

async function fire() {
  const call = ++state.calls;
  const patient = state.patient;
  const context = { userId: state.config.userId, patientId: patient.id };
  $('open').disabled = true;
  say('Calling the service …');
  try {
    state.services ??= (await json(`${state.config.serviceUrl}/cds-services`)).services;
    const services = state.services.filter((service) => service.hook === 'patient-view');
    const started = performance.now();
    const answers = await Promise.all(services.map(async (service) => {
      const request = { hookInstance: crypto.randomUUID(), hook: 'patient-view', fhirServer: state.config.fhirServer, context };
      if ($('prefetch').checked) request.prefetch = await prefetchFor(service, context);
      const [response, assessment] = await Promise.all([
        post(`${state.config.serviceUrl}/cds-services/${service.id}`, request),
        post(`${state.config.serviceUrl}/assessments`, request).catch(() => null)]);
      return { service, request, response, assessment };
    }));
    if (call !== state.calls) return;
    await showAnswers(answers);
    const count = answers.reduce((sum, answer) => sum + answer.response.cards.length, 0);
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    say(`${count === 1 ? '1 card' : `${count} cards`} in ${seconds} s, from ${$('prefetch').checked ? 'prefetch' : 'the FHIR server'}.`);
  } catch (error) {
    if (call === state.calls) {
      $('answer').hidden = true;
      say(`The service could not answer: ${error.message}`, 'error');
    }
  } finally { $('open').disabled = false; }
}

async function showAnswers(answers) {
  const cards = answers.flatMap((answer) => answer.response.cards.map((card) => ({ card, service: answer.service })));
  const details = await post('/sandbox/markdown', cards.map(({ card }) => card.detail ?? ''));
  const views = cards.map(({ card, service }, index) =>
    cardView(card, markdownNodes(details[index]), accepting(service), dismissing(service), launching));
  const assessment = answers[0]?.assessment;
  $('cards').replaceChildren(...(views.length ? views : [silenceView(assessment)]));
  $('reasoning').replaceChildren(assessmentView(assessment, !views.length));
  $('answer').hidden = false;
  $('request').textContent = JSON.stringify(answers.map((answer) => answer.request), null, 2);
  $('response').textContent = JSON.stringify(answers.map((answer) => answer.response), null, 2);
  $('wire').hidden = false;
}

const accepting = (service) => async (card, suggestion) => {
  try {
    const created = [];
    for (const action of suggestion.actions ?? []) {
      const base = `${state.config.fhirServer}/`;
      if (action.type === 'delete') await json(base + action.resourceId, { method: 'DELETE' });
      else if (action.type === 'update') await json(`${base}${action.resource.resourceType}/${action.resource.id}`, { method: 'PUT', headers: { 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(action.resource) });
      else {
        const stored = await post(base + action.resource.resourceType, action.resource);
        created.push(`${stored.resourceType}/${stored.id}`);
      }
    }
    await feedback(service, { card: card.uuid, outcome: 'accepted', acceptedSuggestions: [{ id: suggestion.uuid }] });
    say(`Accepted: ${suggestion.label}. The draft is on the FHIR server; it still needs to be signed.`, 'good');
    drawChart();
    return created.join(', ') || 'done';
  } catch (error) {
    say(`Not accepted: ${error.message}`, 'error');
    throw error;
  }
};

const dismissing = (service) => async (card, reason, comment) => {
  const item = { card: card.uuid, outcome: 'overridden' };
  const why = {};
  if (reason) why.reason = { code: reason.code, system: reason.system, display: reason.display };
  if (comment) why.userComment = comment;
  if (Object.keys(why).length) item.overrideReason = why;
  try {
    await feedback(service, item);
    say('Dismissed; the service was told.', 'good');
  } catch (error) {
    say(`Not dismissed: ${error.message}`, 'error');
    throw error;
  }
};

async function launching(item) {
  const made = await json(`/sandbox/launch?patient=${encodeURIComponent(state.patient.id)}`, { method: 'POST' });
  const url = new URL(item.url);
  url.searchParams.set('iss', state.config.fhirServer);
  url.searchParams.set('launch', made.launch);
  window.open(url, '_blank', 'noopener');
}

function feedback(service, item) {
  return post(`${state.config.serviceUrl}/cds-services/${service.id}/feedback`, { feedback: [{ ...item, outcomeTimestamp: new Date().toISOString() }] });
}

// ---------------------------------------------------------------- start

function arrows(event) {
  if (!['ArrowDown', 'ArrowUp'].includes(event.key)) return;
  const buttons = [...document.querySelectorAll('#patients button')];
  const here = buttons.indexOf(document.activeElement);
  const next = buttons[here + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
}

async function start() {
  state.config = await json('/sandbox/config');
  $('where').replaceChildren(...[['Service', state.config.serviceUrl], ['FHIR', state.config.fhirServer], ['Today', state.config.today]]
    .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
  drawPatients();
  $('search').addEventListener('input', drawPatients);
  document.querySelector('.chooser').addEventListener('keydown', arrows);
  $('fire').addEventListener('submit', (event) => { event.preventDefault(); fire(); });
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (wanted && wanted !== 'patient') await choose(wanted);
}

start();
