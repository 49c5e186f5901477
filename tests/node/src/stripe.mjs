// Stripe, on the business's connected account.

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import Stripe from 'stripe';

import { agent, awsConfig } from './aws.mjs';

const base = new URL(process.env.STRIPE_API_BASE ?? 'https://api.stripe.com');
const protocol = base.protocol.slice(0, -1);
const port = base.port || '443';
const httpClient = Stripe.createNodeHttpClient(agent);
const expand = ['latest_charge.refunds', 'payment_method'];

let stripe;

async function key() {
  const client = new SecretsManagerClient({ ...awsConfig, endpoint: process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER });
  const secret = await client.send(new GetSecretValueCommand({ SecretId: process.env.STRIPE_SECRET_ARN }));
  return secret.SecretString.trim();
}

/** Opens a connection before it is needed, as the library itself would. Whether it works is seen later. */
async function open() {
  const asked = httpClient.makeRequest(base.hostname, port, '/healthcheck', 'GET', {}, '', protocol, 2000);
  const response = await asked.catch(() => undefined);
  if (response) await new Promise((resolve) => response.getRawResponse().resume().on('close', resolve));
}

/** Reads the key; meanwhile a connection is opened. */
export async function openStripe() {
  const [secret] = await Promise.all([key(), open()]);
  const to = { host: base.hostname, port, protocol };
  stripe = new Stripe(secret, { apiVersion: '2026-09-30.endive', httpClient, ...to, telemetry: false });
}

/** An intent as Stripe says it is. */
export const loadIntent = (stripeAccount, intent) =>
  stripe.paymentIntents.retrieve(intent, { expand }, { stripeAccount });

/** Takes exactly this much of what is held. */
export const captureIntent = (stripeAccount, intent, amount, idempotencyKey) =>
  stripe.paymentIntents.capture(intent, { amount_to_capture: amount, expand }, { stripeAccount, idempotencyKey });
