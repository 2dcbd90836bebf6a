// Watches accounts with Connect's own library, loses the connection and goes on with its token. Arguments: connect or
// grpc-web, base URL, a viewer's key, the folder of the generated code, ingest's URL, its key, an account.
// Prints what it was told as JSON.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
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

// The connection goes through here, so that it can be lost: an abort of Node's fetch may leave it open.
const sockets = [];
const proxy = createServer((near) => {
  const far = connect(new URL(baseUrl).port, '127.0.0.1');
  near.pipe(far).pipe(near);
  for (const socket of [near, far]) sockets.push(socket.on('error', () => {}));
}).listen(0, '127.0.0.1');
await once(proxy, 'listening');
const loseConnection = () => sockets.splice(0).forEach((socket) => socket.destroy());

const options = { baseUrl: `http://127.0.0.1:${proxy.address().port}`, interceptors: [authorize] };
const transport = protocol === 'connect' ? createConnectTransport(options) : createGrpcWebTransport(options);
const health = createClient(HealthService, transport);

// watch returns a function that takes parts until one is as wanted.
const watch = (request) => {
  const parts = health.watchHealth({ filter: 'arr > 1000', ...request })[Symbol.asyncIterator]();
  return async (wanted) => {
    for (;;) {
      const { value, done } = await parts.next();
      if (done) throw new Error('the watch ended');
      resets += value.reset ? 1 : 0;
      if (wanted(value)) return value;
    }
  };
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
const snapshot = await first((part) => part.snapshotComplete);
await pays(20_000);
const updated = await first(tells(20_000));
const heartbeat = await first((part) => part.changes.length === 0);
loseConnection();
const lost = await first(() => false).catch((error) => error.name);

await pays(30_000);
const second = watch({ resumeToken: heartbeat.resumeToken });
const missed = await second(tells(30_000));
await pays(10);
const left = await second((part) => kinds(part).includes('LEFT'));
loseConnection();
proxy.close();

console.log(JSON.stringify({
  snapshot: kinds(snapshot), updated: kinds(updated), missed: kinds(missed), left: kinds(left),
  token: heartbeat.resumeToken, lost, resets,
}));
