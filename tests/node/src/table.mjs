// The table: its calls, and what they are made of.

import {
  BatchGetItemCommand, DynamoDBClient, GetItemCommand, QueryCommand, TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';

import { awsConfig, open } from './aws.mjs';

const endpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB ?? `https://dynamodb.${process.env.AWS_REGION}.amazonaws.com`;
const TableName = process.env.TABLE_NAME;
const client = new DynamoDBClient({ ...awsConfig, endpoint });
const TYPES = { string: 'S', number: 'N', boolean: 'BOOL' };

/** The first request finds a connection open. */
export const openTable = () => open(`${endpoint}/ping`);

/** Where an item is. */
export const key = (pk, sk) => ({ pk: { S: pk }, sk: { S: sk } });

/** An item as it stands. */
export async function get(Key) {
  return (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
}

/** All items of a partition. */
export async function query(pk, ConsistentRead) {
  const call = new QueryCommand({
    TableName, ConsistentRead, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk },
  });
  const { Items, LastEvaluatedKey } = await client.send(call);
  if (LastEvaluatedKey) throw new Error('a partition is longer than a page');
  return Items;
}

/** The items at these keys, in the order of the keys; undefined: there is none. */
export async function getAll(Keys, ConsistentRead) {
  const call = new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead } } });
  const { Responses, UnprocessedKeys } = await client.send(call);
  if (UnprocessedKeys?.[TableName]) throw new Error('DynamoDB has left keys unprocessed');
  const place = ({ pk, sk }) => `${pk.S} ${sk.S}`;
  const found = new Map(Responses[TableName].map((item) => [place(item), item]));
  return Keys.map((of) => found.get(place(of)));
}

const attribute = (value) => ({ [TYPES[typeof value]]: typeof value === 'number' ? String(value) : value });

const attributes = (values, prefix = '') =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, attribute(value)]));

const given = (ConditionExpression, values) =>
  ({ TableName, ConditionExpression, ExpressionAttributeValues: values && attributes(values, ':') });

/** Puts an item if the condition holds; where there is none, unless it says otherwise. */
export const put = (of, item, condition = 'attribute_not_exists(pk)', values = undefined) =>
  ({ Put: { ...given(condition, values), Item: { ...of, ...attributes(item) } } });

/** Updates an item if the condition holds. */
export const update = (Key, UpdateExpression, condition, values) =>
  ({ Update: { ...given(condition, values), Key, UpdateExpression } });

/** Only checks a condition. */
export const check = (Key, condition, values) => ({ ConditionCheck: { ...given(condition, values), Key } });

/** Writes all actions or none. */
export const transact = (TransactItems) => client.send(new TransactWriteItemsCommand({ TransactItems }));
