// The table: its keys and its calls.

import {
  BatchGetItemCommand, DynamoDBClient, GetItemCommand, QueryCommand, TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';

import { awsConfig, open } from './aws.mjs';
import { need } from './refuse.mjs';

const MOST_ROUNDS = 5;

const endpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB ?? `https://dynamodb.${process.env.AWS_REGION}.amazonaws.com`;
const name = process.env.TABLE_NAME;
const client = new DynamoDBClient({ ...awsConfig, endpoint });

/** The first request finds a connection open. */
export const openTable = () => open(`${endpoint}/ping`);

const key = (pk, sk) => ({ pk, sk });

/** Where items are. */
export const keys = {
  company: (company) => key(`C#${company}`, 'META'),
  class: (company, id) => key(`C#${company}#CLS#${id}`, 'META'),
  seats: (company, id) => key(`C#${company}#CLS#${id}`, 'SEATS'),
  lesson: (company, id, on) => key(`C#${company}#CLS#${id}`, `LESSON#${on}`),
  family: (company, family) => key(`C#${company}#F#${family}`, 'META'),
  enrolment: (company, family, student, id) => key(`C#${company}#F#${family}`, `ENR#${student}#${id}`),
  trial: (company, family, student, id) => key(`C#${company}#F#${family}`, `TRIAL#${student}#${id}`),
  transaction: (company, family, id) => key(`C#${company}#F#${family}#LEDGER`, `TRN#${id.slice(id.indexOf('_') + 1)}`),
  due: (company, debit) => key(`C#${company}#TRN#${debit}`, 'DUE'),
  order: (order) => key(`ORD#${order}`, 'META'),
  claim: (account, intent) => key(`PI#${account}#${intent}`, 'CLAIM'),
  session: (account, intent) => key(`PI#${account}#${intent}`, 'SESSION'),
};

/** Attributes of DynamoDB's. */
export const S = (value) => ({ S: value });
export const N = (value) => ({ N: String(value) });
export const BOOL = (value) => ({ BOOL: value });
export const attributes = ({ pk, sk }) => ({ pk: S(pk), sk: S(sk) });

const place = ({ pk, sk }) => `${pk} ${sk}`;

/** An item as it stands. */
export async function get(of) {
  return (await client.send(new GetItemCommand({ TableName: name, Key: attributes(of), ConsistentRead: true }))).Item;
}

/** All items of a partition. */
export async function query(pk, strongly) {
  const items = [];
  let from;
  do {
    const page = await client.send(new QueryCommand({
      TableName: name,
      ConsistentRead: strongly,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': S(pk) },
      ExclusiveStartKey: from,
    }));
    items.push(...page.Items);
    from = page.LastEvaluatedKey;
  } while (from);
  return items;
}

/** The items that exist among these keys, found by key. */
export async function getAll(wanted, strongly) {
  const found = new Map();
  let left = { Keys: wanted.map(attributes), ConsistentRead: strongly };
  for (let round = 0; left; round += 1) {
    need(round < MOST_ROUNDS, 'a batch that is processed');
    const answer = await client.send(new BatchGetItemCommand({ RequestItems: { [name]: left } }));
    for (const item of answer.Responses[name] ?? []) found.set(place({ pk: item.pk.S, sk: item.sk.S }), item);
    left = answer.UnprocessedKeys?.[name];
  }
  return { at: (of) => found.get(place(of)) };
}

/** Puts an item if the condition holds; where there is none, unless it says otherwise. */
export const put = (of, item, condition = 'attribute_not_exists(pk)', values = undefined) => ({
  Put: {
    TableName: name,
    Item: { ...attributes(of), ...item },
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
  },
});

/** Updates an item if the condition holds. */
export const update = (of, expression, condition, values) => ({
  Update: {
    TableName: name,
    Key: attributes(of),
    UpdateExpression: expression,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
  },
});

/** Only checks a condition. */
export const check = (of, condition, values) => ({
  ConditionCheck: {
    TableName: name,
    Key: attributes(of),
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
  },
});

/** Writes all actions or none. */
export const transact = (actions) => client.send(new TransactWriteItemsCommand({ TransactItems: actions }));
