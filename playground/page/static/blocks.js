// Block Kit as elements on the page. `ctx` says where: its kind, what pressing does, and what has been typed.
import { ask, bytes, drop, h, icon, openMenu, toast } from "./dom.js";
import { markdown, plainWords, richText, words } from "./text.js";

let counter = 0;
const id = () => `e${(counter += 1)}`;
const optionsOf = (element) => element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);

// What an element's state holds, as the plain value that the server takes back.
export const rawOf = (state) => {
  if (!state) return null;
  const { type: _type, ...rest } = state;
  const value = Object.values(rest)[0] ?? null;
  if (Array.isArray(value)) return value.map((item) => item?.value ?? item);
  return value && typeof value === "object" ? value.value : value;
};

const image = (element) => h("img", { src: element.image_url, alt: element.alt_text, loading: "lazy" });

// Runs an element's action, asking first where it says so, and shows that it is under way.
const run = async (ctx, block, element, node, more = {}) => {
  if (element.confirm && !(await ask(element.confirm, (text) => words(text, ctx.world)))) return false;
  node.setAttribute("aria-busy", "true");
  await ctx.press(block, element, more);
  node.removeAttribute("aria-busy");
  return true;
};

const button = (ctx, block, element) => {
  const press = () => {
    if (element.url) window.open(element.url, "_blank", "noopener,noreferrer");
    if (made.getAttribute("aria-busy") !== "true") run(ctx, block, element, made);
  };
  const made = h(
    "button",
    { type: "button", class: `button ${element.style ?? ""}`, "aria-label": element.accessibility_label, onclick: press },
    plainWords(element.text),
  );
  return made;
};

const overflow = (ctx, block, element) => {
  const near = block.text ? `More actions: ${block.text.text.split("\n")[0].replace(/[*_~`]/g, "").slice(0, 60)}` : "More actions";
  const pick = (option) => () => {
    if (option.url) window.open(option.url, "_blank", "noopener,noreferrer");
    run(ctx, block, element, made, { option: option.value });
  };
  const entries = element.options.map((option) => ({ text: plainWords(option.text), note: option.description ? plainWords(option.description) : "", run: pick(option) }));
  const made = h(
    "button",
    { type: "button", class: "button overflow", "aria-label": near, "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => openMenu(made, near, entries) },
    icon("more"),
  );
  return made;
};

const placeholder = (element, fallback) => (element.placeholder ? plainWords(element.placeholder) : fallback);

// One of a list, as the browser's own select: searchable by typing, and at home with every keyboard and reader.
const select = (ctx, block, element, choices) => {
  const chosen = ctx.value(block, element);
  const option = ([value, text]) => h("option", { value, selected: value === chosen }, text);
  const empty = h("option", { value: "", selected: chosen === null, disabled: block.type === "input" && !block.optional }, placeholder(element, "Choose an option"));
  const grouped = element.option_groups?.map((group) => h("optgroup", { label: plainWords(group.label) }, group.options.map((o) => option([o.value, plainWords(o.text)]))));
  const made = h("select", { class: chosen === null ? "unset" : "" }, empty, grouped ?? choices.map(option));
  made.addEventListener("change", () => {
    made.classList.toggle("unset", made.value === "");
    ctx.change(block, element, made.value === "" ? null : made.value, made);
  });
  return made;
};

const choicesOf = (element, world) => {
  if (element.type.includes("static")) return optionsOf(element).map((option) => [option.value, plainWords(option.text)]);
  if (element.type.includes("users")) return world.people.filter((p) => !p.is_bot && !p.deleted).map((p) => [p.id, p.real_name]);
  return Object.entries(world.rooms).map(([key, name]) => [key, `#${name}`]);
};

