// What of the page moves: the views, their state in the address, and the list of
// calls. Texts of traces are only ever put in as text.
'use strict';

const $ = id => document.getElementById(id);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const model = JSON.parse($('model').textContent);
const tabs = all('nav a').map(a => a.dataset.tab);
const narrow = matchMedia('(max-width: 45rem)');

// element makes an element with a class, and children that are elements or text.
function element(name, className, ...children) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

// ---- State: what the address says after #. What is as it is by default is not in it.

const defaults = {tab: 'findings', finding: '', process: '', thread: String(model.first), at: '', top: '', find: '', fold: '1', show: '', named: ''};
let state = {...defaults};

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  state = {...defaults};
  for (const key of Object.keys(defaults)) if (said.has(key)) state[key] = said.get(key);
  if (!tabs.includes(state.tab)) state.tab = defaults.tab;
  if (!model.threads[state.thread]) state.thread = defaults.thread;
}

function writeAddress() {
  const said = new URLSearchParams();
  for (const key of Object.keys(defaults)) if (state[key] !== defaults[key]) said.set(key, state[key]);
  history.replaceState(null, '', '#' + said);
}

// change sets parts of the state and shows what follows from it.
function change(parts) {
  Object.assign(state, parts);
  writeAddress();
  show();
}

function show() {
  for (const a of all('nav a')) {
    if (a.dataset.tab === state.tab) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
    const there = new URLSearchParams(location.hash.slice(1));
    there.set('tab', a.dataset.tab);
    a.hash = there;
  }
  document.body.dataset.tab = state.tab;
  for (const section of all('.tab')) section.classList.toggle('shown', section.id === state.tab);
  showFilter();
  showFindings();
  showTree();
  if (state.tab === 'calls') showCalls();
}

// ---- One process only.

function showFilter() {
  const row = state.process && document.querySelector(`.tree tr[data-process="${Number(state.process)}"]`);
  $('filtered').hidden = !row || state.tab !== 'findings' && state.tab !== 'calls';
  if (row) $('filtered').querySelector('b').textContent = row.querySelector('.name a, .name').firstChild.textContent;
  for (const o of $('thread').options) o.hidden = o.disabled = Boolean(row) && model.threads[o.value].process !== Number(state.process);
  if (row && model.threads[state.thread].process !== Number(state.process)) {
    const first = model.threads.findIndex(t => t.process === Number(state.process));
    if (first >= 0) state.thread = String(first);
  }
}

// ---- Findings.

const findings = all('.finding');
// reveal opens what a finding is folded into.
const reveal = f => { const weaker = f.closest('.weaker'); if (weaker) weaker.open = true; };
const visible = list => list.filter(e => !e.hidden);

function showFindings() {
  for (const f of findings) {
    f.hidden = state.process !== '' && f.dataset.process !== state.process;
    f.classList.toggle('selected', f.id === 'finding-' + state.finding);
  }
}

function selectFinding(f) {
  if (!f) return;
  reveal(f);
  change({finding: f.id.slice('finding-'.length)});
  f.querySelector('summary').focus({preventScroll: true});
  f.scrollIntoView({block: 'nearest'});
}

// ---- Processes.

const processes = all('.tree tbody tr');

function showTree() {
  $('tree-filter').value = state.show;
  if ($('tree-search').value !== state.named) $('tree-search').value = state.named;
  const name = state.named.toLowerCase();
  for (const row of processes) {
    const d = row.dataset;
    row.hidden = state.show === 'differs' && !('differs' in d) || state.show === 'failed' && !('failed' in d) ||
      state.show === 'one' && d.side === 'both' || !d.name.toLowerCase().includes(name);
    row.classList.toggle('selected', d.process === state.process);
  }
}

// ---- Calls: their data.

const chunks = new Map();

