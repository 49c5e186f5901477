// What all clients have in common: one pool of connections that stay open, credentials from the environment.

import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';

// The SDK warns of a Node that its later versions won't take; a function has no use for that at every start.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const authority = process.env.LOOPBACK_CA_FILE;

/** The connections. A stand-in on this machine is vouched for by the authority that the benchmark names. */
export const agent = new Agent({ keepAlive: true, ...(authority && { ca: readFileSync(authority) }) });

/** What every client of AWS is made with. */
export const awsConfig = {
  region: process.env.AWS_REGION,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  },
  requestHandler: { httpsAgent: agent, connectionTimeout: 1000, requestTimeout: 2000 },
};

/** Opens a connection before it is needed, by asking for something harmless. Whether it works is seen later. */
export const open = (harmless) => new Promise((resolve) => {
  const request = get(harmless, { agent, timeout: 2000 }, (response) => response.resume().on('close', resolve));
  request.on('timeout', () => request.destroy()).on('error', resolve);
});
