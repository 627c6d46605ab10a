// DOM of the page. Text goes in as text nodes; the only HTML taken in is a card's Markdown, rendered by the sandbox
// with raw HTML switched off, and even that passes an allow-list of elements.

const ALLOWED = new Set(['P', 'BR', 'UL', 'OL', 'LI', 'STRONG', 'EM', 'S', 'CODE', 'PRE', 'BLOCKQUOTE', 'HR', 'A',
  'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'TABLE', 'THEAD', 'TBODY', 'TR', 'TH', 'TD']);

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') node.className = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.startsWith('aria-')) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return node;
}

export function markdownNodes(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const box = element('div', { class: 'text' });
  copyAllowed(parsed.body, box);
  return box;
}

function copyAllowed(from, to) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.append(child.textContent);
    else if (child.nodeType === Node.ELEMENT_NODE) {
      if (!ALLOWED.has(child.tagName)) { copyAllowed(child, to); continue; }
      const copy = document.createElement(child.tagName);
      if (child.tagName === 'A' && safeUrl(child.getAttribute('href'))) linkTo(copy, child.getAttribute('href'));
      copyAllowed(child, copy);
      to.append(copy);
    }
  }
}

export function safeUrl(url) {
  try { return ['http:', 'https:'].includes(new URL(url).protocol); } catch { return false; }
}

function linkTo(anchor, url) {
  anchor.href = url;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
}

export function link(label, url) {
  if (!safeUrl(url)) return element('span', {}, label);
  const anchor = element('a', {}, label);
  linkTo(anchor, url);
  return anchor;
}

// A SMART link is opened with the address of the FHIR server and a launch token made for this patient.
function smartLink(item, launch) {
  const button = element('button', { type: 'button', class: 'launch' }, item.label);
  button.addEventListener('click', () => launch(item));
  return button;
}

export function age(birthDate, today) {
  if (!birthDate) return '';
  const [by, bm = 1, bd = 1] = birthDate.split('-').map(Number);
  const [ty, tm, td] = today.split('-').map(Number);
  return `${ty - by - ((tm < bm || (tm === bm && td < bd)) ? 1 : 0)} y`;
}

// ---------------------------------------------------------------- patients

