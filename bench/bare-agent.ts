// What is left of an agent without any of our code: an answer for each message. Usage: bare-agent.ts BACKEND SINK
import { Push, Subscriber } from 'zeromq';
import { idIn, stamp, templates } from './bare-frames.ts';

const [backend = '', sink = ''] = process.argv.slice(2);
const subscriber = new Subscriber({ linger: 0 });
const push = new Push({ linger: 0 });
subscriber.connect(backend);
push.connect(sink);
subscriber.subscribe('\x02any\x00');
for await (const dispatch of subscriber) {
  await push.send(stamp(templates.result, idIn(dispatch, templates.dispatch)));
}
