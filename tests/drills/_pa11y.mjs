// Looks at addresses with pa11y. Usage: node _pa11y.mjs NODE_MODULES CHROMIUM < addresses.json > findings.json
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const [modules, chromium] = process.argv.slice(2)
const require = createRequire(`${modules}/`)
const { default: pa11y } = await import(require.resolve('pa11y'))
const { default: puppeteer } = await import(require.resolve('puppeteer'))
const options = {
  runners: ['axe', 'htmlcs'],
  standard: 'WCAG2AA',
  levelCapWhenNeedsReview: 'warning', // what axe cannot tell, a text over a drawing for one, is for a person to look at
  timeout: 60000
}
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] })
const page = await browser.newPage()
const found = {}
for (const [name, url] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  const { issues } = await pa11y(url, { ...options, browser, page })
  found[name] = issues.map(i => `${i.runner} ${i.code}: ${i.message} ${i.context.slice(0, 120)}`)
}
await browser.close()
console.log(JSON.stringify(found))
