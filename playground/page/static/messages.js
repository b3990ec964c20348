// The list of messages: drawn once each, again only when they changed, threads below what they answer.
import { chosenText, findState, rawOf, renderBlocks } from "./blocks.js";
import { bytes, h, icon, openMenu, post, toast } from "./dom.js";
import { mrkdwn } from "./text.js";

const HUES = ["teal", "plum", "amber", "blue", "moss", "rose"];
const hue = (id) => HUES[[...id].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % HUES.length];

export const avatar = (user, bot, size = "") =>
  bot
    ? h("img", { src: "/play/static/icon.svg", alt: "", class: `avatar ${size}` })
    : h("span", { class: `avatar ${size} ${hue(user)}`, "aria-hidden": "true" }, size === undefined ? "" : (avatar.names[user] ?? "?").slice(0, 1).toUpperCase());
avatar.names = {};

export const acting = async (promise) => {
  const answer = await promise;
  if (answer.notice) toast(answer.notice);
  return answer;
};

// Where a block outside dialogs acts: on a message, or on the home.
export const context = (kind, world, state, where) => {
  const ids = (block, element) => ({ user: world.me, ...where, block_id: block.block_id, action_id: element.action_id });
  return {
    kind,
    world,
    error: () => undefined,
    value: (block, element) => rawOf(findState(state, block, element)) ?? rawInitial(element),
    chosenText: (block, element) => chosenText(state, block, element),
    typed: () => {},
    change: async (block, element, value, node) => {
      node.setAttribute("aria-busy", "true");
      await acting(post("press", { ...ids(block, element), value }));
      node.removeAttribute("aria-busy");
    },
    press: (block, element, more) => acting(post("press", { ...ids(block, element), ...more })),
    suggest: (block, element, query) => post("suggest", { ...ids(block, element), query }),
  };
};

const rawInitial = (element) => {
  const first = Object.entries(element).find(([name]) => name.startsWith("initial_"))?.[1] ?? null;
  if (Array.isArray(first)) return first.map((one) => one.value ?? one);
  return first && typeof first === "object" ? first.value : first;
};

