// Put into a copy of a report's page by tests/e2e/report_page.sh: looks at what was drawn, first as it opens, then with the last of each
// choice (another trial, another series, another view), and says to the page around it what is wrong.
"use strict";
addEventListener("load", () => {
  const wrong = [];
  const say = (what, node) => wrong.push(what + (node ? " <" + node.tagName.toLowerCase() + "> " + node.textContent.trim().slice(0, 40) : ""));
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const widest = [...document.querySelectorAll("body *")].find((node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest(".scroll"));
    say("overflow: " + wide + " of " + innerWidth, widest);
  }
  let level = 0;
  for (const node of document.querySelectorAll("h1,h2,h3,h4")) {
    const next = Number(node.tagName[1]);
    if (next > level + 1) say("heading skips a level", node);
    level = next;
  }
  for (const node of document.querySelectorAll("table")) if (!node.caption || !node.caption.textContent) say("table without caption", node);
  for (const node of document.querySelectorAll("th")) if (!node.scope) say("heading cell without scope", node);
  const n_charts = document.querySelectorAll("canvas").length;
  // A canvas that is read from again and again would make the browser say so: a copy that was announced as such is read.
  const copy = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const look_at_charts = () => document.querySelectorAll("canvas").forEach((node) => {
    if (!node.getAttribute("aria-label") || node.getAttribute("role") !== "img") say("chart without a text");
    Object.assign(copy.canvas, {width: node.width, height: node.height});
    copy.drawImage(node, 0, 0);
    const pixels = copy.getImageData(0, 0, node.width, node.height).data;
    if (!pixels.some((value) => value)) say("chart without a picture: " + node.getAttribute("aria-label"));
  });
  look_at_charts();
  for (const node of document.querySelectorAll("select")) if (!node.labels.length) say("choice without label", node);
  for (const landmark of ["header", "nav", "main", "footer"]) if (document.querySelectorAll("body > " + landmark).length !== 1) say("landmark " + landmark);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  if (new Set(ids).size !== ids.length) say("an id twice");
  // WCAG 2.1 contrast of every text with what is behind it.
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = (color) => color.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  document.querySelectorAll("details").forEach((node) => { node.open = true; });
  for (const node of document.querySelectorAll("body *")) {
    const is_shown = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()) && node.getClientRects().length;
    if (!is_shown || ["SCRIPT", "STYLE", "OPTION"].includes(node.tagName)) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) say("contrast " + ratio.toFixed(2), node);
  }
  for (const id of [...document.querySelectorAll("select")].map((node) => node.id)) {
    const choice = document.getElementById(id); // choosing a view makes the other choices anew
    if (!choice) continue;
    choice.selectedIndex = choice.options.length - 1;
    choice.dispatchEvent(new Event("change"));
    if (n_charts && !document.querySelector("canvas")) say("no chart for " + choice.value, choice);
    look_at_charts();
  }
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  parent.postMessage(location.pathname.replace(/.*\//, "") + (wrong.length ? " WRONG at " + innerWidth + ", " + scheme + ": " + wrong.join("; ")
    : " fine at " + innerWidth + ", " + scheme + ", " + n_charts + " charts"), "*");
});
