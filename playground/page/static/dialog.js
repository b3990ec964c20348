// Dialogs: the topmost view of the person's stack, its fields, errors and buttons. Typed values survive every redraw.
import { chosenText, findState, rawOf, renderBlocks } from "./blocks.js";
import { h, icon, post, toast } from "./dom.js";
import { plainWords } from "./text.js";

const typed = new Map(); // view id → "block/action" → { block_id, action_id, value }
const attached = new Map(); // view id → "block/action" → files picked
const sentOff = new Set(); // views on their way: a key that was pressed before is in them
const errors = new Map(); // view id → block id → words
let shown = null; // { id, hash, node }

const key = (block, element) => `${block.block_id}/${element.action_id}`;
const fields = (view) => [...(typed.get(view.id)?.values() ?? [])];
const remember = (view, block, element, value, text = "") => {
  if (!typed.has(view.id)) typed.set(view.id, new Map());
  typed.get(view.id).set(key(block, element), { block_id: block.block_id, action_id: element.action_id, value, text });
};
const entered = (view, block, element) => typed.get(view.id)?.get(key(block, element));

// Only what is still in the view is sent: an update may have taken a field away.
const present = (view, entry) =>
  view.body.blocks.some((block) => block.block_id === entry.block_id && [block.element, block.accessory, ...(block.elements ?? [])].some((one) => one?.action_id === entry.action_id));

const context = (view, world) => ({
  kind: "modal",
  world,
  error: (block) => errors.get(view.id)?.[block.block_id],
  value: (block, element) => {
    const own = entered(view, block, element);
    return own ? own.value : rawOf(findState(view.state, block, element));
  },
  chosenText: (block, element) => entered(view, block, element)?.text ?? chosenText(view.state, block, element),
  files: (block, element) => {
    if (!attached.has(view.id)) attached.set(view.id, new Map());
    const here = attached.get(view.id);
    if (!here.has(key(block, element))) here.set(key(block, element), []);
    return here.get(key(block, element));
  },
  typed: (block, element, value) => remember(view, block, element, value),
  change: async (block, element, value, node) => {
    remember(view, block, element, value, node.value ?? "");
    if ((block.type === "input" && !block.dispatch_action) || sentOff.has(view.id) || shown?.id !== view.id) return;
    node.setAttribute("aria-busy", "true");
    await press(view, world, block, element, { value });
    node.removeAttribute("aria-busy");
  },
  press: (block, element, more) => press(view, world, block, element, more),
  suggest: (block, element, query) => post("suggest", { user: world.me, view: view.id, block_id: block.block_id, action_id: element.action_id, query }),
});

const press = async (view, world, block, element, more) => {
  const other = (entry) => entry.block_id !== block.block_id || entry.action_id !== element.action_id;
  const values = fields(view).filter((entry) => present(view, entry) && other(entry));
  const answer = await post("press", { user: world.me, view: view.id, block_id: block.block_id, action_id: element.action_id, values, ...more });
  if (answer.notice) toast(answer.notice);
};

const submit = async (view, world, node) => {
  const button = node.querySelector("[type=submit]");
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  sentOff.add(view.id);
  const answer = await post("submit", { user: world.me, view: view.id, values: fields(view).filter((entry) => present(view, entry)) });
  button.removeAttribute("aria-busy");
  sentOff.delete(view.id);
  errors.set(view.id, answer.errors);
  if (answer.notice) {
    node.querySelector(".trouble").replaceChildren(icon("warn"), answer.notice);
    node.querySelector(".trouble").hidden = false;
  }
  if (answer.ok) for (const map of [typed, attached]) map.delete(view.id);
  else draw(view, world, true);
};

const dismiss = (view, world, everything) => post("dismiss", { user: world.me, view: view.id, everything });

const focusFirst = (node) => {
  const wanted = node.querySelector("[aria-invalid=true]") ?? node.querySelector("[data-first]") ?? node.querySelector(".dialog-body :is(input, select, textarea, button)");
  (wanted?.matches(".choices") ? wanted.querySelector("input") : wanted)?.focus();
};

const build = (view, world, depth) => {
  const { title, submit: send, close, blocks } = view.body;
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const body = h("div", { class: "dialog-body" }, trouble, renderBlocks(context(view, world), blocks));
  const cancel = h("button", { type: "button", class: "button", onclick: () => dismiss(view, world, false) }, close ? plainWords(close) : depth > 1 ? "Back" : send ? "Cancel" : "Close");
  const foot = h("div", { class: "foot" }, cancel, send ? h("button", { type: "submit", class: "button primary" }, plainWords(send)) : null);
  const cross = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss dialog", onclick: () => dismiss(view, world, true) }, icon("close"));
  const head = h("div", { class: "dialog-head" }, h("img", { src: "/play/static/icon.svg", alt: "", class: "avatar small" }), h("h2", { id: "dialog-title" }, plainWords(title)), cross);
  const form = h("form", { noValidate: true }, head, body, foot);
  return [form, body];
};

const draw = (view, world, refocus) => {
  const node = shown.node;
  const focused = document.activeElement?.closest("[data-block]")?.dataset.block;
  const inside = focused !== undefined && node.contains(document.activeElement);
  const tag = document.activeElement?.tagName;
  const at = inside ? node.querySelector(".dialog-body").scrollTop : 0;
  const said = node.querySelector(".trouble:not([hidden])");
  const [form, body] = build(view, world, world.depth);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(view, world, node);
  });
  node.replaceChildren(form);
  if (said && refocus) body.prepend(said);
  body.scrollTop = at;
  const again = inside && !Object.keys(errors.get(view.id) ?? {}).length ? node.querySelector(`[data-block="${CSS.escape(focused)}"] ${tag}`) : null;
  if (again) again.focus();
  else focusFirst(node);
};

// Slack is out of reach while a dialog is open. The phone and the mailbox are not Slack: a code can be read there.
const blocked = (on) => {
  for (const part of document.querySelectorAll("main, .sidebar, .skip")) part.inert = on;
};

// Shows the top of the stack, or nothing. `world.depth` is the stack's height.
export const showDialogs = (stack, world) => {
  const view = stack.at(-1);
  const open = new Set(stack.map((one) => one.id));
  for (const map of [typed, attached, errors]) for (const old of map.keys()) if (!open.has(old)) map.delete(old);
  if (!view) {
    blocked(false);
    shown?.node.close();
    shown?.node.remove();
    shown = null;
    return;
  }
  const deep = { ...world, depth: stack.length };
  if (shown?.id === view.id && shown.hash === view.hash) return;
  const fresh = !shown;
  if (fresh) {
    const node = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title" });
    document.body.append(node);
    shown = { node };
    node.addEventListener("keydown", (event) => event.key === "Escape" && dismiss({ id: shown.id }, shown.world, false));
    node.show();
    blocked(true);
  }
  errors.delete(view.id);
  shown.id = view.id;
  shown.hash = view.hash;
  shown.world = deep;
  draw(view, deep, false);
};
