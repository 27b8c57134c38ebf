// Keeps one page for the moments without a network, and its style sheet. Nothing else: no page of a person, none of a
// vote, and never an answer to a form.
const NAME = "{{ name }}";
const PAGE = "/hors-ligne";
const STYLES = [
  "{{ asset('parvis.css') }}",
  {% if 'theme.css' in look.assets %}"{{ asset('theme.css') }}",{% endif %}
];
const NOT_OURS = /^\/(?:agent|connexion|deconnexion|messages|mon-espace)(?:\/|$)|\/(?:voter|recu|suivi)(?:\/|$)/;

self.addEventListener("install", (event) => {
  // Without cookies: the page that is kept is nobody's.
  const fresh = [PAGE, ...STYLES].map((url) => new Request(url, { credentials: "omit", cache: url === PAGE ? "reload" : "default" }));
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || NOT_OURS.test(url.pathname)) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(PAGE)));
  } else if (STYLES.includes(url.pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(url.pathname)));
  }
});
