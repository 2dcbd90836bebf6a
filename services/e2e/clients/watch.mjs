// Watches accounts with Connect's own library, loses the connection and goes on with its token. Arguments: connect or
// grpc-web, base URL, a viewer's key, the folder of the generated code, ingest's URL, its key, an account.
// Prints what it was told as JSON.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';

const [protocol, baseUrl, key, generated, ingest, ingestKey, account] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(generated, file)));
const { HealthService } = await load('hale/health/v1/health_pb.js');
const { AccountChange_Kind: Kind } = await load('hale/health/v1/watch_pb.js');

const authorize = (next) => (request) => {
  request.header.set('Authorization', `Bearer ${key}`);
  return next(request);
};
const options = { baseUrl, interceptors: [authorize] };
const transport = protocol === 'connect' ? createConnectTransport(options) : createGrpcWebTransport(options);
const health = createClient(HealthService, transport);

// watch returns a function that takes parts until one is as wanted, and one that hangs up.
const watch = (request) => {
  const hangUp = new AbortController();
  const parts = health.watchHealth({ filter: 'arr > 1000', ...request }, { signal: hangUp.signal })[Symbol.asyncIterator]();
  const until = async (wanted) => {
    for (;;) {
      const { value, done } = await parts.next();
      if (done) throw new Error('the watch ended');
      resets += value.reset ? 1 : 0;
      if (wanted(value)) return value;
    }
  };
  return { until, hangUp: () => hangUp.abort() };
};
let resets = 0;

// pays changes what the account pays.
const pays = async (arr) => {
  const answer = await fetch(`${ingest}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ingestKey}`, 'content-type': 'application/json' },
    body: JSON.stringify([{ id: `${account}-${arr}`, type: 'account', account, arr }]),
  });
  if (!answer.ok) throw new Error(await answer.text());
};
const changes = (part) => part.changes.filter((c) => c.account.accountId === account);
const tells = (arr) => (part) => changes(part).some((c) => c.account.arr === arr);
const kinds = (part) => changes(part).map((c) => Kind[c.kind]);

const first = watch({ snapshot: true });
const snapshot = await first.until((part) => part.snapshotComplete);
await pays(20_000);
const updated = await first.until(tells(20_000));
const heartbeat = await first.until((part) => part.changes.length === 0);
first.hangUp();

await pays(30_000);
const second = watch({ resumeToken: heartbeat.resumeToken });
const missed = await second.until(tells(30_000));
await pays(10);
const left = await second.until((part) => kinds(part).includes('LEFT'));
second.hangUp();

console.log(JSON.stringify({
  snapshot: kinds(snapshot), updated: kinds(updated), missed: kinds(missed), left: kinds(left),
  token: heartbeat.resumeToken, resets,
}));
