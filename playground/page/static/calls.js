// Calls through the pretend Twilio: who calls whom, the phone that rings, what the caller hears, the log.
import { h, icon, post, toast } from "./dom.js";

const $ = (id) => document.getElementById(id);
let me = "";

const TALKS = [
  [20, "20 s", "20 seconds"],
  [180, "3 min", "3 minutes"],
  [1200, "20 min", "20 minutes"],
];

const act = async (button, action, body) => {
  button.setAttribute("aria-busy", "true");
  const done = await post(action, { user: me, ...body });
  button.removeAttribute("aria-busy");
  if (!done.ok && done.notice) toast(done.notice);
  return done;
};

const button = (label, action, body, style = "", about = "") =>
  h("button", { type: "button", class: `button small ${style}`, "aria-label": about || null, onclick: (event) => act(event.currentTarget, action, body) }, label);

const whole = (number) => h("span", { class: "one-piece" }, number); // numbers keep to one line

const talked = (seconds) => {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return [minutes ? `${minutes} min` : "", rest || !minutes ? `${rest} s` : ""].filter(Boolean).join(" ");
};

const ENDINGS = {
  declined: "Declined at the phone",
  "given up": "The caller gave up",
  "not answered": "Nobody answered",
  "nothing rings there": "Nothing rings there",
};

const outcome = (call) => {
  if (call.connecting) return "Connecting…";
  if (call.state === "ringing") return ["Rings at ", whole(call.rings)];
  if (call.state === "in-progress") return ["Talking at ", whole(call.rings)];
  if (call.state === "rejected") return "Rejected";
  if (call.state === "refused") return "Not put through";
  if (call.state === "failed") return call.ending === "not in service" ? "Not in service" : "Failed";
  return ENDINGS[call.ending] ?? ["Talked ", whole(talked(call.seconds)), " at ", whole(call.rings)];
};

const controls = (call) => {
  const about = `the call from ${call.from}`;
  if (call.connecting) return [];
  if (call.state === "ringing")
    return [
      h("div", { class: "call-buttons" }, button("Answer", "answer", { call: call.id }, "primary", `Answer ${about}`), button("Decline", "decline", { call: call.id }, "danger", `Decline ${about}`)),
      h("div", { class: "call-buttons" }, button("Caller gives up", "hang_up", { call: call.id, seconds: 10 })),
    ];
  if (call.state === "in-progress")
    return [
      h("p", { class: "call-note", id: `talk-${call.id}` }, "Hang up after"),
      h("div", { class: "call-buttons", role: "group", "aria-labelledby": `talk-${call.id}` }, TALKS.map(([seconds, label, words]) => button(label, "hang_up", { call: call.id, seconds }, "", `Hang up after ${words}`))),
    ];
  return [];
};

export const callCard = (call, time) => {
  const going = ["ringing", "in-progress"].includes(call.state);
  const put = call.state === "completed" || going;
  return h(
    "li",
    { class: `ring call ${going ? "going" : ""} ${put ? "" : "turned-away"}`, "data-call": call.id },
    h("p", { class: "from" }, icon("call"), h("span", {}, "To ", whole(call.to)), time),
    h("p", { class: "number" }, call.from),
    h("p", { class: "outcome" }, outcome(call)),
    call.shows && going && call.shows !== call.from ? h("p", { class: "call-note" }, "It shows ", whole(call.shows)) : null,
    call.heard ? h("p", { class: "heard" }, "The caller hears: ", h("q", {}, call.heard)) : null,
    controls(call),
  );
};

// A phone that Twilio has called to prove that it is whose it is said to be: it waits for a code.
export const askedCard = (one) => {
  const box = h("input", { id: `code-${one.number}`, inputMode: "numeric", maxLength: 8, autocomplete: "off" });
  const send = h("button", { type: "submit", class: "button small primary" }, "Type it in");
  const form = h("form", { class: "asked" }, h("label", { htmlFor: box.id }, "Twilio asks for its code"), box, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(send, "type_code", { number: one.number, code: box.value });
  });
  return h("li", { class: "ring call going", "data-call": one.number }, h("p", { class: "from" }, icon("call"), h("span", {}, "Call from Twilio")), h("p", { class: "number" }, one.name), form);
};

const OTHER = ""; // the choice below which a number is typed

const invalid = (text) => {
  $("caller-error").textContent = text;
  $("caller-error").hidden = !text;
  if (text) $("caller-typed").setAttribute("aria-invalid", "true");
  else $("caller-typed").removeAttribute("aria-invalid");
  if (text) $("caller-typed").focus();
};

const options = (select, rows) => {
  const chosen = select.value;
  select.replaceChildren(...rows.map(([value, label]) => h("option", { value }, label)));
  select.value = rows.some(([value]) => value === chosen) ? chosen : (rows[0]?.[0] ?? "");
};

let known = "";
export const showCaller = (phones, who) => {
  me = who;
  $("caller").hidden = !phones;
  if (!phones) return;
  const mark = JSON.stringify([phones.lines, phones.callers]);
  if (mark === known) return;
  const first = !known;
  known = mark;
  options($("caller-to"), phones.lines.map((line) => [line.number, line.name]));
  options($("caller-from"), [...phones.callers.map((name) => [name, name]), [OTHER, "Another number…"]]);
  if (first) $("caller-from").selectedIndex = 0;
};

export const setUpCaller = () => {
  $("caller-from").addEventListener("change", () => {
    $("caller-other").hidden = $("caller-from").value !== OTHER;
    invalid("");
    if (!$("caller-other").hidden) $("caller-typed").focus();
  });
  $("caller").addEventListener("submit", async (event) => {
    event.preventDefault();
    invalid("");
    const from = $("caller-from").value || $("caller-typed").value;
    const done = await act($("caller-call"), "call", { from, to: $("caller-to").value });
    if (done.errors.from) invalid(done.errors.from);
  });
};
