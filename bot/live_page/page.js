"use strict";
const $ = selector => document.querySelector(selector);
const cards = new Map();

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function left(doneAt) {
  if (doneAt === null) return "";
  const seconds = Math.max(0, doneAt - Date.now() / 1000);
  if (seconds < 60) return "under a minute to go";
  return seconds < 3600 ? `about ${Math.round(seconds / 60)} min to go` : `about ${(seconds / 3600).toFixed(1)} h to go`;
}

// Losses fall by powers of ten, so the plot's height is their logarithm.
function points(curve) {
  const finite = curve.filter(([, loss]) => Number.isFinite(loss) && loss > 0);
  if (finite.length < 2) return "";
  const heights = finite.map(([, loss]) => Math.log10(loss));
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const [first, last] = [finite[0][0], finite[finite.length - 1][0]];
  return finite.map(([iteration], n) =>
    `${(100 * (iteration - first) / (last - first || 1)).toFixed(2)},${(2 + 36 * (high - heights[n]) / (high - low || 1)).toFixed(2)}`).join(" ");
}

function card(id) {
  if (cards.has(id)) return cards.get(id);
  const made = element("article");
  made.innerHTML = `<figure><p></p><img alt="" hidden></figure><div class="facts"><div class="line"><strong></strong><span></span></div>
    <progress max="1"></progress><svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="Loss"><polyline/></svg><small></small></div>`;
  cards.set(id, made);
  return made;
}

function show(painting) {
  const made = card(painting.id), image = made.querySelector("img"), words = made.querySelector("figure p");
  if (painting.picture && image.getAttribute("src") !== painting.picture) {
    image.src = painting.picture;
    image.alt = `The painting, ${painting.words}`;
  }
  image.hidden = !painting.picture;
  words.hidden = Boolean(painting.picture);
  words.textContent = "No picture to be shown here";
  const rate = painting.rate ? ` · ${painting.rate.toFixed(1)} a second` : "";
  made.querySelector("strong").textContent = `${painting.iteration.toLocaleString("en")} of ${painting.iterations.toLocaleString("en")}${rate}`;
  made.querySelector(".line span").textContent = left(painting.done_at);
  made.querySelector("progress").value = painting.iteration / painting.iterations;
  made.querySelector("polyline").setAttribute("points", points(painting.curve));
  made.querySelector("small").textContent = painting.words;
  return made;
}

function list(section, lines) {
  section.hidden = lines.length === 0;
  section.querySelector("ol, ul").replaceChildren(...lines.map(line => element("li", {}, ...[].concat(line))));
}

function render(scene) {
  if (scene.away) $("#summary").textContent = "Redis does not answer: nothing can be told at the moment.";
  if (scene.broken) $("#summary").textContent = "This page broke off: the bot's log says why. It goes on by itself.";
  if (!scene.painting) return;
  const here = new Set(scene.painting.map(one => one.id));
  for (const id of cards.keys()) if (!here.has(id)) { cards.get(id).remove(); cards.delete(id); }
  scene.painting.forEach((one, n) => {
    const made = show(one), main = $("#paintings");
    if (main.children[n] !== made) main.insertBefore(made, main.children[n] ?? null);
  });
  const workers = scene.workers.length ? count(scene.workers.length, "worker") : "no worker";
  $("#summary").textContent = `${count(scene.paintings, "painting")} under way, ${scene.waits.toLocaleString("en")} waiting, ${workers}`;
  list($("#waiting"), scene.waiting.concat(scene.waits > scene.waiting.length ? [`and ${scene.waits - scene.waiting.length} more`] : []));
  list($("#workers"), scene.workers.map(one => [one.device, element("span", {}, ` · ${one.weights} · holds ${one.holds}`)]));
}

const events = new EventSource("events");
events.onmessage = message => render(JSON.parse(message.data));
events.onerror = () => { $("#summary").textContent = "The bot does not answer; trying on."; };
