// Slack's texts as DOM nodes: mrkdwn, plain text, rich_text, dates. Nothing is ever parsed as HTML.
import { h } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", wave: "👋", phone: "☎️", telephone_receiver: "📞", bell: "🔔", star: "⭐",
  hourglass: "⌛", lock: "🔒", unlock: "🔓", no_entry: "⛔", information_source: "ℹ️", tada: "🎉", thumbsup: "👍", "+1": "👍",
  thumbsdown: "👎", "-1": "👎", envelope: "✉️", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", eyes: "👀",
};
const entities = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const emoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);

const safe = (url) => (/^(https?|mailto|tel):/i.test(url) ? url : "#");
const link = (url, words) => h("a", { href: safe(url), target: "_blank", rel: "noopener noreferrer" }, words);

export const dateWords = (stamp, format, world) => {
  const when = new Date(stamp * 1000);
  const say = (options) => new Intl.DateTimeFormat(world.locale, { timeZone: world.tz, ...options }).format(when);
  const day = (date) => new Intl.DateTimeFormat("en-CA", { timeZone: world.tz }).format(date);
  const near = () => {
    const now = Date.now();
    const names = new Intl.RelativeTimeFormat(world.locale, { numeric: "auto" });
    for (const off of [-1, 0, 1]) if (day(when) === day(new Date(now + off * 864e5))) return names.format(off, "day");
    return null;
  };
  const kinds = {
    date_num: () => day(when),
    date: () => say({ year: "numeric", month: "long", day: "numeric" }),
    date_short: () => say({ year: "numeric", month: "short", day: "numeric" }),
    date_long: () => say({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
    date_pretty: () => near() ?? say({ year: "numeric", month: "long", day: "numeric" }),
    date_short_pretty: () => near() ?? say({ year: "numeric", month: "short", day: "numeric" }),
    date_long_pretty: () => near() ?? say({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
    time: () => say({ hour: "numeric", minute: "2-digit" }),
    time_secs: () => say({ hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: () => {
      const minutes = Math.round((when - Date.now()) / 60000);
      const [value, unit] =
        Math.abs(minutes) < 60 ? [minutes, "minute"] : Math.abs(minutes) < 1440 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
      return new Intl.RelativeTimeFormat(world.locale, { numeric: "auto" }).format(value, unit);
    },
  };
  return format.replace(/\{(\w+)\}/g, (whole, kind) => (kinds[kind] ? kinds[kind]() : whole));
};

const dated = (stamp, format, url, fallback, world) => {
  let words = fallback;
  try {
    words = dateWords(Number(stamp), format, world);
  } catch {
    words = fallback;
  }
  const time = h("time", { dateTime: new Date(stamp * 1000).toISOString(), title: dateWords(stamp, "{date_long} {time}", world) }, words);
  return url ? link(url, time) : time;
};

const mention = (id, world) => h("span", { class: id === world.me ? "mention me" : "mention" }, `@${world.names[id] ?? id}`);
const room = (id, name, world) => h("span", { class: "mention" }, `#${name || world.rooms[id] || id}`);

const angle = (inner, world) => {
  const bar = inner.indexOf("|");
  const [what, words] = bar < 0 ? [inner, ""] : [inner.slice(0, bar), inner.slice(bar + 1)];
  if (what.startsWith("@")) return mention(what.slice(1), world);
  if (what.startsWith("#")) return room(what.slice(1), entities(words), world);
  const date = /^!date\^(\d+)\^([^^]+)(?:\^(.+))?$/.exec(what);
  if (date) return dated(date[1], date[2], date[3], entities(words), world);
  if (what.startsWith("!")) return h("span", { class: "mention me" }, `@${entities(words) || what.slice(1)}`);
  return link(entities(what), entities(words || what));
};

const meter = (filled, left) => h("span", { class: "meter" }, filled, h("span", { class: "meter-left" }, left));

const MARKS = [
  [/```([\s\S]+?)```/, (m) => h("pre", {}, entities(m[1].replace(/^\n/, "")))],
  [/`([^`\n]+)`/, (m) => h("code", {}, entities(m[1]))],
  [/<([^<>\n]+)>/, (m, world) => angle(m[1], world)],
  [/(?=[█░]{4})(█*)(░*)/, (m) => meter(m[1], m[2])],
  [/(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?![\w*])/, (m, world) => h("strong", {}, inline(m[1], world))],
  [/(?<![\w_])_(?=\S)([^_\n]*[^_\s])_(?![\w_])/, (m, world) => h("em", {}, inline(m[1], world))],
  [/(?<![\w~])~(?=\S)([^~\n]*[^~\s])~(?![\w~])/, (m, world) => h("s", {}, inline(m[1], world))],
];

const inline = (text, world) => {
  let first = null;
  for (const [pattern, make] of MARKS) {
    const found = pattern.exec(text);
    if (found && (!first || found.index < first.found.index)) first = { found, make };
  }
  if (!first) return [emoji(entities(text))];
  const { found, make } = first;
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + found[0].length);
  return [...(before ? [emoji(entities(before))] : []), make(found, world), ...(after ? inline(after, world) : [])];
};

const lines = (nodes) =>
  nodes.flatMap((node) => (typeof node === "string" ? node.split("\n").flatMap((part, at) => (at ? [h("br"), part] : [part])) : [node]));

export const mrkdwn = (text, world) => {
  const parts = text.split(/((?:^(?:&gt;|>).*(?:\n|$))+)/m).filter(Boolean);
  return parts.flatMap((part) =>
    /^(&gt;|>)/.test(part) ? [h("blockquote", {}, lines(inline(part.trimEnd().replace(/^(&gt;|>) ?/gm, ""), world)))] : lines(inline(part, world)),
  );
};

export const words = (object, world) =>
  !object ? [] : object.type === "mrkdwn" ? mrkdwn(object.text, world) : lines([object.emoji === false ? object.text : emoji(object.text)]);

export const plainWords = (object) => (object ? emoji(object.text) : "");

const styled = (node, style = {}) => {
  for (const [key, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]])
    if (style[key]) node = h(tag, {}, node);
  return node;
};

const piece = (item, world) => {
  const kinds = {
    text: () => h("span", {}, lines([item.text])),
    link: () => link(item.url, item.text || item.url),
    emoji: () => EMOJI[item.name] ?? `:${item.name}:`,
    user: () => mention(item.user_id, world),
    channel: () => room(item.channel_id, "", world),
    broadcast: () => h("span", { class: "mention me" }, `@${item.range}`),
    date: () => dated(item.timestamp, item.format, item.url, item.fallback ?? "", world),
    color: () => item.value,
  };
  return styled(kinds[item.type]?.() ?? "", item.style);
};

export const richText = (block, world) =>
  block.elements.map((part) => {
    const inside = () => part.elements.map((item) => piece(item, world));
    if (part.type === "rich_text_list")
      return h(part.style === "ordered" ? "ol" : "ul", { class: `rich indent-${part.indent ?? 0}`, start: (part.offset ?? 0) + 1 }, part.elements.map((section) => h("li", {}, section.elements.map((item) => piece(item, world)))));
    if (part.type === "rich_text_quote") return h("blockquote", {}, inside());
    if (part.type === "rich_text_preformatted") return h("pre", {}, inside());
    return h("p", { class: "rich" }, inside());
  });

// The markdown block speaks standard Markdown: the parts of it that apps use, turned into mrkdwn's.
export const markdown = (text, world) =>
  text.split(/\n{2,}/).map((part) => {
    const heading = /^(#{1,6})\s+(.*)$/.exec(part);
    if (heading) return h("p", {}, h("strong", {}, heading[2]));
    const rows = part.split("\n");
    const convert = (row) => row.replace(/\*\*(.+?)\*\*/g, "*$1*").replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, "<$2|$1>");
    if (rows.every((row) => /^[-*] /.test(row))) return h("ul", { class: "rich" }, rows.map((row) => h("li", {}, mrkdwn(convert(row.slice(2)), world))));
    if (rows.every((row) => /^\d+\. /.test(row))) return h("ol", { class: "rich" }, rows.map((row) => h("li", {}, mrkdwn(convert(row.replace(/^\d+\. /, "")), world))));
    return h("p", {}, mrkdwn(convert(part), world));
  });