// chunk returns a promise of the rows of some threads, see rows.go.
function chunk(n) {
  if (!chunks.has(n)) {
    const bytes = Uint8Array.from(atob($('rows-' + n).textContent), c => c.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    chunks.set(n, new Response(plain).json());
    if (chunks.size > 4) chunks.delete(chunks.keys().next().value);
  }
  return chunks.get(n);
}

// load returns the rows of a thread: {kinds, left, sides: two of {index, num, text,
// start, duration}, texts}, where index has the event of each row, or −1.
async function load(thread) {
  const t = model.threads[thread];
  const c = await chunk(t.chunk);
  const packed = c.threads[t.at];
  const n = packed.kinds.length;
  const rows = {kinds: packed.kinds, left: [], texts: c.texts, lower: null, n};
  rows.sides = [packed.good, packed.bad].map(p => {
    const sum = list => { let at = 0; return Float64Array.from(list, d => at += d); };
    return {index: new Int32Array(n).fill(-1), num: sum(p.num), start: sum(p.start), text: p.text, duration: p.duration};
  });
  const next = [0, 0];
  let left = 0;
  for (let i = 0; i < n; i++) {
    const side = packed.sides[i];
    if (side === '2' || side === '0') rows.sides[0].index[i] = next[0]++;
    if (side === '2' || side === '1') rows.sides[1].index[i] = next[1]++;
    if (side === '-') { rows.left[i] = packed.left.slice(left, left + 2); left += 2; }
  }
  return rows;
}

// ---- Calls: the list. Lines all have one height, and only those in sight exist.

const lineHeight = 22;
const keep = 3;       // rows that stay in sight around a difference
const notableNs = 1e6; // durations from here on are told in the row
const foldLeast = 6;  // shorter stretches of equal rows are not folded
const box = $('rows');
let shownThread = -1;
let loading = 0;
let rows = null;
let lines = [];          // row numbers; ~k stands for folds[k]; row + n for the second line of a row
let folds = [];          // [from, to) of rows
let unfolded = new Set(); // where opened folds begin
let current = -1;        // row
let hits = [];           // rows

const differs = kind => kind === '!' || kind === '-' || kind === '+';
const textOf = (side, row) => { const s = rows.sides[side], i = s.index[row]; return i < 0 ? '' : rows.texts[s.text[i]]; };
const ranks = (side, row) => { const s = rows.sides[side], i = s.index[row]; return i < 0 ? [] : model.marks['gb'[side] + s.num[i]] || []; };
const nameOf = row => { // as the address has it
  for (const side of [1, 0]) { const i = rows.sides[side].index[row]; if (i >= 0) return 'gb'[side] + rows.sides[side].num[i]; }
  return '';
};
const notable = row => differs(rows.kinds[row]) || ranks(0, row).length + ranks(1, row).length > 0;

// rowNamed finds an event's row, −1 if it is not there.
function rowNamed(name) {
  const side = 'gb'.indexOf(name[0]), num = Number(name.slice(1));
  if (side < 0) return -1;
  const i = rows.sides[side].num.indexOf(num);
  return i < 0 ? -1 : rows.sides[side].index.indexOf(i);
}

async function showCalls() {
  $('thread').value = state.thread;
  $('fold').checked = state.fold === '1';
  if ($('search').value !== state.find) $('search').value = state.find;
  const thread = Number(state.thread);
  if (thread !== shownThread) {
    const turn = ++loading;
    let got;
    try {
      got = await load(thread);
    } catch (e) {
      $('status').textContent = 'This browser cannot read the calls: ' + e.message;
      return;
    }
    if (turn !== loading) return; // another was asked for meanwhile
    rows = got;
    shownThread = thread;
    unfolded = new Set();
    current = -1;
    $('thread-note').textContent = model.threads[thread].note || '';
    $('thread-note').hidden = !model.threads[thread].note;
  }
  search();
  layOut();
  const at = state.at ? rowNamed(state.at) : -1;
  const top = state.top ? rowNamed(state.top) : -1;
  if (at >= 0) select(at, top < 0);
  else select(-1);
  if (top >= 0) box.scrollTop = Math.max(0, lineOf(top)) * lineHeight;
  else if (at < 0) box.scrollTop = 0;
  document.body.dataset.ready = state.thread;
}

// layOut decides what the lines are.
function layOut() {
  lines = [];
  folds = [];
  const n = rows.n;
  const stays = new Uint8Array(n);
  let some = false;
  for (let i = 0; i < n; i++) {
    if (!notable(i) && i !== current) continue;
    some = some || notable(i);
    stays.fill(1, Math.max(0, i - keep), i + keep + 1);
  }
  const fold = state.fold === '1' && some;
  for (let i = 0; i < n;) {
    let j = i;
    while (fold && j < n && !stays[j] && rows.kinds[j] !== '/') j++;
    if (j - i >= foldLeast && !unfolded.has(i)) {
      folds.push([i, j]);
      lines.push(~(folds.length - 1));
      i = j;
      continue;
    }
    for (j = Math.max(j, i + 1); i < j; i++) {
      lines.push(i);
      if (narrow.matches && rows.kinds[i] === '!' && rows.sides[0].index[i] >= 0 && rows.sides[1].index[i] >= 0) lines.push(i + n);
    }
  }
  $('spacer').style.height = lines.length * lineHeight + 'px';
  draw();
  tell();
}

// lineOf finds the line of a row, or of the fold that it is in.
function lineOf(row) {
  let low = 0, high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const l = lines[middle];
    if ((l < 0 ? folds[~l][0] : l % rows.n) <= row) low = middle;
    else high = middle - 1;
  }
  while (low > 0 && lines[low] >= rows.n) low--;
  return low;
}