const tools = (message, channel, state, world, reply) => {
  const buttons = [];
  if (!message.ephemeral)
    buttons.push(h("button", { type: "button", class: "icon-button", "aria-label": "Reply in thread", onclick: () => reply(message.thread_ts || message.ts) }, icon("reply")));
  const shortcuts = state.shortcuts.filter((one) => one.kind === "message");
  if (shortcuts.length && !message.ephemeral) {
    const use = (one) => () => acting(post("shortcut", { user: world.me, id: one.id, channel: channel.id, ts: message.ts }));
    const entries = shortcuts.map((one) => ({ text: one.name, note: state.app.name, run: use(one) }));
    const more = h("button", { type: "button", class: "icon-button", "aria-label": "More message shortcuts", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("more"));
    more.addEventListener("click", () => openMenu(more, "Message shortcuts", entries));
    buttons.push(more);
  }
  if (message.ephemeral) {
    const hide = () => acting(post("hide", { user: world.me, channel: channel.id, ts: message.ts }));
    buttons.push(h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss message", onclick: hide }, icon("close")));
  }
  return h("div", { class: "tools" }, buttons);
};

const fileCard = (file, world) => {
  const about = [h("strong", {}, file.title || file.name), h("small", {}, file.size ? [file.title && file.title !== file.name ? `${file.name} · ` : "", bytes(file.size)] : "This file is no longer available")];
  const href = `/play/file/${encodeURIComponent(file.id)}?user=${encodeURIComponent(world.me)}`;
  return h("li", {}, icon("file"), file.size ? h("a", { href, download: file.name }, about) : h("span", {}, about));
};

const draw = (message, channel, state, world, { joined, reply }) => {
  const name = world.names[message.user] ?? message.user;
  const at = new Date(Number(message.ts) * 1000);
  const say = (options) => new Intl.DateTimeFormat(world.locale, { timeZone: world.tz, ...options }).format(at);
  const time = h("time", { dateTime: at.toISOString(), title: say({ dateStyle: "full", timeStyle: "medium" }) }, say({ hour: "numeric", minute: "2-digit" }));
  const ctx = context("message", world, message.state, { channel: channel.id, ts: message.ts });
  const said = message.blocks.length ? renderBlocks(ctx, message.blocks) : message.text ? [h("div", { class: "text" }, mrkdwn(message.text, world))] : [];
  const content = [said, message.files.length ? h("ul", { class: "files" }, message.files.map((file) => fileCard(file, world))) : null];
  const byline = h("p", { class: "byline" }, h("strong", {}, name), message.bot ? h("span", { class: "app" }, "APP") : null, time);
  const private_ = message.ephemeral ? h("p", { class: "only-you" }, icon("eye"), "Only visible to you") : null;
  const edited = message.edited ? h("small", { class: "edited" }, "(edited)") : null;
  const classes = ["message", message.ephemeral && "ephemeral", joined && "joined", message.thread_ts && message.thread_ts !== message.ts && "reply"];
  return h(
    "li",
    { class: classes.filter(Boolean).join(" "), "aria-label": `${name}, ${say({ hour: "numeric", minute: "2-digit" })}` },
    private_,
    h("div", { class: "side" }, joined ? time.cloneNode(true) : avatar(message.user, message.bot)),
    h("div", { class: "content" }, joined ? null : byline, content, edited),
    tools(message, channel, state, world, reply),
  );
};

const dayOf = (message, world) => new Intl.DateTimeFormat(world.locale, { timeZone: world.tz, weekday: "long", month: "long", day: "numeric" }).format(new Date(Number(message.ts) * 1000));

// Replies stand below what they answer; the rest by time.
const ordered = (messages) => {
  const isReply = (one) => one.thread_ts && one.thread_ts !== one.ts && messages.some((other) => other.ts === one.thread_ts);
  return messages.filter((one) => !isReply(one)).flatMap((one) => [one, ...messages.filter((other) => isReply(other) && other.thread_ts === one.ts)]);
};

let kept = new Map(); // key → { json, node }
let keptFor = "";

export const showMessages = (list, channel, state, world, reply) => {
  const place = `${world.me} ${channel.id}`;
  if (keptFor !== place) kept = new Map();
  keptFor = place;
  const next = new Map();
  const nodes = [];
  let before = null;
  for (const message of ordered(channel.messages)) {
    const day = dayOf(message, world);
    if (!before || dayOf(before, world) !== day) nodes.push(cached(next, `day ${day}`, day, () => h("li", { class: "day" }, h("span", {}, day))));
    const near = before && Math.abs(Number(message.ts) - Number(before.ts)) < 300;
    const same = near && before.user === message.user && before.ephemeral === message.ephemeral && !message.ephemeral;
    const joined = Boolean(same && (before.thread_ts || before.ts) === (message.thread_ts || message.ts) && before.thread_ts !== before.ts) || Boolean(same && !before.thread_ts && !message.thread_ts);
    nodes.push(cached(next, message.ts, JSON.stringify([message, joined, world.locale]), () => draw(message, channel, state, world, { joined, reply })));
    before = message;
  }
  kept = next;
  const focus = document.activeElement;
  const current = [...list.children];
  if (current.length !== nodes.length || current.some((node, at) => node !== nodes[at])) sync(list, nodes);
  if (focus && focus !== document.activeElement && focus.isConnected) focus.focus();
};

const cached = (next, key, json, make) => {
  const old = kept.get(key);
  const entry = old?.json === json ? old : { json, node: make() };
  next.set(key, entry);
  return entry.node;
};

// Only what is new is inserted, so that a screen reader reads only that.
const sync = (list, nodes) => {
  const wanted = new Set(nodes);
  for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, at) => {
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  });
};
