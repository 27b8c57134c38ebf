// Asks the browser to keep the page that is shown without a network, once all of this one is there: on a slow line the
// two would share it. Where the browser cannot, nothing is missing.
if ("serviceWorker" in navigator) {
  addEventListener("load", () => navigator.serviceWorker.register("/service-worker.js").catch(() => {}));
}
