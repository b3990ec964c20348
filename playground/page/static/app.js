// The page: who you are, where you are, and the state that the server streams. Everything is drawn from that state.
import { renderBlocks } from "./blocks.js";
import { setUpClock, showClock } from "./clock.js";
import { composeFor, replyTo, setUpCompose } from "./compose.js";
import { showDialogs } from "./dialog.js";
import { h, icon, post } from "./dom.js";
import { avatar, context, showMessages } from "./messages.js";
import { setUpOutside, showOutside } from "./outside.js";

const $ = (id) => document.getElementById(id);
let me = "";
let state = null;
let stream = null;
let first = true;
let homeShown = "";
let opened = "";

const place = () => decodeURIComponent(location.hash.slice(1));
const appChannel = () => state.channels.find((one) => one.im);
const atHome = () => place() === "home" && state.app.home_tab;
const current = () => (place() === "home" ? appChannel() : (state.channels.find((one) => one.id === place()) ?? appChannel()));
const go = (where) => {
  location.hash = where;
};

const worldOf = () => {
  const person = state.people.find((one) => one.id === me);
  avatar.names = state.names;
  return { me, names: state.names, rooms: state.channel_names, people: state.people, locale: person?.locale ?? "en-US", tz: person?.tz ?? "UTC" };
};

const row = (channel, label, symbol, here) => {
  const unread = channel.unread > 0 && !(here && !atHome()); // at the home, the app's messages are out of sight
  const target = channel.im && state.app.home_tab && !unread ? "home" : channel.id;
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#${target}`, class: unread ? "unread" : "", "aria-current": here ? "page" : null },
      symbol,
      h("span", {}, label),
      unread ? h("span", { class: "badge", "aria-label": `${channel.unread} unread` }, String(channel.unread)) : null,
    ),
  );
};

const drawSidebar = (here) => {
  $("workspace").textContent = state.workspace.name;
  const rooms = state.channels.filter((one) => !one.im);
  $("channels").replaceChildren(...rooms.map((one) => row(one, one.name, icon(one.private ? "lock" : "hash"), one.id === here.id)));
  const app = appChannel();
  $("apps").replaceChildren(row(app, state.app.name, avatar(state.app.bot_user, true, "small"), app.id === here.id));
  const person = state.people.find((one) => one.id === me);
  $("role").textContent = person?.role ?? "";
};

const drawHead = (here, world) => {
  $("title").replaceChildren(here.im ? avatar(state.app.bot_user, true, "small") : icon(here.private ? "lock" : "hash"), here.im ? state.app.name : here.name);
  $("topic").textContent = here.im ? state.app.description : [here.topic, `${here.members} members`].filter(Boolean).join(" · ");
  $("tabs").hidden = !here.im || !state.app.home_tab;
  for (const [tab, on] of [["tab-home", atHome()], ["tab-messages", !atHome()]]) {
    $(tab).setAttribute("aria-selected", String(on));
    $(tab).tabIndex = on ? 0 : -1;
  }
  const unread = atHome() && here.unread > 0;
  $("tab-messages").replaceChildren("Messages", unread ? " " : "", unread ? h("span", { class: "badge", "aria-label": `${here.unread} unread` }, String(here.unread)) : "");
  $("home").hidden = !atHome();
  $("conversation").hidden = atHome();
  document.title = `${here.im ? state.app.name : `#${here.name}`} · ${world.names[me]} · Switchboard demo`;
};

const drawHome = (world) => {
  const mark = `${me} ${state.home?.hash}`;
  if (homeShown === mark) return;
  homeShown = mark;
  const focused = document.activeElement?.closest("#home [data-block]")?.dataset.block;
  const ctx = context("home", world, state.home?.state, { view: state.home?.id });
  const empty = h("p", { class: "empty" }, "This app has published nothing here yet.");
  $("home").replaceChildren(h("div", { class: "page" }, state.home ? renderBlocks(ctx, state.home.body.blocks) : empty));
  if (focused) $("home").querySelector(`[data-block="${CSS.escape(focused)}"] :is(button, input, select)`)?.focus();
};

const intro = (here) =>
  here.im
    ? [avatar(state.app.bot_user, true, "large"), h("p", {}, `Write to ${state.app.name}, or type `, h("kbd", {}, "/"), " to see its commands.")]
    : [h("h2", {}, `#${here.name}`), h("p", {}, "This is the very beginning of the channel. Type ", h("kbd", {}, "/"), ` to see what ${state.app.name} can do.`)];

let introFor = "";
const drawConversation = (here, world) => {
  const scroll = $("scroll");
  const moved = introFor !== `${me} ${here.id}`;
  const atEnd = moved || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  if (moved) $("intro").replaceChildren(...intro(here));
  introFor = `${me} ${here.id}`;
  showMessages($("messages"), here, state, world, replyTo);
  composeFor(state, world, here, here.im ? state.app.name : `#${here.name}`);
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  const last = here.messages.at(-1);
  if (last && here.unread > 0 && !document.hidden) post("read", { user: me, channel: here.id, ts: last.ts });
};

const draw = () => {
  if (!state) return;
  const world = worldOf();
  const here = current();
  const tab = `${me} ${here.im ? (atHome() ? "home" : "messages") : ""}`;
  if (here.im && opened !== tab) post("open", { user: me, tab: atHome() ? "home" : "messages" });
  opened = tab;
  drawSidebar(here);
  drawHead(here, world);
  if (atHome()) drawHome(world);
  else drawConversation(here, world);
  showClock(state, world);
  showOutside(state, world, first);
  showDialogs(state.dialogs, world);
  first = false;
};

const listen = () => {
  stream?.close();
  stream = new EventSource(`/play/events?user=${encodeURIComponent(me)}`);
  stream.addEventListener("message", (event) => {
    state = JSON.parse(event.data);
    $("offline").hidden = true;
    draw();
  });
  stream.addEventListener("error", () => {
    $("offline").hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  });
};

const become = (id) => {
  me = id;
  sessionStorage.setItem("me", id);
  $("you").value = id;
  homeShown = "";
  listen();
};

const start = async () => {
  setUpCompose();
  setUpClock();
  setUpOutside();
  $("show-sidebar").append(icon("menu"));
  const sidebar = (open) => {
    $("sidebar").classList.toggle("open", open);
    $("show-sidebar").setAttribute("aria-expanded", String(open));
  };
  $("show-sidebar").addEventListener("click", () => sidebar(!$("sidebar").classList.contains("open")));
  $("sidebar").addEventListener("click", (event) => event.target.closest("a") && sidebar(false));
  document.querySelector("main").addEventListener("pointerdown", () => sidebar(false));
  $("tab-home").addEventListener("click", () => go("home"));
  $("tab-messages").addEventListener("click", () => go(appChannel().id));
  $("tabs").addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    go(atHome() ? appChannel().id : "home");
    $(atHome() ? "tab-home" : "tab-messages").focus();
  });
  if (!place()) history.replaceState(null, "", "#home");
  addEventListener("hashchange", draw);
  document.addEventListener("visibilitychange", draw);
  const people = await (await fetch("/play/people")).json();
  $("you").replaceChildren(...people.map((one) => h("option", { value: one.id }, one.real_name)));
  $("you").addEventListener("change", () => become($("you").value));
  const wanted = new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem("me");
  become(people.some((one) => one.id === wanted) ? wanted : people[0].id);
};

start();
