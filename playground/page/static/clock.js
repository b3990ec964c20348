// The demo's clock, and the ways to go forward: the bot lives by the same one.
import { h, icon, post, toast } from "./dom.js";

const $ = (id) => document.getElementById(id);
let me = "";
let world = null;
let behind = 0; // milliseconds that the browser's clock is behind the demo's
let drawn = "";

const format = (options) => new Intl.DateTimeFormat(world.locale, { timeZone: world.tz, ...options }).format(Date.now() + behind);
const SHORT = { weekday: "short", hour: "numeric", minute: "2-digit" };
const LONG = { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" };

const put = (id, text) => {
  if ($(id).textContent !== text) $(id).textContent = text;
};

const tick = () => {
  if (!world) return;
  put("clock-time", format(SHORT));
  put("clock-now", format(LONG));
  put("phone-clock", format({ hour: "numeric", minute: "2-digit" }));
};

const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const length = (seconds) => {
  const parts = [];
  for (const [name, size] of units) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count) parts.push(`${count} ${name}${count > 1 ? "s" : ""}`);
  }
  return parts.slice(0, 2).join(" ");
};

const forward = async (button, id) => {
  button.setAttribute("aria-busy", "true");
  $("clock-said").textContent = ""; // the same words again are said again; the news may come before the answer does
  const done = await post("forward", { user: me, to: id });
  button.removeAttribute("aria-busy");
  if (!done.ok) toast(done.notice);
};

export const showClock = (state, shown) => {
  world = shown;
  me = shown.me;
  behind = state.now * 1000 - Date.now();
  $("show-clock").hidden = !state.clock;
  tick();
  if (!state.clock) return;
  const { ahead, jumps } = state.clock;
  put("clock-ahead", ahead >= 60 ? `${length(ahead)} ahead of the real time` : "The real time");
  const mark = JSON.stringify(jumps);
  if (mark !== drawn) {
    drawn = mark;
    const button = (jump) => h("button", { type: "button", class: "button", onclick: (event) => forward(event.currentTarget, jump.id) }, jump.label);
    $("clock-jumps").replaceChildren(...jumps.map(button));
  }
  if ($("clock-panel").dataset.ahead !== undefined && $("clock-panel").dataset.ahead !== String(ahead)) put("clock-said", `It is now ${format(LONG)}.`);
  $("clock-panel").dataset.ahead = ahead;
};

export const setUpClock = () => {
  const [toggle, panel] = [$("show-clock"), $("clock-panel")];
  toggle.prepend(icon("forward"));
  const set = (open) => {
    panel.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
  };
  toggle.addEventListener("click", () => {
    set(panel.hidden);
    if (!panel.hidden) $("clock-jumps").querySelector("button")?.focus();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    set(false);
    toggle.focus();
  });
  document.querySelector("main").addEventListener("pointerdown", () => set(false));
  setInterval(tick, 1000);
};
