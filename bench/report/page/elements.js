// What every part of the page is made of: elements, tables, figures as text. Text reaches the page by textContent and setAttribute
// alone, never as markup. elements.js, charts.js and page.js stand in one function, in this order (cmake/embed.cmake).
"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const charts = [];
let n_ids = 0;

// ---- elements

// el("td", {class: "n"}, "text", node, ...); null and undefined children are left out.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined) node.append(child);
  return node;
}
function svg(name, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
// columns: [{title, n: numeric}]; the first cell of a row is its heading. A cell is text, a node, or an array of these.
function table(caption, columns, rows, options = {}) {
  const cell = (value, i) => i === 0
    ? el("th", {scope: "row", class: options.strike ? "s" : null}, value)
    : el("td", {class: [columns[i].n ? "n" : "", columns[i].class || ""].join(" ").trim() || null}, value);
  const body = rows.map((row) => el("tr", {class: row.class || null}, (row.cells || row).map(cell)));
  const head = el("tr", null, columns.map((c) => el("th", {scope: "col", class: c.n ? "n" : null}, c.title)));
  const whole = el("table", {class: options.narrow ? null : "wide"}, el("caption", null, el("span", null, caption)), el("thead", null, head),
    el("tbody", null, body));
  return el("div", {class: "scroll", role: "region", "aria-label": caption, tabindex: "0"}, whole);
}
function section(title, ...children) {
  const id = "s" + ++n_ids;
  return el("section", {"aria-labelledby": id}, el("h2", {id}, title), ...children);
}
function legend(names, mark) {
  return el("ul", {class: "legend"}, names.map((name, i) => el("li", null, mark(i), name)));
}
function details(title, ...children) {
  return el("details", null, el("summary", null, title), ...children);
}
const tag = (text, kind) => el("span", {class: "tag " + (kind || "")}, text);

// ---- figures as text

const is_number = (value) => typeof value === "number";
function digits(value, n = 3) {
  if (value === 0) return "0";
  const places = Math.max(0, n - 1 - Math.floor(Math.log10(Math.abs(value))));
  return Math.abs(value) >= 10 ** n ? Math.round(value).toLocaleString("en") : value.toFixed(Math.min(places, 6)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}
function time(ns) {
  if (!is_number(ns)) return "–";
  const size = Math.abs(ns);
  if (size >= 999.5e6) return digits(ns / 1e9) + " s";
  if (size >= 999.5e3) return digits(ns / 1e6) + " ms";
  if (size >= 999.5) return digits(ns / 1e3) + " µs";
  return digits(ns) + " ns";
}
const count = (value) => is_number(value) ? Math.round(value).toLocaleString("en") : "–";
const share = (value) => is_number(value) ? digits(value * 100, 4) + " %" : "–";
const bytes = (value) => value >= 2 ** 30 ? digits(value / 2 ** 30) + " GiB" : digits(value / 2 ** 20) + " MiB";
const ratio = (value) => is_number(value) ? value.toFixed(value >= 10 ? 1 : value < 2 ? 3 : 2) : "–";
const quantile = (x) => { // of log10(1/(1-q)), in per cent
  const percent = 100 * (1 - 10 ** -x);
  return percent.toFixed(Math.max(0, Math.ceil(x - 2 - 1e-9)) + (x % 1 && x < 2 ? 1 : 0)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
};
const plural = (n, what) => count(n) + " " + what + (n === 1 ? "" : "s");
function figure_text(figure) {
  if (!figure) return "–";
  if (figure.no_answer) return "no answer";
  const marks = [figure.episodic ? "episodic" : "", figure.driver_limited ? "driver-limited" : ""].filter(Boolean);
  return marks.length ? [time(figure.median), el("span", {class: "soft"}, marks.join(", "))] : time(figure.median);
}
function span_text(figure, text) {
  return figure && figure.n > 1 && is_number(figure.min) && is_number(figure.max) ? text(figure.min) + " to " + text(figure.max) : "";
}
function check_text(name, value) {
  if (!is_number(value)) return "–";
  return name.endsWith("_ns") ? time(value) : name.endsWith("_share") ? share(value) : digits(value, 4);
}
