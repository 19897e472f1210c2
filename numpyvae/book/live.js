"use strict";
// Three figures that follow the reader, and the contents that mark the chapter in view.
// Each live figure has a <div class="live"> with its data; without this script the div
// stays hidden and the figure is what the package drew.

function setUp(name, redraw) {
  const figure = document.getElementById("figure-" + name);
  if (!figure) return;
  const panel = figure.querySelector(".live"), plot = figure.querySelector("svg");
  const data = JSON.parse(panel.dataset.live);
  const sliders = [...panel.querySelectorAll("input")];
  const said = panel.querySelector("output.says");
  const update = () => {
    sliders.forEach(s => { s.nextElementSibling.value = Number(s.value).toFixed(3); });
    said.value = redraw(plot, data, ...sliders.map(s => Number(s.value)));
  };
  panel.hidden = false;
  sliders.forEach(s => s.addEventListener("input", update));
  if (sliders.length) update(); else redraw(plot, data, said);
}

// A map from values to pixels; the axis is given as "low high first last".
function axis(plot, which) {
  const [low, high, first, last] = plot.dataset[which].split(" ").map(Number);
  return value => first + (last - first) * (value - low) / (high - low);
}

function draw(line, xs, ys, toX, toY) {
  const points = xs.map((x, i) => toX(x).toFixed(2) + "," + toY(ys[i]).toFixed(2));
  line.setAttribute("points", points.join(" "));
}

const shown = number => number.toFixed(3).replace("-", "−");

// The bound of book one, (7.3), for p(x|z) = N(z, s²) and q = N(mu, σ²).
function bound(data, mu, sigma) {
  const squared = (data.x - mu) ** 2 + sigma ** 2;
  const reconstruction = Math.log(2 * Math.PI * data.s2) / 2 + squared / (2 * data.s2);
  const kl = (mu ** 2 + sigma ** 2 - 1) / 2 - Math.log(sigma);
  return { reconstruction, kl, elbo: -(reconstruction + kl) };
}

setUp("live-bound", (plot, data, mu, sigma) => {
  const toX = axis(plot, "x"), toY = axis(plot, "y");
  const curve = data.mus.map(each => bound(data, each, sigma).elbo);
  draw(plot.querySelector("polyline"), data.mus, curve, toX, toY);
  const now = bound(data, mu, sigma);
  const dot = plot.querySelector('circle[r="4"]');
  dot.setAttribute("cx", toX(mu));
  dot.setAttribute("cy", toY(now.elbo));
  return `reconstruction ${shown(now.reconstruction)}, KL ${shown(now.kl)}, `
    + `gap ${shown(data.log_px - now.elbo)}`;
});

// Value iteration of book two: v ← max over a of R(s, a) + γ Σ P(s′ | s, a) v(s′).
function actionValues(data, v, gamma) {
  return data.P.map((rows, s) => rows.map((row, a) =>
    data.R[s][a] + gamma * row.reduce((sum, p, next) => sum + p * v[next], 0)));
}

setUp("live-sweeps", (plot, data, gamma) => {
  const toX = axis(plot, "x"), toY = axis(plot, "y");
  const values = [data.P.map(() => 0)];
  for (let k = 0; k < data.sweeps; k++) {
    const q = actionValues(data, values[k], gamma);
    values.push(q.map(row => Math.max(...row)));
  }
  const steps = values.map((_, k) => k);
  plot.querySelectorAll("polyline").forEach((line, s) =>
    draw(line, steps, values.map(v => v[s]), toX, toY));
  const q = actionValues(data, values[data.sweeps], gamma);
  const policy = q.map(row => row[1] > row[0] ? "→" : "←").join(" ");
  const side = gamma < data.critical ? "below" : "above";
  return `greedy policy ${policy}, ${side} γ* = ${data.critical.toFixed(4)}`;
});

// The plane of two latents: the image under the pointer is shown enlarged.
setUp("live-plane", (plot, data, said) => {
  const whole = plot.querySelector(".whole"), one = plot.querySelector(".one");
  const count = data.z.length, [, , across, high] = whole.getAttribute("viewBox").split(" ");
  const width = across / count, height = high / count;
  const cell = part => Math.min(count - 1, Math.max(0, Math.floor(part * count)));
  const show = event => {
    const box = whole.getBoundingClientRect();
    const column = cell((event.clientX - box.left) / box.width);
    const row = cell((event.clientY - box.top) / box.height);
    one.setAttribute("viewBox", `${column * width} ${row * height} ${width} ${height}`);
    said.value = `z = (${shown(data.z[column])}, ${shown(data.z[count - 1 - row])})`;
  };
  whole.addEventListener("pointermove", show);
  whole.addEventListener("pointerdown", show);
});

// The contents mark the chapter in view.
const links = new Map();
document.querySelectorAll("nav.contents li a").forEach(link =>
  links.set(link.getAttribute("href").slice(1), link));
const watcher = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) {
    const link = links.get(target.id);
    if (isIntersecting) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}, { rootMargin: "-20% 0px -75% 0px" });
links.forEach((_, id) => watcher.observe(document.getElementById(id)));
