// Charts are drawn when they come into view, after the first paint, in the reader's colours.

// Light value of each palette colour -> its variable in app.css, for the dark theme.
const PALETTE = {
  "#12436d": "--blue", "#28a197": "--teal", "#801650": "--plum", "#f46a25": "--orange",
  "#1c2430": "--ink", "#55606e": "--soft", "#5a6472": "--soft", "#dfe3e8": "--line", "#ffffff": "--card", "#fff": "--card",
};

let library = null;

function loadPlotly() {
  library ??= new Promise((resolve, reject) => {
    // An element of this name tells the library that its styles are in app.css: the page lets none be written.
    const styled = document.createElement("meta");
    styled.id = "plotly.js-style-global";
    styled.className = "no-inline-styles";
    const script = document.createElement("script");
    script.src = document.body.dataset.plotly;
    script.addEventListener("load", () => resolve(globalThis.Plotly));
    script.addEventListener("error", () => reject(new Error("plotly did not load")));
    document.head.append(styled, script);
  });
  return library;
}

function recoloured(value, style) {
  if (typeof value === "string") {
    const name = PALETTE[value.toLowerCase()];
    return name ? style.getPropertyValue(name).trim() : value;
  }
  if (Array.isArray(value)) return value.map((item) => recoloured(item, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recoloured(item, style)]));
  }
  return value;
}

function themed(figure) {
  const style = getComputedStyle(document.documentElement);
  const { data, layout } = recoloured(figure, style);
  const soft = style.getPropertyValue("--soft").trim();
  const line = style.getPropertyValue("--line").trim();
  layout.paper_bgcolor = "rgba(0,0,0,0)";
  layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.font = { ...layout.font, color: soft, family: getComputedStyle(document.body).fontFamily };
  for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
    layout[key] = { ...layout[key], gridcolor: line, zerolinecolor: line, linecolor: line, fixedrange: true };
  }
  return { data, layout };
}

async function draw(place) {
  const figure = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const french = document.documentElement.lang.startsWith("fr");
  try {
    const Plotly = await loadPlotly();
    const { data, layout } = themed(figure);
    layout.separators ??= french ? ",\u202f" : ".,";
    place.replaceChildren();
    await Plotly.react(place, data, layout, { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false });
    place.dataset.drawn = "yes";
  } catch {
    // The sentence and the table stay: open the table instead of leaving a hole.
    place.hidden = true;
    const table = place.closest("section")?.querySelector("details[data-table]");
    if (table) table.open = true;
  }
}

export function watchCharts() {
  const places = document.querySelectorAll("[data-chart]");
  if (!places.length) return;
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((item) => item.isIntersecting)) {
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "120px" });
  const watch = () => places.forEach((place) => seen.observe(place));
  // Two frames: the sentence and the numbers are painted before the library is asked for.
  requestAnimationFrame(() => requestAnimationFrame(watch));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const place of places) if (place.dataset.drawn) draw(place);
  });
}