const drawn = new Map(); // elements that are there, by line

// draw makes what is in sight; what is drawn already stays when only the place
// has changed.
function draw(scrolled) {
  if (!rows) return;
  const first = Math.max(0, Math.floor(box.scrollTop / lineHeight) - 10);
  const last = Math.min(lines.length, Math.ceil((box.scrollTop + box.clientHeight) / lineHeight) + 10);
  for (const [i, e] of drawn) {
    if (scrolled && i >= first && i < last) continue;
    e.remove();
    drawn.delete(i);
  }
  const fresh = [];
  for (let i = first; i < last; i++) {
    if (drawn.has(i)) continue;
    const e = lines[i] < 0 ? drawFold(~lines[i]) : drawRow(lines[i] % rows.n, lines[i] >= rows.n);
    e.style.top = i * lineHeight + 'px';
    e.dataset.line = i;
    e.setAttribute('aria-posinset', i + 1);
    e.setAttribute('aria-setsize', lines.length);
    drawn.set(i, e);
    fresh.push(e);
  }
  box.append(...fresh);
}

function drawFold(k) {
  const [from, to] = folds[k];
  const e = element('div', 'row folded', `⋯ ${(to - from).toLocaleString('en')} calls without a difference ⋯`);
  e.setAttribute('role', 'option');
  e.title = 'show them';
  return e;
}

const signs = {'!': '≠', '-': '−', '+': '+', '~': '~'};
const classes = {'=': 'equal', '!': 'changed', '-': 'only-good', '+': 'only-bad', '~': 'elsewhere', '.': 'aside', '/': 'left'};
const words = {'!': 'differs', '-': 'only in the good run', '+': 'only in the bad run', '~': 'elsewhere in the other run', '.': 'not compared'};