export function patientList(patients, today, wanted, choose, chosen) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = patients.filter((p) => {
    const text = [p.id, p.name, p.summary, p.citation, p.title, p.gender].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const cases = new Map();
  for (const p of matches.filter((p) => p.group === 'case')) cases.set(p.case, [...(cases.get(p.case) ?? []), p]);
  const others = matches.filter((p) => p.group !== 'case');
  const nodes = [];
  if (cases.size) {
    nodes.push(element('h2', {}, 'Published cases'), element('ul', {}, [...cases.values()].map((stages) =>
      element('li', { class: 'case' },
        element('strong', {}, stages[0].name), ' ',
        element('span', { class: 'fine' }, `${stages[0].gender}, ${age(stages[0].birthDate, today)}`),
        element('p', {}, stages[0].summary),
        element('div', { class: 'stages' }, stages.map((p) => pick(p, p.stage, `${p.name}, ${p.title}`)))))));
  }
  if (others.length) {
    nodes.push(element('h2', {}, 'Background patients'), element('ul', {}, others.map((p) => {
      const button = pick(p, p.name, null);
      button.classList.add('person');
      button.append(element('span', {}, [p.gender, age(p.birthDate, today)].filter(Boolean).join(', ')));
      return element('li', {}, button);
    })));
  }
  return { nodes, count: matches.length };

  function pick(patient, label, spoken) {
    return element('button', { type: 'button', 'aria-label': spoken, title: spoken, 'data-patient': patient.id,
      'aria-current': patient.id === chosen ? 'true' : null, onclick: () => choose(patient.id) }, label);
  }
}

// ---------------------------------------------------------------- chart

const SECTIONS = [
  ['Problems', 'Condition', (r) => [r.code?.text ?? r.code?.coding?.[0]?.display, statusOf(r)], (r) => r.onsetDateTime ?? r.recordedDate],
  ['Findings', 'Observation', (r) => [r.valueString], (r) => r.effectiveDateTime, (r) => hasCategory(r, 'exam') && r.valueString],
  ['Laboratory and vital signs', 'Observation', (r) => [r.code?.text ?? r.code?.coding?.[0]?.display, valueOf(r)], (r) => r.effectiveDateTime,
    (r) => !(hasCategory(r, 'exam') && r.valueString)],
  ['Reports', 'DiagnosticReport', (r) => [r.code?.text ?? r.code?.coding?.[0]?.display, r.conclusion], (r) => r.effectiveDateTime],
  ['Medications', 'MedicationRequest', (r) => [r.medicationCodeableConcept?.text ?? r.medicationCodeableConcept?.coding?.[0]?.display, doseOf(r), r.status !== 'active' ? r.status : ''], (r) => r.authoredOn],
  ['Allergies', 'AllergyIntolerance', (r) => [r.code?.text ?? r.code?.coding?.[0]?.display, r.reaction?.[0]?.manifestation?.[0]?.text], (r) => r.recordedDate],
  ['Orders', 'ServiceRequest', (r) => [r.code?.text ?? r.code?.coding?.[0]?.display, r.status], (r) => r.authoredOn],
];
export const CHART_TYPES = [...new Set(SECTIONS.map((section) => section[1]))];

function hasCategory(resource, code) {
  return (resource.category ?? []).some((c) => (c.coding ?? []).some((coding) => coding.code === code));
}
function statusOf(resource) {
  const code = (c) => c?.coding?.[0]?.code;
  const words = [code(resource.clinicalStatus), code(resource.verificationStatus)];
  return words.filter((word) => word && !['active', 'confirmed'].includes(word)).join(', ');
}
function doseOf(resource) {
  const dosage = resource.dosageInstruction?.[0];
  const dose = dosage?.doseAndRate?.[0]?.doseQuantity;
  const repeat = dosage?.timing?.repeat;
  if (dose && repeat?.frequency) return `${dose.value} ${dose.unit} × ${repeat.frequency} / ${repeat.period > 1 ? repeat.period + ' ' : ''}${repeat.periodUnit}`;
  return dosage?.text ?? '';
}
function quantity(q) { return q ? `${q.comparator ?? ''}${q.value} ${q.unit ?? q.code ?? ''}`.trim() : ''; }
function valueOf(resource) {
  const range = resource.referenceRange?.[0];
  const limits = range && (range.low || range.high) ? ` [${range.low?.value ?? ''}–${range.high?.value ?? ''}]` : '';
  if (resource.valueQuantity) return quantity(resource.valueQuantity) + limits;
  if (resource.valueString) return resource.valueString;
  if (resource.valueCodeableConcept) return resource.valueCodeableConcept.text ?? resource.valueCodeableConcept.coding?.[0]?.display ?? '';
  return (resource.component ?? []).map((part) => quantity(part.valueQuantity)).filter(Boolean).join(' / ');
}

export function chartLists(byType) {
  return SECTIONS.map(([title, type, text, when, keep = () => true]) => {
    const all = (byType[type] ?? []).filter(keep).sort((a, b) => (when(b) ?? '').localeCompare(when(a) ?? ''));
    const rows = all.map((resource) => element('li', {},
      element('span', {}, text(resource).filter(Boolean).join(': ') || `${type}/${resource.id}`,
        isSynthetic(resource) ? element('span', { class: 'synthetic' }, ' SYNTHETIC') : null),
      when(resource) ? element('time', {}, when(resource).slice(0, 10)) : null));
    const shown = rows.slice(0, 8);
    const rest = rows.slice(8, 200);
    return element('section', { class: 'list', 'data-type': type },
      element('h3', {}, title, element('span', { class: 'fine' }, String(all.length))),
      shown.length ? element('ul', {}, shown) : element('p', { class: 'fine' }, 'nothing on record'),
      rest.length ? element('details', {}, element('summary', {}, `${rest.length} more`), element('ul', {}, rest)) : null);
  });
}
function isSynthetic(resource) { return (resource.meta?.tag ?? []).some((tag) => tag.code === 'HTEST'); }

// ---------------------------------------------------------------- cards

const TAGS = { info: 'Information', warning: 'Warning', critical: 'Critical' };

export function cardView(card, detail, accept, dismiss, launch) {
  const offers = (card.suggestions ?? []).map((suggestion) => {
    const button = element('button', { type: 'button', 'aria-label': `Accept: ${suggestion.label}` }, 'Accept');
    const item = element('li', { 'data-suggestion': suggestion.uuid },
      element('div', {}, element('strong', {}, suggestion.label),
        (suggestion.actions ?? []).map((action) => element('span', { class: 'fine' }, action.description))),
      button);
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        button.replaceWith(element('span', { class: 'done', tabIndex: -1 }, `Draft created: ${await accept(card, suggestion)}`));
        item.querySelector('.done').focus();
      } catch { button.disabled = false; } // what went wrong stands in the status line
    });
    return item;
  });
  const view = element('article', { class: 'card', 'data-indicator': card.indicator, 'data-card': card.uuid },
    element('header', {},
      element('span', { class: 'tag' }, TAGS[card.indicator] ?? card.indicator),
      element('h3', {}, card.summary)),
    detail,
    offers.length ? element('section', { 'aria-label': 'Suggestions' }, element('ul', { class: 'offers' }, offers)) : null,
    dismissForm(card, (reason, comment) => dismiss(card, reason, comment), (note) => {
      view.classList.add('closed');
      view.replaceChildren(element('header', {}, element('span', { class: 'tag' }, 'Dismissed'), element('h3', { tabIndex: -1 }, card.summary)),
        element('p', { class: 'fine' }, note));
      view.querySelector('h3').focus();
    }),
    element('footer', { class: 'foot' },
      element('span', {}, 'Source: ', link(card.source.label, card.source.url)),
      (card.links ?? []).map((item) => (item.type === 'smart' ? smartLink(item, launch) : link(item.label, item.url)))));
  return view;
}

