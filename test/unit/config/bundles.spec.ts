import { expect } from 'chai';
import { readAgentConfig } from '../../../src/config/agent.ts';

const endpoints = `[Default]
manager_endpoint = tcp://localhost:5600
sink_endpoint = tcp://localhost:5700
mgmt_endpoint = tcp://*:6000
`;

/** Its first line is line 5 of the file. */
const read = (sections: string) => readAgentConfig(endpoints + sections, 'a.conf').bundles;

describe('bundles in the config of an agent', () => {
  it('have their members in order, and no more said than is', () => {
    expect(read('[bundle:web]\nservices = postgresql, app, nginx')).to.deep.equal(
      new Map([
        [
          'web',
          {
            services: ['postgresql', 'app', 'nginx'],
            stopOnError: undefined,
            timeoutMs: undefined,
            timeoutsMs: new Map(),
          },
        ],
      ]),
    );
  });

  it('may each say what is to be done on an error, and how long members may take', () => {
    const lines = ['services = db, app', 'stop_on_error = no', 'timeout = 5m', 'timeouts = db:1h, app : 0.5'];
    const bundle = read(['[bundle:a]', ...lines, '[bundle:b]\nservices = app'].join('\n')).get('a');
    expect(bundle).to.deep.equal({
      services: ['db', 'app'],
      stopOnError: false,
      timeoutMs: 300_000,
      timeoutsMs: new Map([
        ['db', 3_600_000],
        ['app', 500],
      ]),
    });
    expect(read('[bundle:b]\nservices = app\nstop_on_error = yes').get('b')?.stopOnError).to.equal(true);
  });

  it('may time a member whose name has a colon', () => {
    const bundle = read('[bundle:a]\nservices = net:1\ntimeouts = net:1:7').get('a');
    expect(bundle?.timeoutsMs).to.deep.equal(new Map([['net:1', 7_000]]));
  });

  it('have 100 members at most', () => {
    const names = Array.from({ length: 101 }, (_, index) => `app${index}`);
    expect(read(`[bundle:a]\nservices = ${names.slice(1).join(', ')}`).get('a')?.services).to.have.length(
      100,
    );
    expect(() => read(`[bundle:a]\nservices = ${names.join(', ')}`)).to.throw(
      /^a\.conf:6: key services: value "app0.*", expected 1 to 100 services/,
    );
  });

  for (const [what, lines, message] of [
    ['no members', 'timeout = 1', 'a.conf:5: [bundle:web] services is missing, expected 1 to 100 services'],
    ['an empty list', 'services =', 'a.conf:6: key services: value "", expected 1 to 100 services'],
    ['a member twice', 'services = a, b, a', 'a.conf:6: key services: value "a, b, a", expected 1 to 100'],
    [
      'a bundle in it',
      'services = a, bundle:b',
      'a.conf:6: key services: value "a, bundle:b", expected 1 to',
    ],
    ['a path in it', 'services = a/b', 'a.conf:6: key services: value "a/b", expected 1 to 100 services'],
    [
      'a mistyped key',
      'services = a\ntimeotu = 5',
      'a.conf:7: key "timeotu" is unknown, did you mean timeout?',
    ],
    [
      'a bad word',
      'services = a\nstop_on_error = true',
      'a.conf:7: key stop_on_error: value "true", expected yes or no',
    ],
    ['a bad time', 'services = a\ntimeout = 0', 'a.conf:7: key timeout: value "0", expected a time from 0.1'],
    [
      'a time of nobody',
      'services = a\ntimeouts = 5',
      'a.conf:7: key timeouts: value "5", expected SERVICE:TIME with a time from 0.1',
    ],
    [
      'a time for a service that is no member',
      'services = db, app\ntimeouts = bd:5',
      'a.conf:7: key timeouts: value "bd:5", expected one time for a member: db, app',
    ],
    [
      'two times for one member',
      'services = db, app\ntimeouts = db:5, db:6',
      'a.conf:7: key timeouts: value "db:5, db:6", expected one time for a member: db, app',
    ],
  ] as const) {
    it(`are refused with ${what}`, () => {
      expect(() => read(`[bundle:web]\n${lines}`)).to.throw(message);
    });
  }

  for (const title of ['', 'a b', '-web', 'a..b', 'a/b', 'web:1']) {
    it(`are refused with "${title}" as their name`, () => {
      expect(() => read(`[bundle:${title}]\nservices = a`)).to.throw(
        new RegExp(`^a\\.conf:5: section "bundle:${title}": "${title}", expected a name of 1 to 100 .*$`),
      );
    });
  }

  it('are not mixed up with another section', () => {
    expect(() => read('[bundel:web]\nservices = a')).to.throw(
      'a.conf:5: section "bundel:web" is unknown, expected Default, security, actions, aliases, health, bundle:NAME',
    );
  });
});