function drawRow(row, second) {
  const kind = rows.kinds[row];
  if (kind === '/') {
    const [g, b] = rows.left[row];
    return element('div', 'row folded', `${(g + b).toLocaleString('en')} calls, and what was between them, are not in this page`);
  }
  const e = element('div', 'row ' + classes[kind] + (row === current ? ' current' : ''));
  e.setAttribute('role', 'option');
  e.setAttribute('aria-selected', row === current);
  if (row === current) e.id = 'current';
  if (words[kind]) e.setAttribute('aria-description', words[kind]);
  const texts = [textOf(0, row), textOf(1, row)];
  const pieces = kind === '!' ? differ(...texts) : [['', '', texts[0]], ['', '', texts[1]]];
  const sign = (side) => element('span', 'sign ' + 'gb'[side], rows.sides[side].index[row] < 0 || kind === '-' && side || kind === '+' && !side ? '' : signs[kind] || '');
  if (!narrow.matches) {
    e.append(sign(0), cell(0, row, pieces[0]), sign(1), cell(1, row, pieces[1]));
    return e;
  }
  const both = lines[lineOf(row) + 1] === row + rows.n;
  const side = both ? Number(second) : rows.sides[1].index[row] < 0 ? 0 : 1;
  const s = sign(side);
  if (both) s.textContent = second ? '+' : '−';
  e.append(s, cell(side, row, pieces[side]));
  return e;
}

function cell(side, row, [before, middle, after]) {
  const e = element('span', 'cell ' + 'gb'[side]);
  const s = rows.sides[side], i = s.index[row];
  if (i < 0) return e;
  for (const rank of ranks(side, row)) e.append(element('span', 'mark', String(rank)));
  // The result stays in sight however long the call is; what the error means is
  // told below.
  const end = /\) = (-1 E\w+|[^"]{1,24}$)/.exec(before + middle + after);
  let room = end && end[1].startsWith('-1 E') ? end.index + end[0].length : Infinity;
  const cut = end ? end.index + 2 : Infinity;
  const call = element('span', 'call'), result = element('span', 'result');
  let at = 0;
  for (let [text, differs] of [[before], [middle, true], [after]]) {
    text = text.slice(0, room);
    room -= text.length;
    for (const [part, into] of [[text.slice(0, Math.max(0, cut - at)), call], [text.slice(Math.max(0, cut - at)), result]]) {
      if (part) into.append(...(differs ? [element('mark', '', ...highlight(part))] : highlight(part)));
    }
    at += text.length;
  }
  e.append(element('span', 'num', number(s.num[i]) + ' '), call, result);
  if (s.duration[i] >= notableNs) e.append(element('span', 'time', duration(s.duration[i])));
  return e;
}

const number = num => num > 2 ** 52 ? 'in flight' : '#' + num;

// highlight marks what is searched for.
function highlight(text) {
  const find = state.find.toLowerCase();
  if (!find) return [text];
  const out = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let i; (i = lower.indexOf(find, from)) >= 0; from = i + find.length) out.push(text.slice(from, i), element('mark', 'hit', text.slice(i, i + find.length)));
  out.push(text.slice(from));
  return out;
}

// differ cuts two texts into a beginning and an end that they share and what is
// between, at the ends of words.
function differ(x, y) {
  const a = x.split(/([ ,"()|/=])/), b = y.split(/([ ,"()|/=])/);
  let n = 0, m = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  while (m < a.length - n && m < b.length - n && a[a.length - 1 - m] === b[b.length - 1 - m]) m++;
  return [a, b].map(w => [w.slice(0, n).join(''), w.slice(n, w.length - m).join(''), w.slice(w.length - m).join('')]);
}

// duration writes ns with three digits and a unit.
function duration(ns) {
  for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
    if (ns >= size * 0.9995) return Number((ns / size).toPrecision(3)) + ' ' + unit;
  }
  return ns + ' ns';
}

// ---- Calls: the one selected.

function select(row, scroll) {
  current = row;
  if (row >= 0) {
    let line = lineOf(row);
    if (lines[line] < 0) {
      unfolded.add(folds[~lines[line]][0]);
      layOut();
      line = lineOf(row);
    }
    const top = line * lineHeight, bottom = top + lineHeight;
    if (scroll && (top < box.scrollTop + 3 * lineHeight || bottom > box.scrollTop + box.clientHeight - 3 * lineHeight)) {
      box.scrollTop = top - box.clientHeight / 2;
    }
    box.setAttribute('aria-activedescendant', 'current');
  } else {
    box.removeAttribute('aria-activedescendant');
  }
  draw();
  drawDetail();
}

