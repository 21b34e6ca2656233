// Draws the page described by a block of JSON on a Leaflet map. One panel is both the layer control
// and the legend: an entry's legend is shown while its layer is on the map. Texts from tables reach
// the document as text nodes only, never as markup.
function drawCoverageMap(map, block) {
  "use strict";
  const page = JSON.parse(document.getElementById(block).textContent);

  const element = (tag, className, ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };

  const width = map.getSize().x;
  const roomy = width >= 700;
  // What the title and the panel leave of the window; in a small one the map runs below both.
  const clear = { topLeft: [10, 10], bottomRight: [10, 24] };

  const control = (position, node) => {
    const box = new L.Control({ position });
    box.onAdd = () => {
      L.DomEvent.disableClickPropagation(node);
      L.DomEvent.disableScrollPropagation(node);
      return node;
    };
    box.addTo(map);
  };

  // A card is a heading, a second line and one row per column.
  const card = (columns, [heading, place, ...values]) => {
    const rows = columns.map((column, i) =>
      element("tr", "", element("th", "", column), element("td", "", values[i])));
    const lines = [element("b", "", heading)];
    if (place) lines.push(element("div", "", place));
    if (rows.length) lines.push(element("table", "", ...rows));
    return element("div", "ac-card", ...lines);
  };

  // Kinds of layers: each returns the layer to show and the parts whose order matters.
  const image = (spec) => {
    const layer = L.imageOverlay(spec.url, spec.bounds,
      { pane: "rasters", alt: spec.name, zIndex: spec.depth });
    // Enlarged classes must not blend into colours that the legend does not know.
    const sharpen = () => {
      const enlarged = map.getZoom() > spec.pixel_zoom && !spec.smooth;
      layer.getElement()?.classList.toggle("ac-pixels", enlarged);
    };
    layer.on("add", sharpen);
    map.on("zoomend", sharpen);
    return { layer };
  };

  const tiles = (spec) => ({
    layer: L.layerGroup(spec.urls.map((url) => L.tileLayer(url, spec.options))),
  });

  const areas = (spec) => {
    const shapes = page.areas[spec.areas];
    const style = (shape) => {
      const number = spec.classes ? shape.properties.classes[spec.classes] : -1;
      return number < 0
        ? { stroke: false, fillOpacity: 0 }
        : { stroke: false, fillOpacity: spec.opacity, fillColor: spec.legend[number].color };
    };
    const fill = L.geoJSON(shapes, { style });
    fill.bindTooltip((shape) => card(spec.columns, shape.feature.properties.values),
      { sticky: true });
    fill.on("mouseover", (event) =>
      event.layer.setStyle({ stroke: true, color: "#20242c", weight: 2, opacity: 1 }));
    fill.on("mouseout", (event) => fill.resetStyle(event.layer));
    const line = L.geoJSON(shapes, { style: { ...spec.line, fill: false }, interactive: false });
    const names = (spec.names || []).map(([name, position]) => L.marker(position, {
      pane: "names",
      interactive: false,
      icon: L.divIcon({ className: "ac-name", html: element("span", "", name) }),
    }));
    return { layer: L.layerGroup([fill, line, ...names]), fill, line };
  };

  const points = (spec) => {
    const circles = spec.points.map((point) => {
      const circle = L.circleMarker(point.slice(0, 2), spec.style);
      circle.values = point.slice(2);
      return circle;
    });
    const group = L.featureGroup(circles);
    // Small where the whole region is in view, so that dense sites stay apart.
    const resize = () => {
      const scale = Math.min(1, Math.max(0.4, 0.6 + (map.getZoom() - 9) * 0.13));
      for (const circle of circles) circle.setRadius(spec.style.radius * scale);
    };
    map.on("zoomend", resize);
    resize();
    group.bindPopup((circle) => card(spec.columns, circle.values), { maxWidth: 340,
      autoPanPaddingTopLeft: clear.topLeft, autoPanPaddingBottomRight: clear.bottomRight });
    group.bindTooltip((circle) => card([], circle.values));
    group.on("popupopen", () => group.closeTooltip());
    return { layer: group, point: group };
  };

  const kinds = { image, tiles, areas, points };

  // On one canvas the order of drawing is also the order of picking: small areas over large ones
  // for the pointer, borders of large areas over those of small ones for the eye, points on top.
  const restack = () => {
    const shown = page.layers.map((spec) => spec.made).filter((made) => made &&
      map.hasLayer(made.layer));
    for (const made of shown) if (made.fill) made.fill.bringToFront();
    for (const made of [...shown].reverse()) if (made.line) made.line.bringToFront();
    for (const made of [...shown].reverse()) if (made.point) made.point.bringToFront();
  };

  const swatch = (item) => {
    const node = element("span", `ac-swatch ac-swatch-${item.shape}`);
    if (item.shape === "line") node.style.borderColor = item.color;
    else node.style.background = item.color;
    node.style.opacity = item.opacity ?? 1;
    return node;
  };

  const legend = (spec) => {
    const items = spec.legend.map((item) =>
      element("div", "ac-legend-item", swatch(item), element("span", "", item.label)));
    const notes = [spec.legend_title, spec.legend_note].map((note) => element("div", "", note));
    return element("div", "ac-legend", notes[0], ...items, notes[1]);
  };

  const entry = (spec) => {
    const box = element("input", "");
    box.type = "checkbox";
    const label = element("label", "", box);
    if (spec.swatch) label.append(swatch(spec.swatch));
    label.append(element("span", "", spec.name));
    const node = element("div", "ac-entry", label);
    if (spec.legend) node.append(legend(spec));
    node.dataset.layer = spec.id;
    const follow = (on) => {
      box.checked = on;
      node.classList.toggle("ac-on", on);
      restack();
    };
    // Layers are made when first wanted: most of them never are.
    const show = (on) => {
      if (!spec.made) {
        spec.made = kinds[spec.kind](spec);
        spec.made.layer.on("add", () => follow(true)).on("remove", () => follow(false));
      }
      if (on) map.addLayer(spec.made.layer);
      else map.removeLayer(spec.made.layer);
    };
    box.addEventListener("change", () => show(box.checked));
    if (spec.on) show(true);
    return node;
  };

  const panel = () => {
    const groups = [];
    for (const spec of page.layers) {
      const known = groups.find((group) => group.name === spec.group);
      if (known) known.specs.push(spec);
      else groups.push({ name: spec.group, specs: [spec] });
    }
    const entries = element("div", "ac-entries", ...groups.map((group) => element("fieldset", "",
      element("legend", "", group.name), ...group.specs.map(entry))));
    const button = element("button", "", page.words.panel);
    button.type = "button";
    const node = element("div", "ac-box ac-panel", button, entries);
    const open = (on) => {
      node.classList.toggle("ac-closed", !on);
      button.setAttribute("aria-expanded", String(on));
    };
    button.addEventListener("click", () => open(node.classList.contains("ac-closed")));
    open(roomy);
    const fit = () => { node.style.maxHeight = `${map.getSize().y - 120}px`; };
    map.on("resize", fit);
    fit();
    return node;
  };

  const title = () => {
    const node = element("div", "ac-box ac-title", element("h1", "", page.title));
    for (const line of page.lines) node.append(element("p", "", line));
    for (const note of page.notes) node.append(element("p", "ac-note", note));
    if (page.sources.length) {
      const items = page.sources.map((source) => element("li", "", source));
      node.append(element("details", "", element("summary", "", page.words.sources),
        element("ul", "", ...items)));
    }
    return node;
  };

  document.documentElement.lang = page.language;
  map.options.renderer = L.canvas({ padding: 0.3, tolerance: 2 });
  map.createPane("rasters").style.zIndex = 250;
  const veil = map.createPane("veil");
  veil.style.zIndex = 300;
  veil.style.pointerEvents = "none";
  const names = map.createPane("names");
  names.style.zIndex = 450;
  names.style.pointerEvents = "none";

  const heading = title();
  control("topleft", heading);
  if (roomy) {
    clear.topLeft = [heading.offsetWidth + 20, 10];
    clear.bottomRight = [258, 24];
  }
  map.fitBounds(page.bounds, { paddingTopLeft: clear.topLeft,
    paddingBottomRight: clear.bottomRight, animate: false });
  if (page.outside) L.geoJSON(page.outside, { pane: "veil", renderer: L.svg({ pane: "veil" }), interactive: false,
    style: { stroke: false, fillColor: "#eceff1", fillOpacity: 0.72 } }).addTo(map);
  control("topright", panel());
  L.control.scale({ position: "bottomleft", imperial: false }).addTo(map);
  L.control.zoom({ position: "bottomleft", zoomInTitle: page.words.zoom_in,
    zoomOutTitle: page.words.zoom_out }).addTo(map);
  L.control.attribution({ prefix: page.attribution }).addTo(map);
}

// folium's own popups call $ for one thing, to turn markup into an element: without jQuery in the
// page this lets them work on our maps too.
window.$ ??= (markup) => {
  const template = document.createElement("template");
  template.innerHTML = markup.trim();
  return [template.content.firstElementChild];
};
