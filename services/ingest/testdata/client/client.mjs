// Sends one of every call, and many tracks, to HALE_URL with the key HALE_KEY, and prints how many calls the client
// itself says were delivered. The message ids are the client's own.
import { Analytics } from '@segment/analytics-node'

const tracks = 200
const analytics = new Analytics({
  writeKey: process.env.HALE_KEY,
  host: process.env.HALE_URL,
  flushAt: 25,
  flushInterval: 50,
  maxRetries: 5,
})
let delivered = 0
let failed = 0
const done = (err) => { if (err) { failed++ } else { delivered++ } }

analytics.group({ userId: 'ada', groupId: 'acme', traits: { name: 'Acme', plan: 'pro', seats: 25 } }, done)
analytics.identify({ userId: 'ada', traits: { name: 'Ada', role: 'champion' }, context: { groupId: 'acme' } }, done)
analytics.page({ userId: 'ada', category: 'Docs', name: 'Index', context: { groupId: 'acme' } }, done)
analytics.screen({ userId: 'ada', name: 'Home', context: { groupId: 'acme' } }, done)
analytics.alias({ userId: 'ada', previousId: 'ada-before' }, done)
analytics.track({ userId: 'ada', event: 'Signed In', properties: { method: 'sso' } }, done)
for (let i = 0; i < tracks; i++) {
  analytics.track({ userId: 'ada', event: 'Report Exported', properties: { quantity: i } }, done)
}
await analytics.closeAndFlush({ timeout: 60000 })
console.log(JSON.stringify({ delivered, failed }))
