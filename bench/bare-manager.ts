// What is left of a manager without any of our code: it hands each message on, unread but for its id.
// Prints its endpoints as one line of JSON, and "ready" when the agent has subscribed.
import { Pull, Router, XPublisher } from 'zeromq';
import { idIn, stamp, templates } from './bare-frames.ts';

const frontend = new Router({ linger: 0 });
const backend = new XPublisher({ linger: 0 });
const sink = new Pull({ linger: 0 });
const publisher = new XPublisher({ linger: 0 });
const sockets = { frontend, backend, sink, publisher };
for (const socket of Object.values(sockets)) await socket.bind('tcp://127.0.0.1:*');

// An answer may be quicker than the subscription of a client that connects anew, so it waits here for it.
const answers = new Map<string, Buffer>();
const listening = new Set<string>();

async function publish(id: string, payload: Buffer): Promise<void> {
  await publisher.send([id, payload]);
  await publisher.send(stamp(templates.end, id));
}

async function serveFrontend(): Promise<void> {
  for await (const [peer = '', ...request] of frontend) {
    const id = idIn(request, templates.request);
    await frontend.send([peer, ...stamp(templates.reply, id)]);
    await backend.send(stamp(templates.dispatch, id));
  }
}

async function serveSink(): Promise<void> {
  for await (const [, uuid = '', , , payload = Buffer.alloc(0)] of sink) {
    const id = uuid.toString();
    // A client that keeps its connection listens to all ids that begin with k, from before its first request.
    if (id.startsWith('k') || listening.delete(id)) await publish(id, payload);
    else answers.set(id, payload);
  }
}

async function servePublisher(): Promise<void> {
  for await (const [subscription = Buffer.alloc(0)] of publisher) {
    const topic = subscription.toString('latin1', 1);
    if (subscription[0] !== 1 || topic.startsWith('k') || topic.startsWith('end/')) continue;
    const payload = answers.get(topic);
    answers.delete(topic);
    if (payload === undefined) listening.add(topic);
    else await publish(topic, payload);
  }
}

async function serveBackend(): Promise<void> {
  for await (const [subscription] of backend) if (subscription?.[0] === 1) process.stdout.write('ready\n');
}

const endpoints = Object.entries(sockets).map(([name, { lastEndpoint }]) => [name, lastEndpoint]);
process.stdout.write(`${JSON.stringify(Object.fromEntries(endpoints))}\n`);
await Promise.all([serveFrontend(), serveSink(), servePublisher(), serveBackend()]);
