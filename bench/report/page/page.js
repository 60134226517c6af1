// Draws the report from the JSON of #data. Text reaches the page by textContent and setAttribute alone, never as markup.
"use strict";
(() => {
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
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
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

  // ---- charts

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const side_color = (i) => css("--s" + i % 8);
  const stage_color = (name) => css("--s" + ["lateness", "inbound", "queue", "decode", "predict", "server", "rpc_other", "encode", "outbound", "transit", "app", "broker", "relay"].indexOf(name) % 10);
  const shapes = ["circle", "triangle", "rect", "rectRot", "star", "crossRot", "cross", "dash"];
  function shape_key(i) {
    const stroke = side_color(i);
    const outline = {circle: "M19 6a4 4 0 1 1-8 0a4 4 0 1 1 8 0", triangle: "M15 2l4 7h-8z", rect: "M11 2h8v8h-8z", rectRot: "M15 1l5 5l-5 5l-5-5z",
      star: "M15 1v10M10 6h10M11.500 2.500l7 7M18.500 2.500l-7 7", crossRot: "M11.500 2.500l7 7M18.500 2.500l-7 7", cross: "M15 1v10M10 6h10", dash: "M11 6h8"};
    return svg("svg", {viewBox: "0 0 30 12", "aria-hidden": "true"}, svg("path", {d: "M0 6h30", stroke, "stroke-width": 2}),
      svg("path", {d: outline[shapes[i % 8]], stroke, "stroke-width": 2, fill: i % 8 < 4 ? stroke : "none"}));
  }
  function color_key(color) {
    const key = el("span", {class: "key", "aria-hidden": "true"});
    key.style.background = color;
    return key;
  }

  // A chart is made anew when colours change (dark, print). text: what it shows, in a sentence; the figures stand in a table below.
  function chart(text, caption, configure, below, low) {
    const canvas = el("canvas", {role: "img", "aria-label": text});
    const whole = el("figure", null, el("div", {class: low ? "plot low" : "plot"}, canvas), caption ? el("figcaption", null, caption) : null, below);
    charts.push({canvas, configure, drawn: null});
    return whole;
  }
  function draw() {
    Chart.defaults.animation = false;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12;
    Chart.defaults.color = css("--soft");
    Chart.defaults.borderColor = css("--line");
    Chart.defaults.maintainAspectRatio = false;
    Chart.defaults.plugins.legend.display = false;
    for (const one of charts) {
      if (one.drawn) one.drawn.destroy();
      one.drawn = one.canvas.isConnected ? new Chart(one.canvas, one.configure()) : null;
    }
  }
  function drop_charts(inside) {
    for (let i = charts.length - 1; i >= 0; i--) {
      if (inside && !inside.contains(charts[i].canvas)) continue;
      if (charts[i].drawn) charts[i].drawn.destroy();
      charts.splice(i, 1);
    }
  }
  const axis_title = (text) => ({display: true, text, color: css("--soft")});
  // 1, 2 and 5 of each decade of a logarithmic axis.
  const is_round = (value) => /^[125]$/.test(String(Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9))));
  function time_axis(title, values) {
    const known = values.filter((value) => value > 0);
    const is_log = known.length && Math.max(...known) / Math.min(...known) > 12;
    const axis = {type: is_log ? "logarithmic" : "linear", beginAtZero: !is_log, title: axis_title(title + (is_log ? " (log)" : "")),
      ticks: {maxTicksLimit: 9, callback: (value) => !is_log || is_round(value) ? time(value) : null}};
    if (is_log) {
      axis.min = Math.min(...known) * 0.8;
      axis.max = Math.max(...known) * 1.25;
      axis.afterBuildTicks = (scale) => {
        const decades = Math.log10(axis.max / axis.min), steps = decades > 3.5 ? [1] : [1, 2, 5];
        const ticks = [];
        for (let power = Math.floor(Math.log10(axis.min)); power <= Math.log10(axis.max); power++) {
          for (const step of steps) if (step * 10 ** power >= axis.min && step * 10 ** power <= axis.max) ticks.push({value: step * 10 ** power});
        }
        scale.ticks = ticks;
      };
    }
    return axis;
  }

  // ---- the response's distribution

  const shown_x = [0, -Math.log10(0.5), 1, 2, 3, 4];
  function nearest(curve, x) {
    let at = 0;
    curve.x.forEach((value, i) => { if (Math.abs(value - x) < Math.abs(curve.x[at] - x)) at = i; });
    return at;
  }
  // Where the curve runs into events without an answer, a line to the top says so.
  const no_answer_plugin = {
    id: "no_answer",
    afterDatasetsDraw(drawn) {
      drawn.data.datasets.forEach((set, i) => {
        const first = set.data.findIndex((point) => point.y === null);
        if (first < 0) return;
        const context = drawn.ctx, x = drawn.scales.x.getPixelForValue(set.data[first].x), top = drawn.chartArea.top;
        const from = first > 0 ? drawn.scales.y.getPixelForValue(set.data[first - 1].y) : drawn.chartArea.bottom;
        context.save();
        context.strokeStyle = context.fillStyle = set.borderColor;
        context.lineWidth = 2;
        context.beginPath();
        context.moveTo(x, from);
        context.lineTo(x, top + 2);
        context.lineTo(x - 4, top + 9);
        context.moveTo(x, top + 2);
        context.lineTo(x + 4, top + 9);
        context.stroke();
        context.font = "12px " + Chart.defaults.font.family;
        context.textAlign = x > drawn.chartArea.right - 90 ? "right" : "left";
        context.fillText("no answer", x + (context.textAlign === "right" ? -8 : 8), top + 12 + 15 * i);
        context.restore();
      });
    },
  };
  function curve_set(side, i) {
    const curve = side.curve, marked = new Set(shown_x.map((x) => nearest(curve, x)));
    return {
      label: side.label, borderColor: side_color(i), backgroundColor: side_color(i), borderWidth: 2,
      data: curve.x.map((x, k) => ({x, y: curve.ns[k]})), pointStyle: shapes[i % 8],
      pointRadius: curve.x.map((x, k) => marked.has(k) ? 4 : 0), pointHoverRadius: 5, pointHitRadius: 6, clip: 6,
      segment: {borderDash: (part) => curve.state[part.p1DataIndex] === "r" ? undefined : [3, 4]},
    };
  }
  function distribution(view) {
    const sides = view.sides.filter((side) => side && side.curve && !side.curve.damaged);
    const damaged = view.sides.filter((side) => side && side.curve && side.curve.damaged)
      .map((side) => el("p", {class: "note"}, side.label + ": " + side.curve.damaged));
    if (!sides.length) {
      const why = !view.sides.some(Boolean) ? "The trials' folders are not where the comparison names them: there is no curve to show."
        : view.sides.some((side) => side && side.mock) ? "mock broker: no time means anything, so none is shown."
        : "These trials have no response times.";
      return section("Response time", damaged, el("p", null, why));
    }
    const what = sides[0].curve.service ? "service time" : "response time";
    const index = (side) => view.sides.indexOf(side);
    const values = sides.flatMap((side) => side.curve.ns);
    const picture = chart(
      "Percentile curves of the " + what + " of " + sides.map((side) => side.label).join(", ") + ". The table below has the figures.",
      "All trials that count, pooled. Dashed where it is not resolved: fewer than 20 events lie beyond, or they fell in fewer than 5 different seconds.",
      () => ({
        type: "line",
        data: {datasets: sides.map((side) => curve_set(side, index(side)))},
        options: {
          parsing: false, spanGaps: false, interaction: {mode: "nearest", axis: "x", intersect: false},
          scales: {
            x: {type: "linear", min: 0, max: 4, title: axis_title("percentile"),
              afterBuildTicks: (scale) => { scale.ticks = shown_x.map((value) => ({value})); },
              ticks: {autoSkip: false, maxRotation: 0, callback: (value) => quantile(value)}},
            y: time_axis(what, values),
          },
          plugins: {tooltip: {callbacks: {title: (items) => items.length ? quantile(items[0].parsed.x) + " %" : "",
            label: (item) => " " + item.dataset.label + "  " + time(item.parsed.y)}}},
        },
        plugins: [no_answer_plugin],
      }),
      details("Figures of the curves", curve_table(sides, what)));
    return section(what === "service time" ? "Service time" : "Response time", damaged,
      sides[0].curve.service ? el("p", {class: "note"}, "Closed loop: there is no response time. Service time hides the queue in front of the path.") : null,
      legend(sides.map((side) => side.label), (i) => shape_key(index(sides[i]))), picture, percentile_table(view));
  }
  const state_text = {r: "", e: "episodic", u: "unresolved", n: "no answer"};
  function curve_table(sides, what) {
    const xs = [0, -Math.log10(0.5), -Math.log10(0.25), 1, -Math.log10(0.05), 2, -Math.log10(0.005), 3, -Math.log10(0.0005), 4];
    return table("Percentiles of the " + what + ", all trials that count pooled", [{title: "percentile"}, ...sides.map((side) => ({title: side.label, n: true}))],
      [...xs.map((x) => [quantile(x), ...sides.map((side) => {
        const at = nearest(side.curve, x), state = side.curve.state[at];
        if (side.curve.ns[at] === null) return "no answer";
        return state === "r" ? time(side.curve.ns[at]) : [time(side.curve.ns[at]), el("span", {class: "soft"}, state_text[state])];
      })]),
      ["events", ...sides.map((side) => count(side.curve.n))],
      ["without an answer", ...sides.map((side) => count(side.curve.no_answer))],
      ["resolved up to", ...sides.map((side) => side.curve.resolved_q ? digits(100 * side.curve.resolved_q, 6) + " %" : "too few events")]], {narrow: true});
  }
  function percentile_table(view) {
    const names = ["p50", "p90", "p95", "p99", "p99.9", "p99.99"];
    const sides = view.sides.filter((side) => side && side.percentiles.some(Boolean));
    if (!sides.length) return null;
    return table("Response time by trial: median, and smallest to largest of the trials that count",
      [{title: "side"}, ...names.map((title) => ({title, n: true})), {title: "service p99", n: true}],
      sides.map((side) => [side.label, ...side.percentiles.map((figure) => {
        const range = span_text(figure, time);
        return figure ? [figure_text(figure), range ? el("span", {class: "soft"}, range) : null].flat() : "too few";
      }), figure_text(side.service_p99)]));
  }

  // ---- over time

  const marks_plugin = (trial) => ({
    id: "marks",
    beforeDatasetsDraw(drawn) {
      const {ctx: context, chartArea: area, scales} = drawn, zero = scales.x.getPixelForValue(0);
      context.save();
      const end = scales.x.getPixelForValue(is_number(trial.window_s) ? trial.window_s : Infinity);
      context.fillStyle = css("--flat-bg");
      if (zero > area.left) context.fillRect(area.left, area.top, Math.min(zero, area.right) - area.left, area.bottom - area.top);
      if (end < area.right) context.fillRect(end, area.top, area.right - end, area.bottom - area.top);
      context.restore();
    },
    afterDatasetsDraw(drawn) {
      const {ctx: context, chartArea: area, scales} = drawn;
      context.save();
      context.font = "12px " + Chart.defaults.font.family;
      trial.timeline.marks.forEach(([t], i) => {
        const x = scales.x.getPixelForValue(t);
        context.strokeStyle = context.fillStyle = css("--bad");
        context.setLineDash([5, 3]);
        context.beginPath();
        context.moveTo(x, area.top);
        context.lineTo(x, area.bottom);
        context.stroke();
        context.textAlign = x > area.right - 24 ? "right" : "left";
        context.fillText(String(i + 1), x + (x > area.right - 24 ? -4 : 4), area.top + 11);
      });
      context.restore();
    },
  });
  function line_set(label, trial, values, color, dash, style) {
    return {label, data: trial.timeline.t.map((t, i) => ({x: t, y: values[i]})), borderColor: color, backgroundColor: color, borderWidth: 2, borderDash: dash,
      pointStyle: style, pointRadius: trial.timeline.t.length > 60 ? 0 : 3, clip: 6};
  }
  function time_chart(text, caption, trial, sets, y, label) {
    const t = trial.timeline.t;
    return chart(text, caption, () => ({
      type: "line", data: {datasets: sets()},
      options: {parsing: false, spanGaps: false, interaction: {mode: "index", intersect: false},
        scales: {x: {type: "linear", min: t[0], max: t[t.length - 1], title: axis_title("seconds; shaded: outside the window"), ticks: {maxRotation: 0, precision: 0}}, y: y()},
        plugins: {tooltip: {callbacks: {title: (items) => items.length ? "second " + items[0].parsed.x : "", label: (item) => " " + item.dataset.label + "  " + label(item.parsed.y)}}}},
      plugins: [marks_plugin(trial)],
    }), null, true);
  }
  const count_axis = (title) => ({type: "linear", beginAtZero: true, title: axis_title(title), ticks: {maxTicksLimit: 6, callback: (value) => Number.isInteger(value) ? count(value) : null}});
  function line_key(color, dash) {
    return svg("svg", {viewBox: "0 0 30 12", "aria-hidden": "true"}, svg("path", {d: "M0 6h30", stroke: color, "stroke-width": 2.5, "stroke-dasharray": dash || "none"}));
  }
  function timeline(trial) {
    const line = trial.timeline, nodes = [], c = side_color;
    if (!line) return [el("p", null, "This trial has no timeline.")];
    const step = line.step > 1 ? " A point stands for " + line.step + " seconds: the largest time and backlog in them, mean rates." : "";
    if (line.marks.length) {
      nodes.push(table("Marks of this trial", [{title: "mark"}, {title: "second", n: true}, {title: "what happened"}],
        line.marks.map(([t, text], i) => [String(i + 1), String(t), text]), {narrow: true}));
    }
    if (!trial.mock && line.p50.some(is_number)) {
      nodes.push(el("h3", null, "Response time by second"),
        legend(["p50", "p99", "max"], (i) => line_key(c([0, 1, 3][i]), ["", "7 4", "2 3"][i])),
        time_chart("Response time of each second: p50, p99 and maximum.", step || null, trial,
          () => [line_set("p50", trial, line.p50, c(0), [], "circle"), line_set("p99", trial, line.p99, c(1), [7, 4], "triangle"), line_set("max", trial, line.max, c(3), [2, 3], "rect")],
          () => time_axis("time", [...line.p50, ...line.p99, ...line.max]), time));
    }
    nodes.push(el("h3", null, "Rate and backlog"), legend(["sent per second", "answered per second", "backlog, events"], (i) => line_key(c([0, 2, 1][i]), ["", "7 4", "2 3"][i])),
      time_chart("Events sent and answered in each second, and the backlog at its end.", null, trial,
        () => [line_set("sent", trial, line.sent, c(0), [], "circle"), line_set("answered", trial, line.done, c(2), [7, 4], "triangle"), line_set("backlog", trial, line.backlog, c(1), [2, 3], "rect")],
        () => count_axis("events"), count));
    if (line.not_ok.some((value) => value > 0)) {
      nodes.push(el("h3", null, "Not ok per second"),
        time_chart("Events of each second that were not ok.", null, trial, () => [line_set("not ok", trial, line.not_ok, css("--bad"), [], "rect")], () => count_axis("events"), count));
    } else {
      nodes.push(el("p", {class: "soft small"}, "No event of this trial was not ok."));
    }
    nodes.push(details("Figures of this timeline", table("Second by second", ["second", "sent", "answered", "not ok", "p50", "p99", "max", "backlog"].map((title) => ({title, n: true})),
      line.t.map((t, i) => [String(t), count(line.sent[i]), count(line.done[i]), count(line.not_ok[i]),
        ...[line.p50, line.p99, line.max].map((values) => trial.mock ? "void" : time(values[i])), count(line.backlog[i])]))));
    return nodes;
  }
  function over_time(view) {
    const listed = view.trials.filter((one) => one[0] !== null && D.trials[one[0]].timeline);
    if (!listed.length) return section("Over time", el("p", null, "No timeline is stored with these trials."));
    const id = "trial" + ++n_ids, place = el("div");
    const name = (one) => {
      const side = view.names[one[1]] || "side " + one[1];
      return side + ", " + (is_number(one[2]) ? "pair " + (one[2] + 1) : "seed " + one[3]) + (one[5] ? ", fresh" : "") + (one[4] ? "" : " (does not count)");
    };
    const choose = el("select", {id}, listed.map((one, i) => el("option", {value: String(i)}, name(one))));
    const show = () => {
      drop_charts(place);
      place.replaceChildren(...timeline(D.trials[listed[Number(choose.value)][0]]));
    };
    choose.addEventListener("change", () => { show(); draw(); });
    show();
    return section("Over time", el("div", {class: "choose"}, el("label", {for: id}, "Trial"), choose), place);
  }

  // ---- where the time goes, and what it costs

  const summed = new Set(["lateness", "inbound", "queue", "decode", "predict", "encode", "outbound", "transit"]);
  const inside_predict = ["server", "rpc_other"];
  const stage_names = ["lateness", "inbound", "queue", "decode", "predict", "server", "rpc_other", "encode", "outbound", "transit"];
  const title_of = (name) => ({server: "predict: server", rpc_other: "predict: rpc other"}[name] || name);
  // Predict in its two halves where the server reports its own time.
  function parts(side, k) {
    const by = new Map(side.stages.map((stage) => [stage[0], stage[k]]));
    const is_split = inside_predict.every((name) => is_number(by.get(name)));
    return stage_names.filter((name) => by.has(name) && is_number(by.get(name)) && (is_split ? name !== "predict" : summed.has(name))).map((name) => [name, by.get(name)]);
  }
  const names_plugin = {
    id: "names",
    afterDatasetsDraw(drawn) {
      const context = drawn.ctx;
      context.save();
      context.font = "600 11px " + Chart.defaults.font.family;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillStyle = css("--bg");
      drawn.data.datasets.forEach((set, i) => drawn.getDatasetMeta(i).data.forEach((bar, k) => {
        const width = Math.abs(bar.x - bar.base);
        if (set.data[k] && width > context.measureText(set.label).width + 8) context.fillText(set.label, (bar.x + bar.base) / 2, bar.y);
      }));
      context.restore();
    },
  };
  function bars(text, labels, names, title, value, axis, format, below) {
    const whole = chart(text, null, () => ({
      type: "bar",
      data: {labels, datasets: names.map((name, i) => ({label: title(name), data: labels.map((label, k) => value(k, name)), backgroundColor: stage_color(name),
        borderColor: css("--bg"), borderWidth: {left: 0, right: 1.5, top: 0, bottom: 0}, borderSkipped: false, maxBarThickness: 34}))},
      options: {indexAxis: "y", interaction: {mode: "nearest", intersect: true},
        scales: {x: {stacked: true, beginAtZero: true, title: axis_title(axis), ticks: {maxTicksLimit: 7, maxRotation: 0, callback: (tick) => format(tick)}},
          y: {stacked: true, grid: {display: false}, ticks: {color: css("--ink"), callback(tick) {
            const label = this.getLabelForValue(tick), most = drawn_narrow() ? 14 : 34;
            return label.length > most ? label.slice(0, most - 1) + "…" : label;
          }}}},
        plugins: {tooltip: {callbacks: {label: (item) => " " + item.dataset.label + "  " + format(item.parsed.x)}}}},
      plugins: [names_plugin],
    }), below, true);
    whole.firstChild.style.height = 4.5 + 3 * labels.length + "rem";
    return [legend(names.map(title), (i) => color_key(stage_color(names[i]))), whole];
  }
  const drawn_narrow = () => window.innerWidth < 560;
  function stages(view) {
    const sides = view.sides.filter((side) => side && side.stages.length);
    const nodes = [], first = view.comparison ? view.comparison.explained.map((one) => explained(view, one)) : [];
    if (!sides.length && !first.some(Boolean)) return null;
    for (const [k, title, text] of [[1, "Mean of all events", "mean of each stage"], [2, "Slowest 1 %", "mean of each stage over events at or above the response p99"]]) {
      const of = sides.map((side) => new Map(parts(side, k)));
      const names = stage_names.filter((name) => of.some((one) => one.has(name)));
      if (!names.length) continue;
      nodes.push(el("h3", null, title), ...bars("Stage bars: " + text + " for " + sides.map((side) => side.label).join(", ") + ". The table below has the figures.",
        sides.map((side) => side.label), names, title_of, (i, name) => of[i].get(name) || 0, "time", time,
        details("Figures: " + title.toLowerCase(), stage_table(sides, of, names, k))));
    }
    return section("Where the time goes", el("p", {class: "soft"}, "Stages in order, from the planned instant to the answer. They add up to the response time but for the residual; means add up, percentiles do not."), first, nodes);
  }
  function stage_table(sides, of, names, k) {
    const rows = names.map((name) => [title_of(name), ...of.map((one) => time(one.get(name)))]);
    rows.push({class: "minor", cells: ["sum", ...of.map((one) => time([...one.values()].reduce((a, b) => a + b, 0)))]});
    if (k === 1) rows.push({class: "minor", cells: ["residual", ...sides.map((side) => time(Math.abs(side.residual) < 0.5 ? 0 : side.residual))]}, {class: "minor", cells: ["mean response", ...sides.map((side) => time(side.response_mean))]});
    return table("Means by stage", [{title: "stage"}, ...sides.map((side) => ({title: side.label, n: true}))], rows, {narrow: true});
  }
  function explained(view, one) {
    const sides = view.names[one.side_i] + " against " + view.names[view.comparison.reference_i];
    const line = (title, total, text, of) => text ? el("p", null, el("strong", null, title + " " + total + ": "), sides + ", " + of + ": " + text + ".") : null;
    if (!one.why && !one.slow) return null;
    return el("div", null, line("Why", one.total, one.why, "mean response"), line("Slowest 1 %", one.slow_total, one.slow, "means of these events"));
  }
  function cost(view) {
    const sides = view.sides.filter((side) => side && side.cpu.length);
    if (!sides.length) return null;
    const names = ["app", "server", "broker", "relay"].filter((name) => sides.some((side) => side.cpu.some((one) => one[0] === name)));
    const of = sides.map((side) => new Map(side.cpu)), rss = sides.map((side) => new Map(side.rss));
    const micros = (value) => digits(value) + " µs";
    const processes = ["app", "server", "broker", "relay", "driver"].filter((name) => of.some((one) => one.has(name)) || rss.some((one) => one.has(name)));
    const below = table("CPU per event and peak memory by process, means over the trials that count", [{title: "process"}, ...sides.flatMap((side) => [{title: side.label + ": CPU", n: true}, {title: "memory", n: true}])],
      processes.map((name) => [name, ...of.flatMap((one, i) => [one.has(name) ? micros(one.get(name)) : "–", rss[i].has(name) ? bytes(rss[i].get(name)) : "–"])]));
    return section("Cost by process", el("p", {class: "soft"}, "CPU per completed event. The driver's own is not in it: pacer and collector are the instrument."),
      names.length ? bars("CPU per event by process for " + sides.map((side) => side.label).join(", ") + ". The table below has the figures.",
        sides.map((side) => side.label), names, (name) => name, (i, name) => of[i].get(name) || 0, "CPU µs per event", micros) : null, below);
  }

  // ---- outcomes, checks, trials

  const fine = new Set(["ok", "unchecked", "filtered"]);
  function outcomes(view) {
    const sides = view.sides.map((side, i) => side && {label: view.names[i], outcomes: new Map(side.outcomes), intended: side.intended, side}).filter(Boolean);
    if (!sides.length) return null;
    const names = ["ok", "unchecked", "mismatch", "malformed", "filtered", "deadline", "unavailable", "rejected", "error", "lost", "shed"].filter((name) => sides.some((one) => one.outcomes.has(name)));
    const rows = names.map((name) => [name, ...sides.map((one) => {
      const n = one.outcomes.get(name) || 0;
      return fine.has(name) || !n ? count(n) : [count(n), el("span", {class: "soft"}, share(n / one.intended))];
    })]);
    rows.push({class: "minor", cells: ["intended", ...sides.map((one) => count(one.intended))]});
    const errors = sides.flatMap((one) => one.side.errors.map((error) => [error.outcome, one.label, error.text, String(error.code), count(error.count), count(error.event)]));
    const examples = sides.flatMap((one) => one.side.examples.map((example) => [count(example.event), one.label, example.text]));
    return section("Outcomes and predictions", table("Events by outcome, summed over the trials that count", [{title: "outcome"}, ...sides.map((one) => ({title: one.label, n: true}))], rows, {narrow: true}),
      predictions(view, sides),
      errors.length ? table("Errors, grouped by text", [{title: "outcome"}, {title: "side"}, {title: "text"}, {title: "code", n: true}, {title: "events", n: true}, {title: "first event", n: true}], errors) : null,
      examples.length ? table("Wrong answers, by example", [{title: "event"}, {title: "side"}, {title: "what differs"}], examples) : null);
  }
  function predictions(view, sides) {
    const nodes = sides.map((one) => el("li", null, one.label + ": " + (one.side.stub ? "a stub answered, its answers are no predictions"
      : one.side.checked ? count(one.side.checked) + " checked, " + (one.side.mismatched ? count(one.side.mismatched) + " wrong" : "none wrong") : "nothing to compare with")));
    const across = view.comparison && view.comparison.predictions;
    if (across && across.compared) {
      nodes.push(el("li", null, "across the sides: " + count(across.compared) + " compared, " + count(across.differing) + " differ" + (is_number(across.max) ? " (largest difference " + across.max.toPrecision(2) + ")" : "")));
      across.examples.forEach((example) => nodes.push(el("li", null, "event " + count(example.event) + ": " + example.text)));
    }
    return [el("h3", null, "Predictions"), el("ul", {class: "notes"}, nodes)];
  }
  function checks(view) {
    const found = new Map();
    for (const one of view.trials) {
      const trial = one[0] === null ? null : D.trials[one[0]];
      for (const [kind, value, remedy] of trial ? trial.checks : []) {
        const [name, limit] = D.checks[kind], met = remedy === undefined;
        const row = found.get(name) || {values: [], limit, missed: 0, n: 0, remedy: null};
        row.n++;
        if (is_number(value)) row.values.push(value);
        if (!met) { row.missed++; row.remedy = remedy; }
        found.set(name, row);
      }
    }
    if (!found.size) return null;
    // Shares that must be high are worst when low.
    const worst = (name, values) => !values.length ? null : name === "sent_share" ? Math.min(...values) : Math.max(...values);
    return section("Validity", el("p", {class: "soft"}, "Checks of the driver, over all trials listed below. A trial that misses one is invalid and enters no figure; failures of the system are results."),
      table("Checks with the worst figure of all trials", [{title: "check"}, {title: "worst", n: true}, {title: "limit", n: true}, {title: "met"}, {title: "what would help"}],
        [...found].map(([name, row]) => [name.replace(/_ns$|_share$/, "").replaceAll("_", " "), check_text(name, worst(name, row.values)), check_text(name, row.limit),
          row.missed ? tag("✗ missed in " + row.missed + " of " + row.n, "bad") : tag("✓ in all " + row.n, "good"), row.remedy || ""])),
      trial_table(view));
  }
  function trial_table(view) {
    const rows = view.trials.map((one) => {
      const [at, side, pair, seed, counted, confirming, reason, dir] = one, trial = at === null ? null : D.trials[at];
      const why = reason || (trial && trial.incomplete ? "incomplete: " + trial.incomplete : trial && trial.reasons ? trial.reasons.join("; ") : counted ? "" : "its pair is not whole");
      const kind = counted ? tag(confirming ? "✓ counts, fresh pair" : "✓ counts", "good") : tag(trial && trial.reasons ? "✗ invalid" : "✗ left out", "bad");
      return {class: counted ? null : "struck", cells: [el("span", {class: "s"}, is_number(pair) ? String(pair + 1) : is_number(seed) ? String(seed) : "–"), el("span", {class: "s"}, view.names[side]), kind, why,
        el("span", {class: "s"}, trial ? trial.dir : dir || "–")]};
    });
    const n_out = rows.filter((row) => row.class).length;
    const whole = table("Trials; those struck through are in no figure", [{title: view.comparison ? "pair" : "seed"}, {title: "side"}, {title: "counts"}, {title: "why not"}, {title: "folder", class: "path"}], rows);
    return rows.length > 8 ? details(plural(rows.length, "trial") + (n_out ? ", " + n_out + " left out" : ", all count"), whole) : whole;
  }

  // ---- verdicts

  // The interval on a logarithmic axis around 1; the band is what counts as no difference.
  function forest(metric, delta, reach) {
    if (!is_number(metric.ratio) || !is_number(metric.low)) return null;
    const x = (value) => 88 + 82 * Math.max(-1, Math.min(1, Math.log(value) / reach)), high = is_number(metric.high) ? metric.high : Infinity;
    const nodes = [svg("line", {class: "one", x1: 88, x2: 88, y1: 1, y2: 19}), svg("line", {class: "span", x1: x(metric.low), x2: x(high), y1: 10, y2: 10}),
      svg("circle", {class: "dot", cx: x(metric.ratio), cy: 10, r: 3.5})];
    if (is_number(delta) && delta > 0) nodes.unshift(svg("rect", {class: "band", x: x(1 / (1 + delta)), width: x(1 + delta) - x(1 / (1 + delta)), y: 1, height: 18}));
    return svg("svg", {class: "forest", viewBox: "0 0 176 20", "aria-hidden": "true"}, ...nodes);
  }
  const verdict_kind = {better: "good", worse: "bad", same: "", inconclusive: "warn", void: "warn"};
  const spaced = (text) => text.replace(/(\d)([a-zµ%])/, "$1 $2");
  function why_of(metric) {
    return [metric.why, metric.verdict === "inconclusive" && metric.pairs_needed ? "needs about " + plural(metric.pairs_needed, "pair") : ""].filter(Boolean).join("; ");
  }
  function metric_row(metric, comparison, reach) {
    const interval = is_number(metric.low) ? "[" + ratio(metric.low) + ", " + (is_number(metric.high) ? ratio(metric.high) : "no end") + "]" : "–";
    const word = metric.verdict === "exploratory" ? "no claim" : tag(metric.word, verdict_kind[metric.verdict]);
    return {class: metric.primary ? null : "minor", cells: [metric.title, word, spaced(metric.reference), spaced(metric.side), ratio(metric.ratio), interval, metric.level ? share(metric.level) : "–",
      forest(metric, comparison.delta, reach) || "", is_number(metric.detectable) ? digits(100 * metric.detectable, 2) + " %" : "–"]};
  }
  function metric_tables(view) {
    const comparison = view.comparison, reference = view.names[comparison.reference_i];
    return view.names.map((name, i) => {
      const metrics = comparison.metrics.filter((metric) => metric.side_i === i);
      if (i === comparison.reference_i || !metrics.length) return null;
      const bounds = metrics.flatMap((metric) => [metric.low, metric.high]).filter((value) => is_number(value) && value > 0).map((value) => Math.abs(Math.log(value)));
      const reach = Math.max(Math.log(1.25), Math.min(Math.log(16), ...[Math.max(0, ...bounds) * 1.05]));
      const columns = [{title: "metric"}, {title: "verdict"}, {title: reference, n: true}, {title: name, n: true}, {title: "ratio", n: true}, {title: "interval", n: true}, {title: "level", n: true}, {title: "around 1 (log)"}, {title: "detectable", n: true}];
      const lead = metrics.filter((metric) => metric.primary), rest = metrics.filter((metric) => !metric.primary && is_number(metric.ratio));
      const ratios = name + " ÷ " + reference, row = (metric) => metric_row(metric, comparison, reach);
      return [table(ratios + ", over " + plural(comparison.pairs, "pair") + "; verdicts after Holm's correction at α = " + comparison.alpha, columns, lead.map(row)),
        lead.some(why_of) ? el("ul", {class: "notes small"}, [...new Set(lead.map(why_of).filter(Boolean))].map((why) => el("li", null, lead.filter((metric) => why_of(metric) === why).map((metric) => metric.title).join(", ") + ": " + why))) : null,
        rest.length ? details("Other metrics of " + ratios + " (exploratory: no claim)", table("Exploratory: " + ratios, columns, rest.map(row))) : null];
    });
  }
  const gate_kind = {pass: "good", fail: "bad", inconclusive: "warn", "no-baseline": "warn"};
  function gate_table(gate) {
    const rows = gate.metrics.map((metric) => [metric.title, share(metric.margin) + (metric.calibrated ? " (calibrated)" : ""), ratio(metric.lower), ratio(metric.upper), is_number(metric.fresh_lower) ? ratio(metric.fresh_lower) : "–",
      [tag(metric.verdict, gate_kind[metric.verdict]), metric.why ? el("span", {class: "soft"}, metric.why) : null]]);
    return table("Gate: how many times worse the candidate is. Passes while the upper bound is within the margin; fails when the lower bound is beyond it and fresh pairs agree",
      [{title: "metric"}, {title: "margin", n: true}, {title: "lower bound", n: true}, {title: "upper bound", n: true}, {title: "fresh pairs", n: true}, {title: "verdict"}], rows);
  }
  function bound_table(view) {
    const kinds = {met: ["✓ met", "good"], missed: ["✗ missed", "bad"], unknown: ["? not resolved", "warn"]};
    const rows = [];
    view.names.forEach((name, i) => {
      if (view.comparison) {
        for (const bound of view.comparison.sides[i].bounds) rows.push([name, bound.name.replace(/^expect\./, ""), bound.limit, bound.value, tag(...kinds[bound.met])]);
        return;
      }
      const by = new Map();
      for (const one of view.trials) {
        if (one[1] !== i || !one[4]) continue;
        for (const bound of D.trials[one[0]].bounds || []) by.set(bound.name, [...(by.get(bound.name) || []), bound]);
      }
      for (const [key, bounds] of by) {
        const n = (met) => bounds.filter((bound) => bound.met === met).length, [text, kind] = kinds[n("missed") ? "missed" : n("unknown") ? "unknown" : "met"];
        const worst = bounds.find((bound) => bound.met === "missed") || bounds.find((bound) => bound.met === "unknown") || bounds[0];
        rows.push([name, key.replace(/^expect\./, ""), worst.limit, worst.value, tag(text + (bounds.length > 1 ? " (" + (n("missed") || n("unknown") || n("met")) + " of " + bounds.length + ")" : ""), kind)]);
      }
    });
    return rows.length ? table("Bounds of the scenario", [{title: "side"}, {title: "bound"}, {title: "limit", n: true}, {title: "measured", n: true}, {title: "met"}], rows, {narrow: true}) : null;
  }
  function labels(view) {
    const texts = [], some = (key) => view.sides.some((side) => side && side[key]) || (view.comparison && view.comparison.sides.some((side) => side[key]));
    if (some("mock")) texts.push("mock broker: no time means anything. Counts, correctness and CPU are real.");
    if (some("stub")) texts.push("stub: a stub server answered; its answers are no predictions.");
    if (some("closed")) texts.push("closed loop: there is no response time, and no latency verdict.");
    if (view.names.some((name) => /emulated/.test(name))) texts.push("emulated: network delay was added by a relay, half each way; it is no real network.");
    if (view.comparison && !view.comparison.complete) texts.push("incomplete: " + (view.comparison.incomplete || "this comparison was not finished") + ".");
    if (view.sides.some((side) => side && side.counted && !side.valid)) texts.push("invalid: a side has no valid trial; its figures are of invalid ones.");
    return texts.map((text) => el("p", {class: "note"}, text));
  }
  function verdict_box(kind, heading, sentence, soft) {
    return el("div", {class: "verdict " + (kind || "")}, el("h2", null, heading), el("p", null, sentence), soft ? el("p", {class: "soft"}, soft) : null);
  }
  function verdict(view) {
    const comparison = view.comparison;
    if (!comparison) {
      const n = view.trials.filter((one) => one[4]).length;
      return [verdict_box("", "Not compared", plural(view.sides.length, "side") + ", " + plural(n, "valid trial") + ": medians and ranges, no verdict.",
        view.sides.length > 1 ? "Whether two sides differ is said by paired trials: servepath compare." : null), labels(view), bound_table(view)];
    }
    const gate = comparison.gate, kind = gate ? gate_kind[gate.verdict] : {0: "good", 1: "bad"}[comparison.exit_code] || "warn";
    const level = comparison.metrics.find((metric) => is_number(metric.level));
    const soft = [plural(comparison.pairs, "pair"), is_number(comparison.duration_s) ? digits(comparison.duration_s / 60, 2) + " min" : "", level ? "intervals at " + share(level.level) : "", "no difference: within " + share(comparison.delta)].filter(Boolean).join(" · ");
    return [verdict_box(kind, gate ? "Gate: " + gate.verdict : "Verdict", comparison.verdict || "No verdict.", soft), labels(view), gate ? gate_table(gate) : null, metric_tables(view), bound_table(view),
      comparison.remarks.length ? [el("h3", null, "Remarks"), el("ul", {class: "notes"}, comparison.remarks.map((text) => el("li", null, text)))] : null];
  }

  // ---- what was measured, and how to repeat it

  function fact_text(value, name) {
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (!is_number(value)) return String(value);
    return name.endsWith("_ns") ? time(value) : name.endsWith("_bytes") ? bytes(value) : /seed|version/.test(name) ? String(value) : Number.isInteger(value) ? count(value) : digits(value, 4);
  }
  function measured(view) {
    const differences = view.comparison ? view.comparison.differences : view.differences || [];
    const groups = (view.facts || []).map(([group, items]) => el("div", null, el("h3", null, group),
      el("dl", null, items.flatMap(([name, value]) => [el("dt", null, name.replace(/_ns$|_bytes$/, "").replaceAll("_", " ")), el("dd", null, fact_text(value, name))]))));
    return [
      view.sides.length > 1 ? section("What differs between the sides", differences.length ? el("ul", {class: "notes"}, differences.map((text) => el("li", null, text))) : el("p", null, "Nothing but what their names say.")) : null,
      groups.length ? section("Machine, build, recording", el("p", {class: "soft"}, "Of the first trial that counts."), el("div", {class: "facts"}, groups)) : null,
      repeat(view),
    ];
  }
  function command(text) {
    const pre = el("pre", {tabindex: "0"}, text), said = el("span", {class: "sr", role: "status"});
    const button = el("button", {type: "button"}, "Copy");
    button.addEventListener("click", async () => {
      let is_copied = false;
      try {
        await navigator.clipboard.writeText(text);
        is_copied = true;
      } catch {
        getSelection().selectAllChildren(pre);
      }
      button.textContent = is_copied ? "Copied" : "Selected";
      said.textContent = is_copied ? "copied" : "selected: copy it with the keyboard";
    });
    return el("div", {class: "command"}, pre, button, said);
  }
  function repeat(view) {
    const nodes = view.comparison && view.comparison.command !== "servepath" ? [command(view.comparison.command)]
      : view.sides.flatMap((side) => side ? [el("h3", null, side.label), command(side.command)] : []);
    return section("How to repeat it", el("p", {class: "soft"}, "On the same machine, with the same build, recording and models; their digests stand above."), nodes);
  }

  // ---- history and sweeps

  function history(all) {
    const id = "series" + ++n_ids, place = el("div");
    const choose = el("select", {id}, all.map((one, i) => el("option", {value: String(i)}, one.case + ", " + one.side + ": " + one.title)));
    const show = () => {
      drop_charts(place);
      place.replaceChildren(...history_nodes(all[Number(choose.value)]));
    };
    choose.addEventListener("change", () => { show(); draw(); });
    show();
    return section("History", el("div", {class: "choose"}, el("label", {for: id}, "Series"), choose), place);
  }
  const value_text = (unit) => (value) => !is_number(value) ? "–" : unit === "ns" ? time(value) : unit === "us" ? digits(value) + " µs" : unit === "share" ? share(value) : unit === "bytes" ? bytes(value) : digits(value) + (unit === "/s" ? "/s" : "");
  const band_plugin = (one) => ({
    id: "band",
    beforeDatasetsDraw(drawn) {
      const {ctx: context, chartArea: area, scales} = drawn;
      context.save();
      if (is_number(one.low)) {
        const top = Math.max(area.top, scales.y.getPixelForValue(one.high)), bottom = Math.min(area.bottom, scales.y.getPixelForValue(one.low)), left = scales.x.getPixelForValue(one.from);
        context.fillStyle = css("--flat-bg");
        context.fillRect(left, top, area.right - left, bottom - top);
      }
      context.strokeStyle = context.fillStyle = css("--bad");
      context.setLineDash([5, 3]);
      context.font = "12px " + Chart.defaults.font.family;
      for (const change of one.changes) {
        const x = scales.x.getPixelForValue(change.first_i - 0.5);
        context.beginPath();
        context.moveTo(x, area.top);
        context.lineTo(x, area.bottom);
        context.stroke();
        context.fillText("change", x + 4, area.top + 11);
      }
      context.restore();
    },
  });
  function history_nodes(one) {
    const text = value_text(one.unit), values = one.points.map((point) => point.value);
    const most = Math.max(...values, one.high || 0), least = Math.min(...values, is_number(one.low) ? one.low : Infinity);
    const changed = new Map(one.changes.map((change) => [change.first_i, change]));
    return [
      el("p", null, one.changes.length ? one.changes.map((change) => "Changed at run " + (change.first_i + 1) + ": " + text(change.before) + " to " + text(change.after) + " (p = " + digits(change.p, 2) + ").").join(" ") : "No change point in " + plural(values.length, "run") + "."),
      chart(one.title + " of " + one.side + " over " + plural(values.length, "run") + ". The table below has the figures.",
        "A point is a run; the shaded band is noise since the last change: its median ∓ 3 × 1.4826 × the median absolute deviation. Change points by E-divisive means.",
        () => ({type: "line", data: {datasets: [{label: one.title, data: values.map((y, x) => ({x, y})), borderColor: side_color(0), backgroundColor: side_color(0), borderWidth: 1.5, pointRadius: 4,
          pointStyle: one.points.map((point) => point.verdict === "fail" ? "crossRot" : "circle")}]},
        options: {parsing: false, interaction: {mode: "nearest", axis: "x", intersect: false},
          scales: {x: {type: "linear", min: -0.5, max: values.length - 0.5, title: axis_title("run"), ticks: {precision: 0, maxRotation: 0, callback: (value) => Number.isInteger(value) ? String(value + 1) : null}},
            y: {type: "linear", min: Math.max(0, least - 0.2 * (most - least || most)), max: most + 0.15 * (most - least || most), title: axis_title(one.title), ticks: {maxTicksLimit: 7, includeBounds: false, callback: (value) => text(value)}}},
          plugins: {tooltip: {callbacks: {title: (items) => items.length ? one.points[items[0].parsed.x].at : "", label: (item) => " " + text(item.parsed.y) + "  " + (one.points[item.parsed.x].build || "")}}}},
        plugins: [band_plugin(one)]}),
        details("Figures of this series", table(one.title + " by run", [{title: "run"}, {title: "when"}, {title: "build"}, {title: one.title, n: true}, {title: "verdict"}, {title: "change"}],
          one.points.map((point, i) => [String(i + 1), point.at || "–", point.build || "–", text(point.value), point.verdict || "", changed.has(i) ? "from " + text(changed.get(i).before) + " to " + text(changed.get(i).after) : ""])))),
    ];
  }
  // A map as report/crossover.h gives it.
  function sweep(one) {
    const nodes = (one.maps || []).map((map) => {
      const sides = [], y = map.y ? map.y.values : [""];
      const body = map.rows.map((row, i) => el("tr", null, map.y ? el("th", {scope: "row"}, y[i]) : null, row.map((cell) => {
        const kind = ["wins", "only"].includes(cell.cross) && cell.side ? (sides.includes(cell.side) ? sides.indexOf(cell.side) : sides.push(cell.side) - 1) : -1;
        const text = {wins: cell.side, only: cell.side + " only", same: "no difference", open: "inconclusive", neither: "neither meets", failed: "failed", pending: "not measured"}[cell.cross] || cell.cross;
        const td = el("td", null, kind < 0 ? text : el("strong", null, text), is_number(cell.ratio) ? el("span", {class: "soft"}, "ratio " + ratio(cell.ratio)) : null, cell.misses_bound ? el("span", {class: "soft"}, "misses a bound") : null, cell.error ? el("span", {class: "soft"}, cell.error) : null);
        if (kind >= 0) {
          const strength = Math.min(34, 8 + 14 * Math.abs(Math.log2(is_number(cell.ratio) ? cell.ratio : 2)));
          td.style.background = "color-mix(in srgb, var(--s" + kind % 8 + ") " + strength + "%, transparent)";
        }
        return td;
      })));
      const fixed = Object.entries(map.fixed || {}).map(([name, value]) => name + " " + value).join(", ");
      const caption = (map.title || map.metric) + ": which side wins" + (fixed ? " at " + fixed : "") + "; across: " + map.x.name + (map.y ? ", down: " + map.y.name : "");
      const head = el("tr", null, map.y ? el("th", {scope: "col"}, map.y.name) : null, map.x.values.map((value) => el("th", {scope: "col"}, map.x.name + " " + value)));
      return el("div", {class: "scroll", role: "region", "aria-label": caption, tabindex: "0"}, el("table", {class: "heat"}, el("caption", null, el("span", null, caption)), el("thead", null, head), el("tbody", null, body)));
    });
    const crossings = (one.crossings || []).map((cross) => el("li", null, cross.metric + ": " + (cross.winner_below || "?") + " wins below, " + (cross.winner_above || "?") + " above " + cross.axis + " " +
      (cross.estimate || "") + " (between " + cross.low + " and " + cross.high + ")"));
    return section("Crossover", nodes, crossings.length ? [el("h3", null, "Where one overtakes the other"), el("ul", {class: "notes"}, crossings)] : null);
  }

  // ---- the whole

  function overview() {
    const titles = ["case", "via", "side", ...(D.by ? [D.by] : []), "rate/s", "p50", "p99", "service p99", "CPU µs app + server", "ok", "valid"];
    const rows = D.rows.map((row) => ({class: row.invalid ? "struck" : null, cells: [el("span", {class: "s"}, row.case), el("span", {class: "s"}, row.via === "mock" ? "mock broker: no time means anything" : row.via), el("span", {class: "s"}, row.side),
      ...(D.by ? [row.by] : []), row.rate, row.p50, row.p99, row.service, row.cpu, row.ok, row.valid]}));
    return section("All that was read", table("Medians of the trials that count; e episodic, d driver-limited", titles.map((title, i) => ({title, n: i >= titles.length - 7 && i < titles.length - 1})), rows),
      D.notes.length ? details(plural(D.notes.length, "note"), el("ul", {class: "notes"}, D.notes.map((text) => el("li", null, text)))) : null);
  }
  function prepare(view) {
    view.names = view.comparison ? view.comparison.sides.map((side) => side.label) : view.sides.map((side) => side.label);
    return view;
  }
  function show(view) {
    drop_charts();
    const parts_of = view ? [verdict(view), distribution(view), over_time(view), stages(view), cost(view), outcomes(view), checks(view), measured(view)] : [];
    const maps = (D.sweeps || []).map(sweep);
    const others = [D.history && D.history.length ? history(D.history) : null, D.rows.length > 1 ? overview() : null];
    const nodes = [...maps, ...parts_of, ...others].flat(4).filter(Boolean);
    main.replaceChildren(...nodes);
    const links = [...main.querySelectorAll("section > h2")].map((heading) => el("li", null, el("a", {href: "#" + heading.id}, heading.textContent)));
    document.getElementById("contents").replaceChildren(el("ul", null, links));
    draw();
  }
  function start() {
    const top = document.getElementById("top"), views = D.views.map(prepare);
    top.append(el("h1", null, D.title));
    const line = el("p", {class: "soft"});
    top.append(line);
    const choose_view = (i) => {
      line.textContent = views[i] ? views[i].heading + (views[i].comparison && views[i].comparison.started ? ", " + views[i].comparison.started.replace("T", " ").replace(/:\d\d(\.\d+)?Z$/, " UTC") : "") : "";
      show(views[i]);
    };
    if (views.length > 1) {
      const choose = el("select", {id: "view"}, views.map((view, i) => el("option", {value: String(i)}, (view.comparison ? "compared: " : "") + view.heading + (view.dir ? " (" + view.dir.split("/").pop() + ")" : ""))));
      choose.addEventListener("change", () => choose_view(Number(choose.value)));
      top.append(el("div", {class: "choose"}, el("label", {for: "view"}, "Shown"), choose));
    }
    document.getElementById("bottom").append("Written by servepath. This file is whole: it asks no server for anything. Charts: Chart.js 3.9.1, MIT License.");
    choose_view(0);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    addEventListener("beforeprint", () => {
      document.querySelectorAll("details").forEach((one) => { one.open = true; });
      draw();
    });
    addEventListener("afterprint", draw);
  }
  start();
})();