function drawDetail() {
  const out = element('div', 'evidence');
  if (current < 0) {
    $('detail').replaceChildren();
    return;
  }
  const kind = rows.kinds[current];
  const pieces = differ(textOf(0, current), textOf(1, current));
  for (const side of [0, 1]) {
    const name = ['good', 'bad'][side];
    const s = rows.sides[side], i = s.index[current];
    const block = element('div', name, element('h4', '', name));
    if (i < 0) {
      block.append(element('p', 'meta', kind === '.' ? 'nothing opposite' : 'no such call here'));
    } else {
      let meta = ' ' + number(s.num[i]);
      if (model.clock[side]) meta += ` · ${duration(s.start[i] * 1000)} after the beginning`;
      if (s.duration[i] >= 0) meta += ` · took ${duration(s.duration[i])}`;
      block.firstChild.append(element('span', 'meta', meta));
      const [before, middle, after] = pieces[side];
      block.append(element('code', '', before, rows.sides[1 - side].index[current] >= 0 && middle ? element('mark', '', middle) : middle, after));
    }
    out.append(block);
  }
  $('detail').replaceChildren(out);
}

// moveTo selects a row as a person does who goes there.
function moveTo(row) {
  if (row < 0 || row >= rows.n) return;
  select(row, true);
  state.at = nameOf(row);
  state.top = '';
  writeAddress();
}

// step goes by lines down or up.
function step(by) {
  let line = current < 0 ? (by > 0 ? -1 : lines.length) : lineOf(current);
  do line += by; while (line >= 0 && line < lines.length && (lines[line] >= rows.n || rows.kinds[lines[line]] === '/'));
  if (line < 0 || line >= lines.length) return;
  if (lines[line] < 0) openFold(~lines[line], by < 0);
  else moveTo(lines[line]);
}

function openFold(k, fromEnd) {
  const [from, to] = folds[k];
  unfolded.add(from);
  layOut();
  moveTo(fromEnd ? to - 1 : from);
}

// jump goes to the next row of a kind, round the end.
function jump(by, is) {
  const n = rows.n;
  for (let k = 1, i = current < 0 && by < 0 ? n : current; k <= n; k++) {
    i = (i + by + n) % n;
    // Of differences in a row the first is enough.
    if (is(i) && !(is === notable && i !== (by > 0 ? 0 : n) && i > 0 && is(i - 1) && rows.kinds[i] === rows.kinds[i - 1])) return moveTo(i);
  }
}

// ---- Calls: finding text.

function search() {
  hits = [];
  const find = state.find.toLowerCase();
  if (find) {
    const has = rows.texts.map(t => t.toLowerCase().includes(find));
    const matches = (s, row) => s.index[row] >= 0 && (has[s.text[s.index[row]]] || number(s.num[s.index[row]]) === find);
    for (let i = 0; i < rows.n; i++) if (matches(rows.sides[0], i) || matches(rows.sides[1], i)) hits.push(i);
  }
}

function tell() {
  const t = model.threads[shownThread];
  const count = (n, one, many) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
  if (state.find) $('status').textContent = hits.length ? count(hits.length, 'match', 'matches') : 'no match';
  else $('status').textContent = `${count(t.differs, 'difference', 'differences')} in ${count(t.rows, 'row', 'rows')}`;
}

