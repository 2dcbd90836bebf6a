// Reads Hale with Connect's own library, over the transport that is asked for. Arguments: connect or grpc-web, base URL,
// an admin's key, the folder of the generated code. Prints what it found as JSON.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';

const [protocol, baseUrl, key, generated] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(generated, file)));
const { HealthService, Band } = await load('hale/health/v1/health_pb.js').then(async (service) => ({
  ...service,
  ...(await load('hale/health/v1/account_pb.js')),
}));
const { AdminService } = await load('hale/admin/v1/admin_pb.js');
const { ErrorInfoSchema, BadRequestSchema } = await load('google/rpc/error_details_pb.js');

// methods are the HTTP methods that were used, in order.
const methods = [];
const fetchAndNote = (url, init) => {
  methods.push(init?.method ?? 'GET');
  return fetch(url, init);
};
const authorize = (next) => (request) => {
  request.header.set('Authorization', `Bearer ${key}`);
  return next(request);
};
const options = { baseUrl, interceptors: [authorize], fetch: fetchAndNote, useHttpGet: true };
const transport = protocol === 'connect' ? createConnectTransport(options) : createGrpcWebTransport(options);
const health = createClient(HealthService, transport);
const admin = createClient(AdminService, transport);

const refusal = async (call) => {
  try {
    await call();
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return {
      code: Code[error.code],
      reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
      fields: error.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations.map((v) => v.field)),
    };
  }
  return {};
};

const { health: got } = await health.getHealth({ accountId: 'acme' });
const unknown = await refusal(() => health.getHealth({ accountId: 'nobody' }));
const invalid = await refusal(() => health.getHealth({}));

let records = 0;
for await (const part of admin.tailEvents({ last: 1000, noFollow: true })) {
  if (part.record) records += 1;
}

const { accounts } = await health.listAccounts({});
console.log(JSON.stringify({
  account: got.accountId, score: got.score, band: Band[got.band], accounts: accounts.map((a) => a.accountId),
  unknown, invalid, records, method: methods[0],
}));
