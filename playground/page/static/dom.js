// Small helpers: elements, icons, the call to the server, toasts, menus, confirmations.

export const h = (tag, props = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key in made && !key.startsWith("aria") && key !== "role" && key !== "list") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
};

const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h17M3 15h17",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  eye: "M2 12s4-6 10-6 10 6 10 6-4 6-10 6S2 12 2 12zM12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  close: "M6 6l12 12M18 6 6 18",
  send: "M4 4l17 8-17 8 3-8zM7 12h7",
  menu: "M4 6h16M4 12h16M4 18h16",
  phone: "M8 2.500h8a1.500 1.500 0 0 1 1.500 1.500v16a1.500 1.500 0 0 1-1.500 1.500H8A1.500 1.500 0 0 1 6.500 20V4A1.500 1.500 0 0 1 8 2.500zM11 18.500h2",
  bolt: "M13 2 5 14h6l-1 8 8-12h-6z",
  reply: "M4 5h16v11h-9l-5 4v-4H4z",
  call: "M5 4h4l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2z",
  sms: "M4 5h16v11H10l-4 4v-4H4z",
  clip: "M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.500 3.500 0 0 1 5 5l-8.500 8.500a1.800 1.800 0 0 1-2.600-2.600L14.500 7.500",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  forward: "M4 6l8 6-8 6zM12 6l8 6-8 6z",
  warn: "M12 3 2 20h20zM12 10v4M12 17v.01",
};

export const icon = (name) => {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
};

// Toasts stand in the topmost dialog while there is one: whatever is outside it is out of reach.
const toasts = document.getElementById("toasts");
export const toast = (text, kind = "error") => {
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss" }, icon("close"));
  const made = h("div", { class: `toast ${kind}` }, icon("warn"), h("p", {}, text), close);
  close.addEventListener("click", () => made.remove());
  const host = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (toasts.parentElement !== host) host.append(toasts);
  toasts.append(made);
  setTimeout(() => made.remove(), 8000);
};

export const post = async (action, body) => {
  try {
    const response = await fetch(`/play/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  } catch (error) {
    return { ok: false, error: "offline", errors: {}, options: [], notice: `The demo does not answer: ${error.message}` };
  }
};

// A message with files: a form, as contents have no place in JSON.
export const drop = async (fields, files, action = "drop") => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const file of files) form.append("file", file, file.name);
  try {
    const response = await fetch(`/play/${action}`, { method: "POST", body: form });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  } catch (error) {
    return { ok: false, error: "offline", notice: `The demo does not take it: ${error.message}` };
  }
};

export const bytes = (size) => (size < 1000 ? `${size} B` : size < 1e6 ? `${Math.round(size / 1000)} kB` : `${(size / 1e6).toFixed(1)} MB`);

// A menu below its button, in the dialog it belongs to if it is in one. Arrow keys move, Escape closes.
export const openMenu = (button, label, items) => {
  const host = button.closest("dialog") ?? document.body;
  const close = (focus = true) => {
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (focus) button.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) close(false);
  };
  const entry = (item) => {
    const run = () => {
      close();
      item.run();
    };
    const notes = item.note ? h("small", {}, item.note) : null;
    return h("button", { type: "button", role: "menuitem", tabIndex: -1, onclick: run }, h("span", {}, item.text), notes);
  };
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label }, items.map(entry));
  menu.addEventListener("keydown", (event) => {
    const all = [...menu.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[(to + all.length) % all.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  host.append(menu);
  button.setAttribute("aria-expanded", "true");
  const box = button.getBoundingClientRect();
  const down = box.bottom + menu.offsetHeight + 8 < innerHeight;
  menu.style.top = `${down ? box.bottom + 4 : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
  document.addEventListener("pointerdown", outside, true);
  menu.firstElementChild?.focus();
};

// Asks as Slack's confirm object says; resolves to true when the person goes on.
export const ask = (confirm, words) =>
  new Promise((resolve) => {
    const done = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const style = confirm.style === "danger" ? "danger" : "primary";
    const dialog = h(
      "dialog",
      { class: "confirm", role: "alertdialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      h("h2", { id: "confirm-title" }, confirm.title.text),
      h("div", { id: "confirm-text", class: "confirm-text" }, words(confirm.text)),
      h(
        "div",
        { class: "foot" },
        h("button", { type: "button", class: "button", onclick: () => done(false) }, confirm.deny.text),
        h("button", { type: "button", class: `button ${style}`, onclick: () => done(true) }, confirm.confirm.text),
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      done(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
