import { expect } from 'chai';
import { managerKeysForRestart, readManagerConfig } from '../../../src/config/manager.ts';

const endpoints = {
  frontend_endpoint: 'tcp://*:5500',
  backend_endpoint: 'tcp://*:5600',
  sink_endpoint: 'tcp://*:5700',
  mgmt_endpoint: 'tcp://*:5800',
};

function read(changes: Readonly<Record<string, string>> = {}) {
  const lines = Object.entries({ ...endpoints, ...changes }).map(([key, value]) => `${key} = ${value}`);
  return readManagerConfig(['[Default]', ...lines].join('\n'), 'm.conf');
}

describe('manager config', () => {
  it('is complete with the four endpoints of 2014', () => {
    const { security, ...rest } = read();
    expect(security.mode).to.equal('auto');
    expect(rest).to.deep.equal({
      frontendEndpoint: 'tcp://*:5500',
      backendEndpoint: 'tcp://*:5600',
      sinkEndpoint: 'tcp://*:5700',
      mgmtEndpoint: 'tcp://*:5800',
      publisherEndpoint: 'tcp://*:5750',
      stateDir: '/var/lib/service-mgr',
      history: { maxAgeMs: 30 * 86_400_000, maxRequests: 100_000, maxBytes: 1_073_741_824 },
      logLevel: 'info',
    });
  });

  it('takes the optional keys', () => {
    expect(read({ publisher_endpoint: 'tcp://127.0.0.1:*', state_dir: '/srv/state' })).to.include({
      publisherEndpoint: 'tcp://127.0.0.1:*',
      stateDir: '/srv/state',
    });
  });

  it('knows which changed keys wait for the next start, and takes the history and the log level at once', () => {
    const live = read({ history_max_age: '7d', history_max_requests: '5', log_level: 'error' });
    expect(managerKeysForRestart(read(), live)).to.deep.equal([]);
    const changes = { sink_endpoint: 'tcp://*:5701', state_dir: '/srv/state', log_level: 'error' };
    expect(managerKeysForRestart(read(), read(changes))).to.deep.equal(['sink_endpoint', 'state_dir']);
  });

  it('names every endpoint that is missing', () => {
    const expected = 'tcp://HOST:PORT or ipc://PATH';
    for (const key of Object.keys(endpoints)) {
      expect(() => readManagerConfig('', 'm.conf')).to.throw(
        `m.conf: [Default] ${key} is missing, expected ${expected}`,
      );
    }
  });

  it('refuses a relative state directory', () => {
    expect(() => read({ state_dir: 'state' })).to.throw(
      'm.conf:6: key state_dir: value "state", expected an absolute path',
    );
  });

  it('refuses two sockets on one port, also on different addresses', () => {
    expect(() => read({ sink_endpoint: 'tcp://127.0.0.1:5500' })).to.throw(
      'm.conf:4: key sink_endpoint: value "tcp://127.0.0.1:5500", expected another place than tcp://*:5500 of frontend_endpoint',
    );
  });

  it('refuses two sockets on one path', () => {
    const path = 'ipc:///run/one.sock';
    expect(() => read({ frontend_endpoint: path, mgmt_endpoint: path })).to.throw(
      'm.conf:5: key mgmt_endpoint:',
    );
  });

  it('blames the key in the file where the other one is a default', () => {
    expect(() => read({ backend_endpoint: 'tcp://*:5750' })).to.throw(
      'm.conf:3: key backend_endpoint: value "tcp://*:5750", expected another place than tcp://*:5750 of publisher_endpoint',
    );
  });

  it('lets any number of sockets have a free port', () => {
    const free = 'tcp://127.0.0.1:*';
    expect(
      read({ frontend_endpoint: free, backend_endpoint: free, publisher_endpoint: 'tcp://*:*' }),
    ).to.include({
      frontendEndpoint: free,
      backendEndpoint: free,
      publisherEndpoint: 'tcp://*:*',
    });
  });
});