const several = (ctx, block, element, choices) => {
  const chosen = new Set(ctx.value(block, element) ?? []);
  const kind = element.type === "radio_buttons" ? "radio" : "checkbox";
  const name = id();
  const entry = ([value, text, note]) => {
    const key = id();
    const on = kind === "radio" ? ctx.value(block, element) === value : chosen.has(value);
    const input = h("input", { type: kind, id: key, name, value, checked: on, "aria-describedby": note ? `${key}-note` : null });
    input.addEventListener("change", () => {
      const now = [...made.querySelectorAll("input:checked")].map((one) => one.value);
      ctx.change(block, element, kind === "radio" ? (now[0] ?? null) : now, made);
    });
    const notes = note ? h("small", { id: `${key}-note` }, note) : null;
    return h("div", { class: "choice" }, input, h("div", {}, h("label", { htmlFor: key }, text), notes));
  };
  const made = h("div", { class: choices.length > 10 ? "choices tall" : "choices", role: kind === "radio" ? "radiogroup" : "group" }, choices.map(entry));
  return made;
};

const boxes = (ctx, block, element) =>
  several(ctx, block, element, element.options.map((o) => [o.value, words(o.text, ctx.world), o.description ? words(o.description, ctx.world) : null]));

// A search: what is typed goes to the app, which answers with options.
const search = (ctx, block, element) => {
  const least = element.min_query_length ?? 3;
  const list = h("ul", { class: "complete", role: "listbox", id: id(), "aria-label": "Options", hidden: true });
  const input = h("input", { type: "text", role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, placeholder: placeholder(element, "Type to search") });
  const known = ctx.chosenText(block, element);
  if (known) input.value = known;
  let asked = 0;
  let timer = 0;
  const show = (on) => {
    list.hidden = !on;
    input.setAttribute("aria-expanded", String(on));
  };
  const choose = (option) => {
    input.value = plainWords(option.text);
    show(false);
    const many = element.type.startsWith("multi_");
    ctx.change(block, element, many ? [option.value] : option.value, input);
  };
  const lookUp = async () => {
    const turn = (asked += 1);
    if (input.value.length < least) return show(false);
    const answer = await ctx.suggest(block, element, input.value);
    if (turn !== asked) return undefined;
    const rows = answer.options.map((option) => h("li", { role: "option", id: id(), "aria-selected": "false", onpointerdown: (event) => (event.preventDefault(), choose(option)) }, plainWords(option.text)));
    list.replaceChildren(...(rows.length ? rows : [h("li", { class: "none" }, answer.ok ? "No results" : answer.notice)]));
    list.options = answer.options;
    return show(true);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (!input.value) ctx.change(block, element, null, input);
    timer = setTimeout(lookUp, 150);
  });
  input.addEventListener("focus", () => least === 0 && lookUp());
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => moveIn(event, list, input, (at) => choose(list.options[at]), () => show(false)));
  return h("div", { class: "search" }, input, list);
};

// Up and down in a list of suggestions while the typing stays in its field.
export const moveIn = (event, list, input, take, hide) => {
  if (list.hidden) return;
  const rows = [...list.querySelectorAll("[role=option]")];
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (to !== undefined && rows.length) {
    const next = rows[(to + rows.length) % rows.length];
    for (const row of rows) row.setAttribute("aria-selected", String(row === next));
    input.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  } else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) take(at);
  else if (event.key === "Escape") hide();
  else return;
  event.preventDefault();
  event.stopPropagation();
};

const TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text", plain_text_input: "text" };
const PICKERS = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

const typed = (ctx, block, element) => {
  const many = element.multiline;
  const made = h(many ? "textarea" : "input", {
    ...(many ? { rows: 4 } : { type: TYPES[element.type] }),
    value: ctx.value(block, element) ?? "",
    placeholder: placeholder(element, ""),
    maxLength: element.max_length ?? 3000,
    inputMode: element.type === "number_input" ? "decimal" : null,
    autocomplete: "off",
  });
  const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let timer = 0;
  made.addEventListener("input", () => {
    ctx.typed(block, element, made.value);
    clearTimeout(timer);
    if (when.includes("on_character_entered") && block.dispatch_action) timer = setTimeout(() => ctx.change(block, element, made.value, made), 300);
  });
  made.addEventListener("change", () => ctx.kind !== "modal" && ctx.change(block, element, made.value, made));
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || many || event.isComposing || !block.dispatch_action) return;
    event.preventDefault();
    if (when.includes("on_enter_pressed")) ctx.change(block, element, made.value, made);
  });
  return made;
};

