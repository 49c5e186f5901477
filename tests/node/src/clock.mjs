// The time. It can be shifted only where DynamoDB is on this machine.

const { AWS_ENDPOINT_URL_DYNAMODB: endpoint, CLOCK_OFFSET_MS: offset } = process.env;
const isLocal = endpoint && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(endpoint).hostname);
const aheadMs = isLocal && offset ? Number(offset) : 0;

/** Now, in milliseconds since 1970. */
export const nowMs = () => Date.now() + aheadMs;
