"use strict";
// One canvas for each day, drawn when its section is opened; pointing at it tells the moment.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const LEFT = 46, RIGHT = 8, TOP = 26, POWER = 210, STORE = 76, LANE = 46, GAP = 20;
const pad = (n) => String(n).padStart(2, "0");
const clock = (day, s) => {
  const t = day.begin + s;
  return pad(Math.floor(t / 3600) % 24) + ":" + pad(Math.floor(t / 60) % 60);
};
const watts = (w) => (Math.abs(w) >= 1000 ? (w / 1000).toFixed(2) + " kW" : Math.round(w) + " W");

function nice(top) { // the next round figure
  const p = 10 ** Math.floor(Math.log10(Math.max(top, 1)));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((m) => m * p).find((v) => v >= top);
}

class Chart {
  constructor(box) {
    this.day = JSON.parse(box.querySelector("script").textContent);
    this.box = box; this.run = this.day.runs[0]; this.at = null;
    this.canvas = box.querySelector("canvas");
    this.now = box.querySelector(".now");
    for (const button of box.querySelectorAll(".pick button")) {
      button.onclick = () => this.choose(button);
    }
    const point = (e) => this.point(e.clientX);
    this.canvas.addEventListener("pointermove", point);
    this.canvas.addEventListener("pointerdown", point);
    this.canvas.tabIndex = 0;
    this.canvas.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (step) { e.preventDefault(); this.move((this.at ?? 0) + step * this.day.slot); }
    });
    this.box.querySelector(".why").parentElement.addEventListener("toggle", () => this.list());
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
  }

  choose(button) {
    this.run = this.day.runs[Number(button.value)];
    for (const one of this.box.querySelectorAll(".pick button")) {
      one.setAttribute("aria-pressed", String(one === button));
    }
    this.draw(); this.tell(); this.list();
  }

  point(x) {
    const edge = this.canvas.getBoundingClientRect();
    const share = (x - edge.left - LEFT) / (edge.width - LEFT - RIGHT);
    this.move(share * this.day.seconds);
  }

  move(second) {
    this.at = Math.max(0, Math.min(this.day.seconds - 1, second));
    this.draw(); this.tell();
  }

  x(second) { return LEFT + (second / this.day.seconds) * (this.width - LEFT - RIGHT); }

  draw() {
    const { day, run, canvas } = this, zoom = window.devicePixelRatio || 1;
    this.width = canvas.parentElement.clientWidth;
    if (!this.width) return;
    const below = TOP + POWER + (day.battery ? GAP + STORE : 0);
    const height = below + day.consumers.length * (LANE + GAP) + 22;
    canvas.style.height = height + "px";
    canvas.width = this.width * zoom; canvas.height = height * zoom;
    const pen = (this.pen = canvas.getContext("2d"));
    pen.scale(zoom, zoom); pen.font = "11px system-ui, sans-serif"; pen.lineWidth = 1.3;
    this.hours(height);
    this.power(TOP);
    if (day.battery) this.store(TOP + POWER + GAP);
    day.consumers.forEach((one, i) => this.lane(one, i, below + GAP + i * (LANE + GAP)));
    if (this.at !== null) {
      pen.strokeStyle = css("ink"); pen.lineWidth = 1;
      this.path([[this.x(this.at), 16], [this.x(this.at), height - 18]]);
    }
  }

  path(points, fill) {
    const pen = this.pen;
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (fill) pen.fill(); else pen.stroke();
  }

  hours(height) {
    const { day, pen } = this, wide = this.width - LEFT - RIGHT;
    const step = [900, 1800, 3600, 7200, 10800, 21600].find((s) => (wide * s) / day.seconds > 46) || 43200;
    pen.strokeStyle = css("line"); pen.fillStyle = css("soft"); pen.textAlign = "center";
    const first = Math.ceil(day.begin / step) * step - day.begin;
    for (let s = first; s <= day.seconds; s += step) {
      this.path([[this.x(s), 16], [this.x(s), height - 18]]);
      if (this.x(s) > this.width - 16) continue; // half of its figure would be cut off
      pen.fillText(clock(day, s), this.x(s), 11); // a phone does not show both ends at once
      pen.fillText(clock(day, s), this.x(s), height - 5);
    }
  }

  series(values, y) { return values.map((v, i) => [this.x((i + 0.5) * this.day.slot), y(v)]); }

  axis(values, y, unit) {
    const { pen } = this;
    pen.textAlign = "right"; pen.fillStyle = css("soft"); pen.strokeStyle = css("line");
    for (const v of values) {
      pen.fillText(unit(v), LEFT - 4, y(v) + 4);
      this.path([[LEFT, y(v)], [this.width - RIGHT, y(v)]]);
    }
  }

  between(upper, lower, y, name, alpha) { // an area from one series to another
    this.pen.globalAlpha = alpha; this.pen.fillStyle = css(name);
    this.path([...this.series(upper, y), ...this.series(lower, y).reverse()], true);
    this.pen.globalAlpha = 1;
  }

  line(values, y, name) { this.pen.strokeStyle = css(name); this.path(this.series(values, y)); }

  power(top) {
    const { day, run } = this, none = day.pv.map(() => 0);
    const used = day.load.map((load, i) => run.drawn.reduce((sum, one) => sum + one[i], load));
    const high = nice(Math.max(...day.pv, ...used, ...run.grid, 100));
    const sold = -Math.min(0, ...run.grid), small = sold < high / 12;
    const low = -(small ? Math.max(sold, high / 50) : nice(sold));
    const y = (v) => top + ((high - Math.max(low, Math.min(high, v))) / (high - low)) * POWER;
    this.axis(small ? [high, high / 2, 0] : [high, high / 2, 0, low], y, (v) => v / 1000 + " kW");
    this.between(day.pv, none, y, "pv", 0.22);
    this.between(day.load, none, y, "load", 0.55);
    this.between(used, day.load, y, "draw", 0.38);
    this.between(run.high, run.low, y, "grid", 0.22);
    this.line(day.pv, y, "pv");
    this.line(run.grid, y, "grid");
  }

  store(top) { // the battery: its power about the middle, its charge from the bottom to the top
    const { run, pen } = this, most = nice(Math.max(100, ...run.battery.map(Math.abs)));
    const y = (v) => top + STORE / 2 - (v / most) * (STORE / 2);
    this.axis([most, 0, -most], y, (v) => v / 1000 + " kW");
    this.between(run.battery, run.battery.map(() => 0), y, "battery", 0.55);
    this.line(run.soc, (v) => top + (1 - v / 100) * STORE, "soc");
    pen.textAlign = "left"; pen.fillStyle = css("ink"); pen.fillText("battery", LEFT + 3, top - 4);
    const name = pen.measureText("battery").width;
    pen.fillStyle = css("soft");
    pen.fillText(`${run.soc.at(-1)} % at the end`, LEFT + 11 + name, top - 4);
  }

  lane(one, index, top) {
    const { day, run, pen } = this, y = (v) => top + LANE - (Math.min(v, one.max) / one.max) * LANE;
    const steps = (values) => values.flatMap((v, i) => [
      [this.x(i * day.slot), y(v)], [this.x(Math.min(day.seconds, (i + 1) * day.slot)), y(v)]]);
    const turns = run.switches[index];
    pen.strokeStyle = css("line"); this.path([[LEFT, y(0)], [this.width - RIGHT, y(0)]]);
    pen.fillStyle = css("allow");
    this.path([[LEFT, y(0)], ...steps(run.allowed[index]), [this.width - RIGHT, y(0)]], true);
    pen.strokeStyle = css("draw"); this.path(steps(run.drawn[index]));
    pen.fillStyle = css("draw");
    turns.forEach((s, i) => {
      if (s < 0 || Object.is(s, -0)) return;
      const end = i + 1 < turns.length ? -turns[i + 1] : day.seconds;
      pen.fillRect(this.x(s), top + LANE + 2, Math.max(1, this.x(end) - this.x(s)), 3);
    });
    pen.textAlign = "left"; pen.fillStyle = css("ink");
    pen.fillText(one.id, LEFT + 3, top - 4);
    const name = pen.measureText(one.id).width;
    pen.fillStyle = css("soft");
    pen.fillText(this.told(one, index), LEFT + 11 + name, top - 4);
    pen.textAlign = "right"; pen.fillText(one.max >= 1000 ? +(one.max / 1000).toFixed(1) + " kW" : one.max + " W", LEFT - 4, top + 8);
  }

  told(one, index) { // what came of it, in a few words
    const { run } = this, count = (n, word, words) => n + " " + (n === 1 ? word : words);
    const parts = [run.delivered[index] + (one.need === null ? "" : " of " + one.need) + " kWh"];
    parts.push(count(run.switches[index].length, "switch", "switches"));
    if (run.phases[index]) parts.push(count(run.phases[index], "change", "changes") + " of phase");
    return parts.join(" · ");
  }

  reason(index) { // what was told last before the moment
    let found = null;
    for (const [second, consumer, text] of this.run.reasons) {
      if (second > this.at) break;
      if (consumer === index) found = this.run.words[text];
    }
    return found;
  }

  tell() {
    if (this.at === null) return;
    const { day, run } = this, i = Math.floor(this.at / day.slot);
    const lines = [["pv", "PV", day.pv], ["load", "ordinary load", day.load], ["grid", "grid", run.grid]];
    if (day.battery) lines.push(["battery", "battery", run.battery]);
    const values = lines.map(([, word, v]) => word + " " + watts(v[i]));
    if (day.battery) values.push("SoC " + run.soc[i] + " %");
    const all = run.drawn.reduce((sum, one) => sum + one[i], 0);
    values.splice(2, 0, "consumers " + watts(all));
    const rows = [[clock(day, this.at), values.join(" · ")]];
    day.consumers.forEach((one, index) => {
      const why = this.reason(index);
      const drawn = run.drawn[index][i], allowed = run.allowed[index][i];
      const used = drawn || allowed ? watts(drawn) + " of " + watts(allowed) + " allowed" : "off";
      rows.push([one.id, used + (why ? ": " + why : "")]);
    });
    this.now.replaceChildren(...rows.map(([head, text]) => {
      const row = document.createElement("div"), bold = document.createElement("b");
      bold.textContent = head; row.append(bold, text);
      return row;
    }));
  }

  list() {
    const table = this.box.querySelector(".why");
    if (!table.parentElement.open) return;
    const rows = this.run.reasons.map(([second, consumer, text]) => {
      const row = document.createElement("tr");
      for (const word of [clock(this.day, second), this.day.consumers[consumer].id, this.run.words[text]]) {
        row.insertCell().textContent = word;
      }
      row.onclick = () => this.move(second);
      return row;
    });
    const made = document.createElement("table");
    made.append(...rows);
    table.replaceChildren(rows.length ? made : "This policy gives no reasons.");
  }
}

const charts = new Map();
function show(box) {
  if (box.open && !charts.has(box)) charts.set(box, new Chart(box));
}
for (const box of document.querySelectorAll("details.day")) {
  box.addEventListener("toggle", () => show(box));
  show(box);
}
function jump() { // a link of the overview opens its day
  const box = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (box && box.matches("details.day")) { box.open = true; show(box); box.scrollIntoView(); }
}
addEventListener("hashchange", jump);
jump();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts.values()) chart.draw();
});