const picker = (ctx, block, element) => {
  const value = ctx.value(block, element);
  const local = (stamp) => new Date(stamp * 1000 - new Date(stamp * 1000).getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  const made = h("input", { type: PICKERS[element.type], value: value && element.type === "datetimepicker" ? local(value) : (value ?? "") });
  made.addEventListener("change", () => {
    const now = element.type === "datetimepicker" && made.value ? Math.round(new Date(made.value) / 1000) : made.value;
    ctx.change(block, element, now || null, made);
  });
  return made;
};

// Files are brought to the server as they are picked; the dialog holds their ids.
const fileInput = (ctx, block, element) => {
  const most = element.max_files ?? 10;
  const at = ctx.files(block, element);
  const list = h("ul", { class: "attached in-dialog", "aria-label": "Files to send" });
  const pick = h("input", { type: "file", multiple: most > 1, accept: element.filetypes?.map((kind) => `.${kind}`).join(",") ?? null });
  const show = () => {
    const without = (file) => () => (at.splice(at.indexOf(file), 1), keep(), pick.focus());
    list.replaceChildren(...at.map((file) => h("li", {}, icon("file"), h("span", {}, file.name, h("small", {}, bytes(file.size))), h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}`, onclick: without(file) }, icon("close")))));
    list.hidden = !at.length;
  };
  const keep = () => {
    ctx.typed(block, element, at.map((file) => file.id));
    show();
  };
  pick.addEventListener("change", async () => {
    const chosen = [...pick.files];
    pick.value = "";
    if (at.length + chosen.length > most) return toast(`No more than ${most} files can be added here.`);
    pick.setAttribute("aria-busy", "true");
    const answer = await drop({ user: ctx.world.me }, chosen, "pick");
    pick.removeAttribute("aria-busy");
    if (!answer.ok) return toast(answer.notice);
    at.push(...answer.files);
    keep();
  });
  show();
  return h("div", { class: "file-input" }, pick, list);
};

const element = (ctx, block, item) => {
  if (item.type === "image") return image(item);
  if (item.type === "button") return button(ctx, block, item);
  if (item.type === "overflow") return overflow(ctx, block, item);
  if (item.type.includes("external_select")) return search(ctx, block, item);
  if (item.type.startsWith("multi_")) return several(ctx, block, item, choicesOf(item, ctx.world));
  if (item.type.endsWith("_select")) return select(ctx, block, item, choicesOf(item, ctx.world));
  if (item.type === "checkboxes" || item.type === "radio_buttons") return boxes(ctx, block, item);
  if (PICKERS[item.type]) return picker(ctx, block, item);
  if (TYPES[item.type]) return typed(ctx, block, item);
  return fileInput(ctx, block, item);
};

// The node that carries the value of an element, for labels and descriptions.
const control = (node) => (["search", "file-input"].some((name) => node.classList.contains(name)) ? node.firstElementChild : node);

const label = (node, text) => {
  const target = control(node);
  if (target.matches("input, select, textarea") && !target.getAttribute("aria-label")) target.setAttribute("aria-label", text);
};

const inAction = (ctx, block, item, text) => {
  const node = element(ctx, block, item);
  if (item.type !== "button" && item.type !== "overflow" && item.type !== "image") label(node, item.placeholder ? plainWords(item.placeholder) : text);
  return node;
};

const input = (ctx, block) => {
  const node = element(ctx, block, block.element);
  const target = control(node);
  const key = id();
  const error = ctx.error(block);
  const grouped = node.classList.contains("choices");
  target.id = key;
  const notes = [];
  if (block.hint) notes.push(h("p", { class: "hint", id: `${key}-hint` }, words(block.hint, ctx.world)));
  if (error) notes.unshift(h("p", { class: "error", id: `${key}-error`, role: "alert" }, icon("warn"), error));
  if (notes.length) target.setAttribute("aria-describedby", notes.map((note) => note.id).join(" "));
  if (error) target.setAttribute("aria-invalid", "true");
  if (!block.optional && !grouped) target.setAttribute("aria-required", "true");
  if (block.element.focus_on_load) target.setAttribute("data-first", "");
  const title = plainWords(block.label);
  if (grouped) node.setAttribute("aria-label", title);
  const heading = grouped ? h("span", { class: "label" }, title) : h("label", { class: "label", htmlFor: key }, title);
  const optional = block.optional ? h("span", { class: "optional" }, "(optional)") : null;
  return h("div", { class: error ? "field bad" : "field" }, h("div", { class: "label-row" }, heading, optional), node, notes);
};

const cell = (item, world) => (item.type === "raw_text" ? item.text : richText(item, world));

const table = (ctx, block) => {
  const settings = (at) => `${block.column_settings?.[at]?.align ?? "left"} ${block.column_settings?.[at]?.is_wrapped ? "" : "one-line"}`;
  const [head, ...rows] = block.rows;
  const row = (cells, tag) => h("tr", {}, cells.map((item, at) => h(tag, { class: settings(at), scope: tag === "th" ? "col" : null }, cell(item, ctx.world))));
  return h("div", { class: "table", tabIndex: 0, role: "region", "aria-label": "Table" }, h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, rows.map((cells) => row(cells, "td")))));
};

const chart = (ctx, block) => {
  const { series, axis_config: axes } = block.chart;
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => point.value)));
  const bar = (point, name) =>
    h("li", {}, h("span", { class: "name" }, point.label),
      h("span", { class: "bar" }, h("i", { style: `width:${(100 * Math.max(0, point.value)) / most}%` })),
      h("span", { class: "value" }, `${point.value}${axes.y_label ? ` ${axes.y_label}` : ` ${name}`}`));
  return h("figure", { class: "chart" }, h("figcaption", {}, block.title), h("ul", {}, series.flatMap((one) => one.data.map((point) => bar(point, one.name)))));
};

const BLOCKS = {
  data_visualization: chart,
  header: (ctx, block) => h(ctx.kind === "message" ? "h3" : "h2", { class: "header" }, words(block.text, ctx.world)),
  divider: () => h("hr"),
  section: (ctx, block) => {
    const text = block.text ? h("div", { class: "text" }, words(block.text, ctx.world)) : null;
    const fields = block.fields ? h("div", { class: "fields" }, block.fields.map((one) => h("div", {}, words(one, ctx.world)))) : null;
    const near = block.text ? block.text.text.replace(/[*_~`]/g, "").slice(0, 80) : "Choice";
    const accessory = block.accessory ? h("div", { class: `accessory holds-${block.accessory.type}` }, inAction(ctx, block, block.accessory, near)) : null;
    return h("div", { class: "section" }, h("div", { class: "body" }, text, fields), accessory);
  },
  context: (ctx, block) => h("div", { class: "context" }, block.elements.map((one) => (one.type === "image" ? image(one) : h("span", {}, words(one, ctx.world))))),
  actions: (ctx, block) => h("div", { class: "actions" }, block.elements.map((one) => inAction(ctx, block, one, "Choice"))),
  image: (ctx, block) => h("figure", {}, block.title ? h("figcaption", {}, words(block.title, ctx.world)) : null, image(block)),
  input,
  rich_text: (ctx, block) => h("div", { class: "text" }, richText(block, ctx.world)),
  markdown: (ctx, block) => h("div", { class: "text" }, markdown(block.text, ctx.world)),
  table,
};

export const renderBlocks = (ctx, blocks) =>
  blocks.map((block) => {
    const made = BLOCKS[block.type](ctx, block);
    made.dataset.block = block.block_id ?? "";
    return made;
  });

export const findState = (state, block, element) => state?.[block.block_id]?.[element.action_id];
export const chosenText = (state, block, element) => {
  const option = findState(state, block, element)?.selected_option;
  return option ? plainWords(option.text) : "";
};
