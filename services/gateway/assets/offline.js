// Asks the browser to keep the page that is shown without a network. Where it cannot, nothing is missing.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/service-worker.js").catch(() => {});
}
