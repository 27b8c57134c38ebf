// Walks a journey in Firefox, with axe and a round of Tab on each page.
// Usage: node firefox.mjs NODE_MODULES FIREFOX < {url, steps, tags} > {pages, found, order}
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const [modules, firefox] = process.argv.slice(2)
const require = createRequire(`${modules}/`)
const { default: puppeteer } = await import(require.resolve('puppeteer'))
const engine = readFileSync(`${modules}/axe-core/axe.min.js`, 'utf8')
const { url, steps, tags } = JSON.parse(readFileSync(0, 'utf8'))
const told = { pages: 0, found: [], order: [] }
const noted = {}
const most = 150

const extraPrefsFirefox = { 'intl.accept_languages': 'fr' } // the pages speak English to one who asks for it
const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true, extraPrefsFirefox })
const page = await browser.newPage()
page.setDefaultTimeout(45000)

// The element that a step names, by what a person reads.
async function find(kind, name) {
  const handle = await page.waitForFunction((kind, name) => {
    const said = e => e.textContent.replace(/\s+/g, ' ').trim()
    const visible = e => e.checkVisibility({ visibilityProperty: true })
    const all = [...document.querySelectorAll({ button: 'button', link: 'a[href]', field: 'label' }[kind])]
    const there = all.find(e => said(e) === name.replace(/\s+/g, ' ') && visible(e))
    return kind === 'field' ? there?.control : there
  }, {}, kind, name)
  return handle.asElement()
}

async function lead(kind, name) {
  const element = await find(kind, name)
  await Promise.all([page.waitForNavigation(), element.click()])
  await arrived()
}

async function arrived() {
  told.pages += 1
  await page.evaluate(engine)
  const faults = await page.evaluate(tags => axe.run(document, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations']
  }).then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`)), tags)
  told.found.push(...faults.map(fault => `${page.url()} ${fault}`))
  await goRound()
}

// Tab from the page's beginning until it leaves the page: every control is reached, once and in the order of the page.
async function goRound() {
  const all = await page.evaluate(() => {
    const names = new Set()
    return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
      .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.disabled)
      .filter(e => e.type !== 'radio' || (!names.has(e.name) && names.add(e.name)))
      .map((e, n) => { e.dataset.stop = n; return e.outerHTML.slice(0, 90) })
  })
  const order = []
  for (let n = 0; n < most; n++) {
    await page.keyboard.press('Tab')
    const stop = await page.evaluate(() => {
      const here = document.activeElement
      return !here || here === document.body || here === document.documentElement ? 'out' : here.dataset.stop ?? null
    })
    if (stop === null) continue // a box that scrolls, which Firefox lets be reached
    const left = Number(stop) === order.at(-1) && order.at(-1) === all.length - 1 // the focus is Firefox's own then
    if (stop === 'out' || Number(stop) === order[0] || left) break
    if (Number(stop) === order.at(-1)) { told.found.push(`${page.url()} a trap: ${all[stop]}`); break }
    order.push(Number(stop))
  }
  all.filter((_, n) => !order.includes(n)).forEach(missed => told.found.push(`${page.url()} never reached: ${missed}`))
  if (order.some((stop, n) => stop !== n)) told.found.push(`${page.url()} another order than the page's: ${order}`)
  told.order.push(order.map(stop => all[stop]))
}

const does = {
  Go: async ({ path }) => { await page.goto(url + path); await arrived() },
  Fill: async ({ label, text }) => {
    const field = await find('field', label)
    await field.evaluate(e => { e.value = '' })
    await field.type(text.replace(/\{(\w+)\}/g, (_, name) => noted[name]))
  },
  Choose: async ({ label }) => (await find('field', label)).click(),
  Press: ({ name }) => lead('button', name),
  Follow: ({ name }) => lead('link', name),
  See: ({ text }) => page.waitForFunction(text => document.body.innerText.includes(text), {}, text),
  Note: async ({ name, css }) => { noted[name] = await page.$eval(`.${css}`, e => e.innerText) }
}
try {
  for (const step of steps) {
    try { await does[step.do](step) } catch (e) {
      const shown = await page.evaluate(() => document.body.innerText.slice(0, 1500)).catch(() => 'nothing')
      throw new Error(`${JSON.stringify(step)} at ${page.url()}: ${e.message}\n${shown}`)
    }
  }
  console.log(JSON.stringify(told))
} finally {
  await browser.close()
}
