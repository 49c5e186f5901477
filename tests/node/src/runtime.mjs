// Lambda's Runtime API: the next event, its answer, again; and a line in the log for each.

import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const invocation = '/2018-06-01/runtime/invocation';
const { SERVICE_NAME: Service, AWS_LAMBDA_FUNCTION_NAME: Function } = process.env;

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ hostname, port, agent, method, path, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const headers = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'content-type': 'application/json' };

const answer = (statusCode, body) => ({ statusCode, headers, body: JSON.stringify(body), isBase64Encoded: false });

let isCold = true;

/** The line of a request, which CloudWatch keeps as metrics as well. */
function writeLine(requestId, status, DurationMs, cause) {
  const Metrics = [{ Name: 'DurationMs', Unit: 'Milliseconds' }];
  if (isCold) Metrics.push({ Name: 'ColdStarts', Unit: 'Count' });
  const directive = { Namespace: 'classpay', Dimensions: [['Service', 'Function']], Metrics };
  const [level, message] = cause ? ['ERROR', 'failed'] : ['INFO', 'answered'];
  process.stdout.write(`${JSON.stringify({
    level, message, request_id: requestId, status, cause, cold_start: isCold, DurationMs, Service, Function,
    ...(isCold && { ColdStarts: 1 }), _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] },
  })}\n`);
  isCold = false;
}

/** Serves events for ever. What a handler throws is a 500 that says why: this is for a benchmark. */
export async function serve(handler) {
  for (;;) {
    const { headers: { 'lambda-runtime-aws-request-id': id }, body } = await call('GET', `${invocation}/next`);
    const began = performance.now();
    let [reply, cause] = [];
    try {
      reply = answer(200, await handler(JSON.parse(body)));
    } catch (error) {
      cause = `${error.name}: ${error.message}`;
      reply = answer(500, { statusCode: 500, messages: [cause], code: 'internal', requestId: id });
    }
    writeLine(id, reply.statusCode, Math.round(performance.now() - began), cause);
    await call('POST', `${invocation}/${id}/response`, JSON.stringify(reply));
  }
}
