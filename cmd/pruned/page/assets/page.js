// Figures that move. All else works without.
"use strict";
const live = document.querySelector("[data-live]");
if (live && window.EventSource) {
  const source = new EventSource(live.dataset.live);
  const state = document.querySelector("[data-live-state]");
  source.onmessage = (message) => {
    for (const [name, text] of Object.entries(JSON.parse(message.data))) {
      const place = live.querySelector('[data-figure="' + CSS.escape(name) + '"]');
      if (place && place.textContent !== text) place.textContent = text;
    }
    if (state) state.textContent = "live";
  };
  source.onerror = () => { if (state) state.textContent = "not connected: it is tried again"; };
}