// ---- What people do.

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || $('help').open) return;
  const typing = e.target.matches('input[type=search]');
  if (typing) {
    if (e.key === 'Escape') { e.target.blur(); e.preventDefault(); }
    if (e.key === 'Enter' && e.target === $('search')) jump(e.shiftKey ? -1 : 1, row => hits.includes(row));
    return;
  }
  if (e.target.matches('select')) return;
  const down = e.key === 'j' || e.key === 'ArrowDown' && e.target === box, up = e.key === 'k' || e.key === 'ArrowUp' && e.target === box;
  if (down || up) {
    const by = down ? 1 : -1;
    if (state.tab === 'calls' && rows) step(by);
    else if (state.tab === 'processes') moveIn(visible(processes), row => row.dataset.process === state.process, by, row => { change({process: row.dataset.process}); row.scrollIntoView({block: 'nearest'}); });
    else if (state.tab === 'findings') moveIn(visible(findings), f => f.classList.contains('selected'), by, selectFinding);
  } else if (e.key === 'Enter' && e.target.matches('body, #rows')) {
    if (state.tab === 'findings') { const f = document.querySelector('.finding.selected'); if (f) f.open = !f.open; }
    if (state.tab === 'processes') document.querySelector('.tree tr.selected .name a')?.click();
  } else if (state.tab === 'calls' && (e.key === 'n' || e.key === 'p')) jump(e.key === 'n' ? 1 : -1, notable);
  else if (e.key === '/') (state.tab === 'processes' ? $('tree-search') : (change({tab: 'calls'}), $('search'))).focus();
  else if (e.key === '?') $('help').showModal();
  else if (e.key >= '1' && e.key <= String(tabs.length)) change({tab: tabs[e.key - 1]});
  else return;
  e.preventDefault();
}

function moveIn(list, is, by, go) {
  const at = list.findIndex(is);
  const to = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : at + by];
  if (to) go(to);
}

let timer;
function later(what) {
  clearTimeout(timer);
  timer = setTimeout(what, 150);
}

document.addEventListener('keydown', onKey);
addEventListener('hashchange', () => { readAddress(); show(); openNamed(); });
narrow.addEventListener('change', () => { if (rows) layOut(); });
addEventListener('resize', () => draw());
$('help-button').addEventListener('click', () => $('help').showModal());
$('filtered').querySelector('button').addEventListener('click', () => change({process: ''}));
$('tree-filter').addEventListener('change', e => change({show: e.target.value}));
$('tree-search').addEventListener('input', e => change({named: e.target.value}));
for (const row of processes) row.querySelector('.filter').addEventListener('click', () => change({process: state.process === row.dataset.process ? '' : row.dataset.process}));
for (const f of findings) f.querySelector('summary').addEventListener('click', () => { state.finding = f.id.slice('finding-'.length); writeAddress(); showFindings(); });
$('thread').addEventListener('change', e => change({thread: e.target.value, at: '', top: ''}));
$('fold').addEventListener('change', e => { unfolded.clear(); state.fold = e.target.checked ? '1' : '0'; writeAddress(); layOut(); if (current >= 0) select(current, true); });
$('search').addEventListener('input', e => later(() => { state.find = e.target.value; writeAddress(); search(); tell(); draw(); }));
$('next').addEventListener('click', () => jump(1, notable));
$('previous').addEventListener('click', () => jump(-1, notable));
box.addEventListener('scroll', () => {
  requestAnimationFrame(() => draw(true));
  later(() => {
    const l = lines[Math.ceil(box.scrollTop / lineHeight)];
    state.top = l === undefined || box.scrollTop === 0 ? '' : nameOf(l < 0 ? folds[~l][0] : l % rows.n);
    writeAddress();
  });
});
box.addEventListener('click', e => {
  const line = e.target.closest('.row')?.dataset.line;
  if (line === undefined) return;
  const l = lines[line];
  if (l < 0) openFold(~l, false);
  else if (rows.kinds[l % rows.n] !== '/') moveTo(l % rows.n);
});
let opened = [];
addEventListener('beforeprint', () => { opened = all('#findings details').filter(f => !f.open); for (const f of opened) f.open = true; });
addEventListener('afterprint', () => { for (const f of opened) f.open = false; });

// openNamed opens the finding that the address names.
function openNamed() {
  const f = state.finding && $('finding-' + Number(state.finding));
  if (f && state.tab === 'findings') { reveal(f); f.open = true; f.scrollIntoView({block: 'nearest'}); }
}

document.documentElement.classList.add('js');
readAddress();
show();
openNamed();
