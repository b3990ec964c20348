// The message box: grows, sends on Enter, completes slash commands, people and channels.
import { moveIn } from "./blocks.js";
import { bytes, drop, h, icon, openMenu, post, toast } from "./dom.js";
import { acting } from "./messages.js";

const $ = (id) => document.getElementById(id);
const box = () => $("compose");
let now = null; // { state, world, channel }
let thread = "";
let offers = [];
let files = []; // chosen, not sent yet
const drafts = new Map();

const candidates = (text, caret) => {
  const { state } = now;
  if (text.startsWith("/") && !text.slice(0, caret).includes(" ")) {
    const start = text.slice(0, caret).toLowerCase();
    return state.commands.filter((c) => c.command.startsWith(start)).map((c) => ({ insert: `${c.command} `, from: 0, text: c.command, note: c.usage_hint, help: c.description }));
  }
  const word = /(^|\s)([@#])([\w.-]*)$/.exec(text.slice(0, caret));
  if (!word) return [];
  const from = caret - word[3].length - 1;
  const begins = (name) => name.toLowerCase().startsWith(word[3].toLowerCase());
  if (word[2] === "#") return Object.values(state.channel_names).filter(begins).map((name) => ({ insert: `#${name} `, from, text: `#${name}` }));
  return state.people.filter((p) => !p.deleted && (begins(p.name) || begins(p.real_name))).slice(0, 8).map((p) => ({ insert: `@${p.name} `, from, text: p.real_name, note: `@${p.name}`, help: p.role }));
};

const take = (at) => {
  const chosen = offers[at];
  const field = box();
  const rest = field.value.slice(field.selectionStart).replace(/^\S*\s?/, "");
  field.value = field.value.slice(0, chosen.from) + chosen.insert + rest;
  field.selectionStart = field.selectionEnd = chosen.from + chosen.insert.length;
  refresh();
};

const hide = () => {
  $("complete").hidden = true;
  box().removeAttribute("aria-activedescendant");
};

const hint = () => {
  const word = box().value.split(" ")[0];
  const command = now?.state.commands.find((c) => c.command === word && box().value.includes(" "));
  $("hint").replaceChildren(...(command ? [h("b", {}, command.command), ` ${command.usage_hint || command.description}`] : []));
};

const refresh = () => {
  const field = box();
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 180)}px`;
  $("send").disabled = !field.value.trim() && !files.length;
  offers = now ? candidates(field.value, field.selectionStart) : [];
  const row = (one, at) =>
    h("li", { role: "option", id: `offer-${at}`, "aria-selected": String(at === 0), onpointerdown: (event) => (event.preventDefault(), take(at)) }, h("span", {}, h("b", {}, one.text), one.note ? h("code", {}, one.note) : null), one.help ? h("small", {}, one.help) : null);
  $("complete").replaceChildren(...offers.map(row));
  $("complete").hidden = offers.length === 0;
  if (offers.length) field.setAttribute("aria-activedescendant", "offer-0");
  else field.removeAttribute("aria-activedescendant");
  hint();
};

const attach = (chosen) => {
  const scroll = $("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  files = chosen;
  const without = (file) => () => {
    attach(files.filter((one) => one !== file));
    box().focus();
  };
  const row = (file) => h("li", {}, icon("file"), h("span", {}, file.name, h("small", {}, bytes(file.size))), h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}`, onclick: without(file) }, icon("close")));
  $("attached").replaceChildren(...files.map(row));
  $("attached").hidden = !files.length;
  refresh();
  if (atEnd) scroll.scrollTop = scroll.scrollHeight; // the box has grown over the last message
};

// Files can be let go anywhere over the conversation.
const setUpDrop = () => {
  const area = $("conversation");
  const carries = (event) => !box().disabled && [...event.dataTransfer.types].includes("Files");
  let depth = 0; // enter and leave come for every element on the way
  const over = (by) => {
    depth = Math.max(0, by === 0 ? 0 : depth + by);
    area.classList.toggle("dropping", depth > 0);
  };
  area.addEventListener("dragenter", (event) => carries(event) && over(1));
  area.addEventListener("dragleave", (event) => carries(event) && over(-1));
  area.addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  area.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    over(0);
    attach([...files, ...event.dataTransfer.files]);
    box().focus();
  });
};

const send = async () => {
  const field = box();
  const text = field.value.trim();
  if (!text && !files.length) return;
  field.value = "";
  const channel = now.channel.id;
  const thread_ts = thread;
  const dropped = files;
  attach([]);
  $("scroll").scrollTop = $("scroll").scrollHeight; // who writes sees what comes of it
  const fields = { user: now.world.me, channel, text, thread_ts };
  const answer = await acting(dropped.length ? drop(fields, dropped) : post("send", fields));
  if (answer.error === "offline" && !field.value) {
    field.value = text;
    attach(dropped);
  }
};

export const replyTo = (ts) => {
  thread = ts;
  $("thread").hidden = !ts;
  $("thread").replaceChildren(icon("reply"), "Replying in a thread", h("button", { type: "button", class: "icon-button", "aria-label": "Leave the thread", onclick: () => replyTo("") }, icon("close")));
  if (ts) box().focus();
};

// Tells the box where it writes to; a draft waits in each place.
export const composeFor = (state, world, channel, name) => {
  const moved = now?.channel.id !== channel.id || now?.world.me !== world.me;
  if (moved && now) drafts.set(`${now.world.me} ${now.channel.id}`, box().value);
  now = { state, world, channel };
  const field = box();
  field.setAttribute("aria-label", `Message ${name}`);
  field.placeholder = `Message ${name}`;
  field.disabled = channel.im && !state.app.can_write;
  $("attach").disabled = field.disabled;
  $("shortcuts").hidden = !state.shortcuts.some((one) => one.kind === "global");
  if (moved) {
    field.value = drafts.get(`${world.me} ${channel.id}`) ?? "";
    replyTo("");
    attach([]);
    hide();
  }
};

export const setUpCompose = () => {
  const field = box();
  $("send").append(icon("send"));
  $("shortcuts").append(icon("bolt"));
  $("attach").append(icon("clip"));
  $("attach").addEventListener("click", () => $("pick").click());
  $("pick").addEventListener("change", () => {
    attach([...files, ...$("pick").files]);
    $("pick").value = ""; // the same file may be chosen again
    field.focus();
  });
  setUpDrop();
  $("shortcuts").addEventListener("click", () => {
    const use = (one) => () => acting(post("shortcut", { user: now.world.me, id: one.id }));
    const entries = now.state.shortcuts.filter((one) => one.kind === "global").map((one) => ({ text: one.name, note: now.state.app.name, run: use(one) }));
    openMenu($("shortcuts"), "Shortcuts", entries);
  });
  field.addEventListener("input", refresh);
  field.addEventListener("blur", hide);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const exact = offers.length === 1 && offers[0].text === field.value.trim() && event.key === "Enter";
    if (!exact) moveIn(event, $("complete"), field, take, hide);
    if (event.defaultPrevented) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      hide();
      send();
    }
  });
  $("compose-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send().catch((error) => toast(error.message));
  });
};