function dismissForm(card, send, close) {
  const reasons = card.overrideReasons ?? [];
  const select = element('select', {}, element('option', { value: '' }, 'no reason given'),
    reasons.map((reason, index) => element('option', { value: String(index) }, reason.display ?? reason.code)));
  const comment = element('input', { type: 'text', maxLength: 200, autocomplete: 'off' });
  const form = element('form', { class: 'dismiss' },
    reasons.length ? element('label', {}, 'Reason to dismiss', select) : null,
    element('label', {}, 'Comment (optional)', comment),
    element('button', { type: 'submit' }, 'Dismiss card'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const reason = reasons[Number(select.value || -1)];
    try { await send(reason, comment.value.trim()); } catch { return; } // what went wrong stands in the status line
    close(reason ? `Reason sent: ${reason.display ?? reason.code}` : 'Dismissed without a reason.');
  });
  return form;
}

// ---------------------------------------------------------------- why

const CRITERIA = [['ctd', 'Connective tissue disease'], ['lesion', 'Lesion'], ['calcium', 'Calcium'], ['phosphate', 'Phosphate'],
  ['pth', 'PTH'], ['kidney', 'Kidney'], ['imaging', 'Imaging'], ['biopsy', 'Biopsy']];

export function silenceView(assessment) {
  const reasons = assessment?.because ?? [];
  return element('div', { class: 'silence', id: 'silence' },
    element('h3', {}, 'No card for this patient'),
    element('p', {}, 'Silence is not reassurance: the service speaks only when a connective tissue disease, a lesion and their context are on record.'),
    reasons.length ? element('ul', {}, reasons.map((reason) => element('li', {}, reason))) : null);
}

export function assessmentView(assessment, open) {
  if (!assessment) return element('p', { class: 'fine' }, 'The assessment could not be read.');
  const rows = CRITERIA.filter(([key]) => assessment.criteria?.[key]).map(([key, title]) => {
    const found = assessment.criteria[key];
    return element('tr', {}, element('th', { scope: 'row' }, title), element('td', {}, found.status), element('td', {}, found.because ?? ''));
  });
  const unread = Object.entries(assessment.completeness ?? {}).filter(([, need]) => need.state !== 'complete');
  return element('details', { id: 'why', open },
    element('summary', {}, `Why: grade ${assessment.grade}${assessment.subtype ? `, ${assessment.subtype}` : ''}`),
    element('ul', {}, (assessment.because ?? []).map((text) => element('li', {}, text))),
    element('div', { class: 'scroll' }, element('table', { class: 'reasons' },
      element('caption', { class: 'fine' }, `Criteria as of ${assessment.asOf}`),
      element('thead', {}, element('tr', {}, ['Criterion', 'Status', 'Because'].map((text) => element('th', { scope: 'col' }, text)))),
      element('tbody', {}, rows))),
    assessment.missing?.length ? element('p', {}, `Missing: ${assessment.missing.join(', ')}`) : null,
    unread.length ? element('p', {}, `Not fully read: ${unread.map(([need, found]) => `${need} (${found.state}${found.reason ? `: ${found.reason}` : ''})`).join('; ')}`) : null,
    assessment.quarantined?.length ? element('p', {}, `Left out: ${assessment.quarantined.map((q) => `${q.reference} (${q.reason})`).join('; ')}`) : null);
}
