import { homedir, userInfo } from 'node:os';
import { expect } from 'chai';
import { readUser } from '../../../../src/platform/node/user.ts';

describe('the user', () => {
  it('has the login name that the system knows', () => {
    expect(readUser({ LOGNAME: 'somebody' }).name).to.equal(userInfo().username);
  });

  it('keeps settings where XDG_CONFIG_HOME says, if that is a whole path, else in ~/.config', () => {
    expect(readUser({ XDG_CONFIG_HOME: '/where/ever' }).configFolder).to.equal('/where/ever');
    for (const wanted of [undefined, '', 'relative/path', '~/x'])
      expect(readUser({ XDG_CONFIG_HOME: wanted }).configFolder).to.equal(`${homedir()}/.config`);
  });
});
