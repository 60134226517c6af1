// The page's parts in their order, drawn from the JSON of #data.
// ---- outcomes, checks, trials

const fine = new Set(["ok", "unchecked", "filtered"]);
function outcomes(view) {
  const sides = view.sides.map((side, i) => side && {label: view.names[i], outcomes: new Map(side.outcomes), intended: side.intended, side, told: view.comparison ? view.comparison.sides[i] : side}).filter(Boolean);
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
    : one.told.checked ? count(one.told.checked) + " checked, " + (one.told.mismatched ? count(one.told.mismatched) + " wrong" : "none wrong") : "nothing to compare with")
    + (one.told.mismatched_left_out ? "; " + count(one.told.mismatched_left_out) + " wrong in trials that do not count" : "")));
  const across = view.comparison && view.comparison.predictions;
  if (across && across.compared) {
    nodes.push(el("li", null, "across the sides: " + count(across.compared) + " compared, " + count(across.differing) + " differ" + (is_number(across.max) ? " (largest difference " + across.max.toPrecision(2) + ")" : "")));
    across.examples.forEach((example) => nodes.push(el("li", null, "event " + count(example.event) + ": " + example.text)));
  }
  return [el("h3", null, "Predictions"), el("ul", {class: "notes"}, nodes)];
}
function checks(view) {
  if (!view.checks.length) return null;
  return section("Validity", el("p", {class: "soft"}, "Checks of the driver, over all trials listed below. A trial that misses one is invalid and enters no figure; failures of the system are results."),
    table("Checks with the worst figure of all trials", [{title: "check"}, {title: "worst", n: true}, {title: "limit", n: true}, {title: "met"}, {title: "what would help"}],
      view.checks.map(([name, worst, limit, n, missed, remedy]) => [name.replace(/_ns$|_share$/, "").replaceAll("_", " "), check_text(name, worst), check_text(name, limit),
        missed ? tag("✗ missed in " + missed + " of " + n, "bad") : tag("✓ in all " + n, "good"), remedy || ""])),
    trial_table(view));
}
function trial_table(view) {
  const rows = view.trials.map((one) => {
    const [at, side, pair, seed, , reason, dir] = one, trial = at === null ? null : D.trials[at], counted = counts(one);
    const why = reason || (trial && trial.incomplete ? "incomplete: " + trial.incomplete : trial && trial.reasons ? trial.reasons.join("; ") : counted ? "" : "its pair is not whole");
    const kind = counted ? tag(is_fresh(one) ? "✓ counts, fresh pair" : "✓ counts", "good") : tag(trial && trial.reasons ? "✗ invalid" : "✗ left out", "bad");
    return {class: counted ? null : "struck", cells: [el("span", {class: "s"}, is_number(pair) ? String(pair + 1) : is_number(seed) ? String(seed) : "–"), el("span", {class: "s"}, view.names[side]), kind, why,
      el("span", {class: "s"}, trial ? D.root + trial.dir : dir || "–")]};
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
const pairs_of = (comparison) => plural(comparison.pairs, "pair") + (comparison.mean_of > 1 ? " in means of " + comparison.mean_of : "");
function why_of(metric) {
  return [metric.why, metric.verdict === "inconclusive" && metric.pairs_needed ? "needs about " + plural(metric.pairs_needed, "pair") : ""].filter(Boolean).join("; ");
}
function metric_row(metric, comparison, reach) {
  const interval = is_number(metric.low) ? "[" + ratio(metric.low) + ", " + (is_number(metric.high) ? ratio(metric.high) : "no end") + "]" : "–";
  const word = metric.verdict === "exploratory" ? "no claim" : tag(metric.word, verdict_kind[metric.verdict]);
  return {class: metric.primary ? null : "minor", cells: [metric.title, word, spaced(metric.reference), spaced(metric.side), ratio(metric.ratio), interval, metric.level ? share(metric.level) : "–",
    forest(metric, comparison.delta, reach) || "", is_number(metric.detectable) ? digits(100 * metric.detectable, 2) + " %" : "–"]};
}
// What keeps several metrics from a verdict is said once for all of them.
function why_list(metrics, why_of) {
  const whys = [...new Set(metrics.map(why_of).filter(Boolean))];
  return whys.length ? el("ul", {class: "notes small"}, whys.map((why) => el("li", null, metrics.filter((metric) => why_of(metric) === why).map((metric) => metric.title).join(", ") + ": " + why))) : null;
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
    return [table(ratios + ", over " + pairs_of(comparison) + "; verdicts after Holm's correction at α = " + comparison.alpha, columns, lead.map(row)),
      why_list(lead, why_of),
      rest.length ? details("Other metrics of " + ratios + " (exploratory: no claim)", table("Exploratory: " + ratios, columns, rest.map(row))) : null];
  });
}
const gate_kind = {pass: "good", fail: "bad", inconclusive: "warn", "no-baseline": "warn"};
function gate_table(gate) {
  const rows = gate.metrics.map((metric) => [metric.title, tag(metric.verdict, gate_kind[metric.verdict]), share(metric.margin) + (metric.calibrated ? " (calibrated)" : ""), ratio(metric.lower), ratio(metric.upper),
    is_number(metric.fresh_lower) ? ratio(metric.fresh_lower) : "–"]);
  return [table("Gate: how many times worse the candidate is. Passes while the upper bound is within the margin; fails when the lower bound is beyond it and fresh pairs agree",
    [{title: "metric"}, {title: "verdict"}, {title: "margin", n: true}, {title: "lower bound", n: true}, {title: "upper bound", n: true}, {title: "fresh pairs", n: true}], rows), why_list(gate.metrics, (metric) => metric.why)];
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
      if (one[1] !== i || !counts(one)) continue;
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
    const n = view.trials.filter(counts).length;
    return [verdict_box("", "Not compared", plural(view.sides.length, "side") + ", " + plural(n, "valid trial") + ": medians and ranges, no verdict.",
      view.sides.length > 1 ? "Whether two sides differ is said by paired trials: servepath compare." : null), labels(view), bound_table(view)];
  }
  const gate = comparison.gate, kind = gate ? gate_kind[gate.verdict] : {0: "good", 1: "bad"}[comparison.exit_code] || "warn";
  const level = comparison.metrics.find((metric) => is_number(metric.level));
  const soft = [pairs_of(comparison), is_number(comparison.duration_s) ? digits(comparison.duration_s / 60, 2) + " min" : "", level ? "intervals at " + share(level.level) : "", "no difference: within " + share(comparison.delta)].filter(Boolean).join(" · ");
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
      const top = Math.max(area.top, scales.y.getPixelForValue(one.high)), bottom = Math.min(area.bottom, scales.y.getPixelForValue(one.low)), left = scales.x.getPixelForValue(one.from + 1);
      context.fillStyle = css("--flat-bg");
      context.fillRect(left, top, area.right - left, bottom - top);
    }
    context.strokeStyle = context.fillStyle = css("--bad");
    context.setLineDash([5, 3]);
    context.font = "12px " + Chart.defaults.font.family;
    for (const change of one.changes) {
      const x = scales.x.getPixelForValue(change.first_i + 0.5);
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
      () => ({type: "line", data: {datasets: [{label: one.title, data: values.map((y, i) => ({x: i + 1, y})), borderColor: side_color(0), backgroundColor: side_color(0), borderWidth: 1.5, pointRadius: 4, clip: 8,
        pointStyle: one.points.map((point) => point.verdict === "fail" ? "crossRot" : "circle")}]},
      options: {parsing: false, interaction: {mode: "nearest", axis: "x", intersect: false},
        scales: {x: {type: "linear", min: 0.5, max: values.length + 0.5, title: axis_title("run"), ticks: {precision: 0, maxRotation: 0, includeBounds: false, callback: (value) => Number.isInteger(value) ? String(value) : null}},
          y: {type: "linear", min: Math.max(0, least - 0.2 * (most - least || most)), max: most + 0.15 * (most - least || most), title: axis_title(one.title), ticks: {maxTicksLimit: 7, includeBounds: false, callback: (value) => text(value)}}},
        plugins: {tooltip: {callbacks: {title: (items) => items.length ? one.points[items[0].parsed.x - 1].at : "", label: (item) => " " + text(item.parsed.y) + "  " + (one.points[item.parsed.x - 1].build || "")}}}},
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
  const crossings = (one.crossings || []).map((cross) => el("li", null, cross.text));
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
  for (const side of view.sides) if (side && side.curve && side.curve.at) unpack_curve(side.curve);
  view.names = view.comparison ? view.comparison.sides.map((side) => side.label) : view.sides.map((side) => side.label);
  return view;
}
function show(view) {
  drop_charts();
  const maps = (D.sweeps || []).map(sweep);
  // Below a map the verdict is that of one cell, and says of which.
  const parts_of = view ? [maps.length && view.dir ? section("Cell " + view.dir.split("/").pop(), verdict(view)) : verdict(view), distribution(view), over_time(view), stages(view), cost(view), outcomes(view), checks(view), measured(view)] : [];
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
