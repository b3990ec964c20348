// What is outside Slack: phones that call and ring, and a mailbox.
import { askedCard, callCard, setUpCaller, showCaller } from "./calls.js";
import { h, icon } from "./dom.js";

const $ = (id) => document.getElementById(id);
let seen = { phone: 0, mail: 0 };
let counts = { phone: 0, mail: 0 };

const when = (at, world) => new Intl.DateTimeFormat(world.locale, { timeZone: world.tz, hour: "numeric", minute: "2-digit" }).format(new Date(at * 1000));

// Codes stand out, and one press copies them. A voice spells its digits; a phone number has too many to be a code.
const CODE = /(?<![+\d])(?<!\d[ -])\d(?:(?:, |[ -])?\d){3,7}(?!(?:, |[ -])?\d)/;
const withCode = (text) => {
  const found = CODE.exec(text);
  if (!found) return [h("p", {}, text)];
  const code = found[0].replace(/\D/g, "");
  const [before, rest] = [text.slice(0, found.index), text.slice(found.index + found[0].length)];
  const [stop] = /^[.,;:]?/.exec(rest); // never alone on the next line
  const copy = h("button", { type: "button", class: "button small" }, "Copy code");
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(code);
    copy.textContent = "Copied";
  });
  const shown = h("strong", { class: code === found[0] ? "code" : "code spelled" }, found[0]);
  return [h("p", {}, before, h("span", { class: "one-piece" }, shown, stop), rest.slice(stop.length)), copy];
};

const ring = (one, world) =>
  h(
    "li",
    { class: `ring ${one.kind}` },
    h("p", { class: "from" }, icon(one.kind === "call" ? "call" : "sms"), h("span", {}, one.kind === "call" ? "Voice call" : "Text message"), h("time", {}, when(one.at, world))),
    h("p", { class: "number" }, one.number),
    withCode(one.text),
  );

const mail = (one, world) =>
  h("li", { class: "letter" }, h("p", { class: "from" }, h("span", {}, `To ${one.to}`), h("time", {}, when(one.at, world))), h("h3", {}, one.subject), h("p", { class: "letter-text" }, one.text));

const fill = (list, rows, draw, empty, world) => {
  const mark = `${rows.length} ${JSON.stringify(rows.at(-1))} ${world.me}`;
  if (list.dataset.mark === mark) return;
  list.dataset.mark = mark;
  list.replaceChildren(...(rows.length ? rows.map((row) => draw(row, world)).reverse() : [h("li", { class: "empty" }, empty)]));
};

// Each entry is drawn anew only where it changed: what somebody types in one, or listens to, stays.
const drawn = new Map();
const fillPhone = (list, rows, world) => {
  if (!rows.length) {
    drawn.clear();
    list.replaceChildren(h("li", { class: "empty" }, "Calls and text messages to people’s phones arrive here, verification codes among them."));
    return;
  }
  const focused = document.activeElement?.closest("[data-call]")?.dataset.call;
  const wanted = rows.toReversed().map((row) => {
    const mark = JSON.stringify([row.one, world.me, world.tz]);
    const old = drawn.get(row.key);
    if (old?.mark !== mark) drawn.set(row.key, { mark, card: row.draw() });
    return drawn.get(row.key).card;
  });
  const keys = new Set(rows.map((row) => row.key));
  for (const key of drawn.keys()) if (!keys.has(key)) drawn.delete(key);
  for (const old of [...list.children]) if (!wanted.includes(old)) old.remove();
  for (const [at, card] of wanted.entries()) if (list.children[at] !== card) list.insertBefore(card, list.children[at] ?? null);
  if (list.dataset.newest !== rows.at(-1).key) list.scrollTop = 0;
  list.dataset.newest = rows.at(-1).key;
  if (focused && !document.activeElement?.closest("[data-call]")) {
    const card = list.querySelector(`[data-call="${CSS.escape(focused)}"]`);
    (card?.querySelector("button, input") ?? $("caller-call")).focus();
  }
};

const phoneRows = (state, world) => {
  const { calls, asked } = state.phones ?? { calls: [], asked: [] };
  const rows = [
    ...state.phone.map((one, at) => ({ key: `ring ${one.at} ${at}`, at: one.at, one, draw: () => ring(one, world) })),
    ...calls.map((one) => ({ key: `call ${one.id}`, at: one.at, one, draw: () => callCard(one, h("time", {}, when(one.at, world))) })),
  ].sort((a, b) => a.at - b.at);
  return [...rows, ...asked.map((one) => ({ key: `asked ${one.number}`, at: Infinity, one, draw: () => askedCard(one) }))];
};

const badge = (kind) => {
  const visible = !$("outside").classList.contains("away") && $(`tab-${kind}`).getAttribute("aria-selected") === "true";
  if (visible) seen[kind] = counts[kind];
  const fresh = counts[kind] - seen[kind];
  $(`${kind}-badge`).hidden = fresh <= 0;
  $(`${kind}-badge`).textContent = fresh;
  const any = ["phone", "mail"].some((one) => counts[one] > seen[one]);
  $("show-outside").classList.toggle("dot", any);
};

export const showOutside = (state, world, first) => {
  const rows = phoneRows(state, world);
  counts = { phone: rows.length, mail: state.mail.length };
  if (first) seen = { ...counts };
  showCaller(state.phones, world.me);
  fillPhone($("rings"), rows, world);
  fill($("mails"), state.mail, mail, "Mails that Switchboard sends arrive here.", world);
  for (const kind of ["phone", "mail"]) badge(kind);
};

const pick = (kind, focus = true) => {
  for (const one of ["phone", "mail"]) {
    $(`tab-${one}`).setAttribute("aria-selected", String(one === kind));
    $(`tab-${one}`).tabIndex = one === kind ? 0 : -1;
    $(one).hidden = one !== kind;
  }
  if (focus) $(`tab-${kind}`).focus();
  for (const one of ["phone", "mail"]) badge(one);
};

export const setUpOutside = () => {
  for (const kind of ["phone", "mail"]) $(`tab-${kind}`).addEventListener("click", () => pick(kind));
  $("outside").querySelector(".tabs").addEventListener("keydown", (event) => {
    if (["ArrowLeft", "ArrowRight"].includes(event.key)) pick($("phone").hidden ? "phone" : "mail");
  });
  setUpCaller();
  const toggle = $("show-outside");
  toggle.append(icon("phone"));
  const set = (open) => {
    $("outside").classList.toggle("away", !open);
    toggle.setAttribute("aria-expanded", String(open));
    for (const kind of ["phone", "mail"]) badge(kind);
  };
  set(innerWidth > 1100);
  toggle.addEventListener("click", () => set($("outside").classList.contains("away")));
};
