// Sends one of each Segment call with Segment's own Node library. Arguments: base URL, write key.
// Prints how many calls it made and how many the library says were delivered.
import { Analytics } from '@segment/analytics-node';

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 4, flushInterval: 50 });

let calls = 0;
let delivered = 0;
let failed = 0;
const done = (error) => {
  if (error) failed += 1;
  else delivered += 1;
};
const call = (method, message) => {
  calls += 1;
  analytics[method](message, done);
};

call('identify', { userId: 'ann', traits: { name: 'Ann', role: 'champion' }, context: { groupId: 'acme' } });
call('group', { userId: 'ann', groupId: 'acme', traits: { name: 'Acme', plan: 'pro', seats: 10, industry: 'tools' } });
call('track', { userId: 'ann', event: 'Report Created', properties: { quantity: 2 } });
call('track', { userId: 'ann', event: 'Signed In' });
call('page', { userId: 'ann', name: 'Dashboard' });
call('screen', { userId: 'ann', name: 'Home' });
call('track', { userId: 'bob', event: 'Export', context: { groupId: 'acme' } });
call('track', { userId: 'ann-before', event: 'Report Created', context: { groupId: 'acme' } });
call('alias', { userId: 'ann', previousId: 'ann-before', context: { groupId: 'acme' } });

await analytics.closeAndFlush({ timeout: 60_000 });
console.log(JSON.stringify({ calls, delivered, failed }));
