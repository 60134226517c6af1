// Curves, times, stages and cost, each with the table that says the same.
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

// Curves stand in 40ths of a decade and microseconds (report/html_side.c).
const nanoseconds = (us) => is_number(us) ? us * 1000 : null;
function unpack_curve(curve) {
  curve.x = curve.at.map((at) => at / 40);
  curve.ns = curve.us.map(nanoseconds);
}
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

// A trial's columns (report/html_data.h), each as long as the first.
function timeline_of(trial) {
  const [first, step, window_s, sent, lacking, p50, p99, max, backlog, not_ok, marks] = trial.timeline;
  const times = (column) => sent.map((n, i) => column ? nanoseconds(column[i]) : null), numbers = (column) => column || sent.map(() => 0);
  return {t: is_number(first) ? sent.map((n, i) => first + i * step) : first, step, window_s, sent, done: numbers(lacking).map((n, i) => sent[i] - n),
    p50: times(p50), p99: times(p99), max: times(max), backlog: numbers(backlog), not_ok: numbers(not_ok), marks};
}
const marks_plugin = (line) => ({
  id: "marks",
  beforeDatasetsDraw(drawn) {
    const {ctx: context, chartArea: area, scales} = drawn, zero = scales.x.getPixelForValue(0);
    context.save();
    const end = scales.x.getPixelForValue(is_number(line.window_s) ? line.window_s : Infinity);
    context.fillStyle = css("--flat-bg");
    if (zero > area.left) context.fillRect(area.left, area.top, Math.min(zero, area.right) - area.left, area.bottom - area.top);
    if (end < area.right) context.fillRect(end, area.top, area.right - end, area.bottom - area.top);
    context.restore();
  },
  afterDatasetsDraw(drawn) {
    const {ctx: context, chartArea: area, scales} = drawn;
    context.save();
    context.font = "12px " + Chart.defaults.font.family;
    line.marks.forEach(([t], i) => {
      const x = scales.x.getPixelForValue(t + 0.5);
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
// A point stands in the middle of its seconds, so that what is shaded is what lies outside the window.
function line_set(label, line, values, color, dash, style) {
  return {label, data: line.t.map((t, i) => ({x: t + line.step / 2, y: values[i]})), borderColor: color, backgroundColor: color, borderWidth: 2, borderDash: dash,
    pointStyle: style, pointRadius: line.t.length > 60 ? 0 : 3, clip: 6};
}
function time_chart(text, caption, line, sets, y, label) {
  const t = line.t;
  return chart(text, caption, () => ({
    type: "line", data: {datasets: sets()},
    options: {parsing: false, spanGaps: false, interaction: {mode: "index", intersect: false},
      scales: {x: {type: "linear", min: t[0], max: t[t.length - 1] + line.step, title: axis_title("seconds; shaded: outside the window"), ticks: {maxRotation: 0, precision: 0}}, y: y()},
      plugins: {tooltip: {callbacks: {title: (items) => items.length ? "second " + t[items[0].dataIndex] : "", label: (item) => " " + item.dataset.label + "  " + label(item.parsed.y)}}}},
    plugins: [marks_plugin(line)],
  }), null, true);
}
const count_axis = (title) => ({type: "linear", beginAtZero: true, title: axis_title(title), ticks: {maxTicksLimit: 6, callback: (value) => Number.isInteger(value) ? count(value) : null}});
function line_key(color, dash) {
  return svg("svg", {viewBox: "0 0 30 12", "aria-hidden": "true"}, svg("path", {d: "M0 6h30", stroke: color, "stroke-width": 2.5, "stroke-dasharray": dash || "none"}));
}
function timeline(trial) {
  const line = timeline_of(trial), nodes = [], c = side_color;
  const step = line.step > 1 ? " A point stands for " + line.step + " seconds: the largest time and backlog in them, mean rates." : "";
  if (line.marks.length) {
    nodes.push(table("Marks of this trial", [{title: "mark"}, {title: "second", n: true}, {title: "what happened"}],
      line.marks.map(([t, text], i) => [String(i + 1), String(t), text]), {narrow: true}));
  }
  if (!trial.mock && line.p50.some(is_number)) {
    nodes.push(el("h3", null, "Response time by second"),
      legend(["p50", "p99", "max"], (i) => line_key(c([0, 1, 3][i]), ["", "7 4", "2 3"][i])),
      time_chart("Response time of each second: p50, p99 and maximum.", step || null, line,
        () => [line_set("p50", line, line.p50, c(0), [], "circle"), line_set("p99", line, line.p99, c(1), [7, 4], "triangle"), line_set("max", line, line.max, c(3), [2, 3], "rect")],
        () => time_axis("time", [...line.p50, ...line.p99, ...line.max]), time));
  }
  nodes.push(el("h3", null, "Rate and backlog"), legend(["sent per second", "answered per second", "backlog, events"], (i) => line_key(c([0, 2, 1][i]), ["", "7 4", "2 3"][i])),
    time_chart("Events sent and answered in each second, and the backlog at its end.", null, line,
      () => [line_set("sent", line, line.sent, c(0), [], "circle"), line_set("answered", line, line.done, c(2), [7, 4], "triangle"), line_set("backlog", line, line.backlog, c(1), [2, 3], "rect")],
      () => count_axis("events"), count));
  if (line.not_ok.some((value) => value > 0)) {
    nodes.push(el("h3", null, "Not ok per second"),
      time_chart("Events of each second that were not ok.", null, line, () => [line_set("not ok", line, line.not_ok, css("--bad"), [], "rect")], () => count_axis("events"), count));
  } else {
    nodes.push(el("p", {class: "soft small"}, "No event of this trial was not ok."));
  }
  nodes.push(details("Figures of this timeline", table("Second by second", ["second", "sent", "answered", "not ok", "p50", "p99", "max", "backlog"].map((title) => ({title, n: true})),
    line.t.map((t, i) => [String(t), count(line.sent[i]), count(line.done[i]), count(line.not_ok[i]),
      ...[line.p50, line.p99, line.max].map((values) => trial.mock ? "void" : time(values[i])), count(line.backlog[i])]))));
  return nodes;
}
// Of a trial of a view (report/html_views.c).
const counts = (one) => one[4] & 1, is_fresh = (one) => one[4] & 2;
function over_time(view) {
  const listed = view.trials.filter((one) => one[0] !== null && D.trials[one[0]].timeline);
  if (!listed.length) return section("Over time", el("p", null, "No timeline is stored with these trials."));
  const id = "trial" + ++n_ids, place = el("div");
  const name = (one) => {
    const side = view.names[one[1]] || "side " + one[1];
    return side + ", " + (is_number(one[2]) ? "pair " + (one[2] + 1) : "seed " + one[3]) + (is_fresh(one) ? ", fresh" : "") + (counts(one) ? "" : " (does not count)");
  };
  const first = Math.max(0, listed.findIndex(counts));
  const choose = el("select", {id}, listed.map((one, i) => el("option", {value: String(i), selected: i === first}, name(one))));
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
